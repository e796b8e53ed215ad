"""A study, and scores of it."""

import numpy as np
import pytest

from reseed import Study
from reseed.scores import Chart, Column, Scores, Series

RUNS, SAMPLES = 3, 5


@pytest.fixture
def study(tmp_path):
    """Three runs on five samples."""
    labels = np.random.default_rng(0).integers(0, 3, (RUNS, SAMPLES))
    return Study.from_predictions(labels, tmp_path / "study", sample_ids=[f"s{place}" for place in range(SAMPLES)])


@pytest.fixture
def made(study):
    """A function that makes scores of the study with everything there can be, but for what is asked otherwise."""
    rng = np.random.default_rng(1)

    def make(**changed):
        names = ("length", "word", "norm", "sharpness", "loss")
        described = {name: Column(f"the {name}", "higher_is_worse", "[0, inf]", "nats", "make") for name in names}
        parts = {
            "lens": "norms",
            "ids": study.samples.ids,
            "columns": described,
            "samples": {"length": np.arange(SAMPLES), "word": np.array(list("abcde"))},
            "by_run": {"norm": rng.random((RUNS, SAMPLES))},
            "of_runs": {"sharpness": np.array([1.0, np.nan, 3.0])},
            "series": {"loss": rng.random((RUNS, 4)).astype(np.float32)},
            "runs": (0, 1, 2),
            "steps": (1, 2, 3, 9),
            "summary": {"norm_mean": 0.5, "norm_ci95": [0.4, 0.6], "samples": SAMPLES},
            "groups": {"Norms": ("norm_mean",)},
            "notes": ("mind this.",),
            "options": {"power": 2, "names": ["a"]},
            "cost": {"wall_s": 1.5},
            "charts": (Chart("lines", "Loss", "It falls.", "step", "loss", (Series("run 0", (1, 2), (2.0, np.nan)),)),),
        }
        return Scores(**parts | changed)

    return make
