"""`untouched`: what a prediction in the middle of a training may not leave behind."""

import socket

import pytest
import torch
from torch import nn

from reseed import InputError, Recorder
from reseed.integrations._untouched import bare, check_whole, untouched


def test_modes_and_generators():
    """Modules that were frozen in evaluation mode stay so, and draws go on where they stood."""
    model = nn.Sequential(nn.Dropout(), nn.BatchNorm1d(2)).train()
    model[1].eval()
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    with untouched(model):
        assert not model[0].training
        assert not torch.is_grad_enabled()
        torch.rand(7)
    assert torch.equal(torch.rand(3), expected)
    assert (model.training, model[0].training, model[1].training) == (True, True, False)


def test_buffers_gradients_and_what_requires_one():
    """Statistics that a prediction moves, buffers that it replaces, gradients and flags are those of before."""
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    model(torch.randn(8, 2)).sum().backward()
    model.register_buffer("kept", torch.ones(2), persistent=False)
    kept, gradient = model.kept, model[0].weight.grad
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    with untouched(model):
        model[1].train()
        model.kept = torch.zeros(3)
        model.requires_grad_(False)
        model[0].requires_grad_(True)
        with torch.enable_grad():
            model(torch.randn(8, 2)).pow(2).sum().backward()
    assert model.kept is kept
    assert model[0].weight.grad is gradient
    assert all(torch.equal(value, buffers[name]) for name, value in model.named_buffers())
    assert all(torch.equal(each.grad, old) for each, old in zip(model.parameters(), gradients, strict=True))
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.filterwarnings("ignore")  # torch says that sparse rows and nested tensors are new
def test_buffers_of_every_layout():
    """Sparse and nested buffers, those of inference mode and NaN are left, and restored where they were written to."""
    model = nn.Module()
    with torch.inference_mode():
        model.register_buffer("inference", torch.ones(2))
    model.register_buffer("sparse", torch.eye(2).to_sparse())
    model.register_buffer("rows", torch.eye(2).to_sparse_csr())
    model.register_buffer("nested", torch.nested.nested_tensor([torch.ones(1), torch.ones(2)]))
    model.register_buffer("nan", torch.tensor(float("nan")))
    versions = [model.sparse._version, model.rows._version, model.nested._version]
    with untouched(model):
        pass
    assert versions == [model.sparse._version, model.rows._version, model.nested._version]
    with untouched(model):
        model.sparse.mul_(2)
        model.nan.zero_()
    assert torch.equal(model.sparse.to_dense(), torch.eye(2))
    assert model.nan.isnan()


def test_a_graph_that_waits_for_its_gradient_stays_valid():
    """Between forward and backward, a prediction writes to nothing that the gradient needs."""
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    model[1].eval()
    loss = model(torch.randn(8, 2)).sum()
    with untouched(model):
        model(torch.randn(8, 2))
    loss.backward()
    assert model[0].weight.grad is not None


class Merged(nn.Linear):
    """A layer that does more than to set its mode: it adds to its weight in evaluation, as some adapters do."""

    def train(self, mode=True):
        """Take the addition away for training."""
        if mode != self.training:
            self.weight.data += -1 if mode else 1
        return super().train(mode)


def test_modules_that_do_more_in_train_are_told():
    """A module that changes itself for evaluation changes itself back."""
    model = nn.Sequential(Merged(2, 2))
    nn.init.zeros_(model[0].weight)
    with untouched(model):
        assert model[0].weight.eq(1).all()
    assert model[0].weight.eq(0).all()


def test_compiled_models_are_not_compiled_anew():
    """Predictions of another batch size run eagerly, whether a model, its copy in place or a function is compiled."""
    seen = []

    def backend(graph, inputs):
        seen.append(inputs)
        return graph.forward

    torch.compiler.reset()
    model, inner = nn.Linear(2, 2), nn.Linear(2, 2)
    inner.compile(backend=backend)
    compiled = torch.compile(nn.Sequential(model, inner), backend=backend)
    expected = compiled(torch.ones(3, 2))
    count = len(seen)
    assert count > 0
    with untouched(compiled):
        for size in (5, 3, 2):
            found = compiled(torch.ones(size, 2))
            inner(torch.ones(size, 2))
    assert len(seen) == count
    assert torch.allclose(found, expected[:2])
    assert torch.equal(compiled(torch.ones(3, 2)), expected)
    assert len(seen) == count


def test_bare_is_the_model_within_wrappers():
    """Compiled and parallel wrappers are taken off, a submodule that is called `module` is none."""
    model = nn.Linear(2, 2)
    assert bare(torch.compile(nn.DataParallel(model), backend="eager")) is model
    model.module = nn.Linear(2, 2)
    assert bare(model) is model


def test_sharded_weights_are_refused():
    """Weights that this process has only a part of are refused by name, whole ones taken."""
    from torch.distributed.fsdp import fully_shard

    check_whole(nn.Sequential(nn.Linear(2, 2)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    torch.distributed.init_process_group("gloo", init_method=address, rank=0, world_size=1)
    try:
        mesh = torch.distributed.device_mesh.init_device_mesh("cpu", (1,))
        model = fully_shard(nn.Sequential(nn.Linear(2, 2)), mesh=mesh)
        for refuses in (check_whole, Recorder("unused", run=0, runs=2, data=(torch.ones(2, 2), [0, 1])).check):
            with pytest.raises(
                InputError, match=r"weights of FSDPSequential are sharded over processes.*whole weights"
            ):
                refuses(model)
    finally:
        torch.distributed.destroy_process_group()
