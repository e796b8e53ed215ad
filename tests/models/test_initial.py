"""Initial weights that no seed decides, beside independent implementations of their parts."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

import reseed
from reseed import RecipeError
from reseed._choices import IN_MEMORY
from reseed.mitigations import parse_mitigations
from reseed.models import (
    ModelConfig,
    architecture,
    draw_model,
    parameter_origins,
    per_image_whitening,
    seedless_weights,
)
from reseed.models._initial import principal_directions, zero_one_weights
from reseed.training import Recipe, SeedPlan, StackedTraining, Training, TrainingSet, mitigated
from reseed.training._trained_on import rows_of

FEATURES = torch.tensor(np.random.default_rng(0).normal(size=(60, 6)) @ np.diag([6, 5, 4, 3, 2, 1]) + 1).float()


def begun(config, inputs=FEATURES, classes=3, word=7, fixed=0):
    """Return a network as a run begins it."""
    one = architecture(config)
    shape = tuple(inputs.shape[1:])
    return draw_model(one, shape, classes, word, seedless_weights(one, shape, classes, fixed, lambda: inputs))


def linear_layers(model):
    """Return the linear layers of a model, in order."""
    return [layer for layer in model.modules() if isinstance(layer, nn.Linear)]


@pytest.mark.parametrize(("samples", "count"), [(60, 4), (60, 9), (5, 6)])
def test_principal_directions_are_those_of_scikit_learn(samples, count):
    """Up to their sign, of which the largest component decides; with fewer samples than features too."""
    inputs = FEATURES[:samples]
    found = principal_directions(inputs, count).numpy()
    known = min(count, samples - 1, 6)  # what centring leaves has no direction of its own
    expected = PCA(known, svd_solver="full").fit(inputs.numpy().astype(float)).components_
    assert np.abs((found[:known] * expected).sum(1)) == pytest.approx(1)
    assert (found.max(1) >= -found.min(1)).all()


@pytest.mark.parametrize("shape", [(60, 6), (5, 6)])
def test_directions_are_the_same_bits_for_any_number_of_threads(shape):
    """With more threads torch and LAPACK round differently, and engines have different numbers of them."""
    inputs = torch.rand(shape, generator=torch.Generator().manual_seed(1)).repeat(1, 40)
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(principal_directions(inputs, 4))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


def test_signs_do_not_hang_on_rounding():
    """Of two components of one magnitude the first is positive, however the samples' last bits turn out."""
    line = torch.linspace(-1, 1, 30, dtype=torch.float64)
    for noise in range(8):
        generator = torch.Generator().manual_seed(noise)
        inputs = torch.stack([-line, line], 1) + 1e-12 * torch.rand(30, 2, generator=generator, dtype=torch.float64)
        assert principal_directions(inputs, 1)[0] == pytest.approx([2**-0.5, -(2**-0.5)], abs=1e-9)


def test_what_does_not_vary_has_no_direction():
    """Constant features, and repeated ones, leave fewer directions than features."""
    inputs = torch.cat([FEATURES[:, :2], FEATURES[:, :1], torch.ones(60, 3)], 1)
    assert principal_directions(inputs, 6).shape == (2, 6)
    assert principal_directions(torch.ones(10, 3), 2).shape == (0, 3)


@pytest.mark.parametrize(("outputs", "inputs"), [(4, 4), (3, 5), (8, 3), (8, 5), (6, 5), (8, 4), (1, 1), (5, 1)])
def test_zeros_and_ones_are_identities_and_hadamard_matrices(outputs, inputs):
    """Hadamard's signs are the parity of the ones that row and column have in common; without rows that repeat."""
    found = zero_one_weights(outputs, inputs).numpy()
    rows = 2 ** math.ceil(math.log2(outputs))
    signs = [[(-1) ** (row & column).bit_count() for column in range(inputs)] for row in range(outputs)]
    if outputs > inputs and len(set(map(tuple, signs))) == outputs:
        assert found == pytest.approx(np.array(signs) / rows**0.5)
    else:
        assert np.array_equal(found, np.eye(min(outputs, inputs), inputs))


def test_a_perceptron_begins_at_principal_directions():
    """[V, -V], then an identity, then nothing: all logits are 0, and hidden layers tell both signs of a feature."""
    model = begun(ModelConfig("mlp", hidden=(8, 8), init="pca"))
    first, second, last = linear_layers(model)
    directions = principal_directions(FEATURES, 4).float()
    assert torch.equal(first.weight, torch.cat([directions, -directions]))
    assert torch.equal(second.weight, torch.eye(8))
    assert all(not layer.bias.any() for layer in (first, second, last))
    assert not last.weight.any()
    assert not model(FEATURES).any()


