"""The studies of `curvature_and_entropy.py`: trained, and asked for their curvature, where that is not done yet."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headline.headline import METHODS, ONE_NETWORK

import reseed
from reseed.mitigations import parse_mitigations
from reseed.scores import Scores
from reseed.studies import Study

FACTORS = {
    ("", ""): "control",
    ("", "ema"): "ema",
    ("", "swa"): "swa",
    ("sam", ""): "sam",
    ("sam", "ema"): "ema+sam",
    ("sam", "swa"): "sam+swa",
}
"""Recipes of the question about SAM, by what they train with and which average they answer with."""
PRODUCTS = 40  # Hessian products of the last iterate's sharpness at most
PROBES, STEPS = 16, 2  # random vectors of trace and norm; Lanczos steps of the spectrum, which is not used


@dataclass(frozen=True)
class Case:
    """A data set and a network, and the recipes that are tried on it.

    Attributes:
        title: What a page calls it.
        data: The data set.
        model: The reference model.
        changes: Of its recipe.
        methods: Texts of `reseed.mitigate`.
        runs: Trainings of each recipe.
        samples: Training samples of the loss whose curvature is asked, and evaluation samples that are asked.
        engine: What suits one thread.
    """

    title: str
    data: str
    model: str
    changes: dict[str, Any] = field(default_factory=dict)
    methods: tuple[str, ...] = ()
    runs: int = 10
    samples: int = 500
    engine: str = "stacked"


def _of_one_network(text: str) -> bool:
    """Tell whether a method answers with one network that is trained alone."""
    parsed = parse_mitigations(text)
    return text != "prediction-ensemble" and all(method.peers is None for method in parsed)


ALL = tuple(dict.fromkeys(text for text in (*METHODS, *ONE_NETWORK, "sam+ema", "sam+swa") if _of_one_network(text)))
SHORT = (
    "sam",
    "ema",
    "swa",
    "sam+ema",
    "sam+swa",
    "label-smoothing",
    "confidence-penalty",
    "weight-decay:strength=0.01:decoupled=true",
    "mixup",
    "gradient-clipping:norm=0.5",
    "warmup",
    "linear-decay",
    "cosine-decay",
    "init-scale:factor=0.3",
    "cosine-decay+init-scale:factor=0.3",
    "ema+init-scale+label-smoothing",
    "fixed-init",
    "fixed-init+ema+label-smoothing",
)
CASES = {
    "digits": Case("digits, MLP", "digits", "mlp", methods=ALL, runs=20),
    "massive": Case("MASSIVE, tf-idf", "massive", "text-tfidf", {"data.limit": 4000}, SHORT, samples=300),
}


def studies_of(name: str, folder: Path, runs: int | None = None) -> dict[str, Study]:
    """Return the studies of a case by their recipes, trained as far as they are not there and asked for curvature."""
    case, began = CASES[name], time.perf_counter()
    recipe = reseed.recipe_for(case.data, case.model, changes=case.changes)
    found = reseed.mitigate(
        recipe=recipe,
        methods=case.methods,
        runs=runs or case.runs,
        out=folder / name,
        engine=case.engine,
        threads=1,
        probe=False,
        record=reseed.RecordConfig(
            every="final", track=f"curvature:every=1000000:samples={case.samples}:products={PRODUCTS}"
        ),
    )
    print(f"{name}: trained in {time.perf_counter() - began:.0f} s", flush=True)
    rows = {row.name: row.study for row in found.rows}
    for study in rows.values():
        curvature_of(study, case.samples)
    print(f"{name}: asked in {time.perf_counter() - began:.0f} s", flush=True)
    return rows


def curvature_of(study: Study, samples: int) -> Scores:
    """Return a study's curvature where its runs ended; what is there already is not asked again."""
    return reseed.curvature.evaluate(
        study, samples=samples, eigenvalues=1, probes=PROBES, steps=STEPS, threads=1, announce=lambda line: None
    )
