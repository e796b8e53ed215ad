"""Trained networks that answer together: the same answers as one by one, derivatives, and nothing touched."""

import copy

import pytest
import torch
from torch import nn

from reseed import InputError
from reseed._errors import InputTypeError
from reseed.models import Ensemble, ModelConfig, Networks, StackedModel, VmappedModel, architecture, draw_model


class Odd(nn.Module):
    """Code that cannot be mapped over runs: what it does depends on a value."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(128, 3)

    def forward(self, x):
        """Return logits."""
        x = self.layer(x.flatten(1))
        return -x if float(self.layer.bias[0].detach()) > 0 else x


def native(config):
    """Four networks of reseed's own."""
    return lambda: [draw_model(architecture(config), (2, 8, 8), 3, word) for word in range(4)]


def drawn(make):
    """Four networks of foreign code."""

    def models():
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return [make() for _ in range(4)]

    return models


def norm():
    """Batch statistics and dropout."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(128, 6), nn.BatchNorm1d(6), nn.GELU(), nn.Dropout(0.5), nn.Linear(6, 3)
    )


MAKES = {
    "mlp": native(ModelConfig("mlp", hidden=(16, 8), dropout=0.3)),
    "cnn": native(ModelConfig("cnn", width=4, hidden=(8,), dropout=0.2)),
    "resnet": native(ModelConfig("resnet", width=16)),
    "input": native(ModelConfig("mlp", hidden=(8,), crop=5, whiten=True)),
    "norm": drawn(norm),
    "odd": drawn(Odd),
}
KINDS = {"mlp": StackedModel, "input": StackedModel, "norm": VmappedModel}


@pytest.fixture(params=MAKES)
def models(request):
    """Networks of a kind, in training mode and double precision, with batch statistics of their own."""
    found = [model.double().train() for model in MAKES[request.param]()]
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for model in found:
            model(torch.rand(16, 2, 8, 8, generator=generator).double())
    return found


@pytest.fixture
def inputs():
    """Samples of an image's shape."""
    return torch.rand(9, 2, 8, 8, generator=torch.Generator().manual_seed(2)).double()


def alone(models, inputs):
    """The logits of each by itself, in evaluation mode."""
    copies = [copy.deepcopy(model).eval() for model in models]
    each = inputs if inputs.ndim == 5 else inputs.expand(len(models), *inputs.shape)
    return torch.stack([model(own) for model, own in zip(copies, each, strict=True)])


def test_together_they_answer_as_one_by_one(models, inputs):
    """Logits of shared inputs, of inputs of one's own, and in batches are those of each network by itself."""
    networks = Networks(models)
    expected = alone(models, inputs)
    assert len(networks) == 4
    torch.testing.assert_close(networks(inputs), expected)
    torch.testing.assert_close(networks.predict(inputs, 4), expected.detach())
    torch.testing.assert_close(networks.predict(inputs), expected.detach())
    own = torch.rand(4, 5, 2, 8, 8, generator=torch.Generator().manual_seed(3)).double()
    torch.testing.assert_close(networks(own, own=True), alone(models, own))
    for run, network in enumerate(networks):
        torch.testing.assert_close(network(inputs), expected[run])
        assert not network.training
    torch.testing.assert_close(networks[-1](inputs), expected[3])
    torch.testing.assert_close(networks.to("cpu")(inputs), expected)


def test_derivatives_are_those_of_each_network(models, inputs):
    """Gradients to shared inputs are the sums over the networks' own; weights have gradients as well."""
    networks = Networks(models)
    together, single = inputs.clone().requires_grad_(), inputs.clone().requires_grad_()
    networks(together).logsumexp(-1).sum().backward()
    alone(models, single).logsumexp(-1).sum().backward()
    torch.testing.assert_close(together.grad, single.grad)
    assert all(parameter.grad is not None for parameter in networks.parameters())
    again = inputs.clone().requires_grad_()
    (slope,) = torch.autograd.grad(networks(again)[:, :, 0].sum(), again, create_graph=True)
    assert slope.shape == inputs.shape


def test_what_is_given_stays_as_it_is(models, inputs):
    """Modes, weights, buffers and gradients of the modules, and the global generator, are not touched."""
    before = [copy.deepcopy(model.state_dict()) for model in models]
    state = torch.get_rng_state()
    networks = Networks(models)
    networks(inputs).sum().backward()
    assert torch.equal(torch.get_rng_state(), state)
    for model, own in zip(models, before, strict=True):
        assert model.training
        assert all(torch.equal(value, own[name]) for name, value in model.state_dict().items())
        assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize(("kind", "whole"), KINDS.items())