def test_nodes_that_are_left_over_are_drawn_by_one_seed():
    """Six features have twelve directions with signs; more nodes differ from them, from each other and by no run."""
    config = ModelConfig("mlp", hidden=(16, 20), init="pca")
    first, second, _ = linear_layers(begun(config))
    fixed, wider, _ = linear_layers(begun(ModelConfig("mlp", hidden=(16, 20), init="fixed")))
    assert torch.equal(first.weight[12:], fixed.weight[12:])
    assert torch.equal(second.weight[16:], wider.weight[16:])
    assert torch.equal(second.weight[:16], torch.eye(16))
    for layer in (first, second):
        assert len(layer.weight.unique(dim=0)) == len(layer.weight)
        assert not layer.bias.any()
    for one, other in zip(begun(config).parameters(), begun(config, word=8).parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", ["cnn", "resnet"])
def test_kernels_begin_in_their_middle(name):
    """Where they pass an input on; other outputs are drawn by one seed, and a residual block begins as its skip."""
    images = torch.rand(4, 1, 16, 16)
    model = begun(ModelConfig(name, width=4, init="zero"), images).eval()
    fixed = begun(ModelConfig(name, width=4, init="fixed"), images)
    blocks = [block for block in model.modules() if hasattr(block, "skip")]
    silent = {id([layer for layer in block.body if isinstance(layer, nn.Conv2d)][-1].weight) for block in blocks}
    kernels = 0
    for one, other in zip(model.parameters(), fixed.parameters(), strict=True):
        if one.ndim == 4 and id(one) not in silent:
            told = min(one.shape[:2])
            middle = one[:told, :, one.shape[2] // 2, one.shape[3] // 2]
            assert torch.equal(middle, torch.eye(told, one.shape[1]))
            assert one[:told].sum() == told
            assert torch.equal(one[told:], other[told:])
            assert len(one.flatten(1).unique(dim=0)) == len(one)
            kernels += 1
    assert kernels == {"cnn": 2, "resnet": 6}[name]
    for block in blocks:
        inside = torch.rand(2, next(block.parameters()).shape[1], 8, 8)
        assert torch.equal(block(inside), block.skip(inside).relu())
    assert bool(blocks) is (name == "resnet")
    assert not model(images).any()


def test_a_share_of_the_weights_stays_drawn():
    """The sum of a share of the fixed and the rest of the drawn weights, which init_scale multiplies."""
    plain = ModelConfig("mlp", hidden=(8,))
    drawn, fixed = begun(plain, word=7), begun(plain, word=3)
    mixed = begun(replace(plain, init="fixed", init_share=0.25, init_scale=0.5), fixed=3)
    for one, two, three in zip(drawn.parameters(), fixed.parameters(), mixed.parameters(), strict=True):
        expected = (0.75 * one + 0.25 * two) * (0.5 if one.ndim > 1 else 1)
        assert torch.allclose(three, expected, atol=1e-7)


@pytest.mark.parametrize(
    "plan", [SeedPlan(0), SeedPlan(0, vary=["data"]), SeedPlan(0, folds=3), SeedPlan(0, share=0.5)]
)
def test_directions_are_of_what_a_run_trains_on(plan):
    """Of the run's own rows, so that what a run must not see is in none of its weights; alone and in a stack."""
    recipe = Recipe(model=ModelConfig("mlp", hidden=(4,), init="pca"))
    data = TrainingSet(FEATURES, torch.arange(60) % 3, 3)
    seeds = tuple(plan.seeds(run) for run in range(2))
    stack = StackedTraining(recipe, architecture(recipe.model), data, seeds, plan.bootstrap)
    for own, stacked in zip(seeds, stack.evaluated_networks(), strict=True):
        single = Training(recipe, architecture(recipe.model), data, own, plan.bootstrap).model
        rows = rows_of(own, plan.bootstrap, 60)
        expected = principal_directions(FEATURES[rows], 2).float()
        assert torch.equal(linear_layers(single)[0].weight, torch.cat([expected, -expected]))
        assert all(torch.equal(*pair) for pair in zip(single.parameters(), stacked.parameters(), strict=True))


def test_networks_of_a_run_have_fixed_seeds_of_their_own():
    """Every run has the same three networks, no two of which are alike; the first is that of a run of one."""
    methods = parse_mitigations("prediction-ensemble:members=3+fixed-init:seed=5")
    recipe = mitigated(Recipe(model=ModelConfig("mlp", hidden=(4,))), methods)
    data = TrainingSet(FEATURES, torch.arange(60) % 3, 3)
    seeds = tuple(SeedPlan(0).seeds(run) for run in range(2))
    networks = StackedTraining(recipe, architecture(recipe.model), data, seeds).evaluated_networks()
    weights = [linear_layers(network)[0].weight for network in networks]
    assert all(torch.equal(weights[place], weights[place + 3]) for place in range(3))
    assert not any(torch.equal(weights[place], weights[place - 1]) for place in range(3))
    single = begun(ModelConfig("mlp", hidden=(4,)), word=5)
    assert torch.equal(weights[0], linear_layers(single)[0].weight)


def test_equal_networks_are_refused():
    """Networks that begin alike and see the same batches; those of an ensemble see other ones."""
    recipe = Recipe(model=ModelConfig("mlp", hidden=(4,)))
    for name in ("pca-init", "zero-init"):
        with pytest.raises(RecipeError, match=r"co-distillation trains networks that see the same batches.*fixed-init"):
            mitigated(recipe, parse_mitigations(f"co-distillation+{name}"))
    for name in ("co-distillation+pca-init:share=0.9", "co-distillation+fixed-init", "prediction-ensemble+zero-init"):
        mitigated(recipe, parse_mitigations(name))


@pytest.mark.parametrize(("name", "init"), [("mlp", "fixed"), ("mlp", "pca"), ("cnn", "zero")])
def test_origins_tell_what_no_seed_decides(name, init):
    """Everything drawn is seedless, unless a share of it stays drawn; batch norm begins constant as before."""
    shape = (1, 8, 8)
    plain = parameter_origins(architecture(ModelConfig(name, width=4, hidden=(4,))), shape, 3)
    config = ModelConfig(name, width=4, hidden=(4,), init=init)
    found = parameter_origins(architecture(config), shape, 3)
    assert (found.redrawn, found.redrawn_count) == ((), 0)
    assert (found.seedless, found.seedless_count) == (plain.redrawn, plain.redrawn_count)
    assert found.constant == plain.constant
    assert parameter_origins(architecture(replace(config, init_share=0.5)), shape, 3) == plain


def test_studies_say_what_no_seed_decides(tmp_path):
    """A note with the number of weights, and the study reproduces its networks."""
    study = reseed.measure("digits", "mlp", hidden=(4,), init="pca", runs=2, epochs=1, out=tmp_path / "study").study
    assert "No seed decides where 310 parameters start: model.init is pca." in study.header.notes
    assert study.header.parameters["redrawn"] == 0


class Frozen(nn.Sequential):
    """Drawn layers of which the first is not trained."""

    def __init__(self):
        super().__init__(nn.Linear(6, 4), nn.Linear(4, 3))
        self[0].requires_grad_(False)


def test_weights_that_are_not_trained_stay_the_runs_own():
    """So that what a study keeps of its runs, which is what training changes, is enough to have them back."""
    found = begun(ModelConfig(f"{IN_MEMORY}frozen", factory=lambda shape, classes: Frozen(), init="fixed"), word=7)
    drawn = begun(ModelConfig(f"{IN_MEMORY}frozen", factory=lambda shape, classes: Frozen()), word=7)
    fixed = begun(ModelConfig(f"{IN_MEMORY}frozen", factory=lambda shape, classes: Frozen()), word=0)
    assert torch.equal(found[0].weight, drawn[0].weight)
    assert torch.equal(found[1].weight, fixed[1].weight)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"name": "cnn", "init": "pca"},
            r"'pca', which is for mlp, text-tfidf, text-encoder whose encoder stays frozen, "
            r"and not for model 'cnn'; choose fixed \(fixed-init\), which is for all models, or zero \(zero-init\)\.",
        ),
        (
            {"name": "text-encoder", "encoder": "x", "fine_tune": True, "init": "pca"},
            "not for model 'text-encoder' that is fine-tuned; choose fixed .*, or zero",
        ),
        ({"name": "small-alexnet", "init": "zero"}, "and not for model 'small-alexnet'; choose fixed .* all models.$"),
        ({"name": f"{IN_MEMORY}own", "init": "zero"}, "and not for model 'own'; choose fixed"),
        ({"name": "net.py:make", "init": "pca"}, "and not for model 'net.py:make'; choose fixed"),
    ],
)
def test_models_without_such_weights_are_refused(config, message):
    """What they are known for is named, and what to choose; where the last layer of one's own is, say, nobody knows."""
    with pytest.raises(RecipeError, match=message):
        ModelConfig(**config)


def test_a_method_is_refused_before_anything_is_made(tmp_path):
    """By the call that names it."""
    with pytest.raises(RecipeError, match="'pca', which is for mlp"):
        reseed.measure("digits", "cnn", mitigations="pca-init", runs=2, epochs=1, out=tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_directions_are_of_what_the_first_layer_sees():
    """Of the middle of images, each whitened, where the network looks at that."""
    images = torch.rand(40, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    first, _ = linear_layers(begun(ModelConfig("mlp", hidden=(6,), crop=3, whiten=True, init="pca"), images))
    middle = per_image_whitening(images[:, :, 1:4, 1:4])
    expected = PCA(3, svd_solver="full").fit(middle.flatten(1).double().numpy()).components_
    assert np.abs((first.weight[:3].detach().numpy() * expected).sum(1)) == pytest.approx(1, abs=1e-5)


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
