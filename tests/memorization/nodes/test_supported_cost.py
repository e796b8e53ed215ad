"""What samples ask of nodes and of their weights: paths counted one by one, and autograd's own gradients."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from reseed import InputError
from reseed._errors import InputTypeError
from reseed.memorization import (
    node_supported_cost,
    node_update_decomposition,
    pre_activations,
    sample_sets,
    weighted_noise_share,
)
from reseed.models import Networks


def drawn(make):
    """A module in double precision with weights that are the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make().double()


def dense():
    """4-5-6-3, the second gate in place; biases keep every node alive."""
    model = drawn(
        lambda: nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 6), nn.ReLU(inplace=True), nn.Linear(6, 3))
    )
    for layer in (model[0], model[2]):
        layer.bias.data.add_(1.0)
    return model


def convolutional():
    """Two convolutions with batch norm, a pool, and an activation function that overwrites."""
    return drawn(
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 3, 2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(12, 3),
        )
    )


def inputs_of(model, samples=40):
    """Inputs and targets that are the same each time."""
    generator = torch.Generator().manual_seed(1)
    shape = (1, 8, 8) if isinstance(model[0], nn.Conv2d) else (4,)
    values = torch.randn(samples, *shape, generator=generator, dtype=torch.float64)
    return values, torch.randint(0, 3, (samples,), generator=generator)


