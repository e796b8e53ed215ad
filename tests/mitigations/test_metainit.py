"""MetaInit: its quotient against closed forms and a dense Hessian, and what its steps make of a network."""

from dataclasses import replace

import pytest
import torch
from tests.mitigations.conftest import CNN, MLP, PLAN
from torch import nn
from torch.autograd.functional import hessian
from torch.func import functional_call

from reseed import ModelError, RecipeError, TrainingError
from reseed._choices import IN_MEMORY
from reseed.mitigations import Beginning, Fixup, MetaInit, parse_mitigations
from reseed.mitigations._metainit import _gradient_quotient
from reseed.models import ModelConfig, architecture, draw_model, parameter_origins
from reseed.training import Recipe, StackedTraining, Training, mitigated

SHAPE = (1, 8, 8)


def drawn(config, word=3):
    """Return a network for small images of three classes in double precision, and where it begins."""
    build = architecture(config)
    network = draw_model(build, SHAPE, 3, word).double().eval()
    names = parameter_origins(build, SHAPE, 3, word).redrawn
    return network, Beginning(word, names, SHAPE, 3, config.name, "sgd", 0.1, draw=pytest.fail)


def quotient(network, seed, samples=64):
    """Return a network's quotient on noise that its steps have not seen."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(samples, *SHAPE, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 3, (samples,), generator=generator)
    loss = nn.functional.cross_entropy(network(inputs), labels)
    return _gradient_quotient(loss, list(network.parameters())).item()


@pytest.mark.parametrize("h", [3.0, 0.5, -2.0])
def test_the_quotient_of_a_parabola_is_its_curvature(h):
    """L = h |x|^2 / 2 has |h|, up to eps."""
    x = torch.tensor([1.0, -2.0, 0.3], dtype=torch.float64, requires_grad=True)
    assert _gradient_quotient(h * x.square().sum() / 2, [x]).item() == pytest.approx(abs(h), abs=1e-3)


def test_the_quotient_of_a_line_is_nothing():
    """Its gradient is the same everywhere."""
    x = torch.tensor([1.0, -2.0, 0.3], dtype=torch.float64, requires_grad=True)
    line = (torch.tensor([2.0, -1.0, 4.0]) * x).sum() + 0 * x.square().sum()
    assert _gradient_quotient(line, [x]).item() == pytest.approx(0, abs=1e-4)


def test_the_quotient_is_that_of_a_dense_hessian():
    """Of a small network with tanh, whose Hessian is written out; a parameter that is not used counts as gradient 0."""
    generator = torch.Generator().manual_seed(0)
    first, second, unused = (
        torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for shape in ((4, 5), (3, 4), (2,))
    )
    inputs = torch.randn(6, 5, generator=generator, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 0, 1, 2])

    def loss(flat):
        one, other = flat[:20].view(4, 5), flat[20:32].view(3, 4)
        return nn.functional.cross_entropy((inputs @ one.T).tanh() @ other.T, labels)

    flat = torch.cat([part.detach().flatten() for part in (first, second, unused)]).requires_grad_()
    (gradient,) = torch.autograd.grad(loss(flat), flat)
    along = gradient - hessian(loss, flat.detach()) @ gradient
    below = [value + 1e-5 if value >= 0 else value - 1e-5 for value in gradient.tolist()]
    expected = sum(abs(one / other - 1) for one, other in zip(along.tolist(), below, strict=True)) / 34
    whole = nn.functional.cross_entropy((inputs @ first.T).tanh() @ second.T, labels)
    assert _gradient_quotient(whole, [first, second, unused]).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("config", [MLP, replace(CNN, norm="none")])
def test_the_quotient_falls(config):
    """On other noise than it is learned on, for networks that begin larger than they should."""
    network, beginning = drawn(replace(config, init_scale=2.0))
    before = [quotient(network, seed) for seed in range(3)]
    MetaInit(40).prepare(network, beginning)
    after = [quotient(network, seed) for seed in range(3)]
    assert all(late < 0.7 * early for early, late in zip(before, after, strict=True))


def test_a_step_goes_against_the_quotient(monkeypatch):
    """Each norm moves by the rate, to the side where a finite difference of the quotient on the same noise is lower."""
    network, beginning = drawn(MLP)
    seen, cross_entropy = [], nn.functional.cross_entropy
    monkeypatch.setattr(nn.functional, "cross_entropy", lambda *given: seen.append(given[1]) or cross_entropy(*given))
    hook = network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    MetaInit(1, lr=0.01, zero_biases=False).prepare(network, beginning)
    hook.remove()
    inputs, labels = seen

    def at(name, change):
        here = {one: value.clone() for one, value in before.items()}
        here[name] *= 1 + change / before[name].norm()
        here = {one: value.requires_grad_() for one, value in here.items()}
        loss = cross_entropy(functional_call(network, here, (inputs,)), labels)
        return _gradient_quotient(loss, list(here.values())).item()

    for name, value in network.named_parameters():
        move = (value.norm() - before[name].norm()).item()
        if value.ndim == 2:
            assert abs(move) == pytest.approx(0.01)
            assert (at(name, 1e-5) - at(name, -1e-5)) * move < 0
        else:
            assert torch.equal(value, before[name])


def test_moves_keep_a_share_of_the_last_one():
    """After two steps a norm has moved by 2.5 or 0.5 rates, and the direction is as it was drawn."""
    network, beginning = drawn(CNN)
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    MetaInit(2, lr=0.01).prepare(network, beginning)
    for name, value in network.named_parameters():
        if value.ndim < 2:
            assert torch.equal(value, torch.zeros_like(value) if name in beginning.drawn else before[name])
            continue
        moved = abs((value.norm() - before[name].norm()).item())
        assert moved == pytest.approx(0.025) or moved == pytest.approx(0.005)
        torch.testing.assert_close(value / value.norm(), before[name] / before[name].norm())


def test_what_is_0_stays():
    """A tensor without a direction, such as the last layer of zero-init."""
    network, beginning = drawn(MLP)
    with torch.no_grad():
        network[-1].weight.zero_()
    first = network[1].weight.detach().clone()
    MetaInit(2).prepare(network, beginning)
    assert not network[-1].weight.any()
    assert not torch.equal(network[1].weight, first)


def test_engines_begin_at_the_same_bits(data):
    """In single precision, one by one and in a stack, with one thread and with two; and no buffer is touched."""
    recipe = mitigated(Recipe(model=CNN), [MetaInit(3)])
    data = replace(data, inputs=data.inputs.float())
    build, seeds = architecture(CNN), [PLAN.seeds(run) for run in range(2)]
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append([Training(recipe, build, data, own).model for own in seeds])
            found.append(StackedTraining(recipe, build, data, tuple(seeds)).evaluated_networks())
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    for networks in found:
        for one, other in zip(networks, found[0], strict=True):
            assert all(map(torch.equal, one.parameters(), other.parameters()))
            assert all(int(value) == 0 for name, value in one.named_buffers() if "tracked" in name)


@pytest.mark.parametrize(("text", "same"), [("metainit:steps=3", False), ("metainit:steps=3+fixed-init:seed=4", True)])
def test_each_run_has_its_own_noise_unless_all_begin_alike(data, text, same):
    """Weights of one seed for all runs stay the same weights."""
    recipe = mitigated(Recipe(model=MLP), parse_mitigations(text))
    one, other = (Training(recipe, architecture(recipe.model), data, PLAN.seeds(run)).model for run in range(2))
    assert all(map(torch.equal, one.parameters(), other.parameters())) == same


def test_a_training_goes_on_from_where_it_stood(data):
    """What is kept of it takes the place of initial weights, and its preparation is counted once."""
    recipe = mitigated(Recipe(model=MLP, epochs=2, batch_size=10), [MetaInit(4, batch=5)])
    whole = Training(recipe, architecture(MLP), data, PLAN.seeds(0))
    first, second = whole.blocks([4, 10])
    half = Training(recipe, architecture(MLP), data, PLAN.seeds(0))
    list(half.blocks([4]))
    later = replace(half, begun=half.snapshot(4).copied())
    (rest,) = later.blocks([10])
    assert (first.samples, second.samples, rest.samples) == (4 * 10 + 4 * 5 * 9, 60, 60)
    assert torch.equal(rest.losses, second.losses)
    assert torch.equal(later.predict(data.inputs), whole.predict(data.inputs))


def test_its_passes_count_for_every_network_of_a_run(data):
    """Two networks a run are prepared twice; the control's samples are those of its batches alone."""
    recipe = mitigated(Recipe(model=MLP, steps=1, batch_size=10), parse_mitigations("metainit:steps=2"))
    pair = mitigated(recipe, parse_mitigations("prediction-ensemble:members=2"))
    build, seeds = architecture(MLP), (PLAN.seeds(0),)
    for one, networks in ((recipe, 1), (pair, 2)):
        (block,) = StackedTraining(one, build, data, seeds).blocks([1])
        assert block.samples == networks * (10 + 2 * 8 * 9)


