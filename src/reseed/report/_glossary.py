"""The words of the page: as tooltips where they stand first, and as a list."""

from __future__ import annotations

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
    "lens": ("Lens", "A way to ask what would change an answer: other seeds, noise, an attack, another training set."),
}


def term(name: str, shown: str) -> str:
    """A word of the list, shown as given, which is HTML: what it means under the pointer, and a link to it."""
    return f'<a class="term" href="#term-{name}" title="{text.escape(meaning(name))}">{shown}</a>'


def meaning(name: str) -> str:
    """What a word of the list means."""
    return _WORDS[name][1]


def glossary() -> str:
    """The section that lists all words."""
    items = "".join(
        f'<div id="term-{name}"><dt>{word}</dt><dd>{text.escape(meant)}</dd></div>'
        for name, (word, meant) in _WORDS.items()
    )
    return (
        '<section id="words" aria-labelledby="words-title"><h2 id="words-title">Words</h2>'
        f'<dl class="entries words-list">{items}</dl></section>'
    )
