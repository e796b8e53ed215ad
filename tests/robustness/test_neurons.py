"""Neuron sensitivity and uncertainty: closed forms, numpy in double precision, and any batches."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from reseed import InputError
from reseed._errors import InputTypeError
from reseed.models import Activations, ModelConfig, Networks, architecture, draw_model
from reseed.robustness import NeuronValues, NeuronVariance, activation_change, neuron_sensitivity, neuron_uncertainty


def linear(weight, dtype=torch.float64):
    """A linear map without a bias."""
    model = nn.Linear(len(weight[0]), len(weight), bias=False, dtype=dtype)
    with torch.no_grad():
        model.weight.copy_(torch.tensor(weight))
    return model


def images(seed, count=30, shape=(1, 8, 8)):
    """Images that are the same each time."""
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(seed))


def built(name):
    """A network of ours in double precision."""
    return draw_model(architecture(ModelConfig(name, width=4, hidden=(9,))), (1, 8, 8), 3, 0).double().eval()


def maps(model, inputs):
    """What the layers answer, places and all."""
    with Activations(model, reduce="none") as seen, torch.no_grad():
        model(inputs)
    return {name: value.numpy() for name, value in seen.take().items()}


def test_a_shift_moves_a_linear_neuron_by_its_product():
    """|a . delta| for every sample, relative to |a . x|."""
    a, delta = np.array([[1.0, -2.0, 0.5], [0.0, 1.0, 1.0]]), np.array([0.3, 0.2, -0.5])
    clean = np.random.default_rng(0).normal(size=(50, 3))
    found = neuron_sensitivity(linear(a.tolist()), clean, clean + delta)
    np.testing.assert_allclose(found.values.neurons[""], np.abs(a @ delta))
    np.testing.assert_allclose(found.samples, np.abs(a @ delta).mean())
    relative = neuron_sensitivity(linear(a.tolist()), clean, clean + delta, relative=True)
    ratios = np.abs(a @ delta) / np.abs(clean @ a.T)
    np.testing.assert_allclose(relative.values.neurons[""], ratios.mean(0))
    np.testing.assert_allclose(relative.samples, ratios.mean(1))


@pytest.mark.parametrize("name", ["mlp", "cnn", "resnet"])
@pytest.mark.parametrize("norm", [1, 2])
@pytest.mark.parametrize("relative", [False, True, "layer"])
def test_sensitivity_is_that_of_the_definition(name, norm, relative):
    """Against numpy on whole maps, in any batches."""
    model = built(name)
    clean = images(1).double()
    perturbed = (clean + 0.1 * (images(2).double() - 0.5)).clamp(0, 1)
    before, after = maps(model, clean), maps(model, perturbed)
    expected = {}
    for layer, value in before.items():
        one, other = value.reshape(*value.shape[:2], -1), after[layer].reshape(*value.shape[:2], -1)
        size = np.linalg.norm(one, norm, axis=2)
        change = np.linalg.norm(other - one, norm, axis=2)
        divisors = {False: one.shape[2] ** (1 / norm), True: size, "layer": size.mean(1, keepdims=True)}
        expected[layer] = change / divisors[relative]
        np.testing.assert_allclose(
            activation_change(value, after[layer], norm=norm, relative=relative), expected[layer]
        )
    for batch_size in (30, 7):
        found = neuron_sensitivity(model, clean, perturbed, norm=norm, relative=relative, batch_size=batch_size)
        assert list(found.values.neurons) == list(expected)
        for layer, value in expected.items():
            np.testing.assert_allclose(found.values.neurons[layer], value.mean(0))
        np.testing.assert_allclose(found.samples, np.concatenate(list(expected.values()), 1).mean(1))
        assert isinstance(found.samples, torch.Tensor)


def test_channels_can_be_compared_by_their_mean():
    """A map that is moved about in its place has not moved on average."""
    model = nn.Conv2d(1, 1, 1, bias=False)
    clean = images(1)
    rolled = clean.roll(1, 3)
    assert neuron_sensitivity(model, clean, rolled, reduce="mean").values.mean < 1e-7
    assert neuron_sensitivity(model, clean, rolled, reduce="max").values.mean == 0
    assert neuron_sensitivity(model, clean, rolled).values.mean > 1e-3


@pytest.mark.parametrize("relative", [False, True, "layer"])
def test_nothing_moves_where_nothing_changes(relative):
    """Exactly 0, of silent neurons too."""
    model = built("cnn").float()
    clean = images(1) - 0.5
    found = neuron_sensitivity(model, clean, clean.clone(), [nn.Conv2d, nn.ReLU], relative=relative)
    assert found.values.mean == 0
    assert found.samples.abs().max() == 0


def test_a_silent_neuron_that_wakes_moves_by_one():
    """Its relative change has no other scale; one that stays silent has 0."""
    clean = np.array([[0.0, 0.0, 2.0, -1.0]])
    found = activation_change(clean, [[5.0, 0.0, 3.0, 1.0]], relative=True)
    np.testing.assert_array_equal(found, [[1.0, 0.0, 0.5, 2.0]])
    by_layer = activation_change([[1.0, 1e-9], [0.0, 0.0]], [[1.0, 1e-3], [0.0, 1.0]], relative="layer")
    np.testing.assert_allclose(by_layer, [[0.0, 2e-3], [0.0, 1.0]], rtol=1e-5)
    model = nn.Sequential(linear([[1.0], [-1.0]]), nn.ReLU())
    moved = neuron_sensitivity(model, [[2.0]], [[-3.0]], [nn.ReLU], relative=True)
    np.testing.assert_array_equal(moved.values.neurons["1"], [1.0, 1.0])


def test_all_layers_and_all_batches_move():
    """Nested ones too, and samples beyond the first 64 (fault 12 of the reference repository)."""
    model = nn.Sequential(nn.Sequential(nn.Sequential(linear([[1.0]])), linear([[2.0]])), linear([[3.0]]))
    clean = np.zeros((100, 1))
    perturbed = np.where(np.arange(100) < 64, 0.0, 1.0)[:, None]
    found = neuron_sensitivity(model, clean, perturbed, batch_size=64)
    assert found.values.layers == pytest.approx({"0.0.0": 0.36, "0.1": 0.72, "1": 2.16})
    np.testing.assert_allclose(found.samples[[0, 63, 64, 99]], [0, 0, 3, 3])


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 30),
    st.sampled_from([(0.0, 1.0), (1e6, 1.0), (-1e8, 1e-2), (3.0, 0.0)]),
)
@settings(max_examples=60, deadline=None)
def test_variance_is_that_of_all_at_once(seed, count, scale):
    """Of batches in any order and size, merged or not, equal to numpy's in double precision; nothing cancels."""
    generator = np.random.default_rng(seed)
    values = generator.normal(*scale, (count, 3))
    expected = values.var(0)
    rows = np.split(generator.permutation(count), np.sort(generator.integers(0, count + 1, 3)))
    parts = [NeuronVariance() for _ in range(4)]
    whole = NeuronVariance()
    for part, own in zip(parts, rows, strict=True):
        part.update({"a": values[own]})
        whole.update({"a": values[own]})
    merged = parts[0].merge(parts[1]).merge(parts[3].merge(parts[2]))
    # Rounding of the values themselves is what bounds any such sum.
    floor = (np.abs(values).max() * 1e-15) ** 2 + np.abs(values).max() * 1e-15 * scale[1]
    for found in (whole, merged):
        assert found.samples == count
        np.testing.assert_allclose(found.compute().neurons["a"], expected, rtol=1e-9, atol=10 * floor)


