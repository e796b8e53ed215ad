"""How messages call arguments: by their names in Python, and by their options on the command line.

Who raises an error marks the name: ``f"{argument('runs')} must be 1 or more"``. The command line says once, around a
command, what its options are called; everywhere else the names are Python's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

FIELD = "recipe field "
"""What the name of a field of the recipe begins with, where it is an argument's."""

_option: ContextVar[Callable[[str], str] | None] = ContextVar("reseed_option", default=None)


@contextmanager
def options_called(option: Callable[[str], str]) -> Iterator[None]:
    """Have messages inside name options.

    Args:
        option: Returns what an argument is called, by its name in Python; that of a recipe's field begins with `FIELD`.

    Examples:
        >>> with options_called(lambda name: f"--{name}"):
        ...     f"{argument('runs')} must be 1 or more"
        '--runs must be 1 or more'
    """
    token = _option.set(option)
    try:
        yield
    finally:
        _option.reset(token)


def argument(name: str) -> str:
    """Return what a message calls an argument.

    Examples:
        >>> argument("runs")
        'runs'
    """
    option = _option.get()
    return name if option is None else option(name)


def recipe_field(name: str) -> str:
    """Return what a message calls a field of the recipe; the command line has options for them too.

    Args:
        name: With dots, such as ``optimizer.lr``.

    Examples:
        >>> recipe_field("optimizer.lr")
        'recipe field optimizer.lr'
    """
    return argument(FIELD + name)


def setting(name: str, value: object) -> str:
    """Return how an argument is given a value; an option without one stands for True or False.

    Examples:
        >>> setting("level", "scores"), setting("monitor", True)
        ("level='scores'", 'monitor=True')
        >>> with options_called(lambda name: f"--{name}"):
        ...     setting("level", "scores"), setting("monitor", True)
        ('--level scores', '--monitor')
    """
    if _option.get() is None:
        return f"{name}={value!r}"
    return argument(name) if isinstance(value, bool) else f"{argument(name)} {value}"
