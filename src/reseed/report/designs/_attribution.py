"""What is on the page of an attribution: which source of randomness makes answers change."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from reseed.instability import SourceEffects, label_statistics
from reseed.report import _text as text
from reseed.report._data import Step
from reseed.report._next import can_train, keep_in_place
from reseed.report.chart._estimates import bars
from reseed.report.designs._origin import SHOWN, design_command, design_made, look_into, title_of
from reseed.report.designs._page import DesignPage, SampleTable, Shown, Table, measure
from reseed.scores import Chart
from reseed.studies import Study
from reseed.training import STREAMS, Stream

_ALL = "all sources"
_WORDS = ("run", "source", "jitter", "share", "drop", "label-entropy", "interval", "gold")


def attribution_charts(effects: SourceEffects) -> tuple[Chart, ...]:
    """Return what each source does alone, and what is left where it alone is fixed."""
    axis = "jitter (% of answers)"
    alone = {_ALL: effects.jitter} | {f"{one.source} only": one.jitter for one in effects.effects}
    fixed = {"none fixed": effects.jitter} | {f"{one.source} fixed": one.fixed_jitter for one in effects.effects}
    largest = max(effects.effects, key=lambda one: _known(one.jitter.value))
    least = min(effects.effects, key=lambda one: _known(one.fixed_jitter.value))
    return (
        bars(
            "What each source does alone",
            f"Answers that differ between two runs that differ in one source only; {largest.source} alone does most.",
            axis,
            alone,
            100,
        ),
        bars(
            "What is left when one source is fixed",
            f"How many answers still differ when all but one source vary; fewest with {least.source} fixed.",
            axis,
            fixed,
            100,
        ),
    )


def attribution_page(
    effects: SourceEffects, studies: Mapping[frozenset[Stream], Study], folder: Path, notes: Iterable[str]
) -> DesignPage:
    """Return what the page of an attribution shows.

    Args:
        effects: What every source does.
        studies: The studies behind them, by the streams that vary.
        folder: That of the attribution.
        notes: What a reader should know before believing the numbers.
    """
    everything = max(studies, key=len)
    whole = studies[everything]
    runs, samples = effects.jitter.runs, effects.jitter.samples
    options = {"--runs": runs, "--vary": _named(everything, ",")}
    command = design_command(whole, "measure --attribute", folder, options)
    lead, follow = _answer(effects)
    return DesignPage(
        kind="Where changes come from",
        title=title_of(whole),
        facts=(
            text.plural(len(effects.effects), "source"),
            text.plural(len(studies), "study", "studies"),
            f"{text.plural(runs, 'run')} of each",
            text.plural(samples, "sample"),
        ),
        lead=lead,
        follow=follow,
        measures=(
            measure(
                "Jitter, all sources",
                effects.jitter,
                "The share of answers on which two retrainings disagree when they differ in everything.",
                digits=2,
                word="jitter",
            ),
            *(
                measure(
                    f"Gone with {one.source} fixed",
                    one.drop,
                    f"Of that jitter; alone, {one.source} causes {_percent(one.share.value)} as much.",
                    word="drop",
                )
                for one in effects.effects
            ),
        ),
        charts=attribution_charts(effects),
        tables=(_alone(effects), _fixed(effects)),
        samples=lambda: _samples(studies, everything, runs),
        studies={f"runs differ in {_named(streams, ', ')}": study for streams, study in studies.items()},
        steps=tuple(_steps(effects, everything, whole, folder)),
        words=_WORDS,
        made=design_made(folder, command),
        notes=tuple(notes),
    )


def _known(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _percent(share: float) -> str:
    return "no known part" if math.isnan(share) else f"{text.decimal(100 * share, 0)}{text.NBSP}%"


def _named(streams: Iterable[str], separator: str) -> str:
    return separator.join(stream for stream in STREAMS if stream in frozenset(streams))


def _answer(effects: SourceEffects) -> tuple[str, str]:
    runs, samples = effects.jitter.runs, effects.jitter.samples
    if not effects.jitter.value > 0:
        return (
            "All runs gave identical labels: there is nothing to attribute.",
            f"{runs} runs of each study were compared on {text.plural(samples, 'sample')}.",
        )
    best = effects.effects[0]
    largest = max(effects.effects, key=lambda one: _known(one.share.value))
    follow = (
        f"Two retrainings disagree on {text.percent(effects.jitter.value)} of {text.plural(samples, 'answer')}. "
        f"{largest.source.capitalize()} alone makes {_percent(largest.share.value)} as many change. Shares and drops "
        "do not add up: training amplifies any small difference."
    )
    if best.drop.low > 0:
        return f"With {best.source} fixed, {_percent(best.drop.value)} of the changes are gone.", follow
    return f"{text.plural(runs, 'run')} of each study cannot tell which source the changes come from.", follow


def _alone(effects: SourceEffects) -> Table:
    everything = (_ALL, Shown.of(effects.jitter, 2, 100), Shown.of(effects.label_entropy, 4), Shown("100"))
    rows = tuple(
        (
            f"{one.source} only",
            Shown.of(one.jitter, 2, 100),
            Shown.of(one.label_entropy, 4),
            Shown.of(one.share, 0, 100),
        )
        for one in effects.effects
    )
    names = ("Runs differ in", "Jitter (%)", "Label entropy (nats)", "Of all (%)")
    return Table("Each source alone", names, (everything, *rows), "Small print: the 95 % interval.")


def _fixed(effects: SourceEffects) -> Table:
    rows = tuple(
        (
            one.source,
            Shown.of(one.fixed_jitter, 2, 100),
            Shown.of(one.fixed_label_entropy, 4),
            Shown.of(one.drop, 0, 100),
        )
        for one in effects.effects
    )
    names = ("Fixed alone", "Jitter (%)", "Label entropy (nats)", "Gone (%)")
    words = "The last column is about jitter. A source that is fixed keeps one seed; intervals do not cover which."
    return Table("Each source fixed", names, rows, words)


def _samples(studies: Mapping[frozenset[Stream], Study], everything: frozenset[Stream], runs: int) -> SampleTable:
    shown = [everything, *sorted((streams for streams in studies if len(streams) == 1), key=_place)]
    entropies = [_entropy(studies[streams], runs) for streams in shown]
    order = np.argsort(-entropies[0], kind="stable")
    places = tuple(int(place) for place in order[:SHOWN] if entropies[0][place] > 0)
    return SampleTable(
        studies[everything],
        places,
        ("All sources", *(f"{_named(streams, ', ')} only" for streams in shown[1:])),
        tuple(tuple(text.decimal(float(entropy[place])) for entropy in entropies) for place in places),
        f"The {len(places)} samples that are least stable when every source varies: label entropy in nats of the runs "
        "of each study.",
    )


def _place(streams: frozenset[Stream]) -> int:
    return STREAMS.index(next(iter(streams)))


def _entropy(study: Study, runs: int) -> Float[np.ndarray, " sample"]:
    return np.asarray(label_statistics(study.final("labels")[:runs]).label_entropy)


def _steps(effects: SourceEffects, everything: frozenset[Stream], whole: Study, folder: Path) -> Iterator[Step]:
    runs, best = effects.jitter.runs, effects.effects[0]
    rest = [stream for stream in STREAMS if stream in everything - {best.source}]
    command = design_command(
        whole, "measure --attribute", folder, {"--runs": 2 * runs, "--vary": _named(everything, ",")}
    )
    if command:
        words = "More runs make the intervals of shares and drops narrower. Those that are finished are kept."
        yield Step("More runs?", words, command)
    if best.drop.low > 0:
        yield Step(
            f"Hold {best.source} fixed?",
            "It costs no training and makes retrainings repeat one accident, as long as data, recipe and arithmetic "
            f"stay. The study of runs that differ in {', '.join(rest)} is what is left.",
            f"reseed report {shlex.quote(str(folder / '-'.join(['vary', *rest])))}",
        )
    if can_train(whole):
        yield keep_in_place(whole, runs)
    yield look_into(whole)
