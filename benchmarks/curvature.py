"""What curvature costs: sharpness beside other libraries, products beside passes, runs together, and tracking.

    RESEED_DATA=... python benchmarks/curvature.py [--only sharpness]

Sharpness: the largest eigenvalue of the Hessian of a ResNet-8 with batch norm, after some steps, on 256 images of
CIFAR-10, in evaluation mode. The peers are curvlinops with scipy's `eigsh`, as both come and in the fastest setting
that reaches a relative error of 1e-3, and PyHessian's power iteration. A round is one start of each, in turns;
curvlinops takes part in the first rounds. Errors are against double precision. The peers are installed in a folder for
temporary files (`curvature_peer.txt`) on the first call.

Products: one Hessian product against two times a forward and a backward pass of the plain module. Together: products of
sixteen networks of digits at once against one after the other. Tracking: trainings of digits with `--curvature
every=50` against the same without.

Seconds are those of the processor, of one thread, since other processes may share it; ratios are of the same round.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from _curvature_peers import add_peers, curvlinops, pyhessian, reference
from _environment import environment
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from reseed.curvature import empirical_risk, hessian, sharpness
from reseed.data import DataConfig, load
from reseed.models import ModelConfig, Networks, architecture, draw_model
from reseed.studies import replace_json, train_study
from reseed.training import RecordConfig, default_recipe

WIDTH, IMAGES, STEPS, BATCH, RATE = 8, 256, 40, 128, 0.05
STARTS = {"reseed": 5, "pyhessian": 5, "curvlinops": 3, "curvlinops_best": 3}
RUNS, SIZES, REPETITIONS = 16, (32, 128, 512, 1024, 2048), 9
TRAININGS, PRODUCTS = 3, (10, 3)


def seconds(work: Callable[[], Any]) -> float:
    """Return the processor time of some work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def told(ratios: list[float]) -> dict[str, Any]:
    """Return the median of ratios of rounds, with all that it is of."""
    return {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios), "rounds": ratios}


def images() -> tuple[Tensor, Tensor]:
    """Return training images of CIFAR-10 and labels."""
    found = load(DataConfig("cifar10")).train
    count = STEPS * BATCH
    return torch.as_tensor(found.inputs[:count]).float(), found.labels[:count]


def resnet(inputs: Tensor, labels: Tensor) -> nn.Module:
    """Return a ResNet-8 with batch norm after some steps, in evaluation mode."""
    torch.manual_seed(0)
    model = architecture(ModelConfig("resnet", norm="batch", width=WIDTH, depth=8)).build((3, 32, 32), 10)
    optimizer = torch.optim.SGD(model.parameters(), RATE, momentum=0.9)
    for rows in torch.arange(STEPS * BATCH).split(BATCH):
        optimizer.zero_grad()
        cross_entropy(model(inputs[rows]), labels[rows]).backward()
        optimizer.step()
    optimizer.zero_grad()
    return model.eval()


