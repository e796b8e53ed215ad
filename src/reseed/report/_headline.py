"""The top of the page: what was studied, the one sentence, and the headline numbers with what they mean."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reseed.report import _text as text
from reseed.report._data import ReportData
from reseed.report._glossary import term
from reseed.report._shell import section_html


@dataclass(frozen=True)
class Measure:
    """One headline number as it is printed; all fields are plain text, the last a word of the glossary."""

    name: str
    value: str | None
    spread: str
    meaning: str
    reason: str = "undefined for these runs"
    term: str = ""


def header(data: ReportData) -> str:
    """The title, what was studied, and the sentence that answers the question."""
    summary = data.summary
    facts = [str(summary[key]) for key in ("dataset", "model") if summary.get(key) is not None]
    facts.append(text.plural(data.runs, "run"))
    facts.append(text.plural(len(data.sample_ids), "sample"))
    classes = text.number(summary.get("classes"))
    facts.append(text.plural(len(data.class_names) if classes is None else int(classes), "class", "classes"))
    for key, word in (("runs_diverged", "diverged"), ("runs_missing", "missing")):
        amount = text.number(summary.get(key))
        if amount:
            facts.append(f"{text.plural(int(amount), 'run')} {word}")
    items = "".join(f"<li><bdi>{text.escape(text.clip(fact, 200))}</bdi></li>" for fact in facts)
    lead, follow = _lead(data)
    return (
        f'<header><p class="eyebrow">Local instability report</p>'
        f'<h1 dir="auto">{text.escape(data.title)}</h1><ul class="facts">{items}</ul>'
        f'<p class="lead">{text.escape(lead)}</p><p class="follow">{text.escape(follow)}</p></header>'
    )


def _lead(data: ReportData) -> tuple[str, str]:
    samples, unstable, runs = len(data.sample_ids), int(data.unstable.sum()), data.runs
    if samples == 0:
        return "There are no answers to compare.", "The study holds no samples."
    if (likely := text.number(data.summary.get("likely_to_change"))) is not None:
        return (
            f"Of {text.plural(samples, 'answer')}, {text.count(int(likely))} would more likely than not change in "
            "retrainings.",
            "This is an estimate from a single run: no second one was compared.",
        )
    if runs < 2:
        return (
            "One run cannot show which answers depend on the seed.",
            "Train the same recipe at least once more with another seed, better ten times.",
        )
    trained = f"The same recipe was trained {runs} times with different seeds."
    if unstable == 0:
        return (
            f"None of the {text.plural(samples, 'answer')} changed in {runs} runs.",
            f"{trained} That is not proof of stability: see the upper bound below.",
        )
    verb = "depends" if unstable == 1 else "depend"
    return (
        f"Of {text.plural(samples, 'answer')}, {text.count(unstable)} ({text.percent(unstable / samples)}) "
        f"{verb} on the seed.",
        f"{trained} {'This sample' if unstable == 1 else 'These samples'} got at least two different labels.",
    )


def notes(given: Sequence[str]) -> str:
    """The warnings, or nothing."""
    if not given:
        return ""
    items = "".join(f'<li dir="auto">{text.escape(note)}</li>' for note in given)
    return f'<aside class="notes" aria-label="Notes"><h2>Before you read on</h2><ul>{items}</ul></aside>'


def headline(data: ReportData) -> str:
    """The headline numbers as a description list: each with its interval and what it means for the reader."""
    measures: tuple[Measure, ...]
    if data.flip_probability is not None:
        measures = (_expected(data), _accuracy(data))
    else:
        measures = (_unstable(data), _jitter(data), _entropy(data), _accuracy(data), _bound(data))
    return measures_html(measures)


def measures_html(measures: Sequence[Measure]) -> str:
    """Numbers, each with its interval and its meaning, as a section; nothing where there is none."""
    rows = "".join(map(_row, measures))
    return section_html("numbers", "In numbers", f'<dl class="measures">{rows}</dl>' if rows else "")


def _row(measure: Measure) -> str:
    name = text.escape(measure.name)
    if measure.value is None:
        reason = text.escape(measure.reason)
        value = f'<span class="missing">{text.DASH}</span><span class="spread">{reason}</span>'
    else:
        value = f'{text.escape(measure.value)}<span class="spread">{text.escape(measure.spread)}</span>'
    return (
        f'<div><dt>{term(measure.term, name) if measure.term else name}</dt><dd class="value">{value}</dd>'
        f'<dd class="meaning">{text.escape(measure.meaning)}</dd></div>'
    )


def _spread(data: ReportData, name: str, *, as_percent: bool) -> str:
    pair = text.interval(data.summary, name)
    if pair is None:
        return "no interval" if data.runs > 2 else "no interval from fewer than three runs"
    ends = text.percent_range(*pair) if as_percent else f"{text.decimal(pair[0])} to {text.decimal(pair[1])}"
    method = data.summary.get(f"{name}_ci_method")
    return f"95{text.NBSP}% interval {ends}" + (f" ({text.clip(str(method), 80)})" if method else "")


def _expected(data: ReportData) -> Measure:
    value = text.number(data.summary.get("expected_unstable_fraction"))
    runs = text.number(data.summary.get("expected_unstable_runs"))
    pair = text.interval(data.summary, "expected_unstable_fraction")
    among = "several trainings" if runs is None else text.plural(int(runs), "training")
    ends = "no interval" if pair is None else f"95{text.NBSP}% of data sets {text.percent_range(*pair)}"
    return Measure(
        name="Unstable answers to expect",
        value=None if value is None else text.percent(value),
        spread=ends,
        meaning=f"The estimated share of samples that get at least two different labels in {among}. The interval is as "
        "wide as the estimate was wrong on data sets that its weights had not seen.",
    )


def _unstable(data: ReportData) -> Measure:
    value = text.number(data.summary.get("unstable_fraction"))
    samples, unstable = len(data.sample_ids), int(data.unstable.sum())
    return Measure(
        name="Unstable answers",
        term="unstable",
        value=None if value is None else text.percent(value),
        spread=_spread(data, "unstable_fraction", as_percent=True),
        meaning=f"{text.count(unstable)} of {text.plural(samples, 'sample')} got at least two different "
        f"labels in {text.plural(data.runs, 'run')}. The share can only grow with more runs.",
        reason="needs two runs" if data.runs < 2 else "undefined for these runs",
    )


def _jitter(data: ReportData) -> Measure:
    value = text.number(data.summary.get("jitter"))
    meaning = "The share of the answers on which two retrainings disagree."
    if value == 0:
        meaning = "No two of these runs disagree on any answer."
    elif value is not None:
        answers = value * len(data.sample_ids)
        about = "fewer than one" if answers < 1 else f"about {text.count(round(answers))}"
        meaning = (
            f"Two retrainings disagree on {text.percent(value)} of the answers, {about} of "
            f"{text.count(len(data.sample_ids))}. Expect that much to change when the model is trained again."
        )
    return Measure(
        name="Disagreement of two runs (jitter)",
        term="jitter",
        value=None if value is None else text.percent(value),
        spread=_spread(data, "jitter", as_percent=True),
        meaning=meaning,
        reason="needs two runs" if data.runs < 2 else "undefined for these runs",
    )


def _entropy(data: ReportData) -> Measure:
    value = text.number(data.summary.get("label_entropy_mean"))
    top = math.log(max(1, min(len(data.class_names), data.runs)))
    return Measure(
        name="Mean label entropy",
        term="label-entropy",
        value=None if value is None else f"{text.decimal(value)}{text.NBSP}nats",
        spread=_spread(data, "label_entropy", as_percent=False),
        meaning="How evenly a sample's answers are split between labels: 0 if all runs agree (even on a "
        f"wrong label), 0.693 if two labels come equally often, at most {text.decimal(top)} here.",
    )


def _accuracy(data: ReportData) -> Measure:
    value = text.number(data.summary.get("accuracy_mean"))
    deviation = text.number(data.summary.get("accuracy_std"))
    between = ""
    if deviation is not None:
        points = text.decimal(100 * deviation, 2)
        between = f"The standard deviation between runs is {points} percentage points{_on_other_samples(data)}. "
    unknown = not bool((data.targets >= 0).any())
    return Measure(
        name="Accuracy",
        term="accuracy",
        value=None if value is None else text.percent(value),
        spread=_spread(data, "accuracy", as_percent=True),
        meaning=f"{between}Runs of equal accuracy can still differ in which answers are right.",
        reason="no gold labels" if unknown else "undefined for these runs",
    )


def _on_other_samples(data: ReportData) -> str:
    """What of the spread between runs is left where samples are many."""
    value = text.number(data.summary.get("accuracy_std_of_distribution"))
    if value is None:
        return ""
    pair = text.interval(data.summary, "accuracy_std_of_distribution")
    ends = "" if pair is None else f" ({text.decimal(100 * pair[0], 2)} to {text.decimal(100 * pair[1], 2)})"
    calibrated = text.number(data.summary.get("accuracy_std_if_calibrated"))
    by_chance = (
        ""
        if calibrated is None
        else f"; {text.decimal(100 * calibrated, 2)} here is what calibrated, equally good runs have"
    )
    return f" on these samples, on other samples of their kind about {text.decimal(100 * value, 2)}{ends}{by_chance}"


def _bound(data: ReportData) -> Measure:
    value = text.number(data.summary.get("flip_upper_bound"))
    if value is None and data.runs > 0:
        value = 1 - 0.05 ** (1 / data.runs)
    meaning = "Zero flips does not mean stable."
    if value is not None:
        meaning = (
            f"Zero flips in {text.plural(data.runs, 'run')} does not mean stable: a single answer that "
            f"never changed can still flip in the next run with a probability of up to {text.percent(value)}."
        )
    return Measure(
        name="What these runs cannot exclude",
        value=None if value is None else f"\u2264{text.NBSP}{text.percent(value)}",
        spread=f"95{text.NBSP}% upper bound",
        meaning=meaning,
        reason="needs a run",
    )
