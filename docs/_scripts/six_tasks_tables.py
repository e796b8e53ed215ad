"""The tables of the six tasks and of made-up clusters, from the raw numbers of `benchmarks/six_tasks/`.

Run it with `python docs/_scripts/six_tasks_tables.py`; it prints Markdown.
"""

import json
from pathlib import Path

from reseed.mitigations import described, parse_mitigations

FOLDER = Path(__file__).parents[2] / "benchmarks" / "six_tasks"
TASKS = {
    "mnist": "MNIST",
    "cifar10": "CIFAR-10",
    "language_model": "characters",
    "translation": "translation",
    "speech-takes": "speech, other takes",
    "speech-speakers": "speech, other speakers",
    "clusters": "clusters",
}
MEASURES = {"perplexity": "perplexity", "bleu": "BLEU", "character_error_rate": "character error rate"}


def main() -> None:
    """Prints label entropy and accuracy of every loss on every task, calibration, the sequence tasks' own measures."""
    found = {name: json.loads((FOLDER / f"{name}.json").read_text()) for name in TASKS}
    rows = {name: {_called(row): row for row in result["methods"]} for name, result in found.items()}
    methods = sorted({method for data in rows.values() for method in data}, key=_order)
    print("| loss |" + "".join(f" {TASKS[name]} |" for name in rows))
    print("|---|" + "---|" * len(rows))
    for method in methods:
        cells = [_cell(data.get(method)) for data in rows.values()]
        print(f"| {method if method in ('control', 'second control') else f'`{method}`'} | {' | '.join(cells)} |")
    print("\nexpected calibration error, %")
    for name, data in rows.items():
        print(f"    {TASKS[name]}: " + ", ".join(f"{method} {100 * row['ece']:.1f}" for method, row in data.items()))
    for name, result in found.items():
        for key, measure in MEASURES.items():
            if key in result:
                print(f"\n{TASKS[name]}: {measure}, and whole outputs")
                for method, scores in result[key].items():
                    print(f"    {method}: {_score(scores)}{_whole(result, method)}")


def _called(row: dict) -> str:
    """Returns a method's name as `reseed mitigate` prints it."""
    return described(parse_mitigations(row["name"])) if row["role"] == "method" else row["name"]


def _order(method: str) -> tuple:
    places = ("control", "second control", "label-smoothing", "confidence-penalty", "dropout", "init-scale")
    alone = next(place for place, name in enumerate(places) if method.startswith(name))
    return "+" in method, "init-scale" in method, alone, method


def _cell(row: dict | None) -> str:
    if row is None:
        return "-"
    if row["role"] == "control":
        return f"({row['label_entropy']:.4f} nats, {100 * row['accuracy']:.1f} %)"
    low, high = row["reduction_ci95"]
    star = "\\*" if row.get("distinguishable") else ""
    accuracy = f"{100 * row['accuracy_difference']:+.2f}"
    low_accuracy, high_accuracy = row["accuracy_difference_ci95"]
    accuracy = f"**{accuracy}**" if low_accuracy > 0 or high_accuracy < 0 else accuracy
    return f"{row['reduction']:.1f} [{low:.0f}, {high:.0f}]{star}, {accuracy}"


def _score(scores: dict) -> str:
    difference = scores["difference"]
    low, high = difference["ci95"]
    return f"{scores['mean']:.3g}, {difference['mean']:+.3g} [{low:.2g}, {high:.2g}]"


def _whole(result: dict, method: str) -> str:
    if "whole_outputs" not in result:
        return ""
    found = result["whole_outputs"][method]["jitter"]
    return f"; {100 * found['value']:.1f} % [{100 * found['low']:.0f}, {100 * found['high']:.0f}] of outputs differ"


if __name__ == "__main__":
    main()
