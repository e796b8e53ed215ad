"""What the columns of the training split are."""

from __future__ import annotations

from reseed.scores import HIGHER, LOWER, NONE, Column, Direction

LENS = "memorization"


def _column(about: str, direction: Direction, reach: str, unit: str, source: str) -> Column:
    return Column(about, direction, reach, unit, f"memorization.{source}")


COLUMNS: dict[str, Column] = {
    "given_label": _column("label that the sample was trained with", NONE, "", "", "data"),
    "likely_label": _column("most probable other label", NONE, "", "", "rank_suspects"),
    "predicted_label": _column("label that networks answer which did not see it", NONE, "", "", "rank_suspects"),
    "suspicion": _column(
        "how suspicious the given label is: the mean of the sample's ranks by several signals",
        HIGHER,
        "(0, 1]",
        "share of samples",
        "rank_suspects",
    ),
    "is_label_issue": _column("whether the given label is thought wrong", HIGHER, "{0, 1}", "", "rank_suspects"),
    "label_quality": _column("one minus the suspicion", LOWER, "[0, 1)", "share of samples", "rank_suspects"),
    "label_posterior": _column(
        "how likely the given label is right, by networks that did not see it and the matrix of labels",
        LOWER,
        "[0, 1]",
        "probability",
        "label_matrix",
    ),
    "held_out_probability": _column(
        "probability of the given label in networks that did not see the sample, averaged over the last checkpoints",
        LOWER,
        "[0, 1]",
        "probability",
        "held_out_probabilities",
    ),
    "in_sample_margin": _column(
        "by how much the given label's logit is ahead in networks that were trained on it, averaged over the last "
        "checkpoints",
        LOWER,
        "[-inf, inf]",
        "logits",
        "in_sample_margin",
    ),
    "in_sample_probability_margin": _column(
        "by how much the given label's probability is ahead in networks that were trained on it, averaged over "
        "checkpoints",
        LOWER,
        "[-1, 1]",
        "probability",
        "suspects",
    ),
    "memorization": _column(
        "share right among networks that were trained on the sample less that among the others; no sign of a wrong "
        "label by itself",
        NONE,
        "[-1, 1]",
        "share of runs",
        "memorization",
    ),
    "memorization_low": _column(
        "lower end of the 95 % interval of memorization", NONE, "[-1, 1]", "share of runs", "memorization"
    ),
    "memorization_high": _column(
        "upper end of the 95 % interval of memorization", NONE, "[-1, 1]", "share of runs", "memorization"
    ),
    "train_forgetting": _column(
        "how often the given label was answered at one checkpoint and not at the next, averaged over runs that were "
        "trained on it; a poor sign of a wrong label",
        HIGHER,
        "[0, T/2]",
        "events",
        "recorded",
    ),
    "train_label_entropy": _column(
        "entropy of the last labels over runs that were trained on it; a poor sign of a wrong label",
        HIGHER,
        "[0, ln(min(R, K))]",
        "nats",
        "recorded",
    ),
}
