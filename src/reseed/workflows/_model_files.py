"""Networks as files that run without reseed: what writes each kind, and what asks the file that was written."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.export import Dim, ExportedProgram

from reseed._errors import MissingExtraError, ModelError

INPUT, OUTPUT, SAMPLE = "inputs", "logits", "sample"
_TOLERANCE = 1e-4  # of the largest logit: far above single precision's rounding, far below another function
_ONNX_LIMIT = 2_000_000_000  # bytes of weights; one file of its format holds no more than 2 GiB
_MOST_SHOWN = 200  # characters of what an exporter says


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
    program = _program(model, ".pt2")
    with path.open("wb") as file, _quiet():
        torch.export.save(program, file, extra_files=dict(model.metadata))


def _check_program(model: ExportedModel, path: Path) -> dict[str, object]:
    with path.open("rb") as file, _quiet():
        program = torch.export.load(file)
    return _compared(model, program.module(), "torch.export", ".pt2")


def _write_onnx(model: ExportedModel, path: Path) -> None:
    size = sum(value.nbytes for value in model.tensors.values())
    if size > _ONNX_LIMIT:
        raise ModelError(
            f"the model has {size / 1e9:.1f} GB of weights, and an ONNX file holds {_ONNX_LIMIT / 1e9:.0f}; export one "
            "run, or to .pt2 or .safetensors."
        )
    program = _program(model, ".onnx")
    try:
        with _quiet():
            written = torch.onnx.export(
                program,
                dynamo=True,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=({0: SAMPLE},),
            )
    except Exception as error:  # exporters raise errors of many kinds over code that they cannot take
        raise _refused(model.module, error, ".onnx") from error
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


def _program(model: ExportedModel, suffix: str) -> ExportedProgram:
    """Trace a model for any number of samples.

    Raises:
        ModelError: It cannot be; the message names the layer, where it is known.
    """
    example = torch.zeros((2, *model.asked.shape[1:]), dtype=model.asked.dtype)  # the file keeps it: no sample of yours
    try:
        with _quiet():
            program = torch.export.export(
                model.module, (example,), dynamic_shapes=({0: Dim(SAMPLE, min=1)},), strict=False
            )
    except Exception as error:  # the model's own code may raise anything
        raise _refused(model.module, error, suffix) from error
    graphs = [part.graph for part in program.graph_module.modules() if isinstance(part, fx.GraphModule)]
    for node in chain.from_iterable(graph.nodes for graph in graphs):
        node.meta.pop("stack_trace", None)  # the places of this machine's files
    return program


def _refused(module: nn.Module, error: Exception, suffix: str) -> ModelError:
    """Return what to raise where an exporter cannot take a model, with the layer and what was said first of all."""
    causes = _causes(error)
    layer = next((found for cause in causes if (found := _failed_layer(module, cause)) is not None), None)
    where = "" if layer is None else f", for its layer {layer or '(itself)'!r} ({_kind(module.get_submodule(layer))})"
    said = next(iter(str(causes[-1]).strip().splitlines()), type(causes[-1]).__name__)[:_MOST_SHOWN].rstrip(". ")
    return ModelError(
        f"the model cannot be written as {suffix}{where}: {said}. What it does must not depend on the values of its "
        "inputs, nor on the number of samples, and be made of operations that the format has. Change that, or choose a "
        "name that ends in .safetensors, which holds the weights alone."
    )


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and what caused it, the first cause last."""
    found = [error]
    while (cause := found[-1].__cause__) is not None:
        found.append(cause)
    return found


def _failed_layer(module: nn.Module, error: BaseException) -> str | None:
    """Return the innermost layer that was at work when an error was raised, in its own code or an exporter's."""
    names = {id(layer): name for name, layer in module.named_modules()}
    found = None
    trace = error.__traceback__
    while trace is not None:
        own, node = (trace.tb_frame.f_locals.get(name) for name in ("self", "node"))
        if id(own) in names:
            found = names[id(own)]
        elif isinstance(node, fx.Node) and (layers := node.meta.get("nn_module_stack")):
            found = list(layers.values())[-1][0]
        trace = trace.tb_next
    return found


def _kind(layer: nn.Module) -> str:
    return type(layer).__name__


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


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to themselves what exporters print, log and warn of; what goes wrong is an exception."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