def of_sharpness(model: nn.Module, inputs: Tensor, labels: Tensor) -> dict[str, Any]:
    """Time the sharpness by all ways in turns."""
    add_peers()
    wanted = reference(model, inputs, labels)
    ways: dict[str, Callable[[nn.Module, Tensor, Tensor, int], float]] = {
        "reseed": lambda model, x, y, seed: float(sharpness(model, x, y, seed=seed).value),
        "pyhessian": pyhessian,
        "curvlinops": curvlinops(best=False),
        "curvlinops_best": curvlinops(best=True),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    errors: dict[str, list[float]] = {name: [] for name in ways}
    for start in range(max(STARTS.values())):
        for name, find in ways.items():
            if start >= STARTS[name]:
                continue
            asked = copy.deepcopy(model)
            before = time.process_time()
            found = find(asked, inputs, labels, start)
            taken[name].append(time.process_time() - before)
            errors[name].append(abs(found / wanted - 1))
            print(f"{name}, start {start}: {taken[name][-1]:.1f} s, error {errors[name][-1]:.1e}", flush=True)
    pairs = {name: told([a / b for a, b in zip(taken[name], taken["reseed"], strict=False)]) for name in ways}
    return {
        "peers": {name: version(name) for name in ("curvlinops-for-pytorch", "PyHessian")},
        "width": WIDTH,
        "images": IMAGES,
        "reference": wanted,
        "ratios": pairs,
        "errors": errors,
        "seconds": taken,
    }


def of_products(cases: dict[str, tuple[nn.Module, Tensor, Tensor]]) -> dict[str, Any]:
    """Time one Hessian product against two times a forward and a backward pass, in turns."""
    found = {}
    for name, (model, inputs, labels) in cases.items():
        operator, weights = hessian(empirical_risk(model, inputs, labels)), list(model.parameters())
        vectors = torch.randn(1, operator.size)

        def passes(model: nn.Module = model, x: Tensor = inputs, y: Tensor = labels, w: Any = weights) -> None:
            torch.autograd.grad(cross_entropy(model(x), y), w)

        ratios = []
        for _ in range(REPETITIONS + 1):
            ratios.append(seconds(partial(operator.product, vectors)) / (2 * seconds(passes)))
        found[name] = {"samples": len(inputs), **told(ratios[1:])}
        print(f"product, {name}: {found[name]['median']:.2f}", flush=True)
    return found


def of_runs(model: ModelConfig, inputs: Tensor, labels: Tensor) -> list[dict[str, Any]]:
    """Time products of sixteen networks together against one after the other, in turns."""
    networks = Networks([draw_model(architecture(model), inputs.shape[1:], 10, seed) for seed in range(RUNS)])
    cases = []
    for size in SIZES:
        rows = torch.arange(size) % len(inputs)
        risk = empirical_risk(networks, inputs[rows], labels[rows])
        ways = {way: hessian(dataclasses.replace(risk, in_turn=way)) for way in (True, False)}
        vectors = torch.randn(RUNS, ways[True].size)
        torch.testing.assert_close(ways[True] @ vectors, ways[False] @ vectors, rtol=1e-3, atol=1e-4)
        ratios = [
            seconds(partial(ways[True].product, vectors)) / seconds(partial(ways[False].product, vectors))
            for _ in range(REPETITIONS)
        ]
        cases.append({"samples": size, "chosen": "loop" if risk.in_turn else "together", **told(ratios)})
        print(f"{RUNS} networks, {size} samples: {cases[-1]['median']:.2f}x as fast together", flush=True)
    return cases


def of_tracking() -> list[dict[str, Any]]:
    """Time trainings of digits with and without tracking, in turns."""
    tracks = {"none": "", **{str(number): f"curvature:every=50:products={number}" for number in PRODUCTS}}

    def train(track: str, engine: str, runs: int) -> None:
        record = RecordConfig("final", level="labels", track=track)
        with tempfile.TemporaryDirectory() as folder:
            out = f"{folder}/study"
            train_study(
                default_recipe("mlp"), out, runs=runs, record=record, engine=engine, probe=False, threads=1, jobs=1
            )

    cases = []
    for engine, runs in (("serial", 2), ("stacked", RUNS)):
        taken: dict[str, list[float]] = {name: [] for name in tracks}
        for _ in range(TRAININGS + 1):
            for name, track in tracks.items():
                taken[name].append(seconds(partial(train, track, engine, runs)))
        for products in PRODUCTS:
            pairs = zip(taken[str(products)][1:], taken["none"][1:], strict=True)
            shares = told([tracked / plain - 1 for tracked, plain in pairs])
            cases.append({"engine": engine, "runs": runs, "products": products, **shares})
            print(f"tracking, {engine}, {products} products: {shares['median']:.0%} more", flush=True)
    return cases


def main() -> None:
    """Time everything, or one part, and write the raw numbers beside those of the other parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["sharpness", "products", "together", "tracking"], nargs="+")
    options = parser.parse_args()
    torch.set_num_threads(1)
    digits = default_recipe("mlp")
    train = load(digits.data).train
    assert isinstance(train.inputs, Tensor)
    flat = train.inputs.flatten(1).float()
    small = draw_model(architecture(digits.model), flat.shape[1:], 10, 0)
    x, y = images()
    model = resnet(x, y)
    x, y = x[:IMAGES], y[:IMAGES]
    last = (copy.deepcopy(model).to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last), y)
    parts: dict[str, Callable[[], Any]] = {
        "products": lambda: of_products(
            {"mlp": (small, flat[:512], train.labels[:512]), "resnet": (model, x, y), "resnet, channels last": last}
        ),
        "together": lambda: of_runs(digits.model, flat, train.labels),
        "tracking": of_tracking,
        "sharpness": lambda: of_sharpness(model, x, y),
    }
    path = Path(__file__).with_suffix(".json")
    for name, measure in parts.items():
        if options.only is None or name in options.only:
            measured = measure()
            found = json.loads(path.read_text()) if path.exists() else {}
            replace_json(path, {**found, "environment": environment(), "threads": 1, name: measured})


if __name__ == "__main__":
    main()
