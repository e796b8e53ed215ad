"""Which samples switch which node on: as computed by hand, in any batches, and the network is left as it was."""

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from reseed import InputError
from reseed._errors import InputTypeError
from reseed.memorization import SampleSets, pre_activations, sample_sets
from reseed.models import Networks


def drawn(make, seed=0):
    """A module with weights that are the same each time, without touching the global generator."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


def uniform(*shape, seed=1):
    """Inputs that are the same each time, on both sides of zero."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) - 0.5


def dense(seed=0):
    """A network with two hidden layers, the second gate in place."""
    return drawn(
        lambda: nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 6), nn.ReLU(inplace=True), nn.Linear(6, 3)),
        seed,
    )


def by_hand():
    """Two inputs, three nodes, weights [[1, 0], [0, 1], [-1, -1]]."""
    model = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Linear(3, 2))
    model[0].weight.data.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]))
    return model


SAMPLES = [[1.0, 1.0], [-1.0, 2.0], [-2.0, -2.0]]


class Functional(nn.Module):
    """A network that calls ReLU as a function."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(4, 5), nn.Linear(5, 3)

    def forward(self, x):
        """Return logits."""
        return self.last(self.first(x).relu())


class Drawing(nn.Module):
    """A network that draws a random number and counts its calls in a buffer, in any mode."""

    def __init__(self):
        super().__init__()
        self.layer, self.relu, self.drop = nn.Linear(4, 5), nn.ReLU(), nn.Dropout(0.5)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        """Return logits."""
        torch.rand(1)
        self.calls += 1
        return self.drop(self.relu(self.layer(x)))


def test_the_sets_of_a_network_by_hand():
    """{0}, {0, 1} and {2}: the second sample is not in the first node's set, the third in none of the first two."""
    sets = sample_sets(by_hand(), SAMPLES)
    assert [np.flatnonzero(node).tolist() for node in sets.on("1").T] == [[0], [0, 1], [2]]
    assert (sets.layers, sets.nodes, sets.samples) == (("1",), {"1": 3}, 3)
    assert sets.packed["1"].dtype == np.uint8
    assert sets.packed["1"].shape == (3, 1)


def test_a_pre_activation_of_zero_is_off():
    """As in the gradient of ReLU, minus zero too."""
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.ReLU())
    nn.init.constant_(model[0].weight, 1.0)
    assert sample_sets(model, [[0.0], [-0.0], [1e-30]]).on("1").tolist() == [[False], [False], [True]]


@pytest.mark.parametrize("batch_size", [1, 3, 7, 8, 16, 37, 100])
def test_batches_of_any_size_are_the_same(batch_size):
    """The bits of all samples, in order, whatever falls into one byte together."""
    model, inputs = dense(), uniform(37, 4)
    with torch.no_grad():
        first = model[0](inputs)
        expected = {"1": first > 0, "3": model[2](first.relu()) > 0}
    given = {
        "tensor": inputs,
        "array": inputs.numpy(),
        "batches": list(inputs.split(batch_size)),
        "generator": (part for part in inputs.split(batch_size)),
        "pairs": [(part, torch.zeros(len(part), dtype=torch.int64)) for part in inputs.split(batch_size)],
        "indexed": list(zip(torch.arange(37).split(batch_size), inputs.split(batch_size), strict=True)),
        "tuples": [tuple(row) for row in inputs.tolist()],
        "listed loader": list(DataLoader(TensorDataset(inputs, torch.arange(37)), batch_size=batch_size)),
        "loader": DataLoader(TensorDataset(inputs, torch.arange(37)), batch_size=batch_size),
    }
    for name, each in given.items():
        sets = sample_sets(model, each, batch_size=batch_size)
        assert sets.samples == 37, name
        for layer, states in expected.items():
            np.testing.assert_array_equal(sets.on(layer), states, err_msg=name)
            np.testing.assert_array_equal(sets.packed[layer], np.packbits(states.numpy().T, axis=1), err_msg=name)


