"""The words of the page: as tooltips where they stand first, and as a list."""

from __future__ import annotations

from collections.abc import Sequence

from reseed.report import _text as text

_WORDS = {
    "run": ("Run", "One training of the recipe. Runs differ in their seeds and in nothing else."),
    "unstable": ("Unstable", "A sample to which at least two runs give different labels."),
    "jitter": (
        "Jitter",
        "The share of answers on which two runs disagree, on average over all pairs of runs; of a single sample the "
        "chance that two runs disagree on it.",
    ),
    "label-entropy": (
        "Label entropy",
        "How evenly the runs' answers to a sample are split between labels, in nats: minus the sum of p log p over the "
        "shares p of runs. 0: all agree; 0.693: two labels, half of the runs each.",
    ),
    "top": ("Top answer", "The label that most runs give to a sample."),
    "tie": ("Tie", "Two labels lead with the same number of runs: there is no top answer to be right or wrong."),
    "confidence": (
        "Confidence",
        "The probability that a run gives to the label it predicts. Mean and standard deviation are over the runs.",
    ),
    "gold": ("Gold label", "The label that the data gives, which may be wrong itself."),
    "accuracy": ("Accuracy", "The share of samples to which a run gives the gold label."),
    "interval": (
        "95 % interval",
        "Made so that it holds the value that very many runs, or samples, would show in 95 of 100 studies like this.",
    ),
    "checkpoint": ("Checkpoint", "A step of the training at which predictions were recorded."),
    "medoid": ("Medoid", "The run whose answers agree most with those of all others."),
    "source": (
        "Source",
        "What differs between runs: initial weights (init), the order of batches, dropout, augmentation, or the "
        "training sample (data).",
    ),
    "share": (
        "Share of all",
        "The jitter of runs that differ in one source only, over that of runs that differ in all. Shares do not add up "
        "to 100 %.",
    ),
    "drop": ("Drop", "The part of the jitter that is gone where one source alone is held fixed."),
    "resample": (
        "Resample",
        "A bootstrap sample of the training set: as many samples, drawn with replacement, about 63 % of them distinct.",
    ),
    "inconsistency": (
        "Inconsistency",
        "How far predictions of two runs on one training sample are apart: a divergence, in nats.",
    ),
    "instability": (
        "Instability",
        "How far the mean predictions of two training samples are apart: a divergence, in nats.",
    ),
    "churn": ("Churn", "The share of samples to which two models give different labels."),
    "prediction-error": (
        "Prediction error",
        "The mean absolute difference between the probabilities of models of resamples and those of the original one.",
    ),
    "instability-index": (
        "Classification instability index",
        "The share of models of resamples whose label is not the original model's.",
    ),
    "second-control": ("Second control", "The control trained with other seeds: what it seems to change is chance."),
    "reduction": ("Reduction", "By how many percent label entropy is lower than the control's."),
    "negative-flip": ("Negative flip", "A sample that the old model gets right and the new one wrong."),
    "lens": ("Lens", "A way to ask what would change an answer: other seeds, noise, an attack, another training set."),
}


STUDY_WORDS = (
    "run",
    "unstable",
    "jitter",
    "label-entropy",
    "top",
    "tie",
    "confidence",
    "gold",
    "accuracy",
    "interval",
    "checkpoint",
    "medoid",
    "lens",
)
"""Words of the page of a study."""


def term(name: str, shown: str) -> str:
    """A word of the list, shown as given, which is HTML: what it means under the pointer, and a link to it."""
    return f'<a class="term" href="#term-{name}" title="{text.escape(meaning(name))}">{shown}</a>'


def meaning(name: str) -> str:
    """What a word of the list means."""
    return _WORDS[name][1]


def glossary(names: Sequence[str] = STUDY_WORDS) -> str:
    """The section that lists words of a page; those of a study's unless others are named."""
    items = "".join(
        f'<div id="term-{name}"><dt>{_WORDS[name][0]}</dt><dd>{text.escape(meaning(name))}</dd></div>' for name in names
    )
    return (
        '<section id="words" aria-labelledby="words-title"><h2 id="words-title">Words</h2>'
        f'<dl class="entries words-list">{items}</dl></section>'
    )
