"""Text from outside made safe for each place it can land in, and numbers made readable."""

import html
import json
import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np

_ID_LIMIT = 80
_UNQUOTED = "!'()*~"  # what encodeURIComponent leaves as it is, besides what `quote` does
NBSP = "\u00a0"
DASH = "\u2014"
REPLACEMENT = "\ufffd"

# What a page cannot show or an encoder refuses: C0 controls but tab and newline, DEL, C1 controls, lone
# surrogates, noncharacters.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def visible(text: object) -> str:
    """Replace characters that HTML drops or forbids by visible ones (NUL becomes the symbol for NUL)."""

    def symbol(match: re.Match[str]) -> str:
        code = ord(match.group())
        return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else REPLACEMENT

    return _INVISIBLE.sub(symbol, str(text).replace("\r\n", "\n").replace("\r", "\n"))


def clip(text: str, limit: int) -> str:
    """Cut a text to a number of characters, the last of which then is an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "\u2026"


def shown_id(name: str) -> str:
    """A sample's id as pages show it, and as their scripts know it."""
    return clip(visible(name), _ID_LIMIT)


def sample_place(name: str) -> str:
    """Where in the page of a study a sample opens; its script says alike."""
    return f"#samples?sample={quote(name, safe=_UNQUOTED)}"


def escape(text: object) -> str:
    """Make text safe as HTML content and inside quoted attributes."""
    return html.escape(visible(text), quote=True)


def inline_json(value: object) -> str:
    """JSON that cannot end or confuse the script element around it; undefined numbers must be None."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def number(value: object) -> float | None:
    """A finite float, or None for everything undefined: None, NaN, infinities, what is not a number."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        return None
    result = float(value)
    return result if math.isfinite(result) else None


def interval(summary: Mapping[str, object], name: str) -> tuple[float, float] | None:
    """The pair stored under `<name>_ci95`, or None unless both ends are finite."""
    return pair(summary.get(f"{name}_ci95"))


def pair(value: object) -> tuple[float, float] | None:
    """Two finite floats, or None for everything else."""
    if not isinstance(value, list | tuple | np.ndarray) or len(value) != 2:
        return None
    low, high = number(value[0]), number(value[1])
    return None if low is None or high is None else (low, high)


def _percent_digits(share: float) -> int:
    return 2 if 0 < share < 0.01 or 0.99 < share < 1 else 1


def percent(share: float) -> str:
    """A share as percent, with one decimal, or two close to 0 % and 100 %."""
    return f"{100 * share:.{_percent_digits(share)}f}{NBSP}%".replace("-", "\u2212")


def percent_range(low: float, high: float) -> str:
    """An interval of shares, both ends with the same number of decimals."""
    digits = max(_percent_digits(low), _percent_digits(high))
    return f"{100 * low:.{digits}f} to {100 * high:.{digits}f}{NBSP}%".replace("-", "\u2212")


def decimal(value: float, digits: int = 3) -> str:
    """A number with a fixed number of decimals and a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "\u2212")


def count(value: int) -> str:
    """A whole number with commas between thousands."""
    return f"{value:,}"


def plural(value: int, noun: str, many: str | None = None) -> str:
    """A number with its noun in the right form."""
    return f"{count(value)} {noun if value == 1 else many or noun + 's'}"


def mean_text(row: Mapping[str, Any], name: str, factor: float, digits: int) -> str:
    """A number of a row of JSON, and in brackets its interval, which stands beside it as ``..._ci95``."""
    value, interval = row.get(name), row.get(f"{name.removesuffix('_mean')}_ci95")
    if value is None:
        return "-"
    ends = "" if interval is None else " [" + ", ".join(f"{factor * end:.{digits}f}" for end in interval) + "]"
    return f"{factor * value:.{digits}f}{ends}"


def missing(reason: str) -> str:
    """A dash, with the reason as a tooltip and for screen readers."""
    safe = escape(reason)
    return f'<span class="missing" title="{safe}">{DASH}<span class="unseen"> {safe}</span></span>'
