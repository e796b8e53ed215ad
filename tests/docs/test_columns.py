"""The page of columns says what the outputs themselves say."""

from pathlib import Path

import pytest

from reseed.instability import COLUMNS, NUMBERS, ONE_RUN, RECORDED

PAGE = (Path(__file__).parents[2] / "docs" / "columns.md").read_text(encoding="utf-8")
LISTS = {"columns": COLUMNS, "one run": ONE_RUN, "recorded": RECORDED, "numbers": NUMBERS}
WORSE = {"higher_is_worse": "higher", "lower_is_worse": "lower", "none": ""}


@pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS)
def test_the_page_has_every_column(listed):
    """Each table of the page has the rows of the list, in its order, and no others."""
    rows = [
        f"| `{name}` | {found.about} | {WORSE[found.direction]} | {f'`{found.range}`' if found.range else ''} | "
        f"{found.unit} | {f'`{found.source}`'} |"
        for name, found in listed.items()
    ]
    assert "\n".join(rows) in PAGE
    assert PAGE.count("\n| `") == sum(map(len, LISTS.values()))
