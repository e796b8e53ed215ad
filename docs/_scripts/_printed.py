"""Numbers as pages print them: found in text, compared at the printed precision, printed again the same way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
_RAISED_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
_RAISED = str.maketrans(_RAISED_DIGITS, "0123456789-")
_NUMBER = re.compile(
    rf"""(?<![\w.])(?<![A-Za-z]-)       # not in a name such as CIFAR-10, nor in a version such as 2.13.0
    (?P<sign>[+{MINUS}-]?)
    (?P<digits>\d+(?:,\d{{3}})*(?:\.\d+)?)
    (?P<power>[{_RAISED_DIGITS}]+|e-?\d+|\ {TIMES}\ 10[{_RAISED_DIGITS}]+)?
    (?:(?=x\b)|(?!\w|\.\d|,\d))     # 17.0x is a number; what other letters follow is none""",
    re.VERBOSE,
)
_WORDS = {"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9}
_WORDS |= {"ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "sixteen": 16, "twenty": 20, "thirty": 30, "fifty": 50}
_WORDS |= {"once": 1, "twice": 2}
_WORD = re.compile(rf"\b({'|'.join(_WORDS)})\b", re.IGNORECASE)
_CODE_OR_ADDRESS = re.compile(r"``[^`]*``|`[^`]*`|\]\([^)]*\)|<?https?://\S+")


@dataclass(frozen=True)
class Number:
    """A number in a text.

    Attributes:
        text: As it is printed.
        start: Where it begins in the text.
        value: What is printed.
        step: One unit of the last printed digit; 0 for a word, which is exact.
    """

    text: str
    start: int
    value: float
    step: float

    @property
    def end(self) -> int:
        """Where it ends in the text."""
        return self.start + len(self.text)

    def shows(self, value: float) -> bool:
        """Tells whether the value, rounded as this is, is this number."""
        return abs(value - self.value) <= self.step / 2 + 1e-9 * max(abs(value), self.step)

    def like(self, value: float) -> str:
        """Returns the value printed as this number is: digits, sign, separators of thousands, power of ten."""
        found = _NUMBER.fullmatch(self.text)
        if found is None:
            return next((word for word, number in _WORDS.items() if number == value), f"{value:g}")
        power = found["power"] or ""
        if power and power[0] in _RAISED_DIGITS:
            return f"{value:g}"
        sign = "+" if self.text.startswith("+") else ""
        comma = "," if "," in self.text or abs(value) >= 10_000 else ""
        shown = f"{value / _scale(power):{sign}{comma}.{len(found['digits'].partition('.')[2])}f}"
        return (shown.replace("-", MINUS) if MINUS in self.text else shown) + power


def numbers_in(text: str) -> list[Number]:
    """Returns the numbers that a text prints in digits; code and addresses hold none."""
    return list(_numbers(without_code(text)))


def words_in(text: str) -> list[Number]:
    """Returns the numbers that a text says in words."""
    return [Number(found[0], found.start(), _WORDS[found[0].lower()], 0.0) for found in _WORD.finditer(text)]


def without_code(text: str) -> str:
    """Returns the text with code and addresses blotted out; places stay."""
    return _CODE_OR_ADDRESS.sub(lambda found: "\0" * len(found[0]), text)


def _numbers(text: str) -> Iterator[Number]:
    for found in _NUMBER.finditer(text):
        sign = -1.0 if found["sign"] in ("-", MINUS) else 1.0
        plain, power = float(found["digits"].replace(",", "")), found["power"] or ""
        if power and power[0] in _RAISED_DIGITS:  # 10⁸
            yield Number(found[0], found.start(), sign * plain ** int(power.translate(_RAISED)), 0.0)
        else:
            step = _scale(power) * 10.0 ** -len(found["digits"].partition(".")[2])
            yield Number(found[0], found.start(), sign * plain * _scale(power), step)


def _scale(power: str) -> float:
    if power.startswith("e"):
        return 10.0 ** int(power[1:])
    return 10.0 ** int(power[5:].translate(_RAISED)) if power else 1.0
