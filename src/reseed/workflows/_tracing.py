"""Networks as programs of `torch.export`, and in which layer that fails."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from itertools import chain

import torch
from torch import Tensor, fx, nn
from torch.export import Dim, ExportedProgram

from reseed._errors import ModelError

SAMPLE = "sample"
_MOST_SHOWN = 200  # characters of what an exporter says


def traced(module: nn.Module, inputs: Tensor, suffix: str) -> ExportedProgram:
    """Return a model as a program that takes any number of samples.

    Args:
        module: Takes inputs [sample, ...], returns logits [sample, class].
        inputs: Such inputs; their shape and type are what counts.
        suffix: Of the format that it is for.

    Raises:
        ModelError: It cannot be; the message names the layer, where it is known.
    """
    example = torch.zeros((2, *inputs.shape[1:]), dtype=inputs.dtype)  # the file keeps it: no sample of yours
    try:
        with quiet():
            program = torch.export.export(module, (example,), dynamic_shapes=({0: Dim(SAMPLE, min=1)},), strict=False)
    except Exception as error:  # the model's own code may raise anything
        raise refused(module, error, suffix) from error
    graphs = [part.graph for part in program.graph_module.modules() if isinstance(part, fx.GraphModule)]
    for node in chain.from_iterable(graph.nodes for graph in graphs):
        node.meta.pop("stack_trace", None)  # the places of this machine's files
    return program


def refused(module: nn.Module, error: Exception, suffix: str) -> ModelError:
    """Return what to raise where an exporter cannot take a model, with the layer and what was said first of all."""
    causes = _causes(error)
    layer = next((found for cause in causes if (found := _failed_layer(module, cause)) is not None), None)
    where = (
        ""
        if layer is None
        else f", for its layer {layer or '(itself)'!r} ({type(module.get_submodule(layer)).__name__})"
    )
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
    known = set(names.values())
    found = None
    trace = error.__traceback__
    while trace is not None:
        own, node = (trace.tb_frame.f_locals.get(name) for name in ("self", "node"))
        if id(own) in names:
            found = names[id(own)]
        elif isinstance(node, fx.Node) and (layers := node.meta.get("nn_module_stack")):
            name = list(layers.values())[-1][0].partition("@")[0]  # behind it the number of a call
            found = name if name in known else found
        trace = trace.tb_next
    return found


@contextmanager
def quiet() -> Iterator[None]:
    """Keep to themselves what exporters print, log and warn of; what goes wrong is an exception."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
