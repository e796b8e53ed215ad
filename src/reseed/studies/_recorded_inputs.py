"""What the networks of recorded runs are asked: kept once in a study whose data reseed did not load."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reseed._arguments import argument
from reseed._errors import StudyError
from reseed.studies._files import inside
from reseed.studies._tensors_file import parsed, read_content, unreadable, write_tensors

INPUTS_FILE = "inputs.safetensors"
MOST_INPUT_BYTES = 64 << 20
"""The most bytes of inputs that a study keeps."""
_INPUTS = "inputs"
_REMEDY = "Pass inputs of your own to the networks."


def shape_of_sample(inputs: Any) -> tuple[int, ...]:
    """Return the shape of one sample in an array or a tensor of numbers; of everything else the empty one.

    Examples:
        >>> shape_of_sample(np.zeros((5, 8, 8))), shape_of_sample(["a text", "another"])
        ((8, 8), ())
    """
    return tuple(map(int, inputs.shape[1:])) if _are_numbers(inputs) else ()


def kept_inputs(inputs: Any, dtype: torch.dtype | None) -> Tensor | None:
    """Return the inputs that a study keeps, or None: of several arrays, rows and texts none, and none that are large.

    Args:
        inputs: As the recorded module is handed them, [sample, ...].
        dtype: Into which floating type they are turned; None: the one that they have.
    """
    if not _are_numbers(inputs) or inputs.nbytes > MOST_INPUT_BYTES:
        return None
    if isinstance(inputs, Tensor):
        found = inputs.detach().to("cpu", copy=True)
    else:
        found = torch.from_numpy(np.array(inputs, inputs.dtype.newbyteorder("=")))
    if dtype is not None and found.is_floating_point():
        found = found.to(dtype)
    return found.contiguous()


def _are_numbers(inputs: Any) -> bool:
    if isinstance(inputs, Tensor):
        return inputs.ndim > 0 and inputs.layout is torch.strided and not inputs.is_complex()
    return isinstance(inputs, np.ndarray) and inputs.ndim > 0 and inputs.dtype.kind in "biuf"


def write_inputs(root: Path, inputs: Tensor | None) -> None:
    """Write the inputs of a study that begins, by rename; without any, remove those of one that did not begin."""
    if inputs is None:
        (root / INPUTS_FILE).unlink(missing_ok=True)
    else:
        write_tensors(root / INPUTS_FILE, {_INPUTS: inputs}, {"reseed": version("reseed")})


def read_inputs(root: Path, samples: int) -> Tensor | None:
    """Return the inputs that a study keeps, [sample, ...], or None.

    Raises:
        StudyError: They cannot be read, are damaged or of another number of samples, lead outside the study, or take
            more than `reseed.max_bytes` allows.
    """
    path = inside(root, INPUTS_FILE)
    content = read_content(path, _INPUTS, _REMEDY)
    if content is None:
        return None
    tensors, _ = parsed(path, content, _INPUTS, _REMEDY)
    inputs = tensors.get(_INPUTS)
    if inputs is None or not _are_numbers(inputs) or len(inputs) != samples:
        shown = "none" if inputs is None else f"{str(inputs.dtype).removeprefix('torch.')} {list(inputs.shape)}"
        problem = ValueError(f"it holds {shown}, not the numbers of {samples} samples")
        raise unreadable(path, problem, _INPUTS, _REMEDY)
    return inputs


def check_same_inputs(root: Path, inputs: Tensor, samples: int) -> None:
    """Accept to continue a study only with the inputs that it keeps.

    Raises:
        StudyError: They are others.
    """
    found = read_inputs(root, samples)
    if found is None:
        return
    is_same = (found.dtype, found.shape) == (inputs.dtype, inputs.shape)
    if not is_same or not torch.equal(_bits(found), _bits(inputs)):
        raise StudyError(
            f"{str(root)!r} already holds another study (its inputs are others). All runs are asked the same: pass the "
            f"inputs that it began with, or choose another {argument('out')}."
        )


def _bits(tensor: Tensor) -> Tensor:
    return tensor.contiguous().flatten().view(torch.uint8)
