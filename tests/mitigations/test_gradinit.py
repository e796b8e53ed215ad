"""GradInit: its steps against finite differences and its ends against a grid, of what torch's own optimisers do."""

import copy
import itertools
import math
from dataclasses import replace

import pytest
import torch
from tests.mitigations.conftest import CNN, MLP, PLAN, RESNET
from torch import nn

from reseed import ModelError, RecipeError, TrainingError
from reseed._choices import IN_MEMORY
from reseed.mitigations import Beginning, GradInit, MetaInit, parse_mitigations
from reseed.models import ModelConfig, architecture, draw_model, parameter_origins
from reseed.training import OptimizerConfig, Recipe, SeedPlan, StackedTraining, Training, mitigated, trained_on

SHAPE = (1, 8, 8)
TORCH = {"sgd": torch.optim.SGD, "adamw": torch.optim.Adam}


def batch(seed, samples, shape=SHAPE):
    """Return inputs and labels of three classes."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(samples, *shape, generator=generator, dtype=torch.float64)
    return inputs, torch.randint(0, 3, (samples,), generator=generator)


def begun(config, optimizer, lr, draw, word=3):
    """Return a network for small images of three classes in double precision, and where it begins."""
    build = architecture(config)
    network = draw_model(build, SHAPE, 3, word).double().eval()
    return network, Beginning(
        word, parameter_origins(build, SHAPE, 3, word).redrawn, SHAPE, 3, config.name, optimizer, lr, draw
    )


def judged(network, beginning, scales, first, second):
    """Return the norm of the gradient on a batch, and the loss on another after the step of an optimiser of torch."""
    twin = copy.deepcopy(network)
    with torch.no_grad():
        for name, scale in zip(beginning.drawn, scales, strict=True):
            twin.get_parameter(name).mul_(scale)
    # An epsilon of nothing: where gradients are small, torch's Adam does not move by quite the whole rate.
    options = {"eps": 1e-30} if beginning.optimizer != "sgd" else {}
    optimizer = TORCH[beginning.optimizer](twin.parameters(), beginning.lr, **options)
    nn.functional.cross_entropy(twin(first[0]), first[1]).backward()
    flat = nn.utils.parameters_to_vector([parameter.grad for parameter in twin.parameters()])
    norm = flat.norm() if beginning.optimizer == "sgd" else flat.norm(p=1) / math.sqrt(len(flat))
    optimizer.step()
    return norm.item(), nn.functional.cross_entropy(twin(second[0]), second[1]).item()


@pytest.mark.parametrize(("optimizer", "lr"), [("sgd", 0.5), ("adamw", 0.02)])
@pytest.mark.parametrize("bound", [1e-3, math.inf])
@pytest.mark.parametrize("config", [MLP, replace(CNN, norm="none"), CNN, RESNET])
def test_a_step_goes_down(config, optimizer, lr, bound):
    """Adam's first step moves each scale by its rate, to where a finite difference says that loss or norm are lower.

    The loss is that of a batch of which half is new, after a step on the first; beyond the bound the norm falls. Batch
    norm normalises each batch, and nothing drops out.
    """
    inputs, labels = batch(0, 12)
    network, beginning = begun(config, optimizer, lr, lambda step, samples: (inputs[:samples], labels[:samples]))
    first, second = (inputs[:8], labels[:8]), (inputs[4:], labels[4:])
    before = copy.deepcopy(network)
    GradInit(1, batch=8, lr=0.01, bound=bound).prepare(network, beginning)
    for layer in before.modules():
        layer.train(isinstance(layer, nn.BatchNorm2d))
    count = len(beginning.drawn)
    moves = []
    for place, name in enumerate(beginning.drawn):
        scale = (network.get_parameter(name) / before.get_parameter(name)).mean().item()
        torch.testing.assert_close(network.get_parameter(name), scale * before.get_parameter(name))
        at = [
            judged(before, beginning, [1 + (one == place) * change for one in range(count)], first, second)
            for change in (1e-6, -1e-6)
        ]
        which = 0 if bound < 1 else 1
        slope = (at[0][which] - at[1][which]) / 2e-6
        if abs(slope) < 1e-6:  # a bias before batch norm does nothing
            continue
        assert abs(scale - 1) == pytest.approx(0.01, rel=1e-2), name
        moves.append((scale - 1) * slope < 0)
    assert len(moves) >= 3
    assert all(moves)


class Tiny(nn.Module):
    """Two layers without biases, of which each has a scale."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.first = nn.Parameter(torch.randn(4, 2, generator=generator, dtype=torch.float64))
        self.last = nn.Parameter(torch.randn(3, 4, generator=generator, dtype=torch.float64))

    def forward(self, inputs):
        """Return logits."""
        return (inputs @ self.first.T).tanh() @ self.last.T


