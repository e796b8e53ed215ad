"""What each quantity of one run is, and which way it is worse."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reseed.scores import HIGHER, LOWER, NONE, Column, Direction

_OTHERWISE = {"margin_std": "late_margin_std", "score": "one_run_score"}  # what a study's other columns are called


def _signal(about: str, direction: Direction, range_: str, unit: str) -> Column:
    return Column(about, direction, range_, unit, "single_run_signals")


_LATE = "the late checkpoints of a run"
_ODDS = "[-16.12, 16.12]"
ONE_RUN: Mapping[str, Column] = MappingProxyType(
    {
        "one_run_score": Column(
            "probability, estimated from a run, that 15 other trainings would not all agree; 0 below the cut",
            HIGHER,
            "[0, 1]",
            "probability",
            "single_run_score",
        ),
        "late_label_entropy": _signal(f"entropy of the labels over {_LATE}", HIGHER, "[0, ln(min(K, T))]", "nats"),
        "late_label_flips": _signal(f"how often the label changes along {_LATE}", HIGHER, "[0, 1]", "share of steps"),
        "late_disagreement": _signal(
            f"share of {_LATE} whose label is not the last one", HIGHER, "[0, 1]", "share of checkpoints"
        ),
        "final_confidence": Column(
            "probability of the label that a run gives at the last checkpoint",
            LOWER,
            "[0, 1]",
            "probability",
            "recorded",
        ),
        "final_margin": _signal("first less second probability at the last checkpoint", LOWER, "[0, 1]", "probability"),
        "mean_margin": _signal(
            f"mean over {_LATE} of the margin in favour of the last label", LOWER, "[-1, 1]", "probability"
        ),
        "least_margin": _signal(
            f"smallest margin in favour of the last label over {_LATE}", LOWER, "[-1, 1]", "probability"
        ),
        "margin_slope": _signal(
            f"slope of the margin in favour of the last label along {_LATE}", NONE, "[-3, 3]", "probability"
        ),
        "late_margin_std": _signal(
            f"standard deviation over {_LATE} of the margin in favour of the last label",
            HIGHER,
            "[0, 1]",
            "probability",
        ),
        "margin_rank": _signal(
            "share of the samples whose mean margin is smaller", LOWER, "[0, 1]", "share of samples"
        ),
        "mean_log_odds": _signal(
            f"mean over {_LATE} of the log-odds of first and second label in favour of the last label",
            LOWER,
            _ODDS,
            "nats",
        ),
        "late_flip_rate": _signal(
            "share of samples of like log-odds whose late labels are not all the last one",
            HIGHER,
            "[0, 1]",
            "probability",
        ),
        "log_late_flip_rate": _signal("logarithm of the late flip rate and 0.003", HIGHER, "[-5.81, 0.003]", "nats"),
        "final_entropy": _signal("entropy of the probabilities at the last checkpoint", HIGHER, "[0, ln(K)]", "nats"),
        "mean_entropy": _signal(f"mean over {_LATE} of the entropy of the probabilities", HIGHER, "[0, ln(K)]", "nats"),
        "final_own_probability": _signal(
            "the gold label's probability at the last checkpoint", LOWER, "[0, 1]", "probability"
        ),
        "mean_own_probability": _signal(
            f"mean over {_LATE} of the gold label's probability", LOWER, "[0, 1]", "probability"
        ),
        "dropout_label_entropy": _signal(
            "entropy of the labels of passes with dropout at the end of a run", HIGHER, "[0, ln(K)]", "nats"
        ),
        "dropout_margin": _signal(
            "mean margin of passes with dropout in favour of the last label", LOWER, "[-1, 1]", "probability"
        ),
    }
)
"""Columns of single runs that one training's checkpoints give; see `single_run_signals`."""


def name_of(signal: str) -> str:
    """Return what the column of a signal is called, where columns of other kinds have names of their own."""
    return _OTHERWISE.get(signal, signal)
