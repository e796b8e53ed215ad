"""What attacks make of the networks: accuracy under each, the worst case, and what the wrong answers look like."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reseed.perturbations.attacks import AttackSuite
from reseed.robustness.adversaries._confidence import (
    adversarial_class_confidence,
    noise_tolerance,
    true_class_confidence,
)
from reseed.robustness.evaluation._protocol import Protocol
from reseed.robustness.evaluation._subject import Subject
from reseed.robustness.imperceptibility._distortion import lp_distortion
from reseed.robustness.imperceptibility._perturbation_sensitivity import perturbation_sensitivity_distance
from reseed.robustness.imperceptibility._structural_similarity import structural_similarity
from reseed.scores import Part, Told

_SMALLEST = 3  # pixels a side of images that have surroundings
_SHOWN = 6  # samples whose attacked inputs are kept for the page


def attacks_part(subject: Subject, protocol: Protocol, told: Told) -> Part:
    """Attack what each network answers, right or wrong, by every attack of the effort, and keep the worst case.

    Args:
        subject: Its inputs can be changed a little.
        protocol: The budget and the effort.
        told: Takes the share that is done.
    """
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of masked gradients: they become notes
        suite = AttackSuite(effort=protocol.effort, cascade=False)
        found = suite(
            subject.networks,
            subject.inputs.to(subject.device),
            subject.answers,
            epsilon=protocol.epsilon,
            norm=protocol.norm,
            bounds=subject.bounds,
            frozen=subject.frozen,
            seed=protocol.seed,
            progress=lambda _, done, total: told(done / total),
        )
    worst = found.worst
    inputs, logits, changed = worst.inputs.cpu(), worst.logits.cpu(), worst.changed.cpu().numpy()
    right = subject.is_right
    has_gradients = np.array([stage.needs_gradients for stage in found.stages])
    fooled = np.asarray(found.success)  # [attack, run, sample]
    cells: dict[str, NDArray[Any]] = {"accuracy_clean": right, "accuracy_worst_case": _left(right, changed)}
    for name, some in (("white", fooled[has_gradients]), ("black", fooled[~has_gradients])):
        if len(some):
            cells[f"accuracy_{name}_box"] = _left(right, some.any(0))
    cells["attacked_margin"] = _margin(logits, subject.answers)
    counted = changed & (right == 1)
    cells |= _of_the_fooled(subject, inputs, logits, counted)
    by_attack: dict[str, NDArray[Any]] = {}
    if (subject.targets >= 0).any():
        for name, each in zip([stage.name for stage in found.stages], fooled, strict=True):
            by_attack[f"accuracy_of.{name}"] = _left(right, each)
    return Part(
        cells=cells,
        arrays=by_attack | _shown(subject, inputs, changed),
        notes=(str(found.masking),) if found.masking else (),
        cost={
            "forward_passes": float(sum(stage.queries for stage in found.stages)),
            "wall_s": time.perf_counter() - began,
        },
    )


def _left(right: NDArray[np.float64], fooled: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what is still right, [run, sample]."""
    return np.where(np.isnan(right), np.nan, right * ~fooled)


def _margin(logits: torch.Tensor, answers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return by how much the first answer is still ahead, [run, sample]; below 0 where another is."""
    own = torch.from_numpy(answers)[..., None]
    others = logits.double().scatter(-1, own, -torch.inf).amax(-1)
    return (logits.double().gather(-1, own)[..., 0] - others).numpy()


def _of_the_fooled(
    subject: Subject, inputs: torch.Tensor, logits: torch.Tensor, counted: NDArray[np.bool_]
) -> dict[str, NDArray[Any]]:
    """Return what adversarial inputs are like, [run, sample], where a right answer became wrong; else NaN."""
    cells: dict[str, NDArray[Any]] = {}
    if not counted.any():
        return cells
    found = logits.double().numpy()[counted]
    targets = np.broadcast_to(subject.targets, counted.shape)[counted]
    success = np.ones(len(found), np.bool_)
    clean = subject.inputs.expand(subject.runs, *subject.inputs.shape)[torch.from_numpy(counted)]
    attacked = inputs[torch.from_numpy(counted)]
    values: dict[str, Any] = {
        "adversarial_class_confidence": adversarial_class_confidence(
            found, success=success, from_logits=True, reduction="none"
        ),
        "true_class_confidence": true_class_confidence(
            found, targets, success=success, from_logits=True, reduction="none"
        ),
        "noise_tolerance": noise_tolerance(found, success=success, from_logits=True, reduction="none"),
    }
    if subject.kind == "images":
        bounds = subject.value_range
        values["distortion_l2"] = lp_distortion(clean, attacked, 2, reduction="none")
        values["distortion_linf"] = lp_distortion(clean, attacked, "inf", reduction="none")
        if min(clean.shape[-2:]) >= _SMALLEST:
            values["structural_similarity"] = structural_similarity(
                clean, attacked, bounds=bounds, shrink=True, reduction="none"
            )
            values["perturbation_sensitivity"] = perturbation_sensitivity_distance(
                clean, attacked, bounds=bounds, reduction="none"
            )
    for name, value in values.items():
        cells[name] = np.full(counted.shape, np.nan)
        cells[name][counted] = np.asarray(value, np.float64)
    return cells


def _shown(subject: Subject, inputs: torch.Tensor, changed: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """Return some images that most networks are fooled on, clean and as one of them was attacked."""
    if subject.kind != "images" or not changed.any():
        return {}
    places = np.argsort(-changed.mean(0), kind="stable")[:_SHOWN]
    places = places[changed[:, places].any(0)]
    runs = changed[:, places].argmax(0)
    return {
        "shown.numbers": places,
        "shown.clean": subject.inputs[places].float().numpy(),
        "shown.attacked": inputs[runs, places].float().numpy(),
    }
