"""Common corruptions of 32-pixel images, as ratios to `imagecorruptions` in one run.

The 15 types at their five severities on test images of CIFAR-10, as many seconds an image as each takes. The peer
takes one image at a time and works in an environment of its own (`corruptions_peer.txt`), which is made in a folder
for temporary files on the first call. Both take turns, type by type, for some rounds, with one thread each; ratios are
of medians over rounds. Ours come in one batch. The peer has one set of constants, that of 224 pixels, and applies it to
small images unscaled; ours are those of 32 pixels. It rounds to bytes, ours stay numbers.

    RESEED_DATA=... python benchmarks/corruptions.py [--python python3.8]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from _environment import write_result
from torch import Tensor

from reseed.data import DataConfig, load
from reseed.perturbations import CORRUPTIONS, SEVERITIES, corrupt

HERE = Path(__file__).parent
PINS = HERE / "corruptions_peer.txt"
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
SLOW = ("glass_blur", "frost")
BATCH, PEER_IMAGES, PEER_SLOW_IMAGES = 256, 24, 6


def old_python(named: str | None) -> str:
    """Return an interpreter of Python 3.8: the one that is named, one of pyenv, or one on the path."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    # pyenv's own first: what it puts on the path for a version that is not chosen answers with an error
    found = named or next(map(str, sorted(versions.glob("3.8*/bin/python"))), None) or shutil.which("python3.8")
    if found is None:
        raise SystemExit("imagecorruptions needs an interpreter of Python 3.8; name one with --python.")
    return found


def peer_environment(python: str) -> Path:
    """Return the interpreter of the peer's environment, which is made where it is not there yet."""
    folder = Path(tempfile.gettempdir()) / "reseed-benchmark-imagecorruptions"
    made = folder / "bin" / "python"
    if not (folder / "made").exists():
        subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([made, "-m", "pip", "install", "--quiet", "--no-deps", "-r", PINS], check=True)
        (folder / "made").touch()
    return made


def images_of_cifar() -> Tensor:
    """Return test images of CIFAR-10 [sample, 3, 32, 32] in [0, 1]."""
    inputs = load(DataConfig("cifar10")).evaluation.inputs[:BATCH]
    images = torch.as_tensor(inputs).float()
    assert images.shape == (BATCH, 3, 32, 32)
    low, high = images.aminmax()
    assert low >= 0
    assert high <= 1
    return images


def main() -> None:
    """Time both in turns, and write the raw numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", help="an interpreter of Python 3.8 for the peer")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    images = images_of_cifar()
    seconds: dict[str, dict[str, list[float]]] = {name: {"reseed": [], "peer": []} for name in CORRUPTIONS}
    python = peer_environment(old_python(options.python))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "images.npy"
        np.save(file, (images[:PEER_IMAGES] * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy())
        peer = subprocess.Popen(
            [python, HERE / "_imagecorruptions_peer.py", file],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **ONE_THREAD},
        )
        assert peer.stdin is not None
        assert peer.stdout is not None
        versions = json.loads(peer.stdout.readline())

        def ask(name: str, severity: int, count: int) -> float:
            print(json.dumps([name, severity, count]), file=peer.stdin, flush=True)
            return json.loads(peer.stdout.readline()) / count

        for name in CORRUPTIONS:  # what is loaded on a first call
            ask(name, 1, 1)
            corrupt(images, name, 1, seed=0)
        for number in range(options.rounds):
            for name, found in seconds.items():
                count = PEER_SLOW_IMAGES if name in SLOW else PEER_IMAGES
                found["peer"].append(statistics.fmean(ask(name, severity, count) for severity in SEVERITIES))
                start = time.perf_counter()
                for severity in SEVERITIES:
                    corrupt(images, name, severity, seed=number)
                found["reseed"].append((time.perf_counter() - start) / len(SEVERITIES) / len(images))
        peer.stdin.close()
        peer.wait()
    medians = {name: {way: statistics.median(taken) for way, taken in found.items()} for name, found in seconds.items()}
    ratios = {name: found["peer"] / found["reseed"] for name, found in medians.items()}

    def together(names: list[str]) -> float:
        return sum(medians[name]["peer"] for name in names) / sum(medians[name]["reseed"] for name in names)

    for name, ratio in ratios.items():
        print(f"{name}: {medians[name]['reseed'] * 1e6:.0f} us an image, {ratio:.1f}x as fast")
    everything, quick = together(list(CORRUPTIONS)), together([name for name in CORRUPTIONS if name not in SLOW])
    print(f"all: {everything:.1f}x; without {' and '.join(SLOW)}: {quick:.1f}x; least: {min(ratios.values()):.1f}x")
    write_result(
        "corruptions",
        {
            "peer": versions,
            "rounds": options.rounds,
            "threads": 1,
            "batch": BATCH,
            "peer_images": {name: PEER_SLOW_IMAGES if name in SLOW else PEER_IMAGES for name in CORRUPTIONS},
            "ratio_all": everything,
            "ratio_without_glass_blur_and_frost": quick,
            "ratio_least": min(ratios.values()),
            "ratios": ratios,
            "median_s_per_image": medians,
            "s_per_image": seconds,
        },
    )


if __name__ == "__main__":
    main()