def paths(model, inputs, targets):
    """The sum over outputs and active paths, one path after the other: lambda [sample, node] of both hidden layers."""
    weights = [layer.weight.detach().numpy() for layer in model if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        first = model[0](inputs)
        second = model[2](first.relu())
        logits = model[4](second.relu())
    slope = logits.softmax(1).numpy() - np.eye(3)[targets.numpy()]
    first, second = first.numpy() > 0, second.numpy() > 0
    found = [np.zeros((len(inputs), 5)), np.zeros((len(inputs), 6))]
    for s, b, k in itertools.product(range(len(inputs)), range(3), range(6)):
        if second[s, k]:
            found[1][s, k] += slope[s, b] * weights[2][b, k]
            for j in range(5):
                if first[s, j]:
                    found[0][s, j] += slope[s, b] * weights[2][b, k] * weights[1][k, j]
    return {"1": found[0], "3": found[1]}


def test_costs_are_the_sum_over_active_paths():
    """In double precision, to rounding; off means exactly 0; in any batches."""
    model = dense()
    inputs, targets = inputs_of(model)
    expected, sets = paths(model, inputs, targets), sample_sets(model, inputs)
    for batch_size in (256, 7):
        found = node_supported_cost(model, inputs, targets, batch_size=batch_size)
        assert list(found) == ["1", "3"]
        for name, values in found.items():
            np.testing.assert_allclose(values, expected[name], atol=1e-14)
            np.testing.assert_array_equal(values.numpy()[~sets.on(name)], 0)


def test_one_path_of_ones():
    """The product of weights times p - onehot."""
    model = nn.Sequential(
        *(nn.Linear(1, 1, bias=False), nn.ReLU(), nn.Linear(1, 1, bias=False), nn.ReLU(), nn.Linear(1, 2, bias=False))
    ).double()
    for weight, value in zip(model.parameters(), ([[2.0]], [[3.0]], [[5.0], [0.0]]), strict=True):
        weight.data.copy_(torch.tensor(value))
    x = 0.1
    p = 1 / (1 + np.exp(-5 * 3 * 2 * x))
    found = node_supported_cost(model, np.array([[x], [-x]]), [0, 0])
    np.testing.assert_allclose(found["3"][:, 0], [5 * (p - 1), 0])
    np.testing.assert_allclose(found["1"][:, 0], [3 * 5 * (p - 1), 0])
    assert isinstance(found["1"], np.ndarray)


@pytest.mark.parametrize("make", [dense, convolutional])
def test_costs_are_the_gradients_of_biases(make):
    """Summed over samples: of a unit, and of a channel over its positions; frozen weights and mode do not matter."""
    model = make()
    inputs, targets = inputs_of(model)
    model.eval()
    cross_entropy(model(inputs), targets, reduction="sum").backward()
    pairs = {"1": "0", "3": "2"} if make is dense else {"2": "1", "5": "4"}
    expected = {gate: model.get_submodule(layer).bias.grad.clone() for gate, layer in pairs.items()}
    model.zero_grad()
    model.train().requires_grad_(False)
    with torch.no_grad():
        found = node_supported_cost(model, inputs, targets, batch_size=9)
    for name, values in expected.items():
        torch.testing.assert_close(found[name].sum(0), values, rtol=1e-10, atol=1e-12)
    assert all(part.training for part in model.modules())
    assert all(weight.grad is None and not weight.requires_grad for weight in model.parameters())


def test_costs_of_a_smooth_function_are_those_before_it():
    """The derivative in what goes into SiLU, where it is above the threshold, also if it works in place."""
    for in_place in (False, True):
        model = drawn(lambda in_place=in_place: nn.Sequential(nn.Linear(4, 5), nn.SiLU(in_place), nn.Linear(5, 3)))
        inputs, targets = inputs_of(model)
        z = model[0](inputs).detach().requires_grad_()
        loss = cross_entropy(model[2](nn.functional.silu(z)), targets, reduction="sum")
        expected = torch.autograd.grad(loss, z)[0] * (z > 0.1)
        torch.testing.assert_close(node_supported_cost(model, inputs, targets, threshold=0.1)["1"], expected)


def test_noise_share_by_hand():
    """|0.3| of 0.3 + 0.1; nodes that nothing asks to change are NaN and told."""
    costs = {"a": [[0.3, 0.0], [-0.1, 0.0]]}
    with pytest.warns(RuntimeWarning, match="no sample asks nodes to change, and their share is NaN: 1 of 2 of layer"):
        found = weighted_noise_share(costs, [True, False])
    np.testing.assert_allclose(found["a"], [0.75, np.nan])
    with pytest.raises(InputError, match=r"corrupted is bool\[3\] but there are 2 samples"):
        weighted_noise_share(costs, [True, False, True])
    with pytest.raises(InputError, match=r"pass \[sample, node\]"):
        weighted_noise_share({"a": [0.1, 0.2]}, [True, False])


@pytest.mark.parametrize("make", [dense, convolutional])
@pytest.mark.parametrize("kind", ["mask", "numbers", "names", "masks"])
def test_groups_add_up_to_autograd(make, kind):
    """To 1e-12 in double precision, whatever the partition, the batches, and what is frozen."""
    model = make().train()
    inputs, targets = inputs_of(model)
    numbers = np.random.default_rng(0).integers(0, 3, len(inputs))
    groups = {
        "mask": numbers == 0,
        "numbers": numbers,
        "names": np.array(["a", "b", "c"])[numbers],
        "masks": {"a": numbers == 0, "b": numbers != 0, "none": numbers > 5},
    }[kind]
    model.requires_grad_(False)
    found = node_update_decomposition(model, inputs, targets, groups, batch_size=7)
    model.requires_grad_(True)
    assert all(part.training for part in model.modules())
    assert all(weight.grad is None for weight in model.parameters())
    model.eval()
    cross_entropy(model(inputs), targets, reduction="sum").backward()
    layers = ["0", "2", "4"] if make is dense else ["0", "4", "7"]
    assert list(found.gradients) == layers
    for name, values in found.gradients.items():
        whole = model.get_submodule(name).weight.grad.flatten(1)
        np.testing.assert_allclose(values.sum(0), whole, atol=1e-12)
        np.testing.assert_allclose(found.norms[name], np.linalg.norm(values, axis=2))
    expected = {"mask": ("clean", "corrupted"), "numbers": (0, 1, 2), "names": ("a", "b", "c")}
    assert found.groups == expected.get(kind, ("a", "b", "none"))
    assert sum(found.samples) == len(inputs)


def test_updates_are_answers_times_costs():
    """g_ij = sum_s a_i lambda_j: samples outside a node's set add exactly 0, and can be left out."""
    model = dense()
    inputs, targets = inputs_of(model)
    mask = np.arange(len(inputs)) < 12
    found = node_update_decomposition(model, inputs, targets, mask)
    costs = node_supported_cost(model, inputs, targets)
    before = {"0": inputs, "2": torch.from_numpy(pre_activations(model, inputs)["1"]).relu()}
    for layer, gate in (("0", "1"), ("2", "3")):
        for place, rows in enumerate((~mask, mask)):
            expected = costs[gate][rows].T @ before[layer][rows]
            np.testing.assert_allclose(found.gradients[layer][place], expected, atol=1e-12)
    on = sample_sets(model, inputs).on("3")
    for node in range(6):
        own = node_update_decomposition(
            model, inputs[on[:, node]], targets[on[:, node]], np.zeros(on[:, node].sum(), int)
        )
        np.testing.assert_allclose(own.gradients["2"][0, node], found.gradients["2"].sum(0)[node], atol=1e-12)


def test_shares_and_cosines():
    """As of the vectors themselves; 0 / 0 is NaN and told."""
    model = dense()
    inputs, targets = inputs_of(model)
    found = node_update_decomposition(model, inputs, targets, np.arange(len(inputs)) < 12, ["2"])
    clean, corrupted = found.gradients["2"]
    lengths = np.linalg.norm(clean, axis=1), np.linalg.norm(corrupted, axis=1)
    np.testing.assert_allclose(found.share("corrupted")["2"], lengths[1] / sum(lengths))
    expected = (clean * corrupted).sum(1) / np.prod(lengths, axis=0)
    np.testing.assert_allclose(found.cosine("clean", "corrupted")["2"], expected)
    model[2].bias.data[0] = -100.0  # a dead node
    dead = node_update_decomposition(model, inputs, targets, np.arange(len(inputs)) < 12, "2")
    with pytest.warns(RuntimeWarning, match="no gradient to compare, and their share is NaN: 1 of 6 of layer '2'"):
        assert np.isnan(dead.share("clean")["2"]).tolist() == [True] + [False] * 5
    with pytest.warns(RuntimeWarning, match="their cosine is NaN"):
        assert np.isnan(dead.cosine("clean", "corrupted")["2"]).tolist() == [True] + [False] * 5
    with pytest.raises(InputError, match="there is no group 'noisy'; there are 'clean', 'corrupted'"):
        found.share("noisy")


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([True, False], r"groups is bool\[2\] but there are 40 samples; pass one group for each"),
        ({"a": [True] * 40, "b": [False] * 39 + [True]}, "a partition, but sample 39 is in 2 of"),
        ({"a": [True] * 39 + [False]}, r"a partition, but sample 39 is in 0 of \['a'\]"),
        ({"a": [True]}, r"groups\['a'\] is bool\[1\] but there are 40 samples"),
        ({}, "a partition, but sample 0 is in 0 of"),
        (np.linspace(0, 1, 40), "groups must be True and False, whole numbers or strings"),
    ],
)
def test_groups_that_are_no_partition(groups, message):
    """The message names the first sample that is in none or in several."""
    model = dense()
    with pytest.raises(InputError, match=message):
        node_update_decomposition(model, *inputs_of(model), groups)


