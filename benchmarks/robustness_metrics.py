"""What metrics of robustness cost beside the public implementation of their framework, as ratios in one run.

The peer is DIG-Beihang/AISafety (MIT) at e717f81, none of whose code is here: pass a folder that holds its
`EvalBox/Evaluation`. It walks through samples, PSD through pixels, in Python. Both get the same test images, each with
uniform noise on it, the same random logits in place of a network's, and one thread; they take turns, and seconds are
those of the processor, since other processes may share it. The image metrics are of the attacks that succeeded.

What it needs of old environments stands in for itself here alone: a module of it that is not used, and
`compare_ssim`, which today's scikit-image calls otherwise and which gets the range of bytes; its second call of that
for every image, which it prints, costs nothing here. Its PSD multiplies where the definition divides, which takes the
same time, so only the times compare; CAV loses its sign; CCV and COS are asked in its targeted mode, which takes the
samples that both models get right. All other values are compared.

    RESEED_DATA=... PYTHONPATH=FOLDER_OF_SCIKIT_IMAGE python benchmarks/robustness_metrics.py FOLDER_OF_AISAFETY
"""

from __future__ import annotations

import contextlib
import importlib
import io
import statistics
import sys
import time
import types
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import skimage.metrics
import torch
from _environment import write_result

from reseed.data import DataConfig, load
from reseed.robustness import (
    accuracy_variance,
    adversarial_class_confidence,
    attack_success,
    confidence_variance,
    lp_distortion,
    noise_tolerance,
    output_stability,
    perturbation_sensitivity_distance,
    structural_similarity,
    true_class_confidence,
)

COMMIT = "e717f812686651f5c63d05bfca068bc80046d9a0"
REPETITIONS, NOISE = 7, 8 / 255
IMAGES, SLOW = 1000, 20  # of the image metrics, and of PSD; metrics of outputs take all test samples
CLASSES = {"ALDp": "aldp", "ASS": "ass", "PSD": "psd", "ACAC": "acac", "ACTC": "actc", "NTE": "nte"}
PAIRS = ("CAV", "CCV", "COS")


def peer(folder: str) -> dict[str, Any]:
    """Return the classes of the public implementation, by the name of their metric."""
    sys.path.insert(0, folder)
    unused: Any = types.ModuleType("utils.file_utils")
    unused.get_user_model = unused.get_user_model_origin = None
    sys.modules["utils"], sys.modules["utils.file_utils"] = types.ModuleType("utils"), unused
    old: Any = types.ModuleType("skimage.measure")
    old.compare_ssim = lambda X, Y, multichannel: (  # noqa: N803 - its names
        1.0
        if X is Y or np.shares_memory(X, Y)
        else skimage.metrics.structural_similarity(X, Y, channel_axis=-1, data_range=255)
    )
    sys.modules["skimage.measure"] = old
    package = types.ModuleType("EvalBox.Evaluation")  # its own imports all of its metrics, with what they need
    package.__path__ = [str(Path(folder) / "EvalBox" / "Evaluation")]
    sys.modules["EvalBox.Evaluation"] = package
    files = {**CLASSES, **{name: name for name in PAIRS}}
    return {name: getattr(importlib.import_module(f"EvalBox.Evaluation.{file}"), name) for name, file in files.items()}


