"""What every summary of a study says about the study itself."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from reseed._parts import Parts
from reseed.mitigations import described
from reseed.studies import Study, cost_summary


def about_study(study: Study) -> dict[str, Any]:
    """Return what was studied, and how much of it."""
    header = study.header
    return {
        "reseed": version("reseed"),
        "dataset": header.dataset,
        "model": header.model,
        **_mitigations(study),
        "runs": len(study.manifests),
        "runs_requested": header.runs,
        "runs_missing": len(study.missing),
        "runs_diverged": len(study.diverged),
        "samples": len(study.samples),
        "classes": len(header.class_names),
    }


def _mitigations(study: Study) -> dict[str, str]:
    """Return the methods of the study's recipe that keep predictions in place, as text; nothing without any."""
    if study.recipe is None:
        return {}
    average = study.recipe.average.name
    methods = [described(study.recipe.mitigations)] if study.recipe.mitigations else []
    methods += [] if average == "none" else [average]
    return {"mitigations": "+".join(methods)} if methods else {}


def about_recipe(study: Study, parts: Parts) -> dict[str, Any]:
    """Return what the runs were made from and, among the ``parts`` that may be missing, what they cost."""
    header = study.header
    return {
        "base_seed": header.base_seed,
        "vary": list(header.vary),
        "recipe": header.recipe,
        "data": header.data,
        **{f"parameters_{name}": count for name, count in header.parameters.items()},
        **parts.make("What the runs cost is missing", lambda: cost_summary(study), {}),
    }


def run_notes(study: Study) -> Iterator[str]:
    """Yield a sentence for runs that are missing, one for runs that diverged, and one for answers against the odds."""
    runs = len(study.manifests)
    if study.missing:
        speak = f"the numbers speak of {runs} run{'' if runs == 1 else 's'}"
        yield f"{len(study.missing)} of {study.header.runs} runs are missing; {speak}."
    if study.diverged:
        which = ", ".join(f"run {manifest.run} at step {manifest.diverged_at}" for manifest in study.diverged[:5])
        more = ", ..." if len(study.diverged) > 5 else ""
        yield f"{len(study.diverged)} runs diverged ({which}{more}) and are left out of every number."
    otherwise = sum(manifest.answered_otherwise for manifest in study.manifests)
    if otherwise:
        yield (
            f"{otherwise:,} of {runs * len(study.samples):,} answers are not the most probable class (a threshold of "
            "the model's own, say): labels are what models answer, confidence and margin are of their probabilities."
        )