def tiny(optimizer, lr):
    """Return a network of two scales, where it begins, and the batch that it sees in each step."""
    inputs, labels = batch(0, 12, (2,))
    same = torch.cat([inputs, inputs[:6]]), torch.cat([labels, labels[:6]])  # both batches of a step are all samples
    beginning = Beginning(0, ("first", "last"), (2,), 3, "tiny", optimizer, lr, lambda step, samples: same)
    return Tiny(), beginning, (inputs, labels)


def scales_of(network):
    """Return by what the weights of a tiny network were multiplied."""
    return [(new / old).mean().item() for new, old in zip(network.parameters(), Tiny().parameters(), strict=True)]


@pytest.mark.parametrize(("optimizer", "lr"), [("sgd", 1.0), ("adamw", 0.1)])
def test_scales_end_where_a_grid_finds_the_smallest_loss(optimizer, lr):
    """Without a bound: the loss after a step of torch's optimiser is as small as at any of many pairs of scales."""
    network, beginning, data = tiny(optimizer, lr)
    GradInit(600, batch=12, lr=0.02, bound=math.inf).prepare(network, beginning)
    found = judged(Tiny(), beginning, scales_of(network), data, data)[1]
    grid = torch.linspace(0.01, 4, 60).tolist()
    least = min(judged(Tiny(), beginning, pair, data, data)[1] for pair in itertools.product(grid, grid))
    assert found < judged(Tiny(), beginning, (1, 1), data, data)[1] - 0.01
    assert found < least + 2e-3


@pytest.mark.parametrize(("optimizer", "lr", "bound"), [("sgd", 1.0, 0.3), ("adamw", 0.1, 0.2)])
def test_a_bound_holds_where_it_binds(optimizer, lr, bound):
    """Scales end at the bound, near the smallest loss that a grid finds within it; without it gradients end larger."""
    network, beginning, data = tiny(optimizer, lr)
    free, _, _ = tiny(optimizer, lr)
    GradInit(600, batch=12, lr=0.01, bound=bound).prepare(network, beginning)
    GradInit(600, batch=12, lr=0.01, bound=math.inf).prepare(free, beginning)
    norm, loss = judged(Tiny(), beginning, scales_of(network), data, data)
    assert judged(Tiny(), beginning, scales_of(free), data, data)[0] > 1.2 * bound
    assert norm < 1.1 * bound
    grid = torch.linspace(0.01, 4, 60).tolist()
    found = [judged(Tiny(), beginning, pair, data, data) for pair in itertools.product(grid, grid)]
    assert loss < min(after for size, after in found if size <= bound) + 0.02


def test_scales_stay_above_the_least():
    """A bound that nothing but zeros meets takes them there, and no further; a tensor that is 0 stays."""
    network, beginning, _ = tiny("sgd", 1.0)
    with torch.no_grad():
        network.last.zero_()
    GradInit(5, batch=12, lr=10.0, bound=1e-9, least=0.2).prepare(network, beginning)
    assert not network.last.any()
    network, beginning, _ = tiny("sgd", 1.0)
    GradInit(1, batch=12, lr=10.0, bound=1e-9, least=0.2).prepare(network, beginning)
    assert min(scales_of(network)) == pytest.approx(0.2)