def measured(ways: dict[str, Callable[[], Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what both ways give, and their seconds, in turns; the first turn is not counted."""
    results: dict[str, Any] = {}
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(REPETITIONS + 1):
        for way, ask in ways.items():
            start = time.process_time()
            results[way] = ask()
            if turn:
                seconds[way].append(time.process_time() - start)
    medians = {way: statistics.median(taken) for way, taken in seconds.items()}
    quartiles = {way: statistics.quantiles(taken, n=4) for way, taken in seconds.items()}
    ratio = medians["peer"] / medians["reseed"]
    return results, {"median_s": medians, "quartiles_s": quartiles, "ratio": ratio}


def works(
    theirs: dict[str, Any], clean: torch.Tensor, targets: torch.Tensor, logits: np.ndarray, other: np.ndarray
) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """Return of every metric how the peer is asked for it and how we are."""
    generator = torch.Generator().manual_seed(0)
    changed = (clean + NOISE * (2 * torch.rand(clean.shape, generator=generator) - 1)).clamp(0, 1)
    wrong, labels = torch.from_numpy(logits), targets.numpy()
    success = attack_success(wrong, targets, require_clean_correct=False)

    def silent(made: Any, **more: Any) -> Any:
        with contextlib.redirect_stdout(io.StringIO()):
            return made.evaluate(adv_xs=changed, cln_xs=clean, cln_ys=targets, target_preds=targets, **more)

    def one(name: str) -> Callable[[], Any]:
        return lambda: silent(theirs[name](logits, logits, "cpu"))

    def two(name: str) -> Callable[[], Any]:
        return lambda: silent(theirs[name](logits, logits, other, other, "cpu"), target_flag=True)

    def distortions() -> list[float]:
        return [
            lp_distortion(clean, changed, norm, normalise=how, success=success)
            for norm, how in ((0, "dim"), (2, "input"), ("inf", "none"))  # what the peer gives
        ]

    given = {"success": success, "from_logits": True}
    return {
        "ALDp": (one("ALDp"), distortions),
        "ASS": (one("ASS"), lambda: structural_similarity(clean, changed, success=success)),
        "PSD": (one("PSD"), lambda: perturbation_sensitivity_distance(clean, changed, success=success)),
        "ACAC": (one("ACAC"), lambda: adversarial_class_confidence(wrong, **given)),
        "ACTC": (one("ACTC"), lambda: true_class_confidence(wrong, targets, **given)),
        "NTE": (one("NTE"), lambda: noise_tolerance(wrong, **given)),
        "CAV": (two("CAV"), lambda: abs(accuracy_variance(logits, other, labels))),
        "CCV": (two("CCV"), lambda: confidence_variance(logits, other, labels, from_logits=True)),
        "COS": (two("COS"), lambda: output_stability(logits, other, labels, from_logits=True)),
    }


def main() -> None:
    """Time all metrics on both data sets, and write the raw numbers."""
    torch.set_num_threads(1)
    theirs = peer(sys.argv[1])
    cases = []
    for name in ("mnist", "cifar10"):
        evaluation = load(DataConfig(name, limit=100)).evaluation
        every = evaluation.inputs.reshape(len(evaluation.labels), *((1, 28, 28) if name == "mnist" else (3, 32, 32)))
        every = (every - every.min()) / (every.max() - every.min())
        rng = np.random.default_rng(0)
        for metric in (*CLASSES, *PAIRS):
            samples = SLOW if metric == "PSD" else IMAGES if metric in ("ALDp", "ASS") else len(every)
            clean, targets = every[:samples], evaluation.labels[:samples].long()
            logits, other = (3 * rng.standard_normal((2, samples, 10)) + 3 * np.eye(10)[targets]).astype(np.float32)
            ask_peer, ask = works(theirs, clean, targets, logits, other)[metric]
            results, times = measured({"peer": ask_peer, "reseed": ask})
            if metric == "ASS":  # it rounds images to bytes first
                np.testing.assert_allclose(results["peer"], results["reseed"], atol=2e-2)
            elif metric != "PSD":
                np.testing.assert_allclose(results["peer"], results["reseed"], rtol=2e-5)
            print(f"{name} {metric}: {times['ratio']:.1f}x as fast")
            cases.append({"data": name, "metric": metric, "samples": samples, **times})
    described = {"peer": f"DIG-Beihang/AISafety {COMMIT}", "scikit-image": version("scikit-image"), "threads": 1}
    write_result("robustness_metrics", {**described, "repetitions": REPETITIONS, "cases": cases})


if __name__ == "__main__":
    main()
