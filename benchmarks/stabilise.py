"""Which learning rate remedies against unstable training buy, on real data, and what they do to label entropy.

    python benchmarks/stabilise.py --out FOLDER

runs `reseed.stabilise` with its default remedies and its own rates, five runs each, on

1. digits: the MLP of the defaults, and a ResNet of 8 layers, 4 channels wide, for 6 epochs;
2. mnist, 5,000 training images: the CNN of the defaults;
3. cifar10, 2,000 training images: the same ResNet.

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
    "digits-resnet": {"data": "digits", "model": "resnet", "width": 4, "epochs": 6},
    "mnist-cnn": {"data": "mnist", "model": "cnn", "limit": 5000},
    "cifar10-resnet": {"data": "cifar10", "model": "resnet", "limit": 2000, "width": 4, "epochs": 6},
}


def main() -> None:
    """Run the sets that are asked for and write what is known of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", choices=SETS, default=list(SETS))
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    kept = Path(__file__).with_suffix(".json")
    sets = json.loads(kept.read_text())["sets"] if kept.exists() else {}
    for name in asked.only:
        found = reseed.stabilise(**SETS[name], runs=asked.runs, threads=1, out=asked.out / name)
        print(found.report())
        sets[name] = {"options": SETS[name]} | {
            key: value for key, value in found.summary.items() if key not in ("studies", "reseed")
        }
        write_result("stabilise", {"sets": {name: sets[name] for name in SETS if name in sets}})


if __name__ == "__main__":
    main()
