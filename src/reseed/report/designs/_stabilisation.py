"""What is on the page of a comparison of remedies: which learning rate each buys, and at what price."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reseed.curvature import StabilityTest
from reseed.report import _text as text
from reseed.report._data import Step
from reseed.report.designs._origin import design_command, design_made, look_into, title_of
from reseed.report.designs._page import DesignPage, Shown, Table
from reseed.studies import Study

_WORDS = ("run", "label-entropy", "accuracy", "interval")
_CONTROL = "control"


def stabilisation_page(
    test: StabilityTest, studies: Mapping[str, Study], folder: Path, rates: Mapping[str, object]
) -> DesignPage:
    """Return what the page of a comparison of remedies shows.

    Args:
        test: The numbers and curves.
        studies: The studies behind them, by remedy and rate.
        folder: That of the comparison.
        rates: The options that ask for the same rates again.
    """
    study = next(iter(studies.values()))
    runs = max(len(one.accuracy) for one in test.trials)
    names = [name for name in test.by_remedy if name != _CONTROL]
    options: dict[str, object] = {"--runs": runs, **rates}
    options |= {"--remedies": ",".join(names)} if names else {}
    options |= {"--level": test.level} if test.level != 0.5 else {}
    remedies = test.remedies
    return DesignPage(
        kind="Comparison of remedies",
        title=title_of(study),
        facts=(text.plural(len(remedies), "remedy", "remedies"), text.plural(runs, "run") + " at each rate"),
        lead=_answer(remedies),
        follow=test.claim,
        charts=test.charts,
        tables=(_remedies(test, remedies), _trials(test.rows)),
        studies=dict(studies),
        steps=tuple(_steps(study, studies)),
        words=_WORDS,
        made=design_made(folder, design_command(study, "stabilise", folder, options)),
        notes=test.notes,
    )


def _answer(remedies: Sequence[Mapping[str, Any]]) -> str:
    known = [row for row in remedies if row["largest_lr"] is not None]
    if not known:
        return "No remedy lets every run train at any of the learning rates."
    best = max(known, key=lambda row: float(row["largest_lr"]))
    own = next((row["largest_lr"] for row in remedies if row["remedy"] == _CONTROL), None)
    if own is None:
        return f"Without a remedy no rate trains every run; {best['remedy']} trains up to {best['largest_lr']:g}."
    if best["largest_lr"] == own:
        return f"No remedy trains at a larger rate than the control, {own:g}."
    times = best["largest_lr"] / own
    return f"{best['remedy']} trains up to {best['largest_lr']:g}, {times:.3g} times the control's rate, {own:g}."


def _remedies(test: StabilityTest, remedies: Sequence[Mapping[str, Any]]) -> Table:
    names: tuple[str, ...] = (
        "Remedy",
        "Trains up to",
        "Initial sharpness",
        "Edge at the start",
        "Early ratio",
        "Steps above (%)",
        "Accuracy (%)",
        "Label entropy (nats)",
    )
    rate = test.common_rate
    is_common = rate is not None
    body: tuple[tuple[str | Shown, ...], ...] = tuple(
        (
            str(row["remedy"]),
            Shown("" if row["largest_lr"] is None else f"{row['largest_lr']:g}{' or more' * row['is_largest_tried']}"),
            Shown.of_row(row, "initial_sharpness_mean", 1, 2),
            Shown("" if row["edge_lr"] is None else f"{row['edge_lr']:.3g}"),
            Shown.of_row(row, "early_ratio_mean", 1, 2),
            Shown.of_row(row, "share_above_mean", 100, 0),
            *_outcome(row, ""),
            *(_outcome(row, "common_") if is_common else ()),
        )
        for row in remedies
    )
    words = (
        "Small print: the 95 % interval over runs. Trains up to: the largest rate at which every run trained; what "
        "stands right of it is of that rate, but for the initial sharpness and the rate at which it is the threshold. "
        "Early ratio: the highest sharpness over threshold in the first quarter of the steps."
    )
    if is_common:
        names += (f"Accuracy at {rate:g} (%)", f"Label entropy at {rate:g}")
        words += " The last columns are of the largest rate at which all remedies train."
    return Table("Remedies", names, body, words)


def _outcome(row: Mapping[str, Any], kind: str) -> tuple[Shown, Shown]:
    return Shown.of_row(row, f"{kind}accuracy_mean", 100, 1), Shown.of_row(row, f"{kind}label_entropy_mean", 1, 3)


def _trials(rows: Sequence[Mapping[str, Any]]) -> Table:
    names = ("Remedy", "Rate", "Trained", "Diverged", "Accuracy (%)", "Label entropy (nats)", "Early ratio")
    body: tuple[tuple[str | Shown, ...], ...] = tuple(
        (
            str(row["remedy"]),
            Shown(f"{row['lr']:g}"),
            Shown(f"{row['runs_trained']} of {row['runs']}"),
            Shown(str(row["runs_diverged"])),
            Shown.of_row(row, "accuracy_mean", 100, 1),
            Shown.of_row(row, "label_entropy_mean", 1, 3),
            Shown.of_row(row, "early_ratio_mean", 1, 2),
        )
        for row in rows
    )
    words = "Small print: the 95 % interval over runs. Runs whose loss was no longer finite diverged."
    return Table("Every rate", names, body, words)


def _steps(study: Study, studies: Mapping[str, Study]) -> Iterator[Step]:
    sharpest = list(studies.values())[-1]
    words = "The spectrum of the loss where its runs ended, and why those diverged that did."
    yield Step("How does the loss bend there?", words, f"reseed curvature {shlex.quote(str(sharpest.path))}")
    yield look_into(study)
