"""What the sequence tasks share: the losses they are compared under, and the studies of their tokens.

A sample is one token of the test split that is predicted from the true tokens before it; its classes are the
vocabulary. Every method's study, and a second control with other seeds, comes from `reseed.run`, and
`reseed.compare` sets them side by side. A task's own measure, such as BLEU, needs whole outputs: each run leaves them
in `outputs/` beside its study.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student
from torch import Tensor

import reseed
from reseed.instability import estimate
from reseed.mitigations import class_prior, confidence_penalty_loss, label_smoothing_loss

sys.path.insert(0, str(Path(__file__).parents[1]))
from _environment import write_comparison

Loss = Callable[[Tensor, Tensor], Tensor]
"""From logits [sample, position, class] and tokens [sample, position], padding -100, to a number."""

CONTROL, NULL = "control", "second control"


@dataclass(frozen=True)
class Fitted:
    """What one training gives: the test tokens' probabilities, and the whole outputs that the task is scored on."""

    probabilities: np.ndarray
    outputs: Sequence[str] = ()

    def __call__(self, inputs: object) -> np.ndarray:
        """Return the probabilities, [sample, class]; the inputs are those of the test split."""
        return self.probabilities


def data_folder(name: str) -> Path:
    """Return the folder of a task's data, below the one that the environment variable RESEED_DATA names."""
    named = os.environ.get("RESEED_DATA")
    if not named:
        sys.exit(f"RESEED_DATA is not set; let it name the folder that holds {name}/.")
    folder = Path(named) / name
    if not folder.is_dir():
        sys.exit(f"RESEED_DATA is {named!r}, but {name}/ is not in it; put it there.")
    return folder


def losses(
    tokens: Tensor,
    num_classes: int,
    *,
    betas: Sequence[float] = (0.1, 0.5, 2.0),
    class_mask: Tensor | None = None,
) -> dict[str, Loss]:
    """Return the losses by the names that `reseed mitigate` has for them.

    Args:
        tokens: The training tokens, whose frequencies are the unigram prior; any shape, padding -100.
        num_classes: Size of the vocabulary.
        betas: Strengths of the confidence penalty.
        class_mask: Which classes can be predicted at all, booleans [class]; default: all.
    """
    smoothing = partial(label_smoothing_loss, class_mask=class_mask)
    penalty = partial(confidence_penalty_loss, class_mask=class_mask)
    return {
        CONTROL: partial(smoothing, epsilon=0.0),
        "label-smoothing": partial(smoothing, epsilon=0.1),
        "label-smoothing:prior=unigram": partial(smoothing, epsilon=0.1, prior=class_prior(tokens, num_classes)),
        **{f"confidence-penalty:beta={beta:g}": partial(penalty, beta=beta) for beta in betas},
    }


def compare_losses(
    train: Callable[[int, Loss], Fitted],
    choices: Mapping[str, Loss],
    test: reseed.Dataset,
    out: Path,
    *,
    runs: int,
) -> tuple[reseed.Comparison, dict[str, list[list[str]]]]:
    """Train the control, the second control and every other loss, and compare them.

    Args:
        train: Trains with a seed and a loss.
        choices: The losses by name, the control's among them.
        test: The test tokens: what stands before each, and which it is.
        out: The folder of all studies.
        runs: Trainings of each.

    Returns:
        The comparison, and each method's outputs in the order of its runs.
    """
    studies, outputs = {}, {}
    order = (CONTROL, NULL, *(name for name in choices if name != CONTROL))
    for number, name in enumerate(order, start=1):
        print(f"{test.name}: study {number} of {len(order)}, {name}", file=sys.stderr)
        loss = choices[CONTROL if name == NULL else name]
        folder = (out / name.replace(" ", "-").replace(":", ",")).absolute()
        fit = partial(_train_and_keep, train, loss, folder)
        studies[name] = reseed.run(
            fit, eval_data=test, out=folder, runs=runs, seed=int(name == NULL), name=name, engine="processes"
        )
        outputs[name] = [_kept(folder, manifest.seeds["fit"]) for manifest in studies[name].manifests]
    null = studies.pop(NULL)
    return reseed.compare(list(studies.values()), null=null, names=list(studies), out=out), outputs


def scored(outputs: Mapping[str, Sequence[Sequence[str]]], score: Callable[[Sequence[str]], float]) -> dict[str, Any]:
    """Return each method's score and its difference from the control's: mean over runs and 95 % t-interval.

    Run r of a method has the seed of run r of the control, the second control apart, so differences are paired.
    """
    scores = {name: np.array([score(run) for run in runs]) for name, runs in outputs.items()}
    return {
        name: {"runs": found.tolist(), **_interval(found), "difference": _interval(found - scores[CONTROL])}
        for name, found in scores.items()
    }


def whole_outputs(outputs: Mapping[str, Sequence[Sequence[str]]]) -> dict[str, Any]:
    """Return how whole outputs differ between runs: label entropy and the share of pairs of runs that differ."""
    found = {}
    for name, runs in outputs.items():
        answers = np.array(runs)
        found[name] = {
            statistic: asdict(estimate(answers, statistic, "two-way")) for statistic in ("label_entropy", "jitter")
        }
    return found


def write_task(name: str, comparison: reseed.Comparison, setting: Mapping[str, Any], **measures: Any) -> None:
    """Write a task's raw numbers as JSON beside the scripts."""
    write_comparison(Path(__file__).with_name(f"{name}.json"), comparison, setting=dict(setting), **measures)


def _train_and_keep(train: Callable[[int, Loss], Fitted], loss: Loss, folder: Path, seed: int) -> Fitted:
    """Train, and keep the whole outputs before the run counts as finished."""
    torch.set_num_threads(1)
    fitted = train(seed, loss)
    kept = folder / "outputs"
    kept.mkdir(parents=True, exist_ok=True)
    (kept / f"{seed}.json").write_text(json.dumps(list(fitted.outputs)))
    return fitted


def _kept(folder: Path, seed: int) -> list[str]:
    return json.loads((folder / "outputs" / f"{seed}.json").read_text())


def _interval(values: np.ndarray) -> dict[str, Any]:
    half = student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return {"mean": values.mean(), "ci95": [values.mean() - half, values.mean() + half], "n": len(values)}