@pytest.mark.parametrize("plan", [PLAN, SeedPlan(5, vary=frozenset({"init", "data"})), SeedPlan(5, folds=3)])
def test_samples_are_those_that_the_run_trains_on(data, monkeypatch, plan):
    """Each with its label, others at each number, all of a run's in the long run and never another's."""
    seen = []
    monkeypatch.setattr(GradInit, "prepare", lambda method, network, beginning: seen.append(beginning))
    recipe = mitigated(Recipe(model=MLP, optimizer=OptimizerConfig("sgdw", lr=0.25)), [GradInit()])
    data = replace(data, inputs=data.inputs.float())
    build, inside = architecture(MLP), trained_on(plan, range(2), 50)
    for run in range(2):
        _ = Training(recipe, build, data, plan.seeds(run), plan.bootstrap).model
        beginning = seen[-1]
        assert (beginning.optimizer, beginning.lr) == ("sgdw", 0.25)
        inputs, labels = beginning.draw(0, 2000)
        assert inputs.dtype == torch.float64
        same = (inputs[:, None].flatten(2) == data.inputs.double().flatten(1)).all(-1)
        rows = same.double().argmax(-1)
        assert bool(same.any(-1).all())
        assert torch.equal(labels, data.labels[rows])
        assert set(rows.tolist()) == set(inside[run].nonzero()[0].tolist())
        assert torch.equal(beginning.draw(0, 2000)[0], inputs)
        assert not torch.equal(beginning.draw(1, 2000)[0], inputs)
        assert torch.equal(beginning.draw(0, 7)[0], inputs[:7])


@pytest.mark.parametrize("name", ["sgd", "adam"])
@pytest.mark.parametrize("plan", [PLAN, SeedPlan(5, vary=frozenset({"init", "data"}))])
def test_engines_begin_at_the_same_bits(data, name, plan):
    """In single precision, one by one and in a stack, with one thread and with two; and no buffer is touched."""
    recipe = mitigated(Recipe(model=CNN, optimizer=OptimizerConfig(name)), [GradInit(3, batch=8)])
    data = replace(data, inputs=data.inputs.float())
    build, seeds = architecture(CNN), [plan.seeds(run) for run in range(2)]
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append([Training(recipe, build, data, own, plan.bootstrap).model for own in seeds])
            found.append(StackedTraining(recipe, build, data, tuple(seeds), plan.bootstrap).evaluated_networks())
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    for networks in found:
        for one, other in zip(networks, found[0], strict=True):
            assert all(map(torch.equal, one.parameters(), other.parameters()))
            assert all(int(value) == 0 for name, value in one.named_buffers() if "tracked" in name)


@pytest.mark.parametrize(
    ("text", "bootstrap", "same"),
    [
        ("gradinit:steps=3", False, False),
        ("gradinit:steps=3+fixed-init:seed=4", False, True),
        ("gradinit:steps=3+fixed-init:seed=4", True, False),
    ],
)
def test_each_run_has_its_own_scales_unless_all_begin_alike(data, text, bootstrap, same):
    """Weights of one seed for all runs stay the same weights, where runs train on the same samples."""
    recipe = mitigated(Recipe(model=MLP), parse_mitigations(text))
    plan = SeedPlan(5, vary=frozenset({"init", "data"}))
    one, other = (
        Training(recipe, architecture(recipe.model), data, plan.seeds(run), bootstrap).model for run in (0, 1)
    )
    assert all(map(torch.equal, one.parameters(), other.parameters())) == same


def test_a_training_goes_on_from_where_it_stood(data):
    """What is kept of it takes the place of initial weights, and its preparation is counted once."""
    recipe = mitigated(Recipe(model=MLP, epochs=2, batch_size=10), [GradInit(4, batch=5)])
    whole = Training(recipe, architecture(MLP), data, PLAN.seeds(0))
    first, second = whole.blocks([4, 10])
    half = Training(recipe, architecture(MLP), data, PLAN.seeds(0))
    list(half.blocks([4]))
    later = replace(half, begun=half.snapshot(4).copied())
    (rest,) = later.blocks([10])
    assert (first.samples, second.samples, rest.samples) == (4 * 10 + 4 * 5 * 4, 60, 60)
    assert torch.equal(rest.losses, second.losses)
    assert torch.equal(later.predict(data.inputs), whole.predict(data.inputs))


