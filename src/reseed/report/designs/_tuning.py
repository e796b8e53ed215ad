"""What is on the page of a search: what was tried, what won, and whether it holds up with other seeds."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from reseed._choices import MARGIN
from reseed._parts import Parts
from reseed.instability import Comparison
from reseed.report import _text as text
from reseed.report._changed_samples import changed_samples
from reseed.report._charts import drawn
from reseed.report._data import Step
from reseed.report._forest import forest
from reseed.report._headline import Measure
from reseed.report._shell import Section, section_html
from reseed.report.chart._estimates import bars
from reseed.report.designs._origin import design_command, design_made
from reseed.report.designs._page import DesignPage, Shown, Table, measure
from reseed.scores import Chart, Series
from reseed.studies import Study
from reseed.training import DEFAULT_VARY, STREAMS

_CANDIDATES = 24
_SAME_COST = 0.01  # relative to the control: what lies closer is no picture
_WORDS = ("run", "label-entropy", "reduction", "second-control", "accuracy", "interval")


@final
@dataclass(frozen=True)
class Search:
    """What a search found, as plain data.

    Attributes:
        title: Of which data and model.
        rungs: Candidates of each rung, as ``tune.json`` holds them.
        winner: The name of the best candidate; None where there is none.
        holds: Whether it is more stable on unseen samples while accuracy stays within the margin.
        conclusion: What to use, in one line.
        spent: Trainings that were used.
        budget: Trainings that were allowed.
        comparison: The confirmation; None where there is none.
    """

    title: str
    rungs: Sequence[Sequence[Mapping[str, Any]]]
    winner: str | None
    holds: bool
    conclusion: str
    spent: float
    budget: float
    comparison: Comparison | None


def tuning_charts(search: Search) -> tuple[Chart, ...]:
    """Return what candidates do on each rung, what that costs, and the confirmation where there is one."""
    charts: list[Chart] = []
    rungs = [[trial for trial in rung if math.isfinite(_number(trial, "reduction"))] for rung in search.rungs]
    if any(rungs):
        first = sorted(rungs, key=len)[-1][:_CANDIDATES]
        names = [str(trial["name"]) for trial in first]
        series = tuple(_rung(number, rung, names) for number, rung in enumerate(rungs) if rung)
        best = max((trial for rung in rungs for trial in rung), key=lambda trial: _number(trial, "reduction"))
        sentence = (
            f"By how much each candidate lowers label entropy on validation samples; {best['name']} does most with "
            f"{best['runs']} runs. The best of many looks better than it is."
        )
        charts.append(Chart("bars", "What was tried", sentence, "", "reduction (%)", series))
        x, y = (tuple(_number(trial, name) for rung in rungs for trial in rung) for name in ("cost", "reduction"))
        sentence = "One dot a candidate and rung: high up is more stable, to the right a training costs more."
        axes = ("training, relative to the control", "reduction (%)")
        if max(x) - min(x) > _SAME_COST:
            charts.append(Chart("scatter", "What it costs", sentence, *axes, (Series("candidates", x, y),)))
    if search.comparison is not None:
        shown = {row.name: row.effect.reduction for row in search.comparison.rows if row.effect.reduction is not None}
        sentence = f"On unseen samples, with other seeds. {_sentence(search.conclusion)}"
        if shown:
            charts.append(bars("The confirmation", sentence, "reduction (%)", shown))
    return tuple(charts)


def tuning_page(search: Search, studies: Mapping[str, Study], folder: Path) -> DesignPage:
    """Return what the page of a search shows.

    Args:
        search: What it found.
        studies: Those of the confirmation, the control first; none where there is no confirmation.
        folder: That of the search.
    """
    tried = {trial["recipe"] for rung in search.rungs for trial in rung}
    comparison = search.comparison
    measures: tuple[Measure, ...] = ()
    notes: tuple[str, ...] = ()
    sections: dict[str, Callable[[Parts], Section]] = {}
    if comparison is not None:
        effect = comparison.methods[0].effect
        measures = tuple(
            measure(name, found, words, digits=digits, factor=factor, unit=unit, word=word)
            for name, found, words, digits, factor, unit, word in (
                (
                    "Label entropy lower by",
                    effect.reduction,
                    "Against the control, on unseen samples with other seeds.",
                    1,
                    1,
                    "%",
                    "reduction",
                ),
                (
                    "Beyond the second control",
                    effect.beyond_null,
                    "What is left of it beyond chance.",
                    1,
                    1,
                    "%",
                    "second-control",
                ),
                (
                    "Accuracy",
                    effect.accuracy_difference,
                    "Less the control's, in points.",
                    2,
                    100,
                    "points",
                    "accuracy",
                ),
            )
            if found is not None
        )
        notes = comparison.notes
        sections = {
            "The confirmation": lambda parts: _confirmation(comparison, parts),
            "Samples": lambda _: Section("samples", "Samples", changed_samples(comparison)),
        }
    control = next(iter(studies.values()), None)
    options = _options(search, tuple(studies.values()))
    command = "" if control is None else _command(control, folder, search.budget, options)
    return DesignPage(
        kind="Search for a recipe",
        title=search.title,
        facts=(
            f"{text.plural(len(tried), 'candidate')} tried",
            text.plural(len(search.rungs), "rung"),
            f"{text.decimal(search.spent, 1)} of {search.budget:g} trainings spent",
        ),
        lead=_lead(search),
        follow=_sentence(search.conclusion),
        measures=measures,
        charts=tuning_charts(search),
        tables=tuple(_table(number, rung) for number, rung in enumerate(search.rungs)),
        sections=sections,
        studies=studies,
        steps=tuple(_steps(search, control, folder, options)),
        words=_WORDS,
        made=design_made(folder, command),
        notes=notes,
    )


def _command(control: Study, folder: Path, budget: float, options: Mapping[str, object]) -> str:
    """Return the command that searches with a budget; the confirmation's control has the seed after the search's."""
    seed = control.header.base_seed - 1
    return design_command(control, "tune", folder, {"--budget": f"{budget:g}", **options}, seed)


def _options(search: Search, studies: Sequence[Study]) -> dict[str, object]:
    """Return what was asked for besides, from the studies of the confirmation."""
    found: dict[str, object] = {}
    if search.comparison is not None and search.comparison.margin != MARGIN:
        found["--margin"] = f"{search.comparison.margin:g}"
    varied = {stream for study in studies for stream in study.header.vary}
    if varied and varied != DEFAULT_VARY:
        found["--vary"] = ",".join(stream for stream in STREAMS if stream in varied)
    share = min((study.header.share for study in studies), default=1.0)
    return found | ({"--fresh-data": f"{share:g}"} if share < 1 else {})


def _number(trial: Mapping[str, Any], name: str) -> float:
    value = trial[name]
    return math.nan if value is None else float(value)


def _rung(number: int, trials: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Series:
    found = {str(trial["name"]): _number(trial, "reduction") for trial in trials}
    shown = [name for name in names if name in found]
    runs = trials[0]["runs"]
    return Series(f"rung {number}, {runs} runs", tuple(shown), tuple(found[name] for name in shown))


def _lead(search: Search) -> str:
    if not search.holds or search.comparison is None:
        return "No recipe that was tried is more stable beyond chance while accuracy stays."
    reduction = search.comparison.methods[0].effect.reduction
    falls = "" if reduction is None else f": label entropy falls by {text.decimal(reduction.value, 0)}{text.NBSP}%"
    beside = search.comparison.under_fresh_data(str(search.winner))
    if beside is not None and beside.effect.reduction is not None:
        falls += f", under fresh data by {text.decimal(beside.effect.reduction.value, 0)}{text.NBSP}%"
    return f"Use {text.clip(str(search.winner), 120)}{falls}."


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _confirmation(comparison: Comparison, parts: Parts) -> Section:
    plot = drawn("The confirmation", lambda: forest(comparison), parts)
    link = '<p><a href="comparison.html">The page of this comparison</a> has every measure.</p>'
    if (fresh := comparison.fresh) is not None:
        plot += "<h3>Under fresh data</h3>" + drawn("The confirmation under fresh data", lambda: forest(fresh), parts)
    words = f"<p>{text.escape(comparison.recommendation)}</p>"
    return Section(
        "confirmation", "Confirmation", section_html("confirmation", "The confirmation", words + plot + link)
    )


def _table(number: int, rung: Sequence[Mapping[str, Any]]) -> Table:
    rows = tuple(
        (
            str(trial["name"]),
            _shown(_number(trial, "label_entropy"), 4),
            _shown(_number(trial, "reduction"), 1),
            _shown(100 * _number(trial, "accuracy_difference"), 2),
            Shown(f"{text.decimal(float(trial['cost']), 2)}\u00d7"),
            str(trial["outcome"]),
        )
        for trial in rung
    )
    names = ("Candidate", "Label entropy (nats)", "Reduction (%)", "Accuracy, points", "Training", "Outcome")
    words = "On validation samples, without intervals: few runs choose, and the confirmation judges."
    return Table(f"Rung {number}: {text.plural(int(rung[0]['runs']), 'run')}", names, rows, words)


def _shown(value: float, digits: int) -> Shown:
    return Shown("" if math.isnan(value) else text.decimal(value, digits))


def _steps(search: Search, control: Study | None, folder: Path, options: Mapping[str, object]) -> Iterator[Step]:
    if search.holds:
        yield Step(
            "Use it?",
            "Trains the tuned recipe with many seeds, on all training samples, and says what still changes.",
            f"reseed measure --recipe {shlex.quote(str(folder / 'tuned.toml'))}",
        )
    if control is not None:
        if command := _command(control, folder, 2 * search.budget, options):
            words = (
                "A larger budget tries more candidates and gives the confirmation more runs. Finished ones are kept."
            )
            yield Step("Search further?", words, command)
        yield Step(
            "What do its studies say?",
            "Prints what was found, and the command that looks into each study of the search and of the confirmation.",
            f"reseed inspect {shlex.quote(str(folder))}",
        )
    else:
        yield Step(
            "Search further?",
            "Nothing that was tried may go on. Run the same command with a larger budget: others are tried.",
        )
