"""What every column of a study's tables, every recorded array and every single number is: one list for all outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from reseed.scores import HIGHER, LOWER, NONE, Column, describe

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "sample_id": Column("the sample's id", NONE, "", "", "data"),
        "target": Column("index of the gold label; -1 where unknown", NONE, "[-1, K - 1]", "index", "data"),
        "target_name": Column("name of the gold label", NONE, "", "", "data"),
        "text": Column("the text, or the first numbers, of the sample", NONE, "", "", "data"),
        "answers": Column(
            "labels with the number of runs that gave each, most frequent first", NONE, "", "", "recorded"
        ),
        "label_entropy": Column(
            "entropy of the labels over runs", HIGHER, "[0, ln(min(K, R))]", "nats", "label_entropy"
        ),
        "jitter": Column("share of the pairs of runs that disagree", HIGHER, "[0, 1]", "share of pairs", "jitter"),
        "unstable": Column("whether any two runs differ", HIGHER, "[0, 1]", "yes or no", "unstable_fraction"),
        "mode_label": Column(
            "index of the most frequent label, the lowest of several", NONE, "[0, K - 1]", "index", "mode_label"
        ),
        "mode_name": Column("name of the most frequent label, of the lowest of several", NONE, "", "", "mode_label"),
        "mode_share": Column(
            "share of runs that give the most frequent label",
            LOWER,
            "[1 / min(K, R), 1]",
            "share of runs",
            "mode_share",
        ),
        "mode_tied": Column(
            "whether another label is as frequent as the most frequent one, so that the runs have no answer",
            HIGHER,
            "[0, 1]",
            "yes or no",
            "mode_label",
        ),
        "accuracy": Column("share of runs that give the gold label", LOWER, "[0, 1]", "share of runs", "evaluate"),
        "confidence_mean": Column(
            "mean over runs of the probability of the label a run gives",
            LOWER,
            "[0, 1]",
            "probability",
            "confidence_mean_std",
        ),
        "confidence_std": Column(
            "standard deviation over runs of the probability of the label a run gives",
            HIGHER,
            "[0, 1/2]",
            "probability",
            "confidence_mean_std",
        ),
        "own_probability_mean": Column(
            "mean over runs of the gold label's probability", LOWER, "[0, 1]", "probability", "confidence_mean_std"
        ),
        "own_probability_std": Column(
            "standard deviation over runs of the gold label's probability",
            HIGHER,
            "[0, 1/2]",
            "probability",
            "confidence_mean_std",
        ),
        "margin_mean": Column(
            "mean over runs of the first less the second probability",
            LOWER,
            "[0, 1]",
            "probability",
            "confidence_mean_std",
        ),
        "margin_std": Column(
            "standard deviation over runs of the first less the second probability",
            HIGHER,
            "[0, 1/2]",
            "probability",
            "confidence_mean_std",
        ),
        "trajectory_label_entropy": Column(
            "entropy of a run's labels over its checkpoints, averaged over runs",
            HIGHER,
            "[0, ln(min(K, T))]",
            "nats",
            "label_entropy",
        ),
        "flip_probability": Column(
            "estimated probability that 15 other trainings would not all agree, before the cut",
            HIGHER,
            "[0, 1]",
            "probability",
            "single_run_score",
        ),
        "single_run_score": Column(
            "estimated probability that 15 other trainings would not all agree, averaged over runs",
            HIGHER,
            "[0, 1]",
            "probability",
            "single_run_score",
        ),
        "length": Column("words of the text", NONE, "[1, inf]", "words", "groups"),
        "length_bin": Column("the lengths that the sample is grouped with", NONE, "", "", "groups"),
        "confidence_bin": Column("the mean confidences that the sample is grouped with", NONE, "", "", "groups"),
        "cluster": Column("number of the sample's cluster", NONE, "[0, inf]", "index", "groups"),
        "cluster_name": Column(
            "typical words, typical samples or distinctive columns of the cluster", NONE, "", "", "groups"
        ),
        "ambiguous": Column(
            "whether any run differs from the base run", HIGHER, "[0, 1]", "yes or no", "ambiguous_samples"
        ),
        "conflict_share": Column(
            "share of the other runs that differ from the base run", HIGHER, "[0, 1]", "share of runs", "multiplicity"
        ),
        "label_stability": Column(
            "share of runs by which the most frequent label leads the second",
            LOWER,
            "[0, 1]",
            "share of runs",
            "label_stability",
        ),
        "conflict_epsilon": Column(
            "how much worse a run must be than the base run before one contradicts it; infinite where none does",
            LOWER,
            "[0, inf]",
            "loss",
            "multiplicity",
        ),
        "viable_range": Column(
            "widest range over runs of any class's probability",
            HIGHER,
            "[0, 1]",
            "probability",
            "viable_prediction_range",
        ),
        "capacity": Column(
            "Rashomon capacity of the runs' probabilities",
            HIGHER,
            "[0, log2(min(K, R))]",
            "bits",
            "rashomon_capacity",
        ),
        "score_variance": Column(
            "largest variance over runs of any class's probability",
            HIGHER,
            "[0, 1/4]",
            "squared probability",
            "score_variance",
        ),
        "total_entropy": Column(
            "entropy of the runs' mean probabilities", HIGHER, "[0, ln(K)]", "nats", "entropy_decomposition"
        ),
        "expected_entropy": Column(
            "mean over runs of the entropy of probabilities", HIGHER, "[0, ln(K)]", "nats", "entropy_decomposition"
        ),
        "mutual_information": Column(
            "total less expected entropy: how far the runs' probabilities differ",
            HIGHER,
            "[0, ln(min(K, R))]",
            "nats",
            "entropy_decomposition",
        ),
        "confidence": Column(
            "mean over checkpoints of the gold label's probability, averaged over runs",
            LOWER,
            "[0, 1]",
            "probability",
            "cartography",
        ),
        "variability": Column(
            "standard deviation over checkpoints of the gold label's probability, averaged over runs",
            HIGHER,
            "[0, 1/2]",
            "probability",
            "cartography",
        ),
        "closeness": Column(
            "confidence times one less confidence, averaged over runs",
            HIGHER,
            "[0, 1/4]",
            "squared probability",
            "training_dynamics",
        ),
        "correctness": Column(
            "share of checkpoints at which the label is right, averaged over runs",
            LOWER,
            "[0, 1]",
            "share of checkpoints",
            "training_dynamics",
        ),
        "forgetting_events": Column(
            "times that a right label became wrong, averaged over runs",
            HIGHER,
            "[0, T / 2]",
            "events",
            "forgetting_events",
        ),
        "label_flips": Column(
            "times that the label changed, averaged over runs", HIGHER, "[0, T - 1]", "events", "training_dynamics"
        ),
        "never_learned": Column(
            "share of runs that were never right", HIGHER, "[0, 1]", "share of runs", "training_dynamics"
        ),
        "unforgettable": Column(
            "share of runs that were right and never lost it", LOWER, "[0, 1]", "share of runs", "training_dynamics"
        ),
        "first_learned": Column(
            "checkpoint from which a run is right for good, T where it never is, averaged over runs; infinite where "
            "no run is",
            HIGHER,
            "[0, inf]",
            "checkpoints",
            "first_learned",
        ),
        "forgotten_for_good": Column(
            "checkpoint from which a run is wrong for good, T where it never is, averaged over runs; infinite where "
            "no run is",
            LOWER,
            "[0, inf]",
            "checkpoints",
            "training_dynamics",
        ),
        "trajectory_margin": Column(
            "mean over checkpoints of the first less the second probability, averaged over runs",
            LOWER,
            "[0, 1]",
            "probability",
            "training_dynamics",
        ),
    }
)
"""Columns of ``samples.parquet`` and of `reseed.profile`."""

RECORDED: Mapping[str, Column] = MappingProxyType(
    {
        "labels": Column("index of the label that the run gives", NONE, "[0, K - 1]", "index", "recorded"),
        "abstains": Column("whether the run gives no answer", NONE, "[0, 1]", "yes or no", "recorded"),
        "probabilities": Column("probability of each class", NONE, "[0, 1]", "probability", "recorded"),
        "own_probability": Column("the gold label's probability", LOWER, "[0, 1]", "probability", "recorded"),
        "confidence": Column("probability of the label that the run gives", LOWER, "[0, 1]", "probability", "recorded"),
        "margin": Column("first less second probability", LOWER, "[0, 1]", "probability", "recorded"),
        "entropy": Column("entropy of the probabilities", HIGHER, "[0, ln(K)]", "nats", "recorded"),
        "tempered_own_probability": Column(
            "the gold label's probability after temperature scaling", LOWER, "[0, 1]", "probability", "recorded"
        ),
        "tempered_confidence": Column(
            "probability of the label that the run gives, after temperature scaling",
            LOWER,
            "[0, 1]",
            "probability",
            "recorded",
        ),
        "target": COLUMNS["target"],
    }
)
"""Arrays of a study, by run, checkpoint and sample."""

NUMBERS: Mapping[str, Column] = MappingProxyType(
    {
        "runs": Column("runs that the numbers speak of", NONE, "[1, inf]", "runs", "multiplicity"),
        "samples": Column("samples that were predicted", NONE, "[1, inf]", "samples", "multiplicity"),
        "samples_with_value": Column(
            "samples whose gold label is known", NONE, "[0, inf]", "samples", "training_dynamics"
        ),
        "checkpoints": Column("checkpoints of each run", NONE, "[1, inf]", "checkpoints", "training_dynamics"),
        "burn_in": Column("checkpoints left out at the start", NONE, "[0, T]", "checkpoints", "training_dynamics"),
        "base": Column("number of the run that others are held against", NONE, "[0, R - 1]", "index", "multiplicity"),
        "ambiguity": Column(
            "share of samples on which any run differs from the base run",
            HIGHER,
            "[0, 1]",
            "share of samples",
            "ambiguity",
        ),
        "discrepancy": Column(
            "largest share of samples on which one run differs from the base run",
            HIGHER,
            "[0, 1]",
            "share of samples",
            "discrepancy",
        ),
        "unstable_fraction": Column(
            "share of samples on which any two runs differ", HIGHER, "[0, 1]", "share of samples", "unstable_fraction"
        ),
        "error_of_any_run": Column(
            "share of samples on which any run is wrong", HIGHER, "[0, 1]", "share of samples", "multiplicity"
        ),
        "largest_error": Column(
            "error of the run that errs most", HIGHER, "[0, 1]", "share of samples", "multiplicity"
        ),
        "survivors": Column(
            "runs whose loss is above the base run's by at most the number behind the @",
            NONE,
            "[1, R]",
            "runs",
            "rashomon_sweep",
        ),
    }
)
"""Single numbers of `reseed inspect --profile` that are not a column's mean."""


