"""What is on the page of a randomisation test: whether random labels are fitted as true ones are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reseed.memorization import RandomizationTest
from reseed.report import _text as text
from reseed.report._data import Step
from reseed.report.designs._origin import design_command, design_made, look_into, title_of
from reseed.report.designs._page import DesignPage, Shown, Table
from reseed.studies import Study

_WORDS = ("run", "label-entropy", "accuracy", "interval")
_TRUE, _RANDOM = "true", "random-labels"


def randomization_page(test: RandomizationTest, studies: Mapping[str, Study], folder: Path) -> DesignPage:
    """Return what the page of a randomisation test shows.

    Args:
        test: The numbers and curves.
        studies: The studies behind them, by version.
        folder: That of the test.
    """
    study = studies[_TRUE]
    rows = {row["version"]: row for row in test.rows}
    lead, follow = _answer(rows[_TRUE], rows[_RANDOM])
    runs = int(rows[_TRUE]["runs"])
    options: dict[str, object] = {"--runs": runs, "--draws": max(len(test.correlations), 1)}
    levels = [f"{each.rate:g}" for each in test.versions if each.rate is not None and 0 < each.rate < 1]
    options |= {"--levels": ",".join(levels)} if levels else {}
    options |= {"--level": test.level} if test.level != 1 else {}
    grid = " --grid" if any("+" in each.name for each in test.versions) else ""
    said = {each.name: each.said for each in test.versions}
    return DesignPage(
        kind="Randomisation test",
        title=title_of(study),
        facts=(text.plural(len(rows), "version"), f"{text.plural(runs, 'run')} of each"),
        lead=lead,
        follow=follow,
        charts=test.scores.charts,
        tables=(_table(test.rows),),
        studies={said.get(name, name.replace("-", " ")): one for name, one in studies.items()},
        steps=tuple(_steps(study, folder, options)),
        words=_WORDS,
        made=design_made(folder, design_command(study, f"randomize{grid}", folder, options)),
        notes=test.notes,
    )


def _answer(true: Mapping[str, Any], random: Mapping[str, Any]) -> tuple[str, str]:
    seen = (
        f"On unseen samples {_percent(true)} of the answers are right after true labels, {_percent(random)} after "
        "random ones."
    )
    if random["runs_fitted"] < random["runs"]:
        return (
            "Random labels were not fitted by every run as long as it was trained.",
            f"{random['runs_fitted']} of {random['runs']} runs fit them. {seen} Train longer, or a larger network.",
        )
    slower = random.get("slow_down")
    times = "" if slower is None else f" It takes {text.decimal(float(slower), 1)} times as long."
    return (
        "This network fits random labels as it fits true ones.",
        f"{seen}{times} So neither its size nor its training by itself explains that it generalises.",
    )


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    columns: dict[str, tuple[str, float, int]] = {
        "Epochs to fit": ("epochs_to_fit_mean", 1, 1),
        "Times as long as true labels": ("slow_down", 1, 2),
        "Training accuracy (%)": ("train_accuracy_mean", 100, 1),
        "Accuracy on unseen samples (%)": ("test_accuracy_mean", 100, 1),
        "At the best moment (%)": ("best_test_accuracy_mean", 100, 1),
        "Label entropy (nats)": ("label_entropy_mean", 1, 3),
    }
    body: tuple[tuple[str | Shown, ...], ...] = tuple(
        (
            str(row["said"]),
            Shown(f"{row['runs_fitted']} of {row['runs']}"),
            *(Shown.of_row(row, name, factor, digits) for name, factor, digits in columns.values()),
        )
        for row in rows
    )
    words = (
        "Small print: the 95 % interval over runs. The best moment is chosen with the evaluation samples; times are "
        "geometric means over seeds that fitted both."
    )
    return Table("All versions", ("Version", "Runs that fitted", *columns), body, words)


def _percent(row: Mapping[str, Any]) -> str:
    value = text.number(row.get("test_accuracy_mean"))
    return "an unknown share" if value is None else text.percent(value)


def _steps(study: Study, folder: Path, options: Mapping[str, object]) -> Iterator[Step]:
    if command := design_command(study, "randomize --grid", folder, options):
        words = (
            "Adds weight decay, dropout, augmentation and networks without normalisation, for true and random labels."
        )
        yield Step("Do regularisers change it?", words, command)
    if command := design_command(study, "memorize", folder.with_name(f"{folder.name}-memorize"), {}):
        words = "Networks that leave samples out say which training labels are likely wrong."
        yield Step("Which labels are learned by heart?", words, command)
    yield look_into(study)