def test_a_channel_is_on_where_any_position_is():
    """Of a convolution; the largest value over its positions says the same."""
    model = drawn(lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 9, 3), nn.ReLU()))
    inputs = uniform(20, 1, 5, 5)
    sets, values = sample_sets(model, inputs), pre_activations(model, inputs, batch_size=6)
    with torch.no_grad():
        before = model[0](inputs)
    np.testing.assert_array_equal(sets.on("1"), (before > 0).flatten(2).any(-1))
    np.testing.assert_allclose(values["1"], before.flatten(2).amax(-1), rtol=1e-6)
    assert {name: each.shape for name, each in values.items()} == {"1": (20, 4), "4": (20, 3)}
    for name, each in values.items():
        np.testing.assert_array_equal(sets.on(name), each > 0)


def test_networks_have_the_run_first():
    """Several modules, and networks that are kept together: each run's sets are those of its module alone."""
    models, inputs = [dense(seed) for seed in range(3)], uniform(19, 4)
    alone = [sample_sets(model, inputs) for model in models]
    for many in (models, Networks(models)):
        sets = sample_sets(many, iter(inputs.split(5)))
        assert sets.packed["3"].shape == (3, 6, 3)
        for run, own in enumerate(alone):
            np.testing.assert_array_equal(sets.on("3")[run], own.on("3"))
    assert sample_sets(models[:1], inputs).packed["1"].shape == (1, 5, 3)
    other = nn.Sequential(nn.Linear(4, 2), nn.ReLU())
    with pytest.raises(InputError, match="network 1 has other layers or nodes than the first"):
        sample_sets([models[0], other], inputs)


def test_a_gate_that_is_called_twice_has_two_layers():
    """A name for each call, as `Activations` has them."""
    relu = nn.ReLU()
    model = drawn(lambda: nn.Sequential(nn.Linear(4, 4), relu, nn.Linear(4, 4), relu))
    assert sample_sets(model, uniform(5, 4)).layers == ("1", "1#2")


def test_other_activation_functions_need_a_threshold():
    """GELU has no gate at zero; with a threshold its input decides, not its answer."""
    model, inputs = drawn(lambda: nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))), uniform(9, 4)
    with pytest.raises(InputError, match=r"no gated layer .* '0' \(Linear\), '1' \(Tanh\), .*pass a threshold"):
        sample_sets(model, inputs)
    with pytest.raises(InputError, match="layer '1' is a Tanh, which has no gate at zero of its own; pass a threshold"):
        sample_sets(model, inputs, "1")
    with torch.no_grad():
        np.testing.assert_array_equal(sample_sets(model, inputs, threshold=0.1).on("1"), model[0](inputs) > 0.1)
    np.testing.assert_array_equal(
        sample_sets(model, inputs, [nn.Tanh], 0.1).on("1"), sample_sets(model, inputs, threshold=0.1).on("1")
    )


def test_answers_stand_before_a_function():
    """A model that calls ReLU by itself has no gated module; its dense layer's answers are the pre-activations."""
    model, inputs = drawn(Functional), uniform(9, 4)
    with pytest.raises(InputError, match=r"no gated layer .* among its modules '' \(Functional\), 'first' \(Linear\)"):
        sample_sets(model, inputs)
    with pytest.raises(InputError, match=r"layer 'first' is a Linear.*threshold=0\.0 where its answers go into a ReLU"):
        sample_sets(model, inputs, "first")
    with torch.no_grad():
        expected = model.first(inputs) > 0
    np.testing.assert_array_equal(sample_sets(model, inputs, "first", threshold=0.0).on("first"), expected)


@pytest.mark.parametrize("gate", [nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(), nn.PReLU(), nn.RReLU()])
def test_gates_at_zero(gate):
    """All of them are on where their input is positive."""
    model, inputs = nn.Sequential(drawn(lambda: nn.Linear(4, 5)), gate), uniform(9, 4)
    with torch.no_grad():
        np.testing.assert_array_equal(sample_sets(model, inputs).on("1"), model[0](inputs) > 0)


