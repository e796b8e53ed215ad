"""What is on the page of a bootstrap measurement: what another training sample does to predictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from reseed.instability import BootstrapInstability
from reseed.report import _text as text
from reseed.report._data import Step
from reseed.report._next import can_train, keep_in_place
from reseed.report.chart._estimates import bars
from reseed.report.designs._origin import SHOWN, design_command, design_made, look_into, title_of
from reseed.report.designs._page import DesignPage, SampleTable, Shown, Table, measure
from reseed.scores import Chart, Series
from reseed.studies import Study

if TYPE_CHECKING:
    import pyarrow as pa

_WHISKERS, _DOTS = 300, 2_000
_ADVISED = 200
_WORDS = ("run", "resample", "prediction-error", "instability-index", "confidence", "interval", "gold")


def bootstrap_charts(
    found: BootstrapInstability, seeds: BootstrapInstability | None, samples: pa.Table
) -> tuple[Chart, ...]:
    """Return what resamples change beside what seeds do, the instability plot, and who gets another label."""
    index = {"other training sample": found.index_estimate}
    error = {"other training sample": found.mape_estimate}
    if seeds is not None:
        index["other seed"], error["other seed"] = seeds.index_estimate, seeds.mape_estimate
    beside = " and of other seeds on all training data" if seeds is not None else ""
    changed = f"How often models of resamples{beside} give another label than the original model."
    moved = f"Mean absolute difference of probabilities to the original model: of models of resamples{beside}."
    ids = tuple(samples.column("sample_id").to_pylist())
    own = _own(found)
    return (
        bars("Labels that change", changed, "classification instability index (%)", index, 100),
        bars("How far predictions move", moved, "prediction error", error),
        _instability_plot(found, own, ids),
        _labels(found, own, ids),
    )


def bootstrap_page(
    found: BootstrapInstability,
    seeds: BootstrapInstability | None,
    samples: pa.Table,
    original: Study,
    resampled: Study,
    folder: Path,
    notes: Iterable[str],
) -> DesignPage:
    """Return what the page of a bootstrap measurement shows.

    Args:
        found: Models of resamples against the original one.
        seeds: The same of models of other seeds; None where there are none.
        samples: A row a sample, as ``bootstrap.parquet`` holds them.
        original: The study whose run 0 is the original model.
        resampled: The study whose runs trained on resamples.
        folder: That of the numbers.
        notes: What a reader should know before believing the numbers.
    """
    studies = (
        {"on all training data": original, "on resamples": resampled}
        if original is not resampled
        else {"run 0 on all training data, the others on resamples": original}
    )
    lead, follow = _answer(found, seeds)
    options = {"--runs": found.bootstraps}
    return DesignPage(
        kind="Another training sample",
        title=title_of(original),
        facts=(
            text.plural(found.bootstraps, "resample"),
            text.plural(found.index_estimate.samples, "sample"),
            "no other seeds" if seeds is None else text.plural(seeds.bootstraps, "other seed"),
        ),
        lead=lead,
        follow=follow,
        measures=(
            measure(
                "Classification instability index",
                found.index_estimate,
                "How often a model of another training sample gives another label than the original one.",
                digits=2,
                word="instability-index",
            ),
            measure(
                "Prediction error",
                found.mape_estimate,
                "Mean absolute difference of probabilities to the original model's.",
                digits=4,
                factor=1,
                unit="",
                word="prediction-error",
            ),
        ),
        charts=bootstrap_charts(found, seeds, samples),
        tables=(_table(found, seeds),),
        samples=lambda: _samples(found, samples, resampled),
        studies=studies,
        steps=tuple(_steps(found, original, resampled, folder)),
        words=_WORDS,
        made=design_made(folder, design_command(original, "measure --bootstrap", folder, options)),
        notes=tuple(notes),
    )


def _own(found: BootstrapInstability) -> Float[np.ndarray, " sample"]:
    """Return the original model's probability of the label that it gives."""
    return _of_label(found, np.asarray(found.prediction, dtype=float))


def _of_label(found: BootstrapInstability, values: Float[np.ndarray, "sample ..."]) -> Float[np.ndarray, " sample"]:
    """Return of values of distributions those of the original label, of single probabilities all."""
    if values.ndim == 1:
        return values
    label: Int[np.ndarray, " sample"] = np.asarray(found.label)
    return np.asarray(np.take_along_axis(values, label[:, None], axis=1)[:, 0])


def _spread_over(values: Float[np.ndarray, " sample"], most: int) -> Int[np.ndarray, " shown"]:
    """Return places of samples in the order of their values: all, or as many spread evenly over that order."""
    order = np.argsort(values, kind="stable")
    if len(order) <= most:
        return order
    return np.asarray(order[np.linspace(0, len(order) - 1, most).round().astype(int)])


def _chosen(shown: int, total: int) -> str:
    return "" if shown == total else f" {text.count(shown)} of {text.plural(total, 'sample')} are drawn."


