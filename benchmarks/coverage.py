"""How often 95 % intervals of single studies hold what they should.

    python benchmarks/coverage.py [--repetitions 1000] [--studies studies/coverage-digits]

Studies are simulated again and again, of other runs and other samples of one population each time, and so is what was
measured before and now. The truth is the mean over all repetitions. Five kinds of populations: samples that flip by
themselves, a seventh of them or one in fifty; runs that have something in common, between few samples and between many;
and runs of which one in seven is a bad seed. Beside the intervals that are offered stand, from the same studies, those
of both variances added (`added`), and those with what both hold taken off but Student's t with one degree less than
runs, symmetric (`runs' degrees`).

Then the same on real trainings: 400 of them on digits, three epochs each, cut into 40 studies of 10 runs; each of these
looks at half as many evaluation samples, drawn with replacement, so that they are to all of them what these are to the
digits there could be. As 40 say little, 1,000 further studies are drawn from the same runs. Written to `coverage.json`.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _environment import write_result
from numpy.typing import NDArray
from scipy.special import betaincinv, expit, stdtrit

import reseed
from reseed.instability import (
    estimate,
    label_entropy_reduction,
    nested_estimates,
    retraining_negative_flip_rate,
    source_effects,
)
from reseed.statistics import Estimate

Labels = NDArray[np.int64]
Draw = Callable[[np.random.Generator, int, int], Labels]
STATISTICS = ("label_entropy", "jitter", "unstable_fraction", "negative_flip_rate")
RUNS = (3, 5, 10, 30)
STUDIES, OF_RUNS, TRAININGS = 40, 10, 400


def alone(share: float) -> Draw:
    """Return a population in which a share of the samples flips, each run and sample by itself."""

    def draw(generator: np.random.Generator, runs: int, samples: int) -> Labels:
        flips = np.where(generator.random(samples) < share, generator.beta(0.8, 1.6, samples), 0.0)
        return (generator.random((runs, samples)) < flips).astype(np.int64)

    return draw


def together(generator: np.random.Generator, runs: int, samples: int) -> Labels:
    """Return answers of a probit model: what is a sample's, what is a run's on every sample, and what is both's."""
    sample, run = generator.normal(-1.2, 1.5, samples), generator.normal(0, 0.2, (runs, 1))
    return (sample + run + generator.normal(0, 0.5, (runs, samples)) > 0).astype(np.int64)


def bad_seeds(generator: np.random.Generator, runs: int, samples: int) -> Labels:
    """Return answers of runs of which one in seven is wrong on a tenth of all samples."""
    flips = np.where(generator.random(samples) < 0.3, generator.beta(0.8, 2.5, samples), 0.0)
    is_bad = generator.random((runs, 1)) < 1 / 7
    return (generator.random((runs, samples)) < 1 - (1 - flips) * (1 - 0.1 * is_bad)).astype(np.int64)


POPULATIONS: dict[str, tuple[Draw, int]] = {
    "15 % of 500 samples flip": (alone(0.15), 500),
    "2 % of 500 samples flip": (alone(0.02), 500),
    "runs in common, 40 samples": (together, 40),
    "runs in common, 2,000 samples": (together, 2000),
    "bad seeds, 400 samples": (bad_seeds, 400),
}


def measured(labels: Labels, statistic: str, method: str) -> Estimate:
    """Return a statistic of binary answers, of which 0 is right."""
    if statistic == "negative_flip_rate":
        return retraining_negative_flip_rate(labels, np.zeros(labels.shape[1], np.int64), method=method)
    return estimate(labels, statistic, method)


def variants(labels: Labels, statistic: str) -> dict[str, tuple[float, float, float]]:
    """Return value and ends of the interval, and of what it is held against."""
    runs, samples, both = (measured(labels, statistic, name) for name in ("jackknife", "samples", "two-way"))
    reach = float(stdtrit(len(labels) - 1, 0.975))
    added = reach * float(np.hypot(runs.standard_error, samples.standard_error))
    once = reach * both.standard_error
    return {
        "interval": (both.value, both.low, both.high),
        "runs' degrees": (both.value, both.value - once, both.value + once),
        "added": (both.value, both.value - added, both.value + added),
    }


def covered(found: list[tuple[float, float, float]], truth: float) -> dict[str, Any]:
    """Return how many of some intervals hold the truth, with Clopper and Pearson's interval, and their median width."""
    rows = np.array(found)
    held, count = int(((rows[:, 1] <= truth) & (truth <= rows[:, 2])).sum()), len(rows)
    low = float(betaincinv(held, count - held + 1, 0.025)) if held else 0.0
    high = float(betaincinv(held + 1, count - held, 0.975)) if held < count else 1.0
    width = float(np.median(rows[:, 2] - rows[:, 1]))
    return {"held": held, "repetitions": count, "coverage": held / count, "ci95": [low, high], "width": width}


