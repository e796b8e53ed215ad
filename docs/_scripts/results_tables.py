"""The tables of the results page and of README, from the raw numbers of `benchmarks/headline/headline.py`."""

import textwrap
from dataclasses import fields
from typing import Any

from _figures import Figures, headed, read

from reseed.instability import ComparedMethod, Estimate, MethodCost, MethodEffect
from reseed.instability.comparison._recommendation import recommendation as recommended_from

NAMES = {
    "massive-domain": "MASSIVE, 18 domains",
    "massive": "MASSIVE, 60 intents",
    "clinc150": "CLINC150",
    "massive-domain-fine-tuned": "MASSIVE, 18 domains, encoder trained",
}
_STAR = "\\*"


def methods(*names: str) -> list[str]:
    """Returns a table of data sets: methods in the order in which they were trained."""
    found = [read(f"headline/{name}") for name in names]
    lines = ["| method | training, answer |" + "".join(f" {NAMES[name]} | accuracy |" for name in names)]
    lines.append("|---|---|" + "---|---|" * len(names))
    for row in found[0].methods:
        cells = [f"`{row.name}`" if row.role == "method" else row.name, _costs(row)]
        for comparison in found:
            cells += _cells(comparison.methods[row.name])
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def one_network(name: str) -> list[str]:
    """Returns a table of one data set: methods of one network under other seeds, other data too, and calibration."""
    found = read(f"headline/{name}-one-network")
    columns = "training, answer | other seeds | accuracy | other data too | accuracy | ECE | after temperature"
    lines = headed(f"{NAMES[name]} | {columns}")
    for row in found.methods:
        cells = [f"`{row.name}`" if row.role == "method" else row.name, _costs(row)]
        for each in (row, found.fresh_data.methods[row.name]):
            cells += _cells(each)
        lines.append(f"| {' | '.join([*cells, f'{100 * row.ece:.1f} %', f'{100 * row.tempered_ece:.1f} %'])} |")
    return lines


def short(told: dict[str, str], *names: str) -> list[str]:
    """Returns a table of some methods of one network, each with what is to be said of it."""
    found = [read(f"headline/{name}-one-network") for name in names]
    lines = headed(" | training" + "".join(f" | {NAMES[name]} | data too | accuracy" for name in names))
    for method, said in told.items():
        cells = [said, f"{found[0].methods[method].cost_training:.0f}x"]
        for comparison in found:
            reduction, accuracy = _cells(comparison.methods[method])
            cells += [reduction, _cells(comparison.fresh_data.methods[method])[0], accuracy]
        lines.append(f"| {' | '.join(cell.strip(_STAR) for cell in cells)} |")
    return lines


def ideas() -> list[str]:
    """Returns a table of what was tried beside the methods: against the control, and against the recipe it is added to.

    The accuracy is against that recipe's, or the control's where nothing is added.
    """
    lines = headed("recipe | added | training | label entropy | of what the recipe leaves | accuracy")
    for row in read("ideas").methods[1:]:
        recipe, _, added = row.name.partition(", ")
        against = "base_" if added else ""
        points = [
            100 * value for value in (row[f"{against}accuracy_difference"], *row[f"{against}accuracy_difference_ci95"])
        ]
        cells = [
            recipe if row.name == "second control" else f"`{recipe}`",
            added,
            f"{row.cost_training:.2g}x",
            "{:.1f} [{:.0f}, {:.0f}]".format(row.reduction, *row.reduction_ci95),
            "{:.1f} [{:.0f}, {:.0f}]".format(row.base_reduction, *row.base_reduction_ci95) if added else "",
            "{:+.2f} [{:.2f}, {:.2f}]".format(*points),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def recommendation(name: str) -> list[str]:
    """Returns what `reseed mitigate` recommends from the raw numbers, as a quotation."""
    result: Any = read(f"headline/{name}")
    rows = [_row(row) for row in result.methods]
    null = next((row for row in rows if row.role == "null"), None)
    said = recommended_from([row for row in rows if row.role == "method"], null)
    told = f"{NAMES[name]} ({result.runs} runs, {result.samples} samples): {said}"
    return textwrap.wrap(told, 118, initial_indent="> ", subsequent_indent="> ", break_on_hyphens=False)


def _row(row: Figures) -> ComparedMethod:
    """Returns a row of a comparison with the estimates that its numbers hold."""

    def estimate(name: str) -> Estimate | None:
        if row.get(name) is None:
            return None
        return Estimate(row[name], *row[f"{name}_ci95"], float("nan"), "two-way", row.runs_complete, 0)

    estimates: dict[str, Any] = {field.name: estimate(field.name) for field in fields(MethodEffect)}
    costs = {field.name: row.get(f"cost_{field.name}") for field in fields(MethodCost)}
    cost = MethodCost(**{name: float("nan") if value is None else value for name, value in costs.items()})
    study: Any = None  # what it recommends does not depend on it
    return ComparedMethod(row.name, row.role, study, MethodEffect(**estimates), cost, row.on_front, {})


def _costs(row: Figures) -> str:
    return f"{row.cost_training:.2g}x, {row.cost_inference:.0f}x"


def _cells(row: Figures) -> list[str]:
    if row.role == "control":
        return [f"({row.label_entropy:.4f} nats)", f"({100 * row.accuracy:.1f} %)"]
    low, high = row.reduction_ci95
    reduction = f"{row.reduction:.1f} [{low:.0f}, {high:.0f}]"
    accuracy = f"{100 * row.accuracy_difference:+.2f}"
    star = _STAR if row.get("distinguishable") else ""
    return [reduction + star, f"**{accuracy}**" if row.get("loses_accuracy") else accuracy]