def test_a_large_mean_does_not_cancel_the_variance():
    """Mean a million, standard deviation 1, a hundred batches: as numpy in one go, where sums of squares lose it."""
    values = np.random.default_rng(0).normal(1e6, 1.0, (10_000, 2))
    variance = NeuronVariance()
    for batch in np.split(values, 100):
        variance.update(batch)
    np.testing.assert_allclose(variance.compute().neurons[""], values.var(0), rtol=1e-9)
    single = values.astype(np.float32)
    of_single = NeuronVariance()
    of_single.update(single)
    np.testing.assert_allclose(of_single.compute().neurons[""], single.astype(np.float64).var(0), rtol=1e-9)


def test_a_linear_neuron_varies_as_its_weights_say():
    """s^2 ||a||^2 on inputs from N(0, s^2 I), and each neuron its own (fault 9 of the reference repository)."""
    a = [[1.0, 2.0], [0.5, 0.0], [0.0, 0.0]]
    inputs = np.random.default_rng(0).normal(0, 0.5, (20_000, 2))
    found = neuron_uncertainty(linear(a), inputs)
    np.testing.assert_allclose(found.neurons[""], 0.25 * (np.array(a) ** 2).sum(1), rtol=0.03)
    white = np.sqrt(2) * np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])  # covariance 1 exactly
    np.testing.assert_allclose(neuron_uncertainty(linear(a), white).neurons[""], [5.0, 0.25, 0.0])


@pytest.mark.parametrize("name", ["mlp", "cnn"])
@pytest.mark.parametrize("reduce", ["mean", "max"])
def test_uncertainty_of_networks(name, reduce):
    """Population variances of what channels answer on average, in any batches; the mode is left as it was."""
    model = built(name).train()
    inputs = images(1, 70).double()
    expected = {
        layer: getattr(value.reshape(*value.shape[:2], -1), reduce)(2).var(0)
        for layer, value in maps(model.eval(), inputs).items()
    }
    model.train()
    for batch_size in (70, 9):
        found = neuron_uncertainty(model, inputs, reduce=reduce, batch_size=batch_size)
        for layer, value in expected.items():
            np.testing.assert_allclose(found.neurons[layer], value, rtol=1e-9)
    assert all(part.training for part in model.modules())
    assert found.layers == pytest.approx({layer: value.mean() for layer, value in expected.items()})
    assert found.mean == pytest.approx(np.concatenate(list(expected.values())).mean())
    assert neuron_uncertainty(model, inputs[:1]).mean == 0