def test_the_network_is_left_as_it_was():
    """Mode of each part, buffers, what needs gradients, gradients, random state; and no hook stays."""
    model, inputs = drawn(Drawing).train(), uniform(9, 4)
    model.drop.eval()
    model.layer.bias.requires_grad_(False)
    model.layer.weight.grad = torch.ones(5, 4)
    before = torch.get_rng_state()
    for given in (inputs, DataLoader(TensorDataset(inputs), batch_size=4)):
        sample_sets(model, given)
        pre_activations(model, given)
    assert torch.equal(torch.get_rng_state(), before)
    assert [part.training for part in (model, model.layer, model.drop)] == [True, True, False]
    assert model.calls == 0
    assert (model.layer.weight.requires_grad, model.layer.bias.requires_grad) == (True, False)
    assert torch.equal(model.layer.weight.grad, torch.ones(5, 4))
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
    with pytest.raises(RuntimeError):
        sample_sets(model, uniform(9, 7))
    assert [part.training for part in (model, model.layer, model.drop)] == [True, True, False]


def test_a_loader_that_shuffles_is_refused():
    """By its sampler, or by the indices that come with the batches."""
    model, data = dense(), TensorDataset(uniform(9, 4))
    for loader in (
        DataLoader(data, shuffle=True),
        DataLoader(data, sampler=WeightedRandomSampler([1.0] * 9, 9)),
        DataLoader(data, batch_sampler=torch.utils.data.BatchSampler(torch.utils.data.RandomSampler(data), 3, False)),
    ):
        with pytest.raises(InputError, match=r"a loader that shuffles \(its sampler is a .*shuffle=False"):
            sample_sets(model, loader)
    inputs = uniform(6, 4)
    for order in ([0, 1, 2, 4, 3, 5], [3, 4, 5, 0, 1, 2], [0, 1, 2, 2, 3, 4]):
        with pytest.raises(InputError, match=r"batch [01] has the samples \[.*\] after sample -?\d; pass a loader"):
            sample_sets(model, list(zip(torch.tensor(order).split(3), inputs.split(3), strict=True)))
    subset = list(zip(torch.tensor([0, 4, 7, 8, 20, 21]).split(3), inputs.split(3), strict=True))
    assert sample_sets(model, subset).samples == 6


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.empty((0, 4)), "inputs holds no samples"),
        ([], "inputs holds no samples"),
        (iter([]), "inputs hold no samples"),
        ([torch.tensor(1.0)], "batch 0 is a single number"),
        (iter([()]), "batch 0 is empty"),
        (np.array([["a"]]), "inputs must hold numbers"),
        (3, "inputs holds no samples|must be an array or batches, got a int"),
        ([[float("nan")] * 4], "the network answers NaN or infinity"),
    ],
)
def test_inputs_that_are_none(given, message):
    """Each error says what is wrong."""
    with pytest.raises(InputError, match=message):
        sample_sets(dense(), given)


def test_other_bad_input():
    """No module, no network, no such layer, no threshold, no states."""
    inputs = uniform(3, 4)
    with pytest.raises(InputTypeError, match="model must be a module or several, got a function"):
        sample_sets(lambda x: x, inputs)
    with pytest.raises(InputError, match="model holds no networks"):
        sample_sets([], inputs)
    with pytest.raises(InputTypeError, match="ask one after the other"):
        pre_activations(Networks([dense()]), inputs)
    with pytest.raises(InputError, match="model has no module 'relu'"):
        sample_sets(dense(), inputs, "relu")
    with pytest.raises(InputError, match="threshold must be a finite number, got nan"):
        sample_sets(dense(), inputs, threshold=float("nan"))
    with pytest.raises(InputError, match="batch_size must be a whole number of 1 or more, got 0"):
        sample_sets(dense(), inputs, batch_size=0)
    with pytest.raises(InputError, match=re.escape("there is no layer '2'; there are '1'.")):
        sample_sets(by_hand(), SAMPLES).on("2")
    with pytest.raises(InputError, match="must hold True and False"):
        SampleSets.of({"a": [[0.5, 1.0]]})
    with pytest.raises(InputError, match=re.escape("one number of samples, got [1, 2]")):
        SampleSets.of({"a": [[1]], "b": [[1], [0]]})