def test_what_can_be_one_program_is_one(kind, whole):
    """Layers that reseed knows are stacked, other code is mapped over the runs."""
    assert isinstance(Networks(MAKES[kind]())._whole, whole)


@pytest.mark.parametrize("serve", ["first", "mean"])
def test_runs_of_several_networks_answer_as_one(inputs, serve):
    """A run of two networks answers as its first, or with the mean of their probabilities."""
    models = [model.double() for model in MAKES["mlp"]()]
    networks = Networks(models, members=2, serve=serve)
    each = alone(models, inputs).softmax(-1)
    expected = each[::2] if serve == "first" else (each[::2] + each[1::2]) / 2
    assert len(networks) == 2
    torch.testing.assert_close(networks(inputs).softmax(-1), expected)
    torch.testing.assert_close(networks[1](inputs).softmax(-1), expected[1])
    own = torch.stack([inputs, inputs.flip(0)])
    torch.testing.assert_close(networks(own, own=True)[1].softmax(-1), expected[1].flip(0))


def test_functions_answer_without_gradients(inputs):
    """Whatever returns logits is a network, one by itself too; derivatives it has none."""
    networks = Networks([lambda x: x.flatten(1)[:, :3], lambda x: x.flatten(1)[:, 3:6]])
    assert torch.equal(networks(inputs)[1], inputs.flatten(1)[:, 3:6])
    assert not networks(inputs.clone().requires_grad_()).requires_grad
    single = nn.Sequential(nn.Flatten(), nn.Linear(128, 3)).double()
    assert torch.equal(Networks(single)(inputs)[0], single(inputs))


@pytest.mark.parametrize(
    ("given", "options", "error", "message"),
    [
        ([], {}, InputError, "networks are 0, of which each run has 1; pass all of every run"),
        ([nn.Linear(2, 2)] * 3, {"members": 2}, InputError, "networks are 3, of which each run has 2"),
        ([nn.Linear(2, 2), nn.Linear(2, 3)], {}, InputError, "network 1 is of another architecture than the first"),
        ([nn.Linear(2, 2), 7], {}, InputTypeError, "networks must be modules or functions, got a int"),
    ],
)
def test_what_are_no_networks_is_refused(given, options, error, message):
    """Bad networks are named, with what to pass."""
    with pytest.raises(error, match=message):
        Networks(given, **options)


def test_inputs_of_other_runs_are_refused(inputs):
    """Inputs of one's own are as many as runs; a run that is not there is an IndexError, which ends loops."""
    networks = Networks(MAKES["mlp"]())
    with pytest.raises(InputError, match=r"inputs of \(3, 9, 2, 8, 8\) are not those of 4 runs"):
        networks(inputs.expand(3, *inputs.shape), own=True)
    with pytest.raises(IndexError, match="there is no run 4; there are 4, counted from 0"):
        networks[4]
    assert repr(networks) == "Networks(4 runs of Sequential)"


@pytest.mark.parametrize(("serve", "count"), [("first", 1), ("mean", 2)])
def test_the_networks_of_a_run_can_be_had(inputs, serve, count):
    """Those whose answers are the run's, and together they give them: the log of the mean of their probabilities."""
    models = [model.double() for model in MAKES["mlp"]()]
    networks = Networks(models, members=2, serve=serve)
    members = networks.members(1)
    assert len(members) == count
    for member, model in zip(members, models[2:], strict=False):
        torch.testing.assert_close(member(inputs), model.eval()(inputs))
    probabilities = torch.stack([member(inputs).softmax(-1) for member in members]).mean(0)
    torch.testing.assert_close(networks[1](inputs).softmax(-1), probabilities)
    torch.testing.assert_close(Ensemble(members)(inputs).exp(), probabilities)
    with pytest.raises(IndexError, match="there is no run 2; there are 2"):
        networks.members(2)


@pytest.mark.parametrize("shape", [(3, 2), (1, 3, 2)])
def test_what_is_flattened_first_may_have_any_shape(shape):
    """Samples of two axes, each run with its own, are not taken for images of all runs."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        models = [nn.Sequential(nn.Flatten(), nn.Linear(6, 3)) for _ in range(4)]
    networks = Networks(models)
    assert isinstance(networks._whole, StackedModel)
    own = torch.rand(4, 5, *shape, generator=torch.Generator().manual_seed(1))
    each = torch.stack([model(x) for model, x in zip(models, own, strict=True)])
    assert torch.allclose(networks(own, own=True), each, atol=1e-6)
