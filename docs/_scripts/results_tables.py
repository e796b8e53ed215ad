"""The tables of the results page, from the raw numbers of `benchmarks/headline/headline.py`.

Run it with `python docs/_scripts/results_tables.py`; it prints Markdown.
"""

import json
import textwrap
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "benchmarks" / "headline"
NAMES = {"massive-domain": "MASSIVE, 18 domains", "massive": "MASSIVE, 60 intents", "clinc150": "CLINC150"}
FINE_TUNED = {"massive-domain-fine-tuned": "MASSIVE, 18 domains, encoder trained"}


def main() -> None:
    """Prints a table of frozen features, one of an encoder that is trained, and what is recommended."""
    for names in (NAMES, FINE_TUNED):
        _print_table(names)


def _print_table(names: dict[str, str]) -> None:
    """Prints a table of data sets, methods in the order in which they were trained, and the recommendations."""
    found = {name: json.loads((FOLDER / f"{name}.json").read_text()) for name in names}
    rows = {name: {row["name"]: row for row in result["methods"]} for name, result in found.items()}
    print("\n| method | training, answer |" + "".join(f" {names[name]} | accuracy |" for name in found))
    print("|---|---|" + "---|---|" * len(found))
    for method, any_row in max(rows.values(), key=len).items():
        cells = [f"`{method}`" if any_row["role"] == "method" else method, _costs(any_row)]
        for data in rows.values():
            cells += _cells(data[method])
        print(f"| {' | '.join(cells)} |")
    for name, result in found.items():
        told = f"{names[name]} ({result['runs']} runs, {result['samples']} samples): {result['recommendation']}"
        print("\n" + textwrap.fill(told, 118, initial_indent="> ", subsequent_indent="> ", break_on_hyphens=False))


def _costs(row: dict) -> str:
    return f"{row['cost_training']:.2g}x, {row['cost_inference']:.0f}x"


def _cells(row: dict) -> list[str]:
    if row["role"] == "control":
        return [f"({row['label_entropy']:.4f} nats)", f"({100 * row['accuracy']:.1f} %)"]
    low, high = row["reduction_ci95"]
    reduction = f"{row['reduction']:.1f} [{low:.0f}, {high:.0f}]"
    accuracy = f"{100 * row['accuracy_difference']:+.2f}"
    star = "\\*" if row.get("distinguishable") else ""
    return [reduction + star, f"**{accuracy}**" if row.get("loses_accuracy") else accuracy]


if __name__ == "__main__":
    main()