def test_two_methods_of_initial_weights_are_refused():
    """Which of them comes first would decide."""
    with pytest.raises(RecipeError, match=r"fixup and metainit cannot be combined: both change initial weights before"):
        mitigated(Recipe(model=ModelConfig("resnet", norm="none")), [Fixup(), MetaInit()])


class Sharp(nn.Linear):
    """A layer whose backward pass is written by hand, once."""

    def forward(self, x):
        """Return what a function without second derivatives makes of the inputs."""
        return Once.apply(super().forward(x.flatten(1)))


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


class SharpInside(nn.Sequential):
    """The same between two layers, where torch could pass over it."""

    def __init__(self, inputs, classes):
        super().__init__(nn.Flatten(), Sharp(inputs, 8), nn.Linear(8, classes))


@pytest.mark.parametrize("kind", [Sharp, SharpInside])
def test_networks_without_further_derivatives_are_named(data, kind):
    """With what to choose in place of the method."""
    model = ModelConfig(f"{IN_MEMORY}sharp", factory=lambda shape, classes: kind(64, classes))
    recipe = mitigated(Recipe(model=model), [MetaInit()])
    with pytest.raises(ModelError, match=r"metainit cannot differentiate model 'sharp' three times.*init-scale"):
        _ = Training(recipe, architecture(model), data, PLAN.seeds(0)).model


def test_weights_that_overflow_are_told(data):
    """With the step, and what to make smaller."""
    model = replace(MLP, init_scale=1e200)
    recipe = mitigated(Recipe(model=model), [MetaInit()])
    with pytest.raises(TrainingError, match=r"the gradient quotient of model 'mlp' is not finite at its step 1; make"):
        _ = Training(recipe, architecture(model), data, PLAN.seeds(0)).model


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": -1}, r"metainit: steps must be a whole number, zero or more, got -1"),
        ({"batch": 0}, r"metainit: batch must be a whole number, 1 or more, got 0"),
        ({"lr": 0.0}, r"metainit: lr must be a positive number, got 0\.0"),
        ({"momentum": 1.0}, r"metainit: momentum must be a number in \[0, 1\), got 1\.0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    """The message names method, option and value."""
    with pytest.raises(RecipeError, match=message):
        MetaInit(**options)
