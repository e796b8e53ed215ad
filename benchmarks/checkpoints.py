"""What keeping trainings that are under way costs: the same stack with checkpoints and without, as a ratio in one run.

Both sides train and record the same study in one process with one thread, alternating which comes first. Seconds are
those of the processor, the system's included, which other work on the machine hardly changes; from drawing the weights
to the last prediction. Checkpoints are made after every second of them, 120 times as often as by default, so that a
training of seconds has some. What a checkpoint takes by the clock, disk included, is measured beside it.

    python benchmarks/checkpoints.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from _environment import write_result

from reseed._choices import SAVE_EVERY_S
from reseed.models import ModelConfig
from reseed.studies import _cost, train_study
from reseed.studies import _unfinished as unfinished
from reseed.training import OptimizerConfig, Recipe, default_recipe

PAIRS = 3
EVERY_S = 1.0


def cases() -> dict[str, tuple[Recipe, int]]:
    """Name what is trained, and in how many runs."""
    wide = ModelConfig("mlp", hidden=(512, 512))
    return {
        "digits, mlp": (replace(default_recipe("mlp"), epochs=40), 20),
        "digits, wide mlp, adam": (Recipe(model=wide, optimizer=OptimizerConfig("adam", 1e-3), epochs=4), 20),
    }


class Timed:
    """Makes checkpoints as they are made, and notes seconds and bytes of each."""

    def __init__(self, save: Callable[..., None]) -> None:
        self.save, self.seconds, self.sizes = save, list[float](), list[int]()

    def __call__(self, *given: Any) -> None:
        """Make one."""
        start = time.perf_counter()
        self.save(*given)
        self.seconds.append(time.perf_counter() - start)
        folders = given[0]._folder.glob("*")
        self.sizes.append(sum(path.stat().st_size for path in folders))


def seconds(recipe: Recipe, runs: int, every: float) -> float:
    """Return what training all runs as one program took of the processor."""
    with TemporaryDirectory() as folder:
        study = train_study(
            recipe,
            Path(folder) / "study",
            runs=runs,
            engine="stacked",
            group=runs,
            threads=1,
            probe=False,
            save_every=every,
            announce=lambda line: None,
        )
        return sum(manifest.cost["wall_s"] for manifest in study.manifests)


def main() -> None:
    """Measure all cases and write the raw numbers."""
    found = []
    kept = unfinished.Keeper._save
    for module in (unfinished, _cost):  # the clocks of checkpoints and of what a run costs
        module.time = SimpleNamespace(monotonic=time.process_time, perf_counter=time.process_time)  # type: ignore[attr-defined]
    for name, (recipe, runs) in cases().items():
        timed = Timed(kept)
        unfinished.Keeper._save = lambda *given, timed=timed: timed(*given)  # type: ignore[method-assign]
        pairs = []
        for number in range(PAIRS):
            order = (EVERY_S, 0.0) if number % 2 else (0.0, EVERY_S)
            taken = {every: seconds(recipe, runs, every) for every in order}
            pairs.append({"with_s": taken[EVERY_S], "without_s": taken[0.0]})
        ratios = [pair["with_s"] / pair["without_s"] for pair in pairs]
        case = {
            "name": name,
            "runs": runs,
            "pairs": pairs,
            "ratio": statistics.median(ratios),
            "lowest": min(ratios),
            "highest": max(ratios),
            "checkpoints": len(timed.seconds),
            "one_s": statistics.median(timed.seconds),
            "longest_s": max(timed.seconds),
            "bytes": max(timed.sizes),
            "share_by_default": statistics.median(timed.seconds) / SAVE_EVERY_S,
        }
        print(case)
        found.append(case)
    write_result("checkpoints", {"pairs": PAIRS, "every_s": EVERY_S, "default_s": SAVE_EVERY_S, "cases": found})


if __name__ == "__main__":
    main()