def single_studies(repetitions: int) -> list[dict[str, Any]]:
    """Return the coverage of what one study measures, for every population and number of runs."""
    rows = []
    for name, (draw, samples) in POPULATIONS.items():
        for runs in RUNS:
            generator = np.random.default_rng(0)
            studies = [draw(generator, runs, samples) for _ in range(repetitions)]
            for statistic in STATISTICS:
                found = [variants(labels, statistic) for labels in studies]
                truth = float(np.mean([each["interval"][0] for each in found]))
                kinds = {kind: covered([each[kind] for each in found], truth) for kind in found[0]}
                rows.append(
                    {"population": name, "samples": samples, "runs": runs, "statistic": statistic, "truth": truth}
                    | kinds
                )
            print(f"{name}, {runs} runs: {rows[-4]['interval']['coverage']:.3f} of label entropies held", flush=True)
    return rows


def compared(repetitions: int) -> list[dict[str, Any]]:
    """Return the coverage of what several batches of runs are compared by: reductions, shares and drops of sources."""
    rows = []
    for name, (draw, samples) in POPULATIONS.items():
        for runs in (5, 10, 30):
            generator, found = np.random.default_rng(1), []
            for _ in range(repetitions):
                batches = draw(generator, 2 * runs, samples)
                control, method = batches[:runs], batches[runs:]
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", RuntimeWarning)  # of batches in which nothing flips
                    effect = source_effects(control, {"seed": method}, {"seed": method}).effects[0]
                    found.append((label_entropy_reduction(method, control), effect.share, effect.drop))
            for place, (statistic, truth) in enumerate((("reduction", 0.0), ("share", 1.0), ("drop", 0.0))):
                ends = [(each[place].value, each[place].low, each[place].high) for each in found]
                known = [each for each in ends if np.isfinite(each).all()]
                rows.append(
                    {"population": name, "samples": samples, "runs": runs, "statistic": statistic, "truth": truth}
                    | {"interval": covered(known, truth)}
                )
    return rows


def nested(repetitions: int) -> list[dict[str, Any]]:
    """Return the coverage of nested means: sets and runs move samples, some of them more, and all of them a little."""
    rows = []
    for sets, runs in ((3, 3), (5, 5), (8, 4)):
        generator, found = np.random.default_rng(2), []
        for _ in range(repetitions):
            scale = np.exp(generator.normal(-1, 1, 80))
            own = generator.normal(0, 1, (sets, 1, 80)) + generator.normal(0, 1.5, (sets, runs, 80))
            logit = generator.normal(0, 2, 80) + scale * own
            logit *= np.exp(generator.normal(0, 0.1, (sets, 1, 1)) + generator.normal(0, 0.1, (sets, runs, 1)))
            p = expit(logit)
            found.append(nested_estimates(np.stack([p, 1 - p], axis=-1)))
        for statistic in ("seed_variance", "data_variance", "seed_churn", "churn"):
            each = [getattr(one, statistic) for one in found]
            truth = float(np.mean([one.value for one in each]))
            ends = [(one.value, one.low, one.high) for one in each]
            rows.append(
                {"sets": sets, "runs": runs, "samples": 80, "statistic": statistic, "interval": covered(ends, truth)}
            )
    return rows


def digits(folder: Path) -> list[dict[str, Any]]:
    """Return the coverage in repeated studies of digits; the trainings are made where the folder has none."""
    study = reseed.measure("digits", epochs=3, runs=TRAININGS, out=folder).study
    labels, targets = study.final("labels").astype(np.int64), study.targets
    generator, (trainings, pool) = np.random.default_rng(3), labels.shape
    chosen = [(np.arange(OF_RUNS) + OF_RUNS * number) for number in range(STUDIES)]
    chosen += [generator.choice(trainings, OF_RUNS, replace=False) for _ in range(1000)]
    looks = [generator.integers(0, pool, pool // 2) for _ in chosen]
    rows = []
    for statistic in STATISTICS:
        right = (labels != targets).astype(np.int64) if statistic == "negative_flip_rate" else labels
        truth = float(np.mean([measured(right[some], statistic, "samples").value for some in chosen[STUDIES:]]))
        found = [variants(right[some][:, at], statistic) for some, at in zip(chosen, looks, strict=True)]
        for name, part in (("disjoint", found[:STUDIES]), ("drawn", found[STUDIES:])):
            kinds = {kind: covered([each[kind] for each in part], truth) for kind in found[0]}
            rows.append({"studies": name, "runs": OF_RUNS, "samples": pool // 2, "statistic": statistic} | kinds)
    return rows


def main() -> None:
    """Repeat all studies and write how often their intervals held."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--studies", type=Path, default=Path("studies/coverage-digits"))
    arguments = parser.parse_args()
    repetitions: int = arguments.repetitions
    result: dict[str, object] = {
        "level": 0.95,
        "digits": digits(arguments.studies),
        "single": single_studies(repetitions),
        "compared": compared(repetitions * 2 // 5),
        "nested": nested(repetitions * 2 // 5),
    }
    write_result("coverage", result)


if __name__ == "__main__":
    main()
