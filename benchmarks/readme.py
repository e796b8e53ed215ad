"""The examples whose results README and guide tell: what their commands find, as numbers.

    python benchmarks/readme.py --out studies

makes the studies of README, `docs/guide.md` and `docs/numbers.md` in a folder, some minutes on two cores (an
interrupted call continues), and writes `readme.json` beside this file. MASSIVE comes from the folder that `RESEED_DATA`
names, or from the hub. Afterwards

    python docs/_scripts/check_numbers.py --write

puts the numbers into the pages.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from _environment import write_result
from scipy.stats import spearmanr

import reseed
from reseed import Study
from reseed.instability import where_unstable

sys.path.append(str(Path(__file__).parents[1] / "docs" / "_scripts"))
from how_many_runs import curve
from selection_bias import null_reductions

SAMPLE = "11353"  # of MASSIVE, "show me podcasts"
TFIDF = reseed.recipe_for("massive", "text-tfidf")
DIGITS = reseed.recipe_for("digits")


def measured(found: reseed.Measurement) -> dict[str, Any]:
    """Returns a study's numbers, its accuracy run by run, and how alike two measures order the samples that flip."""
    flips = found.samples.filter(found.samples["unstable"])
    alike = spearmanr(flips["label_entropy"].to_numpy(), flips["jitter"].to_numpy()).statistic
    accuracies = [manifest.accuracy for manifest in found.study.manifests]
    return {**found.summary, "accuracies": accuracies, "label_entropy_like_jitter": float(alike)}


def answers(found: reseed.Measurement, sample: str) -> dict[str, Any]:
    """Returns what the runs answered to one sample, most frequent first."""
    row = next(row for row in found.samples.to_pylist() if row["sample_id"] == sample)
    return {"sample_id": sample, "text": row["text"], "target": row["target_name"], "answers": row["answers"]}


def clusters(study: Study) -> dict[str, Any]:
    """Returns whether clusters of texts differ, and the cluster that stands out most."""
    found = where_unstable(study, "cluster").summary
    return {**found, "groups": found["groups"][:1], "count": len(found["groups"]), "notes": []}


def main() -> None:
    """Makes the studies and writes what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    folder = parser.parse_args().out
    ten = reseed.measure(recipe=TFIDF, runs=10, out=folder / "massive-10")
    again = reseed.measure(recipe=TFIDF, runs=10, seed=1, out=folder / "massive-again")
    fifty = reseed.measure(recipe=TFIDF, runs=50, out=folder / "massive-50")
    digits = reseed.measure(recipe=DIGITS, runs=50, out=folder / "digits-50")
    labels = {name: found.study.final("labels") for name, found in {"massive": fifty, "digits": digits}.items()}
    result = {
        "massive-10": {**measured(ten), "podcasts": answers(ten, SAMPLE), "clusters": clusters(ten.study)},
        "massive-50": {**measured(fifty), "curve": curve(labels["massive"])},
        "digits-50": {**measured(digits), "curve": curve(labels["digits"])},
        "selection": null_reductions(ten.study.final("labels"), again.study.final("labels")),
        "attribution": {
            name: reseed.attribute(recipe=recipe, runs=10, out=folder / f"{name}-sources").summary
            for name, recipe in {"massive": TFIDF, "digits": DIGITS}.items()
        },
        "nested": reseed.measure_nested(recipe=DIGITS, training_sets=5, runs=4, out=folder / "digits-nested").summary,
    }
    write_result("readme", result)


if __name__ == "__main__":
    main()
