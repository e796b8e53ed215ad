"""Holds every number of README, documentation and method cards against the committed raw numbers.

    python docs/_scripts/check_numbers.py            # names file, line, printed and right value of what is wrong
    python docs/_scripts/check_numbers.py --write    # puts the right numbers and tables into the pages

Comments in the pages say where a number comes from; `_pages.py` tells their form, `_figures.py` what expressions can
use. A number is bound to an expression, explained by a reason, or of a kind that `UNMEASURED` in `_check.py` lists. An
expression that is true or false speaks for a sentence. Ends with status 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from _check import Check, Edit
from _figures import namespace
from _pages import PageError, read_cards, read_page

ROOT = Path(__file__).parents[2]
CARDS, CARDS_PAGE = ROOT / "src" / "reseed" / "mitigations", ROOT / "docs" / "api" / "mitigations.md"
WITHOUT_FIGURES = {
    "changelog.md": "what was true of a version stays",
    "columns.md": "ranges of columns; a test compares the page with the code",
    "papers.md": "years and numbers of papers",
    "store.md": "the layout of a folder, with constants of its format",
}


def pages_with_figures() -> list[Path]:
    """Return README and all pages that may print measured figures, the last one that of the cards."""
    docs = [path for pattern in ("*.md", "howto/*.md") for path in sorted((ROOT / "docs").glob(pattern))]
    return [ROOT / "README.md", *(path for path in docs if path.name not in WITHOUT_FIGURES), CARDS_PAGE]


def check(pages: list[Path]) -> Check:
    """Return what is wrong in pages, and in the cards of methods if their page is among them.

    Raises:
        PageError: A comment cannot be read.
    """
    found = Check(namespace())
    cards = read_cards(CARDS) if CARDS_PAGE in pages else {}
    for path in pages:
        found.page(read_page(path), cards)
    for card in cards.values():
        found.left_over(card)
    return found


def write(edits: list[Edit]) -> None:
    """Make edits, the last of a file first, so that places stay what they are."""
    for path in {edit.path for edit in edits}:
        text = path.read_text(encoding="utf-8")
        starts = [0]
        for line in text.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        mine = {(starts[edit.line] + edit.column, edit.old, edit.new) for edit in edits if edit.path == path}
        for start, old, new in sorted(mine, reverse=True):
            if text.startswith(old, start):  # a number that a line's end cuts in two is left to its author
                text = text[:start] + new + text[start + len(old) :]
        path.write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Check everything, or mend it, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", type=Path, help="default: README, documentation and cards")
    parser.add_argument("--write", action="store_true", help="put the right numbers into the pages")
    given = parser.parse_args(arguments)
    pages = [path.resolve() for path in given.pages] or pages_with_figures()
    try:
        found = check(pages)
        if given.write and found.edits:
            write(found.edits)
            print(f"{len(found.faults)} faults; what can be mended is")
            found = check(pages)
    except PageError as error:
        print(error)
        return 1
    for fault in found.faults:
        print(fault)
    print(f"{found.count} numbers and sentences of {len(pages)} pages compared, {len(found.faults)} faults")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
