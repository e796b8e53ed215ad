"""The tables of remedies against unstable training, from the raw numbers of `benchmarks/stabilise.py`."""

from collections.abc import Mapping
from typing import Any

from _figures import Figures, headed, read

SAID = {
    "digits-mlp": "digits, MLP",
    "digits-sharp": "digits, four layers, 2.5 times the weights, batches of 512",
    "digits-cnn": "digits, CNN",
    "mnist-cnn": "MNIST, 5,000 images, CNN",
    "cifar10-cnn": "CIFAR-10, 2,000 images, CNN",
}


def remedies(name: str) -> list[str]:
    """Returns the table of a set: what each remedy trains at, and what it pays."""
    found = read("stabilise").sets[name]
    is_one = all(row["largest_lr"] == found.common_lr for row in found.remedies)
    common = "" if is_one or not found.common_lr else f" | accuracy at {found.common_lr:g} | label entropy"
    lines = headed(f"{SAID[name]} | trains up to | edge at start | early ratio | accuracy | label entropy{common}")
    for row in found.remedies:
        more = " or more" * row["is_largest_tried"]
        largest = "none" if row["largest_lr"] is None else f"{row['largest_lr']:g}{more}"
        edge = "" if row["edge_lr"] is None else f"{row['edge_lr']:.2g}"
        name = row["remedy"] if row["remedy"] == "control" else f"`{row['remedy']}`"
        cells = [name, largest, edge, _cell(row, "early_ratio", 1, 2), *_outcome(row, "")]
        cells += _outcome(row, "common_") if common else []
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def ratio(name: str, remedy: str) -> float:
    """Returns how many times the control's largest rate a remedy trains at."""
    rows = {row["remedy"]: row for row in read("stabilise").sets[name].remedies}
    return float(rows[remedy]["largest_lr"] / rows["control"]["largest_lr"])


def trials(name: str) -> list[Figures]:
    """Returns every remedy at every rate of a set."""
    return list(read("stabilise").sets[name].trials)


def _outcome(row: Mapping[str, Any], kind: str) -> list[str]:
    return [_cell(row, f"{kind}accuracy", 100, 1), _cell(row, f"{kind}label_entropy", 1, 3)]


def _cell(row: Mapping[str, Any], name: str, factor: float, digits: int) -> str:
    value, ends = row[f"{name}_mean"], row[f"{name}_ci95"]
    if value is None:
        return ""
    told = "" if ends is None else " [" + ", ".join(f"{factor * end:.{digits}f}" for end in ends) + "]"
    return f"{factor * value:.{digits}f}{told}"
