"""Initial weights that no seed decides, beside independent implementations of their parts."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.linalg import hadamard
from sklearn.decomposition import PCA
from torch import nn

import reseed
from reseed import ModelError, RecipeError
from reseed.models import ModelConfig, architecture, draw_model, seedless_weights
from reseed.models._initial import principal_directions, zero_one_weights
from reseed.training import Recipe, SeedPlan, Training, TrainingSet

FEATURES = torch.tensor(np.random.default_rng(0).normal(size=(60, 6)) @ np.diag([6, 5, 4, 3, 2, 1]) + 1).float()


def begun(config, inputs=FEATURES, classes=3, word=7):
    """Return a network as a run begins it."""
    one = architecture(config)
    shape = tuple(inputs.shape[1:])
    return draw_model(one, shape, classes, word, seedless_weights(one, shape, classes, inputs))


@pytest.mark.parametrize(("samples", "count"), [(60, 4), (60, 9), (5, 6)])
def test_principal_directions_are_those_of_scikit_learn(samples, count):
    """Up to their sign, of which the largest component decides; with fewer samples than features too."""
    inputs = FEATURES[:samples]
    found = principal_directions(inputs, count).numpy()
    known = min(count, samples - 1, 6)  # what centring leaves has no direction of its own
    expected = PCA(known, svd_solver="full").fit(inputs.numpy().astype(float)).components_
    assert np.abs((found[:known] * expected).sum(1)) == pytest.approx(1)
    assert (found.max(1) >= -found.min(1)).all()


@pytest.mark.parametrize(("outputs", "inputs"), [(4, 4), (3, 5), (8, 3), (6, 4), (1, 1), (5, 1)])
def test_zeros_and_ones_are_identities_and_hadamard_matrices(outputs, inputs):
    """scipy's Hadamard matrix, cut out; its whole has orthonormal rows."""
    found = zero_one_weights(outputs, inputs).numpy()
    if outputs <= inputs:
        assert np.array_equal(found, np.eye(outputs, inputs))
    else:
        rows = 1 << (outputs - 1).bit_length()
        assert found == pytest.approx(hadamard(rows)[:outputs, :inputs] / np.sqrt(rows))


def test_a_perceptron_begins_at_principal_directions():
    """[V, -V], then an identity, then nothing: all logits are 0, and hidden layers tell both signs of a feature."""
    model = begun(ModelConfig("mlp", hidden=(8, 8), init="pca"))
    first, second, last = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    directions = principal_directions(FEATURES, 4).float()
    assert torch.equal(first.weight, torch.cat([directions, -directions]))
    assert torch.equal(second.weight, torch.eye(8))
    assert all(not layer.bias.any() for layer in (first, second, last))
    assert not last.weight.any()
    assert not model(FEATURES).any()


def test_more_nodes_than_directions_begin_anew():
    """Six features have six directions; a seventh and eighth node are the first two again."""
    (first, _) = [
        layer for layer in begun(ModelConfig("mlp", hidden=(16,), init="pca")).modules() if hasattr(layer, "weight")
    ]
    assert torch.equal(first.weight[6:8], first.weight[:2])
    assert torch.equal(first.weight[8:], -first.weight[:8])


@pytest.mark.parametrize("name", ["cnn", "resnet"])
def test_kernels_begin_in_their_middle(name):
    """Everything but the middle of a kernel is 0, and a residual block begins as its skip."""
    images = torch.rand(4, 1, 16, 16)
    model = begun(ModelConfig(name, width=4, init="zero"), images).eval()
    kernels = [
        layer.weight for layer in model.modules() if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)
    ]
    for kernel in kernels:
        assert not (kernel.abs().sum((0, 1)) * (torch.arange(9) != 4).view(3, 3)).any()
    blocks = [block for block in model.modules() if hasattr(block, "skip")]
    for block in blocks:
        inside = torch.rand(2, next(block.parameters()).shape[1], 8, 8)
        assert torch.equal(block(inside), block.skip(inside).relu())
    assert bool(blocks) is (name == "resnet")
    assert not model(images).any()


def test_a_share_of_the_weights_stays_drawn():
    """w = share fixed + (1 - share) drawn, and init_scale multiplies the sum."""
    plain = ModelConfig("mlp", hidden=(8,))
    drawn, fixed = begun(plain, word=7), begun(plain, word=3)
    mixed = begun(replace(plain, init="fixed", init_seed=3, init_share=0.25, init_scale=0.5))
    for one, two, three in zip(drawn.parameters(), fixed.parameters(), mixed.parameters(), strict=True):
        expected = (0.75 * one + 0.25 * two) * (0.5 if one.ndim > 1 else 1)
        assert torch.allclose(three, expected, atol=1e-7)


@pytest.mark.parametrize("bootstrap", [False, True])
def test_directions_are_of_what_a_run_trains_on(bootstrap):
    """Resamples have directions of their own, so that what a run must not see is in none of its weights."""
    recipe = Recipe(model=ModelConfig("mlp", hidden=(4,), init="pca"))
    plan = SeedPlan(0, vary=["init", "data"] if bootstrap else ["init"])
    data = TrainingSet(FEATURES, torch.arange(60) % 3, 3)
    trainings = [Training(recipe, architecture(recipe.model), data, plan.seeds(run), bootstrap) for run in range(2)]
    first, second = (next(training.model.parameters()) for training in trainings)
    assert torch.equal(first, second) is not bootstrap


def test_other_models_are_refused(tmp_path):
    """What has no features is named, and what to choose in its place."""
    with pytest.raises(ModelError, match=r"are for perceptrons on features: .* choose zero-init"):
        begun(ModelConfig("cnn", width=4, init="pca"), torch.rand(4, 1, 16, 16))
    with pytest.raises(ModelError, match="are for perceptrons on features"):
        reseed.measure("digits", "cnn", mitigations="pca-init", runs=2, epochs=1, out=tmp_path / "study")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"init": "ones"}, r"model\.init must be one of drawn, fixed, pca, zero; got 'ones'"),
        ({"init_seed": -1}, r"model\.init_seed must be in \[0, 2\^32\), got -1"),
        ({"init_share": 1.5}, r"model\.init_share must be in \[0, 1\], got 1.5"),
    ],
)
def test_bad_options_are_told(options, message):
    """Each names its field."""
    with pytest.raises(RecipeError, match=message):
        ModelConfig(**options)
