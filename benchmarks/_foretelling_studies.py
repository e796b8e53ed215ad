"""The studies of `foretelling.py`, trained and evaluated where they are not there yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reseed import recipe_for
from reseed.robustness.evaluation import evaluate
from reseed.robustness.evaluation._protocol import Effort
from reseed.scores import Scores
from reseed.studies import Study, train_study


@dataclass(frozen=True)
class Case:
    """A study and what is asked of its networks.

    Attributes:
        title: What a page calls it.
        data: The data set; cases of one data set never learn from each other.
        model: The reference model.
        changes: Of its recipe.
        samples: How many samples the robustness lens is asked about.
        effort: Of the robustness lens.
        runs: Trainings.
    """

    title: str
    data: str
    model: str
    changes: dict[str, Any] = field(default_factory=dict)
    samples: int = 500
    effort: Effort = "quick"
    runs: int = 10


_MNIST = {"data.limit": 2500, "data.holdout": 0.2, "epochs": 4, "model.width": 8}
_CIFAR = {"data.limit": 2500, "data.holdout": 0.2, "epochs": 6, "model.width": 8}
CASES = {
    "digits": Case("digits, MLP", "digits", "mlp", effort="standard"),
    "mnist": Case("MNIST, CNN", "mnist", "cnn", _MNIST, samples=300),
    "cifar10": Case("CIFAR-10, CNN", "cifar10", "cnn", _CIFAR, samples=300, runs=8),
    "massive-tfidf": Case("MASSIVE, tf-idf", "massive", "text-tfidf"),
    "clinc150-tfidf": Case("CLINC150, tf-idf", "clinc150", "text-tfidf", {"data.limit": 5000, "epochs": 15}),
    "massive": Case("MASSIVE, encoder", "massive", "text-encoder", {"data.limit": 4000}),
    "clinc150": Case("CLINC150, encoder", "clinc150", "text-encoder", {"data.limit": 5000}),
}


def study_of(name: str, folder: Path, encoder: str | None) -> Study | None:
    """Return the study of a case, trained as far as it is not there; None where an encoder is missing."""
    case = CASES[name]
    changes = dict(case.changes)
    if case.model == "text-encoder":
        if encoder is None:
            return None
        changes["model.encoder"] = encoder
    engine = "serial" if case.model == "cnn" else "stacked"  # one thread has no use for more
    recipe = recipe_for(case.data, case.model, changes=changes)
    return train_study(recipe, folder / name, runs=case.runs, engine=engine, threads=1, probe=False)


def scores_of(name: str, study: Study) -> Scores:
    """Return what the robustness lens says of a study; parts that are done are not done again."""
    case = CASES[name]
    return evaluate(study, effort=case.effort, samples=case.samples)
