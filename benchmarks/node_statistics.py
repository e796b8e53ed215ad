"""What the statistics of nodes cost, as ratios to one plain forward pass over the same samples, in one run.

60,000 samples of 784 numbers through a network of 784-512-512-512-10, in which 1,536 nodes have a gate. The plain pass
goes batch by batch in evaluation mode without gradients. All ways take turns, with one thread of arithmetic; the sets
are compared with signs that a plain hook recorded.

    python benchmarks/node_statistics.py
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from _environment import write_result
from torch import Tensor, nn

from reseed.memorization import SampleSets, node_noise_content, node_perplexity, sample_sets

SAMPLES, HIDDEN, BATCH, REPETITIONS = 60_000, (512, 512, 512), 1024, 7


def network() -> nn.Sequential:
    """Return the network, with the weights of its initialisation."""
    torch.manual_seed(0)
    sizes = (784, *HIDDEN)
    layers = [part for size in zip(sizes, HIDDEN, strict=False) for part in (nn.Linear(*size), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(HIDDEN[-1], 10)).eval()


def check(sets: SampleSets, model: nn.Sequential, inputs: Tensor) -> None:
    """Compare the sets of some samples with the signs of the dense layers' answers."""
    with torch.no_grad():
        values = inputs[:BATCH]
        for name, layer in model.named_children():
            if isinstance(layer, nn.ReLU):
                np.testing.assert_array_equal(sets.on(name)[:BATCH], (values > 0).numpy())
            values = layer(values)


def main() -> None:
    """Time all ways in turns, and write the raw numbers."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", RuntimeWarning)  # some nodes are on for no sample
    model, generator = network(), np.random.default_rng(0)
    inputs = torch.from_numpy(generator.random((SAMPLES, 784), dtype=np.float32))
    corrupted, targets = generator.random(SAMPLES) < 0.3, generator.integers(0, 10, SAMPLES)
    kept = sample_sets(model, inputs, batch_size=BATCH)
    check(kept, model, inputs)

    def plain() -> None:
        with torch.no_grad():
            for part in inputs.split(BATCH):
                model(part)

    def content() -> None:
        node_noise_content(sample_sets(model, inputs, batch_size=BATCH), corrupted)

    ways: dict[str, Callable[[], object]] = {
        "plain forward pass": plain,
        "sample sets": lambda: sample_sets(model, inputs, batch_size=BATCH),
        "sample sets and noise content": content,
        "noise content of kept sets": lambda: node_noise_content(kept, corrupted),
        "perplexity of kept sets": lambda: node_perplexity(kept, targets),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(REPETITIONS):
        for way, ask in ways.items():
            start = time.perf_counter()
            ask()
            seconds[way].append(time.perf_counter() - start)
    base = statistics.median(seconds["plain forward pass"])
    cases = []
    for way, taken in seconds.items():
        paired = [own / other for own, other in zip(taken, seconds["plain forward pass"], strict=True)]
        ratio = statistics.median(taken) / base
        print(f"{way}: {ratio:.2f} forward passes ({min(paired):.2f} to {max(paired):.2f} in single turns)")
        cases.append(
            {
                "way": way,
                "median_s": statistics.median(taken),
                "quartiles_s": statistics.quantiles(taken, n=4),
                "ratio": ratio,
                "ratio_of_turns": paired,
            }
        )
    described = {"samples": SAMPLES, "hidden": HIDDEN, "nodes": sum(HIDDEN), "batch": BATCH, "threads": 1}
    size = sum(packed.nbytes for packed in kept.packed.values())
    write_result("node_statistics", {**described, "repetitions": REPETITIONS, "kept_bytes": size, "cases": cases})


if __name__ == "__main__":
    main()
