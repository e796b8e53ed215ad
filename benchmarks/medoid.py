"""What it buys to ship the run that agrees most with all others: agreement and accuracy above those of a run at random.

Studies of 30 runs; the run is chosen on one half of the evaluation samples and judged on the other, and the other way
round, as `reseed inspect --medoid` does. The most accurate run is chosen and judged in the same way. `massive` and
`clinc150` are read from the folder in RESEED_DATA.

    python benchmarks/medoid.py
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict

from _environment import write_result

from reseed.data import DataConfig
from reseed.instability import medoid
from reseed.studies import train_study
from reseed.training import RecordConfig, default_recipe

RUNS = 30
STUDIES = {
    "digits, mlp": default_recipe("mlp"),
    "massive, text-tfidf": default_recipe("text-tfidf", DataConfig("massive")),
    "clinc150, text-tfidf": default_recipe("text-tfidf", DataConfig("clinc150")),
}


def main() -> None:
    """Train the studies and write what choosing a run buys in each."""
    cases = []
    for name, recipe in STUDIES.items():
        with tempfile.TemporaryDirectory() as folder:
            record = RecordConfig("final", level="labels")
            study = train_study(recipe, f"{folder}/study", runs=RUNS, record=record)
            found = medoid(study.final(), study.targets)
        gain, accuracy = found.agreement_gain, found.accuracy_gain
        print(
            f"{name}: agreement {100 * gain.value:+.2f} [{100 * gain.low:.2f}, {100 * gain.high:.2f}], "
            f"accuracy {100 * accuracy.value:+.2f} [{100 * accuracy.low:.2f}, {100 * accuracy.high:.2f}] points"
        )
        cases.append({"case": name, **asdict(found)})
    write_result("medoid", {"runs": RUNS, "cases": cases})


if __name__ == "__main__":
    main()
