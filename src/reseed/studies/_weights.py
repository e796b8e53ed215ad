"""The weights that a run is evaluated with, as safetensors beside its predictions: one file for each kept step.

A file holds what a training changes, parameters and buffers, of one network by their names, of several by ``0.NAME``,
``1.NAME`` and so on. What is frozen is drawn again from the run's seed; a network that reseed did not train has all of
its tensors there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from reseed._errors import ReseedError, StudyError
from reseed._foreign import reason
from reseed.models import AbstractArchitecture, draw_model, first_difference, own_tensors, tensors_of, with_state
from reseed.studies._files import inside
from reseed.studies._manifest import RUNS, Manifest, run_name
from reseed.studies._tensors_file import parsed, read_content, unreadable, write_tensors
from reseed.training import AbstractTraining, EvaluatedWeights, Seeds

_DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}
_WEIGHTS = "weights"
_DELETE = "Delete the file: the run is then trained again for its networks."
_RECORD = "Delete the run's folder and record the run again."


def inputs_described(training: AbstractTraining) -> dict[str, Any]:
    """Return what building a training's networks takes to know, so that no data need be there."""
    inputs = training.data.inputs
    dtype = str(inputs.dtype).removeprefix("torch.") if inputs.is_floating_point() else ""
    return {"recipe": training.recipe.digest, "input_shape": list(training.data.input_shape), "dtype": dtype}


def write_weights(path: Path, networks: Sequence[EvaluatedWeights], about: Mapping[str, Any]) -> tuple[str, int]:
    """Write what the networks of a run are evaluated with, by rename, and return the file's SHA-256 and its size.

    Raises:
        StorageError: It cannot be written.
    """
    names = [""] if len(networks) == 1 else [f"{number}." for number in range(len(networks))]
    own = {prefix + name: value for prefix, one in zip(names, networks, strict=True) for name, value in one.own.items()}
    told = {**about, "networks": len(networks), "reseed": version("reseed")}
    if frozen := _digest(networks):
        told["frozen"] = frozen
    return write_tensors(path, own, told)


def _digest(networks: Sequence[EvaluatedWeights]) -> str:
    """Return a digest of what is frozen in the networks; empty where nothing is."""
    found = hashlib.sha256()
    for network in networks:
        for name in sorted(network.frozen):
            value = network.frozen[name].detach().cpu().contiguous()
            found.update(f"{name}\0{value.dtype}\0{tuple(value.shape)}\0".encode())
            found.update(value.flatten().view(torch.uint8).numpy().data)
    return found.hexdigest() if any(network.frozen for network in networks) else ""


