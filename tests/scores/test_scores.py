"""What a lens may say, and how what it may not is told."""

import re

import numpy as np
import pytest

from reseed import InputError
from reseed.scores import Column, mean_over_runs

COLUMN = Column("it", "none", "", "", "here")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"lens": "Input gradient"}, "lens is 'Input gradient'; give a name of small letters"),
        ({"split": "test"}, "split must be one of 'evaluation', 'train', got 'test'"),
        ({"samples": {"length": np.arange(4)}}, "column 'length' of the shape [4]; [sample] is [5] here"),
        ({"by_run": {"norm": np.zeros((5, 3))}}, "column 'norm' of the shape [5, 3]; [run, sample] is [3, 5] here"),
        ({"of_runs": {"sharpness": np.zeros(5)}}, "[run] is [3] here"),
        ({"series": {"loss": np.zeros((3, 5))}}, "[run, step] is [3, 4] here"),
        ({"groups": {"Near": ("nothing",)}}, "the group 'Near' of the lens 'norms' names 'nothing', which the summary"),
        ({"runs": ()}, "the lens 'norms' has columns of runs; say in runs which ones they are."),
        ({"samples": {"colour": np.zeros(5)}}, "column 'colour' that columns do not describe; add a reseed.scores"),
        ({"samples": {"Big": np.zeros(5)}}, "column 'Big'; give a name of small letters"),
        ({"summary": {"norm_mean": 0.5}}, "has 'norm_mean' without an interval; add 'norm_ci95'"),
    ],
)
def test_scores_that_do_not_fit_are_refused(made, changed, message):
    """The message names the lens's column, shows the shape and says which it would be."""
    with pytest.raises(InputError, match=re.escape(message)):
        made(**changed)


def test_the_table_has_a_row_a_sample(made):
    """Columns of runs are averaged, and everything says what it is."""
    scores = made()
    table = scores.table
    assert table.column_names == ["sample_id", "length", "word", "norm"]
    np.testing.assert_allclose(table["norm"].to_numpy(), scores.by_run["norm"].mean(0), rtol=1e-15)
    assert table.field("norm").metadata[b"description"] == b"the norm, averaged over runs"
    assert table.field("length").metadata[b"description"] == b"the length"
    assert table.schema.metadata[b"notes"] == b"mind this."


def test_a_column_of_samples_stands_for_that_of_runs(made):
    """Such as a median, where the mean says little."""
    scores = made(samples={"norm": np.arange(5.0)})
    assert scores.table["norm"].to_pylist() == [0, 1, 2, 3, 4]


def test_means_read_one_run_at_a_time():
    """What is stored need not fit into memory."""
    asked = []

    class Rows:
        shape = (4, 3)

        def __getitem__(self, run):
            asked.append(run)
            return np.full(3, run, np.float32)

    np.testing.assert_array_equal(mean_over_runs(Rows()), [1.5, 1.5, 1.5])
    assert asked == [0, 1, 2, 3]
    assert np.isnan(mean_over_runs(np.empty((0, 2)))).all()
