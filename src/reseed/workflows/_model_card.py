"""What stands beside a model file: all that whoever uses it without reseed has to know."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
import torch
from torch import Tensor, nn

from reseed.studies import Study, StudyInputs
from reseed.workflows._model_files import INPUT, OUTPUT, ExportedModel, ModelFormat
from reseed.workflows._tracing import SAMPLE

_ROWS = 256  # samples that the network answers at once
_CALIBRATED = (
    "divided by the temperature before the softmax, the output gives calibrated probabilities and the same answers"
)
_LOGITS = "logits: their softmax gives the probabilities of the classes, the class of the largest is the answer"
_MEANS = (
    "log-probabilities: the log of the mean of the probabilities that {} networks give; their exp is the probabilities "
    "of the classes, the class of the largest is the answer"
)


def model_card(
    study: Study,
    name: str,
    form: ModelFormat,
    runs: Sequence[int],
    choice: str,
    model: ExportedModel,
    evaluation: StudyInputs,
) -> dict[str, object]:
    """Return a card, as JSON holds it.

    Args:
        study: Where the model is from.
        name: The model file's.
        form: Its format.
        runs: The runs that answer in it.
        choice: By what they were chosen: ``number``, ``medoid`` or ``ensemble``.
        model: What is written.
        evaluation: The evaluation samples, as the model takes them.
    """
    header, count = study.header, len(model.members)
    known = evaluation.targets >= 0
    right = _labels(model.module, evaluation.inputs)[known] == evaluation.targets[known]
    return {
        "file": name,
        "use": form.use,
        "dataset": header.dataset,
        "model": header.model,
        "recipe": header.recipe,
        "runs": list(runs),
        "chosen_by": choice,
        "accuracy": float(right.mean()) if len(right) else None,
        "accuracy_samples": len(right),
        "class_names": list(header.class_names),
        "input": {
            "name": INPUT,
            "shape": [SAMPLE, *evaluation.inputs.shape[1:]],
            "dtype": _dtype(evaluation.inputs),
        },
        "preprocessing": dict(evaluation.preprocessing),
        "output": {
            "name": OUTPUT,
            "shape": [SAMPLE, len(header.class_names)],
            "meaning": _LOGITS if count == 1 else _MEANS.format(count),
            **(_scaling(study) if len(runs) == 1 else {}),
        },
        "tensors": _tensors(list(model.members)),
        "modules": _modules(next(iter(model.members.values()))),
        "notes": _notes(study),
        "versions": {package: version(package) for package in ("reseed", *form.packages)},
    }


def _scaling(study: Study) -> dict[str, object]:
    """Return the temperature that calibrates the output of a run, where one was fitted."""
    found = study.manifests[0].temperature
    return {} if found is None else {"temperature": found, "calibrated": _CALIBRATED}


def _labels(module: nn.Module, inputs: Tensor) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    with torch.no_grad():
        return torch.cat([module(part).argmax(-1) for part in torch.split(inputs, _ROWS)]).numpy()


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _tensors(prefixes: Sequence[str]) -> str:
    """Say how the weights are named."""
    if len(prefixes) == 1:
        return "named as in `modules`"
    return f"of several networks, each named as in `modules` behind one of: {' '.join(prefixes)}"


def _modules(module: nn.Module) -> dict[str, str]:
    """Return the layers of a network by name; of what is made of others, what kind it is."""
    return {name: _described(layer) for name, layer in module.named_modules()}


def _described(layer: nn.Module) -> str:
    if next(layer.children(), None) is None:
        return " ".join(repr(layer).split())
    kind = type(layer)
    said = (kind.forward.__doc__ or "").strip().splitlines() if kind.__module__.startswith("reseed.") else []
    return ": ".join([f"{kind.__module__}.{kind.__qualname__}", *said[:1]])


def _notes(study: Study) -> list[str]:
    """Return what is to be known of the study's data, and of what the model leaves out."""
    abstain = ["The study's runs may abstain; the exported model always answers."]
    return [*study.header.notes, *(abstain if "abstains" in study.recorded_names() else [])]