def column_of(name: str) -> Column | None:
    """Return what a column or a single number is, or None where the name is neither's.

    A name with ``@`` is that of the number among runs of about the same loss; one that ends in ``_mean`` is the mean of
    a column.

    Args:
        name: Such as ``label_entropy``, ``ambiguity@0.02`` or ``closeness_mean``.

    Examples:
        >>> column_of("label_entropy").direction, column_of("closeness_mean").range, column_of("colour")
        ('higher_is_worse', '[0, 1/4]', None)
    """
    plain = name.partition("@")[0]
    for known in (plain, plain.removesuffix("_mean")):
        found = NUMBERS.get(known) or COLUMNS.get(known)
        if found is not None:
            return found
    return None


def describe_columns(table: pa.Table, notes: Sequence[str] = ()) -> pa.Table:
    """Return a table whose fields say in their metadata what they hold, as far as it is known; see `Column`.

    Args:
        table: Such as `reseed.profile` gives.
        notes: What the table's own metadata says, under ``notes``, one a line: what a reader should know.

    Examples:
        >>> import pyarrow as pa
        >>> described = describe_columns(pa.table({"label_entropy": [0.0], "colour": ["red"]}))
        >>> described.field("label_entropy").metadata[b"direction"], described.field("colour").metadata
        (b'higher_is_worse', None)
    """
    return describe(table, COLUMNS, notes)
