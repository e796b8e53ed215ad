"""What it gains to ask the networks of a study together, as ratios to asking one after the other, in one run.

Ten fully connected networks of digits, at their recipe's own width, on batches of evaluation samples: the logits, and
the gradient of a loss to the inputs, as attacks need it. The peer is a loop over the same networks as modules of their
own. Both take turns, with one thread of arithmetic; answers are compared.

    python benchmarks/networks.py
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable

import torch
from _environment import write_result
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from reseed.studies import train_study
from reseed.training import RecordConfig, default_recipe

REPETITIONS, RUNS, BATCHES = 200, 10, (1, 32, 360)


def one_by_one(networks: list[nn.Module], inputs: Tensor) -> Tensor:
    """Return logits [run, sample, class] by a loop."""
    return torch.stack([network(inputs) for network in networks])


def logits(ask: Callable[[Tensor], Tensor], inputs: Tensor, targets: Tensor) -> Tensor:
    """Return the logits [run, sample, class]."""
    with torch.no_grad():
        return ask(inputs)


def gradient(ask: Callable[[Tensor], Tensor], inputs: Tensor, targets: Tensor) -> Tensor:
    """Return the gradient of the summed loss of all runs to the inputs."""
    asked = inputs.clone().requires_grad_()
    found = ask(asked)
    loss = cross_entropy(found.flatten(0, 1), targets.repeat(len(found)), reduction="sum")
    return torch.autograd.grad(loss, asked)[0]


def main() -> None:
    """Time both ways in turns, and write the raw numbers."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        record = RecordConfig("final", level="labels")
        study = train_study(default_recipe("mlp"), f"{folder}/study", runs=RUNS, record=record, probe=False)
        networks, evaluation = study.networks(), study.inputs()
    modules, targets = list(networks), torch.from_numpy(evaluation.targets)
    ways: dict[str, Callable[[Tensor], Tensor]] = {"together": networks, "loop": lambda x: one_by_one(modules, x)}
    cases = []
    for work in (logits, gradient):
        for batch in BATCHES:
            given = evaluation.inputs[:batch], targets[:batch]
            torch.testing.assert_close(work(ways["together"], *given), work(ways["loop"], *given))
            seconds: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(REPETITIONS):
                for way, ask in ways.items():
                    start = time.perf_counter()
                    work(ask, *given)
                    seconds[way].append(time.perf_counter() - start)
            medians = {way: statistics.median(taken) for way, taken in seconds.items()}
            quartiles = {way: statistics.quantiles(taken, n=4) for way, taken in seconds.items()}
            ratio = medians["loop"] / medians["together"]
            print(f"{work.__name__} of {batch} samples: {ratio:.1f}x as fast together")
            cases.append(
                {"work": work.__name__, "samples": batch, "median_s": medians, "quartiles_s": quartiles, "ratio": ratio}
            )
    described = {"repetitions": REPETITIONS, "runs": RUNS, "networks": repr(networks), "threads": 1}
    write_result("networks", {**described, "cases": cases})


if __name__ == "__main__":
    main()