def test_the_highest_are_a_tenth_of_each_layer():
    """Rounded down, but one at least; ties go to the lower number."""
    values = NeuronValues({"wide": np.arange(30.0) % 29, "narrow": np.array([1.0, 3.0, 3.0])})
    highest = values.highest()
    np.testing.assert_array_equal(highest["wide"], [28, 27, 26])
    np.testing.assert_array_equal(highest["narrow"], [1])
    np.testing.assert_array_equal(values.highest(1.0)["narrow"], [1, 2, 0])
    with pytest.raises(InputError, match=r"share must be in \(0, 1\], got 0"):
        values.highest(0)


class Grows(nn.Module):
    """Answers as many places, and calls its layer as often, as its inputs say."""

    def __init__(self, calls=False):
        super().__init__()
        self.layer, self.calls = nn.Linear(1, 2), calls

    def forward(self, x):
        """Return logits."""
        if self.calls:
            return [self.layer(x[:, :1]) for _ in range(int(x.max()))]
        return self.layer(x[:, : int(x.max()), None]).sum(1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: neuron_sensitivity(nn.Linear(2, 1), np.zeros((3, 2)), np.zeros((4, 2))),
            InputError,
            r"clean is \[3, 2\] but perturbed \[4, 2\]; pass each input in both versions",
        ),
        (
            lambda: neuron_sensitivity(nn.Linear(2, 1), np.zeros((3, 2)), np.zeros((3, 2)), norm=3),
            InputError,
            "norm=3 is unknown; pass 1 or 2",
        ),
        (
            lambda: activation_change([[1.0]], [[1.0]], relative="neuron"),
            InputError,
            "relative='neuron' is unknown; pass False, True or 'layer'",
        ),
        (
            lambda: neuron_sensitivity(nn.Linear(2, 1), np.zeros((0, 2)), np.zeros((0, 2))),
            InputError,
            r"clean holds no samples: float64\[0, 2\]",
        ),
        (
            lambda: neuron_sensitivity(nn.Linear(2, 1), [[0.0, 0.0]], [[0.0, np.nan]]),
            InputError,
            "neuron 0 of layer '' answers nan for sample 0 of its batch",
        ),
        (
            lambda: neuron_sensitivity(Grows(), [[2.0, 0.0]], [[1.0, 0.0]]),
            InputError,
            "module 'layer' answers clean and perturbed inputs in different shapes; pass reduce='mean'",
        ),
        (
            lambda: neuron_sensitivity(Grows(calls=True), [[2.0, 0.0]], [[1.0, 0.0]]),
            InputError,
            "module 'layer#2' answers clean inputs, but not perturbed ones; leave it out",
        ),
        (
            lambda: neuron_sensitivity(Networks([nn.Linear(2, 1)] * 2), [[0.0, 0.0]], [[0.0, 0.0]]),
            InputTypeError,
            r"as `model=networks\[run\]`",
        ),
        (
            lambda: activation_change([[1.0]], [[1.0, 2.0]]),
            InputError,
            r"one shape \[sample, neuron, ...\], got float64\[1, 1\] and float64\[1, 2\]",
        ),
        (lambda: activation_change([1.0], [1.0]), InputError, r"got float64\[1\] and float64\[1\]"),
        (lambda: NeuronVariance().compute(), InputError, "the variance has seen no samples yet; update it"),
        (lambda: neuron_uncertainty(nn.Linear(2, 1), [[0.0, 0.0]], "layer"), InputError, "model has no module 'layer'"),
        (lambda: neuron_uncertainty(nn.Linear(2, 1), np.zeros((0, 2))), InputError, "inputs holds no samples"),
    ],
)
def test_bad_input_is_refused(call, error, message):
    """By name and value, with what to pass."""
    with pytest.raises(error, match=message):
        call()


def test_layers_of_other_widths_are_refused():
    """And an empty batch adds nothing."""
    variance = NeuronVariance()
    variance.update([[1.0], [3.0]])
    variance.update(np.zeros((0, 1)))
    assert variance.compute().neurons[""].tolist() == [1.0]
    with pytest.raises(InputError, match=r"of the layers {'': 2} \(neurons of each\), but those before of {'': 1}"):
        variance.update([[1.0, 2.0]])


def test_half_precision_is_compared_in_single():
    """So that small changes are not lost, nor large sums."""
    model = nn.Conv2d(1, 1, 1, bias=False).to(torch.bfloat16)
    clean = torch.ones(2, 1, 64, 64)
    found = neuron_sensitivity(model, clean, 2 * clean, relative=True)
    assert found.values.mean == 1
    assert neuron_uncertainty(model, clean).mean == 0
