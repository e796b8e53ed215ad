"""The words of the cost table: units that people read, and what is left out."""

import io

import numpy as np
import pytest
from rich.console import Console

from reseed.instability import evaluate
from reseed.models import ModelConfig
from reseed.report import print_stability, report_data
from reseed.report._cost import cost_table
from reseed.studies import Study, train_study
from reseed.training import Recipe


def entries(name, total, median, low, high):
    """The summary's entries of one figure of three runs."""
    return {
        "cost_runs": 3,
        f"cost_{name}": total,
        f"cost_{name}_median": median,
        f"cost_{name}_range": [low, high],
    }


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("steps", 0, "0"),
        ("steps", 1234567, "1,234,567"),
        ("steps", 22.5, "22.5"),
        ("wall_s", 0.01234, "0.0123 s"),
        ("wall_s", 119.6, "120 s"),
        ("wall_s", 120, "2 min"),
        ("wall_s", 7200, "2 h"),
        ("wall_s", 12 * 86400, "12 d"),
        ("samples_per_s", 66160.4, "66,160"),
        ("weights_bytes", 0, "0 B"),
        ("weights_bytes", 19_704, "19.7 kB"),
        ("peak_memory_bytes", 512, "512 B"),
        ("peak_memory_bytes", 505_000_000, "505 MB"),
        ("peak_device_memory_bytes", 79.2e9, "79.2 GB"),
        ("peak_device_memory_bytes", 999.6e6, "1,000 MB"),
    ],
)
def test_numbers_have_readable_units(name, value, shown):
    """Counts have commas, times and sizes the unit that suits them."""
    table = cost_table(entries(name, value, value, value, value))
    assert table is not None
    assert table.rows[0][1:] == (shown, shown)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ([1, 1], "3 finished runs, each trained by itself."),
        ([3, 3], "3 finished runs, 3 at a time as one program, sharing its time evenly."),
        ([1, 2], "3 finished runs, 1 to 2 at a time as one program, sharing its time evenly."),
        (None, "3 finished runs. Per run:"),
    ],
)
def test_the_table_says_how_runs_were_trained(sizes, words):
    """How many runs were one program is told where it is known."""
    table = cost_table(entries("steps", 9, 3, 2, 4) | {"cost_runs_per_program": sizes})
    assert table is not None
    assert table.about.startswith(words)
    assert table.rows == (("Training steps", "9", "3 (2 to 4)"),)


def test_figures_that_are_not_finite_are_left_out():
    """A row needs its total, median and range; without a number of runs there is no table."""
    table = cost_table(entries("steps", float("nan"), 3, 2, 4) | entries("wall_s", 9, None, 2, 4))
    assert table is not None
    assert table.rows == ()
    assert cost_table({"cost_steps": 3}) is None


def printed(study):
    """What the terminal shows of a study."""
    file = io.StringIO()
    print_stability(study, evaluate(study), Console(file=file, width=100))
    return file.getvalue()


def test_a_trained_study_shows_its_cost(tmp_path):
    """The terminal prints the cost table, and the page's data hold the same numbers."""
    recipe = Recipe(model=ModelConfig(hidden=(8,)), epochs=1, batch_size=64)
    study = train_study(recipe, tmp_path / "study", runs=2, engine="serial")
    text = printed(study)
    for words in (
        "What it cost",
        "Training samples seen           │ 2,874 ",
        "2 finished runs, each trained by itself",
    ):
        assert words in text
    data = report_data(study, evaluate(study))
    assert data.summary["cost_samples_seen"] == 2874
    assert "cost" not in data.provenance


def test_an_imported_study_shows_none(tmp_path):
    """Predictions from elsewhere have no cost, so nothing is said of it."""
    study = Study.from_predictions(np.array([[0, 1, 1], [1, 1, 0]]), tmp_path / "study")
    assert "cost" not in printed(study)
    assert not any(name.startswith("cost") for name in report_data(study, evaluate(study)).summary)