@pytest.mark.parametrize("function", [node_supported_cost, node_update_decomposition])
def test_bad_input(function):
    """Targets that do not fit the logits, several networks, layers without weights or gates."""
    model = dense()
    inputs, targets = inputs_of(model)
    rest = () if function is node_supported_cost else (np.arange(40) < 3,)
    for given, message in (
        (targets[:5], r"targets is int64\[5\] but there are 40 samples; pass the number of a class"),
        (targets + 1, "targets holds 3 but the model has 3 classes, numbered from 0 on"),
        (targets - 1, "targets holds -1; classes are numbered from 0 on"),
        (targets / 2, r"targets is float32\[40\]"),
    ):
        with pytest.raises(InputError, match=message):
            function(model, inputs, given, *rest)
    with pytest.raises(InputTypeError, match=r"`model=networks\[run\]`"):
        function(Networks([model]), inputs, targets, *rest)
    with pytest.raises(InputError, match=r"the model answers float64\[(37|40), 3, 1\] to (37|40) samples"):
        function(nn.Sequential(model, nn.Unflatten(1, (3, 1))), inputs, targets, *rest)
    with pytest.raises(
        InputError, match=r"layer '1' is a ReLU without weights|layer '0' is a Linear, which has no gate"
    ):
        function(model, inputs, targets, *rest, "1" if rest else "0")
