"""Which learning rate remedies against unstable training buy, on real data, and what they do to label entropy.

    python benchmarks/stabilise.py --out FOLDER

runs `reseed.stabilise` with its default remedies and its own rates, five runs each, on

1. digits: the MLP of the defaults; one that begins where the loss bends sharply, with four hidden layers and weights of
   2.5 times the usual size, in batches of 512; and a CNN of 8 channels in batches of 32;
2. mnist, 5,000 training images: a CNN of 8 channels;
3. cifar10, 2,000 training images: the same, in batches of 32.

FOLDER keeps the studies: the same command continues, and `--only` takes some of the sets. `mnist` and `cifar10` are
read from the folder in RESEED_DATA. The JSON has the numbers of `stabilisation.json`, without the folders of studies.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from _environment import write_result

import reseed

SETS: dict[str, dict[str, Any]] = {
    "digits-mlp": {"data": "digits", "model": "mlp"},
    "digits-sharp": {
        "data": "digits",
        "model": "mlp",
        "hidden": [64] * 4,
        "init_scale": 2.5,
        "batch_size": 512,
        "epochs": 60,
        "lr": 0.01,
    },
    "digits-cnn": {"data": "digits", "model": "cnn", "width": 8, "epochs": 10, "batch_size": 32},
    "mnist-cnn": {"data": "mnist", "model": "cnn", "limit": 5000, "width": 8},
    "cifar10-cnn": {"data": "cifar10", "model": "cnn", "limit": 2000, "width": 8, "epochs": 10, "batch_size": 32},
}


def main() -> None:
    """Run the sets that are asked for and write what is known of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", choices=SETS, default=list(SETS))
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    kept = Path(__file__).with_suffix(".json")
    for name in asked.only:
        found = reseed.stabilise(**SETS[name], runs=asked.runs, threads=1, out=asked.out / name)
        print(found.report())
        sets = json.loads(kept.read_text())["sets"] if kept.exists() else {}
        sets[name] = {"options": SETS[name]} | {
            key: value for key, value in found.summary.items() if key not in ("studies", "reseed")
        }
        write_result("stabilise", {"sets": {name: sets[name] for name in SETS if name in sets}})


if __name__ == "__main__":
    main()
