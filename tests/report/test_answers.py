"""Answers that are kept as arrays."""

import numpy as np
import pyarrow as pa
import pytest

from reseed.report._answers import CountedAnswers

ANSWERS = [((2, 5),), ((0, 3), (1, 2)), (), ((1, 4), (0, 0)), ((3, 2), (1, 2), (2, 1))]


def test_a_column_in_chunks_is_read_back():
    """Each sample's pairs are those of the column, whatever chunks it comes in."""
    rows = [[{"label": label, "count": count} for label, count in pairs] for pairs in ANSWERS]
    kind = pa.list_(pa.struct([("label", pa.int32()), ("count", pa.int32())]))
    for cut in (0, 2, 5):
        column = pa.chunked_array([pa.array(rows[:cut], kind), pa.array(rows[cut:], kind)])
        found = CountedAnswers.of(column)
        assert list(found) == ANSWERS
        assert (len(found), found[-1], found[1:3]) == (5, ANSWERS[-1], ANSWERS[1:3])
        np.testing.assert_array_equal(found.several, [False, True, False, False, True])


def test_there_may_be_none():
    """A column without samples has no answers, and a place beyond the end is an error."""
    found = CountedAnswers.of(pa.chunked_array([], pa.list_(pa.struct([("label", pa.int32()), ("count", pa.int32())]))))
    assert (len(found), len(found.several)) == (0, 0)
    with pytest.raises(IndexError):
        found[0]
