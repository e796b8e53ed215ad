"""What is on the page of a nested measurement: what the seed does, and what another training sample adds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reseed.instability import NestedEstimates
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

_DOTS = 2_000
_WORDS = ("run", "resample", "inconsistency", "instability", "churn", "interval", "gold")


def nested_charts(estimates: NestedEstimates, samples: pa.Table) -> tuple[Chart, ...]:
    """Return variances, labels that change, divergences where they are finite, and both variances of each sample."""
    charts = [
        bars(
            "What predictions vary with",
            "Variance of predictions that the seed causes, and that another training sample adds.",
            "variance",
            {"seed": estimates.seed_variance, "training sample": estimates.data_variance},
        ),
        bars(
            "Labels that change",
            "Answers that differ between two runs: of other seeds, and of other seeds on another training sample.",
            "churn (% of answers)",
            {"other seed": estimates.seed_churn, "other seed and sample": estimates.churn},
            100,
        ),
    ]
    if math.isfinite(estimates.divergence.value):
        sentence = "How far predictions on one training sample are apart, and the mean predictions of two such samples."
        shown = {"inconsistency": estimates.inconsistency, "instability": estimates.instability}
        charts.append(bars("How far predictions are apart", sentence, "divergence (nats)", shown))
    order = _order(samples)[:_DOTS]
    x, y = (tuple(samples.column(name).to_numpy()[order].tolist()) for name in ("seed_variance", "data_variance"))
    names = samples.column("sample_id").take(order).to_pylist()
    total = f" The {_DOTS:,} of {samples.num_rows:,} that vary most are drawn." if samples.num_rows > _DOTS else ""
    sentence = (
        f"One dot a sample: to the right the seed moves its predictions, above 0 the training sample as well.{total}"
    )
    dots = Series("samples", x, y, ids=tuple(names))
    axes = ("variance, seed", "variance, training sample")
    return (*charts, Chart("scatter", "Which samples", sentence, *axes, (dots,)))


def nested_page(
    estimates: NestedEstimates, samples: pa.Table, studies: Sequence[Study], folder: Path, notes: Iterable[str]
) -> DesignPage:
    """Return what the page of a nested measurement shows.

    Args:
        estimates: Divergences, variances and churn.
        samples: A row a sample, as ``nested.parquet`` holds them.
        studies: The studies behind them, one for each training sample.
        folder: That of the measurement.
        notes: What a reader should know before believing the numbers.
    """
    sets, runs = estimates.training_sets, estimates.runs
    lead, follow = _answer(estimates)
    return DesignPage(
        kind="Seed against training sample",
        title=title_of(studies[0]),
        facts=(
            text.plural(sets, "training sample"),
            f"{text.plural(runs, 'run')} on each",
            text.plural(estimates.churn.samples, "sample"),
        ),
        lead=lead,
        follow=follow,
        measures=(
            measure(
                "Training sample's share of variance",
                estimates.data_share,
                "Of the variance of predictions; the rest is the seed's.",
            ),
            measure(
                "Labels that change: other seed",
                estimates.seed_churn,
                "Two runs on one training sample give these answers other labels.",
                digits=2,
                word="churn",
            ),
            measure(
                "Labels that change: other seed and sample",
                estimates.churn,
                "Two runs whose training samples differ as well give these answers other labels.",
                digits=2,
                word="churn",
            ),
        ),
        charts=nested_charts(estimates, samples),
        tables=(_table(estimates),),
        samples=lambda: _samples(samples, studies[0]),
        studies={f"training sample {number + 1}": study for number, study in enumerate(studies)},
        steps=tuple(_steps(estimates, studies[0], folder)),
        words=_WORDS,
        made=design_made(folder, design_command(studies[0], f"measure --nested {sets}", folder, {"--runs": runs})),
        notes=tuple(notes),
    )


def _answer(estimates: NestedEstimates) -> tuple[str, str]:
    share, churn = estimates.data_share, estimates.churn
    follow = (
        f"Another seed changes {text.percent(estimates.seed_churn.value)} of {text.plural(churn.samples, 'answer')}; "
        f"another seed and another training sample change {text.percent(churn.value)}."
    )
    if math.isnan(share.value):
        return "Neither the seed nor the training sample moves any prediction.", follow
    if share.value <= 0:
        return "What another training sample adds to the seed's effect cannot be told from chance.", follow
    return (
        f"Of the variance of predictions, {text.percent(1 - share.value)} comes from the seed, and another training "
        f"sample adds {text.percent(share.value)}.",
        follow,
    )


def _table(estimates: NestedEstimates) -> Table:
    rows = (
        ("Inconsistency: one sample, other seeds (nats)", Shown.of(estimates.inconsistency, 5)),
        ("Instability: means of two samples (nats)", Shown.of(estimates.instability, 5)),
        ("Sum of both (nats)", Shown.of(estimates.divergence, 5)),
        ("Variance, seed", Shown.of(estimates.seed_variance, 5)),
        ("Variance, training sample", Shown.of(estimates.data_variance, 5)),
        ("Training sample's share of variance (%)", Shown.of(estimates.data_share, 1, 100)),
        ("Labels that change: other seed (%)", Shown.of(estimates.seed_churn, 2, 100)),
        ("Labels that change: other seed and sample (%)", Shown.of(estimates.churn, 2, 100)),
    )
    covered = f" It covers other {estimates.churn.method}." if estimates.churn.method else ""
    return Table("All numbers", ("Measure", "Value"), rows, f"Small print: the 95 % interval.{covered}")


def _order(samples: pa.Table) -> np.ndarray:
    """Return the places of samples, those whose predictions vary most first."""
    total = samples.column("seed_variance").to_numpy() + samples.column("data_variance").to_numpy()
    return np.argsort(-total, kind="stable")


def _samples(samples: pa.Table, study: Study) -> SampleTable:
    places = tuple(int(place) for place in _order(samples)[:SHOWN])
    columns = {
        "Variance, seed": "seed_variance",
        "Variance, sample": "data_variance",
        "Inconsistency (nats)": "inconsistency",
        "Instability (nats)": "instability",
    }
    values = [samples.column(name).to_numpy() for name in columns.values()]
    return SampleTable(
        study,
        places,
        tuple(columns),
        tuple(tuple(text.decimal(float(value[place])) for value in values) for place in places),
        f"The {len(places)} samples whose predictions vary most.",
    )


def _steps(estimates: NestedEstimates, study: Study, folder: Path) -> Iterator[Step]:
    sets, runs = 2 * estimates.training_sets, max(estimates.runs, 4)
    if command := design_command(study, f"measure --nested {sets}", folder, {"--runs": runs}):
        words = "More training samples make the intervals of what they add narrower. Finished runs are kept."
        yield Step("More training samples?", words, command)
    if can_train(study):
        yield keep_in_place(study, runs)
    yield look_into(study)
