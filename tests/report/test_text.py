"""Escaping for each place text can land in, and the forms of numbers."""

import json
import math

import numpy as np
import pytest

from reseed.report import _text


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("<script>", "&lt;script&gt;"),
        ("\"'", "&quot;&#x27;"),
        ("a & b &amp;", "a &amp; b &amp;amp;"),
        ("a\0b", "a\u2400b"),
        ("\x1b[31m\x7f\x85", "\u241b[31m\u2421\ufffd"),
        ("line\r\nline\rline", "line\nline\nline"),
        ("\ud800 \uffff", "\ufffd \ufffd"),
        (7, "7"),
    ],
)
def test_escape(raw, safe):
    """Markup is escaped, and what HTML would drop or an encoder refuses becomes visible."""
    assert _text.escape(raw) == safe
    _text.escape(raw).encode("utf-8")


def test_inline_json_cannot_leave_its_script_and_reads_back():
    """No character that could end a script or a line survives, and the value is unchanged."""
    value = {"a": ["</script><!--", "\u2028\u2029", '"&\\', None, 1.5]}
    text = _text.inline_json(value)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == value


def test_inline_json_refuses_nan():
    """NaN is not JSON: it must be made None before."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        _text.inline_json([math.nan])


@pytest.mark.parametrize("value", [None, math.nan, math.inf, "0.5", True, np.float64("nan"), np.bool_(True)])
def test_number_is_none_for_what_is_undefined(value):
    """Only finite numbers are numbers."""
    assert _text.number(value) is None


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1), np.int64(1)])
def test_number_reads_every_kind_of_number(value):
    """Python's and numpy's integers and floats are read."""
    assert _text.number(value) == 1.0


@pytest.mark.parametrize("pair", [None, 0.5, [0.1], [0.1, None], [math.nan, 0.2], "ab", [0.1, 0.2, 0.3]])
def test_interval_needs_two_finite_ends(pair):
    """Anything but two finite numbers is no interval."""
    assert _text.interval({"x_ci95": pair}, "x") is None


def test_interval_reads_lists_tuples_and_arrays():
    """An interval may come as a list, a tuple or an array."""
    for pair in ([0.1, 0.2], (0.1, 0.2), np.array([0.1, 0.2])):
        assert _text.interval({"x_ci95": pair}, "x") == (0.1, 0.2)


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "0.0 %"),
        (0.114, "11.4 %"),
        (0.0012, "0.12 %"),
        (0.9972, "99.72 %"),
        (1.0, "100.0 %"),
        (-0.2, "\u221220.0 %"),
    ],
)
def test_percent(share, words):
    """Shares have one decimal, two near the ends, and a true minus sign."""
    assert _text.percent(share) == words.replace(" ", "\u00a0")


def test_percent_range_has_equal_decimals():
    """Both ends of an interval are printed alike."""
    assert _text.percent_range(0.005, 0.2) == "0.50 to 20.00\u00a0%"


def test_clip_counts_the_ellipsis():
    """A cut text is as long as the limit, ellipsis included; a short one is unchanged."""
    assert _text.clip("abcdef", 4) == "abc\u2026"
    assert _text.clip("abcd", 4) == "abcd"
