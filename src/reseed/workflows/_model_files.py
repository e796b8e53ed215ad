"""Networks as files that run without reseed: what writes each kind, and what asks the file that was written."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from reseed._errors import MissingExtraError, ModelError
from reseed.workflows._tracing import SAMPLE, quiet, refused, traced

INPUT, OUTPUT = "inputs", "logits"
_TOLERANCE = 1e-4  # of the largest logit: far above single precision's rounding, far below another function
_ONNX_LIMIT = 2_000_000_000  # bytes of weights; one file of its format holds no more than 2 GiB


@dataclass(frozen=True, eq=False)
class ExportedModel:
    """What a model file is made of.

    Attributes:
        module: Takes inputs [sample, ...], returns logits [sample, class].
        members: The networks in it, by what their tensors' names begin with: nothing where there is one.
        asked: Inputs of some samples, which the file is asked about.
        metadata: Texts that the file carries.
    """

    module: nn.Module
    members: Mapping[str, nn.Module]
    asked: Tensor
    metadata: Mapping[str, str]

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All parameters and buffers, each with memory of its own."""
        found: dict[str, Tensor] = {}
        taken: set[int] = set()
        for prefix, member in self.members.items():
            for name, value in member.state_dict().items():
                whole = value.detach().contiguous()
                storage = whole.untyped_storage()
                is_alone = storage.data_ptr() not in taken and storage.nbytes() == whole.nbytes
                taken.add(storage.data_ptr())
                found[prefix + name] = whole if is_alone else whole.clone()
        return found


@dataclass(frozen=True)
class ModelFormat:
    """A kind of model file.

    Attributes:
        packages: Whose versions matter to whoever opens it.
        use: How to open it, in words.
        write: Writes a model.
        check: Asks what was written about some samples, and returns what to say of that.
        needs: Packages of the extra `onnx`.
    """

    packages: tuple[str, ...]
    use: str
    write: Callable[[ExportedModel, Path], None]
    check: Callable[[ExportedModel, Path], dict[str, object]]
    needs: tuple[str, ...] = ()

    def check_installed(self, name: str) -> None:
        """Accept to write a file of this kind.

        Raises:
            MissingExtraError: The packages that it takes are not installed.
        """
        for package in self.needs:
            try:
                __import__(package)
            except ImportError as error:
                raise MissingExtraError(
                    f"{name!r} would be an ONNX model, which needs the package {package}; install it with: "
                    "pip install 'reseed[onnx]'."
                ) from error


def _write_safetensors(model: ExportedModel, path: Path) -> None:
    from safetensors.torch import save_file

    save_file(model.tensors, path, dict(model.metadata))


def _check_safetensors(model: ExportedModel, path: Path) -> dict[str, object]:
    from safetensors import safe_open

    expected = model.tensors
    with safe_open(path, "pt") as file:
        for name, value in expected.items():
            if not torch.equal(file.get_tensor(name), value):
                raise ModelError(f"the tensor {name!r} is another one after it was written; nothing was kept.")
    return {"with": "safetensors", "what": f"{len(expected)} tensors were read back and are the network's"}


def _write_program(model: ExportedModel, path: Path) -> None:
    program = traced(model.module, model.asked, ".pt2")
    with path.open("wb") as file, quiet():
        torch.export.save(program, file, extra_files=dict(model.metadata))


def _check_program(model: ExportedModel, path: Path) -> dict[str, object]:
    with path.open("rb") as file, quiet():
        program = torch.export.load(file)
    return _compared(model, program.module(), "torch.export", ".pt2")


def _write_onnx(model: ExportedModel, path: Path) -> None:
    size = sum(value.nbytes for value in model.tensors.values())
    if size > _ONNX_LIMIT:
        raise ModelError(
            f"the model has {size / 1e9:.1f} GB of weights, and an ONNX file holds {_ONNX_LIMIT / 1e9:.0f}; export one "
            "run, or to .pt2 or .safetensors."
        )
    program = traced(model.module, model.asked, ".onnx")
    try:
        with quiet():
            written = torch.onnx.export(
                program,
                dynamo=True,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=({0: SAMPLE},),
            )
    except Exception as error:  # exporters raise errors of many kinds over code that they cannot take
        raise refused(model.module, error, ".onnx") from error
    if written is None:
        raise ModelError("torch.onnx.export returned no model.")
    graph = written.model
    for node in chain(graph.graph.all_nodes(), *(function.all_nodes() for function in graph.functions.values())):
        node.metadata_props.clear()  # among them the places of this machine's files
    graph.metadata_props.update(model.metadata)
    written.save(path)


def _check_onnx(model: ExportedModel, path: Path) -> dict[str, object]:
    import onnx

    onnx.checker.check_model(path)
    try:
        import onnxruntime
    except ImportError:
        told = "the file is well-formed; its answers were not compared, as onnxruntime is not installed"
        return {"with": f"onnx.checker {version('onnx')}", "what": told}
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def answers(inputs: Tensor) -> Tensor:
        return torch.from_numpy(np.asarray(session.run([OUTPUT], {INPUT: inputs.numpy()})[0]))

    return _compared(model, answers, f"onnxruntime {version('onnxruntime')}", ".onnx")


MODEL_FORMATS: dict[str, ModelFormat] = {
    ".safetensors": ModelFormat(
        ("safetensors", "torch"),
        "safetensors.torch.load_file returns tensors by name; give them to load_state_dict of a module that is built "
        "as `modules` says",
        _write_safetensors,
        _check_safetensors,
    ),
    ".pt2": ModelFormat(
        ("torch",),
        "torch.export.load(FILE).module() takes inputs [sample, ...]; torch unpickles a part of it",
        _write_program,
        _check_program,
    ),
    ".onnx": ModelFormat(
        ("onnx", "onnxscript", "torch"),
        f"onnxruntime.InferenceSession(FILE).run(['{OUTPUT}'], {{'{INPUT}': inputs}}), inputs as a numpy array",
        _write_onnx,
        _check_onnx,
        needs=("onnx", "onnxscript"),
    ),
}


def _compared(
    model: ExportedModel, answers: Callable[[Tensor], Tensor], asked_with: str, suffix: str
) -> dict[str, object]:
    """Ask what was written about one sample and about several.

    Raises:
        ModelError: It answers otherwise than the network, beyond rounding.
    """
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = model.module(model.asked)
        parts = (model.asked[:1], model.asked[1:])  # one sample, and several
        found = torch.cat([answers(part) for part in parts if len(part)])
    difference, largest = float((found - expected).abs().max()), float(expected.abs().max())
    if not difference <= _TOLERANCE * max(1.0, largest):
        raise ModelError(
            f"the model that was written as {suffix} answers otherwise than the network: logits of at most "
            f"{largest:.3g} differ by up to {difference:.3g}, so nothing was kept. Code that asks whether it is "
            "exported, or draws random numbers, does that; choose a name that ends in .safetensors, which holds the "
            "weights alone."
        )
    return {"with": asked_with, "samples": len(model.asked), "largest_difference_of_logits": difference}