def _instability_plot(found: BootstrapInstability, own: Float[np.ndarray, " sample"], ids: tuple[str, ...]) -> Chart:
    shown = _spread_over(own, _WHISKERS)
    low, high = (_of_label(found, np.asarray(each, dtype=float))[shown] for each in (found.low, found.high))
    name = "its positive class" if np.asarray(found.prediction).ndim == 1 else "the label that it gives"
    sentence = (
        f"One line a sample, at the original model's probability of {name}: 95 % of the models of resamples lie within "
        f"it. Long lines are predictions that rest on the training sample.{_chosen(len(shown), len(own))}"
    )
    x = tuple(own[shown].tolist())
    series = Series("samples", x, x, tuple(low.tolist()), tuple(high.tolist()), tuple(ids[place] for place in shown))
    axes = ("probability, original model", "probability, models of resamples")
    return Chart("scatter", "Instability of predictions", sentence, *axes, (series,))


def _labels(found: BootstrapInstability, own: Float[np.ndarray, " sample"], ids: tuple[str, ...]) -> Chart:
    index = 100 * np.asarray(found.index, dtype=float)
    shown = np.argsort(-index, kind="stable")[:_DOTS]
    sentence = (
        "One dot a sample: high up are those to which models of resamples give other labels; to the right the original "
        f"model was sure of its own.{_chosen(len(shown), len(own))}"
    )
    names = tuple(ids[place] for place in shown)
    dots = Series("samples", tuple(own[shown].tolist()), tuple(index[shown].tolist()), ids=names)
    axes = ("probability, original model", "models with another label (%)")
    return Chart("scatter", "Which labels change", sentence, *axes, (dots,))


def _answer(found: BootstrapInstability, seeds: BootstrapInstability | None) -> tuple[str, str]:
    samples = text.plural(found.index_estimate.samples, "answer")
    lead = f"Another training sample changes {text.percent(found.mean_index)} of {samples}."
    follow = (
        f"On average over {text.plural(found.bootstraps, 'model')} of bootstrap resamples, each against the model of "
        "all training data."
    )
    if seeds is not None:
        follow += f" Other seeds on all training data change {text.percent(seeds.mean_index)}."
    return lead, follow


def _table(found: BootstrapInstability, seeds: BootstrapInstability | None) -> Table:
    rows = [_row(f"{text.plural(found.bootstraps, 'resample')} of the training set", found)]
    rows += (
        [] if seeds is None else [_row(f"{text.plural(seeds.bootstraps, 'other seed')} on all training data", seeds)]
    )
    covered = f" It covers other {found.mape_estimate.method}." if found.mape_estimate.method else ""
    names = ("Models", "Prediction error", "Classification instability index (%)")
    return Table("All numbers", names, tuple(rows), f"Small print: the 95 % interval.{covered}")


def _row(name: str, found: BootstrapInstability) -> tuple[str | Shown, ...]:
    return name, Shown.of(found.mape_estimate, 4), Shown.of(found.index_estimate, 2, 100)


def _samples(found: BootstrapInstability, samples: pa.Table, study: Study) -> SampleTable:
    index, own = np.asarray(found.index, dtype=float), _own(found)
    low, high = (_of_label(found, np.asarray(each, dtype=float)) for each in (found.low, found.high))
    places = tuple(int(place) for place in np.argsort(-index, kind="stable")[:SHOWN] if index[place] > 0)
    answers = samples.column("prediction").to_pylist()
    names = study.header.class_names
    values = tuple(
        (
            text.clip(names[answers[place]], 60),
            text.percent(float(index[place])),
            text.decimal(float(own[place]), 2),
            f"{text.decimal(float(low[place]), 2)} to {text.decimal(float(high[place]), 2)}",
        )
        for place in places
    )
    headings = ("Original label", "Other labels", "Probability", "95 % of models")
    words = (
        f"The {len(places)} samples to which models of resamples most often give another label than the original one."
    )
    return SampleTable(study, places, headings, values, words)


def _steps(found: BootstrapInstability, original: Study, resampled: Study, folder: Path) -> Iterator[Step]:
    more = max(_ADVISED, 2 * found.bootstraps) if found.bootstraps < _ADVISED else 1000
    command = design_command(original, "measure --bootstrap", folder, {"--runs": more})
    if command and found.bootstraps < 1000:
        words = f"Percentiles want {_ADVISED} resamples or more; means say the same with fewer. Finished runs are kept."
        yield Step("More resamples?", words, command)
    nested = design_command(original, "measure --nested 5", folder.with_name(f"{folder.name}-nested"), {"--runs": 4})
    if nested:
        words = "Trains on five resamples with the same four seeds on each, and takes both effects apart."
        yield Step("Is it the seed or the sample?", words, nested)
    if can_train(original):
        yield keep_in_place(original, 10)
    yield look_into(resampled)