def test_its_passes_count_for_every_network_of_a_run(data):
    """Two networks a run are prepared twice."""
    recipe = mitigated(Recipe(model=MLP, steps=1, batch_size=10), parse_mitigations("gradinit:steps=2"))
    pair = mitigated(recipe, parse_mitigations("prediction-ensemble:members=2"))
    build, seeds = architecture(MLP), (PLAN.seeds(0),)
    for one, networks in ((recipe, 1), (pair, 2)):
        (block,) = StackedTraining(one, build, data, seeds).blocks([1])
        assert block.samples == networks * (10 + 2 * 32 * 4)


def test_two_methods_of_initial_weights_are_refused():
    """Which of them comes first would decide."""
    with pytest.raises(
        RecipeError, match=r"gradinit and metainit cannot be combined: both change initial weights before"
    ):
        mitigated(Recipe(model=MLP), [GradInit(), MetaInit()])


class Once(torch.autograd.Function):
    """The identity, whose gradient cannot be differentiated."""

    @staticmethod
    def forward(ctx, x):
        """Return it."""
        return x.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        """Return the gradient."""
        return gradient


class Sharp(nn.Module):
    """Two layers, between which a backward pass is written by hand, once."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(64, 4), nn.Linear(4, 3)

    def forward(self, x):
        """Return logits."""
        return self.last(Once.apply(self.first(x.flatten(1))))


@pytest.mark.parametrize(("name", "bound"), [("sgd", 1.0), ("adam", 1e-6)])
def test_networks_without_further_derivatives_are_named(data, name, bound):
    """With what to choose in place of the method."""
    model = ModelConfig(f"{IN_MEMORY}sharp", factory=lambda shape, classes: Sharp())
    recipe = mitigated(Recipe(model=model, optimizer=OptimizerConfig(name)), [GradInit(bound=bound)])
    with pytest.raises(ModelError, match=r"gradinit cannot differentiate model 'sharp' twice.*init-scale"):
        _ = Training(recipe, architecture(model), data, PLAN.seeds(0)).model


def test_signs_need_no_further_derivatives(data):
    """Adam's first step does not depend on how large gradients are: within the bound one derivative is enough."""
    model = ModelConfig(f"{IN_MEMORY}sharp", factory=lambda shape, classes: Sharp())
    recipe = Recipe(model=model, optimizer=OptimizerConfig("adam"))
    treated = mitigated(recipe, [GradInit(bound=math.inf)])
    one, other = (Training(own, architecture(model), data, PLAN.seeds(0)).model for own in (recipe, treated))
    assert not torch.equal(one.first.weight, other.first.weight)


@pytest.mark.parametrize(("scale", "lr", "what"), [(1e300, 0.1, "gradient"), (1.0, 1e308, "loss after a step")])
def test_weights_that_overflow_are_told(data, scale, lr, what):
    """With the step, and what to make smaller."""
    model = replace(MLP, init_scale=scale)
    recipe = mitigated(Recipe(model=model, optimizer=OptimizerConfig(lr=lr)), [GradInit(bound=1e9)])
    with pytest.raises(TrainingError, match=rf"the {what} of model 'mlp' is not finite at its step 1; make"):
        _ = Training(recipe, architecture(model), data, PLAN.seeds(0)).model


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": -1}, r"gradinit: steps must be a whole number, zero or more, got -1"),
        ({"batch": 1}, r"gradinit: batch must be a whole number, 2 or more, got 1"),
        ({"lr": 0.0}, r"gradinit: lr must be a positive number, got 0\.0"),
        ({"bound": 0.0}, r"gradinit: bound must be a positive number, got 0\.0"),
        ({"least": 0.0}, r"gradinit: least must be a number in \(0, 1\], got 0\.0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    """The message names method, option and value."""
    with pytest.raises(RecipeError, match=message):
        GradInit(**options)
