"""What a mistyped name was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: object, known: Iterable[object], *, most: int = 1) -> str:
    """Return the question that follows a message about an unknown name, with a blank before it; empty if none is near.

    Args:
        name: What was given; small and capital letters are alike.
        known: What there is.
        most: How many names to suggest.

    Examples:
        >>> did_you_mean("mesure", ["measure", "mitigate"])
        " Did you mean 'measure'?"
        >>> did_you_mean("warp", ["measure", "mitigate"])
        ''
    """
    names = {str(each).casefold(): str(each) for each in known}
    near = difflib.get_close_matches(str(name).casefold(), names, n=most)
    return f" Did you mean {' or '.join(repr(names[each]) for each in near)}?" if near else ""
