"""How long to fuzz: a few examples of each kind, or for FUZZ_MINUTES as `make fuzz` does."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fuzz.driver import MINUTES


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """Repeat each fuzzing test, with other examples every time, until its share of the minutes is over."""
    end = time.monotonic() + 60 * MINUTES / max(1, pyfuncitem.session.config.stash.get(_TESTS, 1))
    result = yield
    while "fuzz" in pyfuncitem.keywords and time.monotonic() < end:
        pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames})
    return result


_TESTS = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Count the tests that share the minutes, and mark them."""
    mine = [item for item in items if item.path.parent == Path(__file__).parent]
    for item in mine:
        item.add_marker("fuzz")
    config.stash[_TESTS] = len(mine)
