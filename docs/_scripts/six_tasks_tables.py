"""The table of the six tasks and of made-up clusters, from the raw numbers of `benchmarks/six_tasks/`."""

from _figures import Figures, read

from reseed.mitigations import described, parse_mitigations

TASKS = {
    "mnist": "MNIST",
    "cifar10": "CIFAR-10",
    "language_model": "characters",
    "translation": "translation",
    "speech-takes": "speech, other takes",
    "speech-speakers": "speech, other speakers",
    "clusters": "clusters",
}


def losses() -> list[str]:
    """Returns label entropy and accuracy of every loss on every task."""
    rows = {name: {_called(row): row for row in read(f"six_tasks/{name}").methods} for name in TASKS}
    lines = ["| loss |" + "".join(f" {task} |" for task in TASKS.values()), "|---|" + "---|" * len(rows)]
    for method in sorted({method for data in rows.values() for method in data}, key=_order):
        cells = [_cell(data.get(method)) for data in rows.values()]
        name = method if method in ("control", "second control") else f"`{method}`"
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _called(row: Figures) -> str:
    """Returns a method's name as `reseed mitigate` prints it."""
    return described(parse_mitigations(row.name)) if row.role == "method" else row.name


def _order(method: str) -> tuple:
    places = ("control", "second control", "label-smoothing", "confidence-penalty", "dropout", "init-scale")
    alone = next(place for place, name in enumerate(places) if method.startswith(name))
    return "+" in method, "init-scale" in method, alone, method


def _cell(row: Figures | None) -> str:
    if row is None:
        return "-"
    if row.role == "control":
        return f"({row.label_entropy:.4f} nats, {100 * row.accuracy:.1f} %)"
    low, high = row.reduction_ci95
    star = "\\*" if row.get("distinguishable") else ""
    accuracy = f"{100 * row.accuracy_difference:+.2f}"
    low_accuracy, high_accuracy = row.accuracy_difference_ci95
    accuracy = f"**{accuracy}**" if low_accuracy > 0 or high_accuracy < 0 else accuracy
    return f"{row.reduction:.1f} [{low:.0f}, {high:.0f}]{star}, {accuracy}"