@dataclass(frozen=True, eq=False)
class KeptWeights:
    """What a file holds.

    Attributes:
        path: The file.
        networks: The tensors of each network by name.
        input_shape: Shape of one sample.
        dtype: Type of the inputs; None where they are token ids.
        frozen: Digest of what is frozen in the networks; empty where nothing is.
        remedy: What is to be done where the file cannot be used.
    """

    path: Path
    networks: tuple[Mapping[str, Tensor], ...]
    input_shape: tuple[int, ...]
    dtype: torch.dtype | None
    frozen: str
    remedy: str

    def built(self, architecture: AbstractArchitecture, num_classes: int, seeds: Sequence[Seeds]) -> list[nn.Module]:
        """Return the networks, in evaluation mode.

        Args:
            architecture: The factory that the recipe names.
            num_classes: Of the study.
            seeds: The words of each network.

        Raises:
            StudyError: The file holds the weights of another model.
        """
        if len(seeds) != len(self.networks):
            raise StudyError(
                f"the weights {str(self.path)!r} are those of {len(self.networks)} networks, and a run of the recipe "
                f"has {len(seeds)}. {self.remedy}"
            )
        models = []
        for own, word in zip(self.networks, seeds, strict=True):
            model = self._drawn(architecture, num_classes, word.init)
            self._check_fits(own, own_tensors(model))
            models.append(with_state(model, {**tensors_of(model), **own}))
        drawn = [EvaluatedWeights({}, _frozen_of(model)) for model in models]
        if _digest(drawn) != self.frozen:
            raise StudyError(
                f"the weights {str(self.path)!r} belong to frozen ones that model {architecture.config.name!r} does "
                "not have any more: its code, what it loads, or torch has changed. Bring back what was there when the "
                "study was made."
            )
        return models

    def whole(self, architecture: AbstractArchitecture, num_classes: int) -> nn.Module:
        """Return the network of a run that was recorded, in evaluation mode: the file holds all of it.

        Raises:
            StudyError: The file holds the weights of another model.
        """
        model = self._drawn(architecture, num_classes, 0)
        state, *others = self.networks
        if others:
            raise StudyError(f"the weights {str(self.path)!r} are those of several networks. {self.remedy}")
        self._check_fits(state, tensors_of(model))
        return with_state(model, state)

    def _drawn(self, architecture: AbstractArchitecture, num_classes: int, word: int) -> nn.Module:
        try:
            return draw_model(architecture, self.input_shape, num_classes, word).to("cpu", self.dtype)
        except (LookupError, RuntimeError, TypeError, ValueError) as error:
            if isinstance(error, ReseedError):
                raise
            raise StudyError(
                f"the weights {str(self.path)!r} are for inputs of shape {list(self.input_shape)}, of which model "
                f"{architecture.config.name!r} cannot be built: {reason(error)}. {self.remedy}"
            ) from error

    def _check_fits(self, own: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
        if difference := first_difference(own, expected):
            name, there, wanted = difference
            raise StudyError(
                f"the weights {str(self.path)!r} are not those of the study's model: tensor {name!r} is {there} there, "
                f"and {wanted} in the model. {self.remedy}"
            )


def _frozen_of(model: nn.Module) -> dict[str, Tensor]:
    own = own_tensors(model)
    return {name: value for name, value in tensors_of(model).items() if name not in own}


def weights_path(root: Path, manifest: Manifest, step: int) -> Path:
    """Return the file of a run's weights after a step.

    Raises:
        StudyError: It leads outside the study.
    """
    return inside(root, RUNS, run_name(manifest.run), manifest.weights_folder, file_name(step))


def file_name(step: int) -> str:
    """Return the name of the file for a step."""
    return f"{step:012d}.safetensors"


def read_weights(root: Path, manifest: Manifest, step: int) -> KeptWeights | None:
    """Return a run's weights after a step, or None where they are not kept, or their file was deleted.

    Nothing in the file is executed, and what it takes is known before it is read.

    Raises:
        StudyError: The file cannot be read, is damaged, is not the one that the manifest names, belongs to another run,
            step or recipe, leads outside the study, or takes too much.
    """
    if str(step) not in manifest.weights:
        return None
    path, remedy = weights_path(root, manifest, step), _remedy(manifest)
    content = read_content(path, _WEIGHTS, remedy)
    if content is None:
        return None
    check_digest(content, manifest, step, str(path))
    tensors, about = parsed(path, content, _WEIGHTS, remedy)
    expected = {"run": manifest.run, "step": step, "recipe": manifest.recipe}
    for name, value in expected.items():
        if about.get(name) != value:
            raise StudyError(
                f"the weights {str(path)!r} are those of another {name}: {about.get(name)!r}, not {value!r}. {remedy}"
            )
    try:
        return _checked(path, tensors, about, remedy)
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable(path, error, _WEIGHTS, remedy) from error


def check_digest(content: bytes, manifest: Manifest, step: int, place: str) -> None:
    """Accept what a run's manifest names as its weights after a step.

    Raises:
        StudyError: It is something else; the message names its place.
    """
    if hashlib.sha256(content).hexdigest() != manifest.weights[str(step)]:
        raise StudyError(
            f"the weights {place!r} are not those that the run's manifest names: the file was cut off or changed. "
            f"{_remedy(manifest)}"
        )


def _remedy(manifest: Manifest) -> str:
    return _DELETE if manifest.recipe else _RECORD


def _checked(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any], remedy: str) -> KeptWeights:
    """Return what a file holds, where it says of it what files of weights say.

    Raises:
        KeyError: It does not.
        TypeError: It does not.
        ValueError: It does not.
    """
    count, shape, dtype = about["networks"], tuple(about["input_shape"]), about["dtype"]
    if type(count) is not int or not 1 <= count <= max(1, len(tensors)):
        raise ValueError(f"networks is {count!r}")
    if (not shape and about["recipe"]) or not all(type(size) is int and 0 < size < 2**31 for size in shape):
        raise ValueError(f"input_shape is {about['input_shape']!r}")
    networks: dict[str, dict[str, Tensor]] = {str(number): {} for number in range(count)}
    for name, tensor in tensors.items():
        number, _, own = name.partition(".") if count > 1 else ("0", "", name)
        networks[number][own] = tensor
    inputs = _DTYPES[dtype] if dtype else None
    return KeptWeights(path, tuple(networks.values()), shape, inputs, str(about.get("frozen", "")), remedy)
