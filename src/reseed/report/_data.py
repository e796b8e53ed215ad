"""What a page shows, as plain data that knows nothing about studies, models or stores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float, Int

from reseed._errors import InputError
from reseed.report._answers import CountedAnswers
from reseed.scores import Foretelling, Scores

_INTEGER_COLUMNS = ("targets", "mode_label")
_FLOAT_COLUMNS = (
    "label_entropy",
    "mode_share",
    "jitter",
    "confidence_mean",
    "confidence_std",
    "flip_probability",
    "gold_probability",
)


@dataclass(frozen=True)
class Groups:
    """Groups of samples and whether instability sits in some of them.

    Attributes:
        title: What groups the samples.
        about: How the groups were made, and what a reader should know, in sentences.
        verdict: What the test says, in a sentence.
        rows: Rows (group, samples, mean label entropy, lower and upper end of its interval, unstable fraction, excess,
            corrected p), as they are shown; the ends and p may be NaN.
        total: How many groups there are.
        names: The names of all groups.
        place: For each sample the position of its group among them, -1 where it is in none; None: not known.
        typical: Samples that show what each of all groups is like; empty where the names say that.
    """

    title: str
    about: str
    verdict: str
    rows: tuple[tuple[str, int, float, float, float, float, float, float], ...]
    total: int
    names: tuple[str, ...] = ()
    place: Int[np.ndarray, " sample"] | None = None
    typical: tuple[tuple[int, ...], ...] = ()


Pairs = tuple[tuple[int, int], ...]
"""Labels, each with a number of runs, the most frequent first."""


@dataclass(frozen=True, eq=False)
class History:
    """What runs answered along their training.

    Attributes:
        steps: The steps at which answers are told.
        accuracy: Accuracy of each run, [run, checkpoint]; None where gold labels are not known.
        answers: For some samples the answers of all runs at each of the steps.
        all_steps: The step of each checkpoint of the accuracy.
    """

    steps: tuple[int, ...]
    accuracy: Float[np.ndarray, "run checkpoint"] | None = None
    answers: Mapping[int, tuple[Pairs, ...]] = field(default_factory=lambda: MappingProxyType({}))
    all_steps: tuple[int, ...] = ()


@final
@dataclass(frozen=True)
class Step:
    """What to do next with this study.

    Attributes:
        question: What it answers.
        words: Why, in sentences.
        command: What to type; empty where nothing is.
        place: Where in the page to look, such as ``#samples?verdict=wrong``; empty: nowhere.
    """

    question: str
    words: str
    command: str = ""
    place: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportData:
    """Everything one report shows; every per-sample column has one entry per sample, in the same order.

    Attributes:
        title: The heading of the page.
        summary: Flat headline values by name. Read are `dataset`, `model`, `runs`, `runs_diverged`,
            `runs_missing`, `classes`, `accuracy_mean`, `accuracy_std`, `accuracy_std_of_distribution`,
            `accuracy_std_if_calibrated`, `label_entropy_mean`, `unstable_fraction`, `jitter`, `flip_upper_bound`, of
            a single run `expected_unstable_fraction`, `expected_unstable_runs` and `likely_to_change`, and the entries
            of `cost_summary`. An interval is a pair under `<name>_ci95` (`accuracy_ci95` for the mean accuracy,
            `label_entropy_ci95` for the mean label entropy); how it was made may stand under `<name>_ci_method`. A
            value that is absent, None or NaN is undefined, and the page says why where it can.
        sample_ids: The name of each sample.
        targets: Gold label of each sample, -1 where unknown.
        label_entropy: Label entropy over the runs in nats; NaN where undefined.
        mode_label: The label most runs gave; -1 where undefined.
        mode_share: The share of the runs that gave it.
        jitter: The chance that two different runs disagree.
        confidence_mean: Mean over the runs of the confidence, which is the probability that a run gives to the label
            it predicts; NaN where unknown.
        confidence_std: Standard deviation over the runs of the same; NaN where unknown.
        gold_probability: Mean over the runs of the probability of the gold label; NaN where unknown, None: nowhere
            known.
        answers: For each sample the (label, number of runs) pairs, most frequent first.
        flip_probability: Of a single run, the estimated chance that a sample's label differs in others. Then the page
            is about these estimates, and label entropy, top share, jitter and spread of confidence are undefined.
        class_names: The name of each class, by label.
        texts: The text of each sample, if samples are texts.
        images: A PNG of each sample (None where there is none), if samples can be shown as images.
        classes: Rows (label, samples, accuracy, mean label entropy), as they are shown; accuracy may be None.
        pairs: Rows (label a, label b, share of all disagreements between two runs, samples that got both),
            as they are shown.
        rarefaction: Numbers of runs, and the expected share of unstable samples in so many of them.
        groupings: Groupings of the samples, each with its test and the groups that stand out most.
        scores: What lenses keep with the study, in the order of their sections.
        foretelling: What foretells flips; None where that was not asked.
        complete_runs: Numbers of the study's complete runs, which scores may be of fewer than.
        run_labels: What each of them answered at last, [run, sample]; None where that is not at hand.
        history: What they answered along their training; None where that is not at hand.
        neighbours: For some samples, those that are most like them, the nearest first.
        next_steps: What to do next.
        recipe_toml: The recipe as TOML text.
        provenance: Sections such as seeds, versions, hardware and data, each from name to value.
        made: How the page came about, such as date, command, folder and version, by name.
        notes: Warnings for the reader: diverged runs, missing runs and the like.

    Raises:
        InputError: A column's length differs from the number of sample ids.
    """

    title: str
    summary: Mapping[str, object]
    sample_ids: tuple[str, ...]
    targets: Int[np.ndarray, " sample"]
    label_entropy: Float[np.ndarray, " sample"]
    mode_label: Int[np.ndarray, " sample"]
    mode_share: Float[np.ndarray, " sample"]
    jitter: Float[np.ndarray, " sample"]
    confidence_mean: Float[np.ndarray, " sample"]
    confidence_std: Float[np.ndarray, " sample"]
    answers: Sequence[Pairs]
    class_names: tuple[str, ...]
    texts: tuple[str, ...] | None = None
    images: tuple[bytes | None, ...] | None = None
    flip_probability: Float[np.ndarray, " sample"] | None = None
    gold_probability: Float[np.ndarray, " sample"] | None = None
    classes: tuple[tuple[int, int, float | None, float], ...] = ()
    pairs: tuple[tuple[int, int, float, int], ...] = ()
    rarefaction: tuple[tuple[int, ...], tuple[float, ...]] | None = None
    groupings: tuple[Groups, ...] = ()
    scores: tuple[Scores, ...] = ()
    foretelling: Foretelling | None = None
    complete_runs: tuple[int, ...] = ()
    run_labels: Int[np.ndarray, "run sample"] | None = None
    history: History | None = None
    neighbours: Mapping[int, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    next_steps: tuple[Step, ...] = ()
    recipe_toml: str | None = None
    provenance: Mapping[str, Mapping[str, object]] = field(default_factory=lambda: MappingProxyType({}))
    made: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        expected = len(self.sample_ids)
        for entry in fields(self):
            if entry.name not in (*_INTEGER_COLUMNS, *_FLOAT_COLUMNS, "answers", "texts", "images"):
                continue
            column: Any = getattr(self, entry.name)
            if column is None:
                continue
            if len(column) != expected:
                raise InputError(
                    f"{entry.name} has {len(column)} entries for {expected} sample_ids: "
                    "pass one entry per sample, in the order of sample_ids"
                )
        if self.run_labels is not None and self.run_labels.shape[1:] != (expected,):
            raise InputError(
                f"run_labels has the shape {self.run_labels.shape} for {expected} sample_ids: pass [run, sample]"
            )
        if self.rarefaction is not None and len(self.rarefaction[0]) != len(self.rarefaction[1]):
            raise InputError(
                f"rarefaction has {len(self.rarefaction[0])} sizes and {len(self.rarefaction[1])} shares: "
                "pass as many shares as sizes"
            )

    @property
    def runs(self) -> int:
        """The number of runs compared: from the summary, else the most answers any sample has."""
        runs = self.summary.get("runs")
        if isinstance(runs, int | np.integer):
            return int(runs)
        return max((sum(count for _, count in answer) for answer in self.answers), default=0)

    @cached_property
    def unstable(self) -> Bool[np.ndarray, " sample"]:
        """Which samples got at least two different labels."""
        if isinstance(self.answers, CountedAnswers):
            return self.answers.several
        return np.array([sum(count > 0 for _, count in answer) > 1 for answer in self.answers], dtype=bool)

    @cached_property
    def order(self) -> Int[np.ndarray, " sample"]:
        """Sample positions, least stable first, undefined ones last, ties in the given order."""
        if self.flip_probability is not None:
            return np.argsort(-np.asarray(self.flip_probability, dtype=float), kind="stable")
        entropy = np.asarray(self.label_entropy, dtype=float)
        jitter = np.nan_to_num(np.asarray(self.jitter, dtype=float), nan=-1.0)
        return np.lexsort((-jitter, -np.nan_to_num(entropy, nan=-1.0)))

    def given(self, sample: int) -> Pairs:
        """The answers one sample really got: pairs with a count of zero are left out."""
        return tuple(pair for pair in self.answers[sample] if pair[1] > 0)

    def is_tied(self, sample: int) -> bool:
        """Whether two labels lead with the same number of runs, so that there is no top answer."""
        answer = self.given(sample)
        return len(answer) > 1 and answer[0][1] == answer[1][1]

    def class_name(self, label: int) -> str:
        """The name of a label; a label without a name is shown as its number."""
        return self.class_names[label] if 0 <= label < len(self.class_names) else f"class {label}"
