"""Attacks that need answers alone: closed forms, what they ask, and that gradients have no part in them."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from reseed import InputError
from reseed.perturbations import attacks
from reseed.perturbations.attacks import Asked, Hunt, Items
from reseed.perturbations.attacks.blind._slope import Probes, slope
from reseed.perturbations.attacks.blind._windows import Frame, Window, bump, share_of

BLIND = {
    "boundary": attacks.Boundary(steps=25),
    "gaussian_noise": attacks.GaussianNoise(draws=20),
    "nes": attacks.Nes(steps=8, probes=8),
    "spsa": attacks.Spsa(steps=8, probes=8),
    "square": attacks.Square(steps=30),
    "uniform_noise": attacks.UniformNoise(draws=20),
}
CASES = [(name, norm) for name, attack in BLIND.items() for norm in attack.norms]


def binary(weights):
    """A function with the logits 0 and w.x."""
    weights = torch.as_tensor(weights, dtype=torch.float64)

    def logits(x):
        z = x.flatten(1) @ weights
        return torch.stack([torch.zeros_like(z), z], dim=1)

    return logits


def by_rows(weights):
    """The same, adding features one after the other, so that no sum depends on how many rows there are."""

    def logits(x):
        z = sum(x[:, place] * float(weight) for place, weight in enumerate(weights))
        return torch.stack([torch.zeros_like(z), z], dim=1)

    return logits


@pytest.fixture
def drawn():
    """Weights and inputs [sample, feature] of a linear net, the right answers, and margins |z|."""
    generator = torch.Generator().manual_seed(1)
    weights = torch.randn(8, generator=generator, dtype=torch.float64)
    inputs = torch.randn(15, 8, generator=generator, dtype=torch.float64)
    z = inputs @ weights
    return weights, inputs, (z > 0).long(), z.abs()


def phi(value):
    """The normal distribution's share below a value."""
    return 0.5 * (1 + math.erf(value / math.sqrt(2)))


@pytest.mark.parametrize("norm", ["inf", "2", "1"])
def test_gaussian_noise_flips_a_linear_answer_as_often_as_it_must(norm):
    """Phi(-m / (s |w|)), where the budget is too large to put anything back."""
    weights, count = np.array([0.5, -1.0, 2.0, 0.25]), 20_000
    margin, s = 0.8, 0.4
    inputs = torch.zeros(count, 4, dtype=torch.float64)
    inputs[:, 0] = margin / weights[0]
    epsilon = 100 * s * {"inf": 1, "2": 2, "1": 4}[norm]
    found = attacks.gaussian_noise(
        binary(weights), inputs, torch.ones(count, dtype=torch.int64), epsilon=epsilon, norm=norm, bounds=None,
        draws=1, std=0.01,
    )  # fmt: skip
    expected = phi(-margin / (s * np.linalg.norm(weights)))
    assert abs(float(found.success.double().mean()) - expected) < 4 * math.sqrt(expected * (1 - expected) / count)
    assert (found.queries == 2).all()


def test_uniform_noise_flips_a_linear_answer_as_often_as_it_must():
    """Of one feature (1 - m / epsilon) / 2; the box takes its share."""
    inputs, targets = torch.full((20_000, 1), 0.6, dtype=torch.float64), torch.ones(20_000, dtype=torch.int64)

    def model(x):
        return torch.stack([torch.zeros(len(x), dtype=x.dtype), x[:, 0] - 0.5], dim=1)

    def share(**words):
        return float(attacks.uniform_noise(model, inputs, targets, draws=1, **words).success.double().mean())

    assert share(epsilon=0.4, bounds=None) == pytest.approx(0.375, abs=0.015)
    assert share(epsilon=0.6, norm="2", bounds=None) == pytest.approx(5 / 12, abs=0.015)
    assert share(epsilon=0.6) == pytest.approx(0.5, abs=0.015)  # within [0, 1]


@pytest.mark.parametrize("is_minimal", [False, True])
@pytest.mark.parametrize("together", [1, 3, 100])
def test_many_points_are_looked_at_as_if_one_by_one(is_minimal, together, drawn, monkeypatch):
    """The first wrong one is kept, or the nearest wrong one, or the best; never one outside the ball."""
    weights, inputs, targets, margins = drawn
    monkeypatch.setattr(attacks.core._hunt, "_AT_ONCE", together * inputs.numel())
    asked, zeros = Asked(by_rows(weights)), torch.zeros_like(targets)
    given = attacks.core._given.given_inputs(inputs, asked)
    epsilon = 1.5 * float(margins.median() / weights.norm())
    budget = attacks.core._given.budget_for(given, epsilon, "2", None, None, is_minimal=is_minimal)
    towards = -(2 * targets - 1)[:, None] * weights / weights.norm()
    points = torch.stack([inputs + share * epsilon * towards for share in (0.1, 0.9, 0.95, 0.8, 0.2, 1.5, 0.5)])
    many, single = (
        Hunt(asked, budget, Items(targets, None, zeros, torch.arange(15)), is_minimal=is_minimal) for _ in range(2)
    )
    look = many.look_at_many(points, steps=1)
    looks = [single.look(each, steps=int(number == 0)) for number, each in enumerate(points)]
    for name in ("logits", "value", "is_wrong"):
        assert torch.equal(getattr(look, name), torch.stack([getattr(each, name) for each in looks])), name
    one, other = many.close(), single.close()
    assert all(torch.equal(getattr(one, name), getattr(other, name)) for name in vars(one))
    assert 0 < one.success.sum() < look.is_wrong.any(0).sum()
    assert (one.queries == 8).all()
    assert (one.steps == 1).all()


@pytest.mark.parametrize(("draw", "sign"), [("signs", -1), ("normal", 1)])
@pytest.mark.parametrize("norm", ["inf", "2"])
def test_estimated_gradients_are_unbiased_with_known_variance(draw, sign, norm):
    """Of a linear loss: mean w, variance |w|^2 -+ w_i^2 of a pair; at the edge of the box the mean is the same."""
    weights = torch.tensor([1.0, -2.0, 0.5, 0.0], dtype=torch.float64)
    count = 4000
    model, zeros = binary(weights), torch.zeros(count, dtype=torch.int64)
    estimates = {}
    for where, probes in ((0.5, 1), (1.0, 1), (0.5, 16)):
        clean = torch.full((count, 4), 0.5, dtype=torch.float64)
        clean[:, 1] = where
        given = attacks.core._given.given_inputs(clean, Asked(model))
        budget = attacks.core._given.budget_for(given, 0.2, norm, (0.0, 1.0), None, is_minimal=False)
        hunt = Hunt(Asked(model), budget, Items(zeros, zeros + 1, zeros, torch.arange(count)), is_minimal=False)
        estimates[where, probes] = slope(hunt, hunt.clean, "margin", Probes(probes, draw, 0.3), 7, 0)
    square = (weights**2).sum()
    variance = square + sign * weights**2
    for (where, probes), found in estimates.items():
        assert (found.mean(0) - weights).abs().max() < 5 * math.sqrt(2 * square / count / probes), (where, probes)
    assert estimates[0.5, 1].var(0).tolist() == pytest.approx(variance.tolist(), rel=0.15)
    assert estimates[0.5, 16].var(0).tolist() == pytest.approx((variance / 16).tolist(), rel=0.15)


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("name", ["square", "spsa", "nes"])
def test_linear_nets_fall_at_twice_the_smallest_budget(name, norm, drawn):
    """And none below it: m / |w|_1 for the norm inf, m / |w|_2 for 2."""
    weights, inputs, targets, margins = drawn
    inputs = inputs / margins[:, None]  # all have the margin 1
    smallest = 1 / float(weights.abs().sum() if norm == "inf" else weights.norm())
    attack = attacks.Square(steps=400) if name == "square" else attacks.Spsa() if name == "spsa" else attacks.Nes()
    words = {"norm": norm, "bounds": None}
    assert attack(binary(weights), inputs, targets, epsilon=2.0 * smallest, **words).success.all()
    below = slice(0, 4)
    assert not attack(binary(weights), inputs[below], targets[below], epsilon=0.99 * smallest, **words).success.any()


def test_the_boundary_walk_comes_near_the_smallest_distance(drawn):
    """M / |w|_2, from above."""
    weights, inputs, targets, margins = drawn
    found = attacks.boundary(binary(weights), inputs, targets, bounds=None, steps=400)
    ratio = found.distance / (margins / weights.norm())
    assert found.success.all()
    assert (ratio > 1 - 1e-6).all()
    assert (ratio < 1.1).all()
    assert ratio.median() < 1.005
    assert (found.queries <= 1 + 100 + 10 + 400 + 100).all()


def test_the_boundary_walk_uses_labels_alone(drawn):
    """Logits, their multiples and one-hot labels lead it to the same points."""
    weights, inputs, targets, _ = drawn
    model = binary(weights)

    def hard(x):
        return nn.functional.one_hot(model(x).argmax(1), 2).double() * 7 - 3

    found = [attacks.boundary(each, inputs, targets, bounds=None, steps=80) for each in (model, hard)]
    assert torch.equal(found[0].inputs, found[1].inputs)
    assert torch.equal(found[0].queries, found[1].queries)


def test_the_boundary_walk_begins_with_the_nearest_wrong_start(drawn):
    """Each further start costs a query, and samples without a wrong one stay as they are."""
    weights, inputs, targets, _ = drawn
    model, step = binary(weights), weights / weights.norm()
    z = float(inputs[0] @ step)
    far, near, right = inputs[0] - 5 * z * step, inputs[0] - 2 * z * step, inputs[0] + 0.1 * z * step
    attack = attacks.Boundary(steps=1, starts=torch.stack([far, near, right]).numpy())
    found = attack(model, inputs[:1], targets[:1], epsilon=None, norm="2", bounds=None)
    assert found.queries.item() == 1 + 2 + 10 + 2
    assert found.distance.item() == pytest.approx(abs(z), rel=2e-3)  # half the way to `near`, by halves
    none = attacks.boundary(model, inputs[:1], targets[:1], bounds=None, starts=right[None])
    assert not none.success
    assert torch.equal(none.inputs, inputs[:1])
    with pytest.raises(InputError, match=r"starts has the shape \(8,\), and a sample has \(8,\); pass one or more"):
        attacks.boundary(model, inputs, targets, bounds=None, starts=right)
    with pytest.raises(InputError, match="starts hold NaN"):
        attacks.boundary(model, inputs, targets, bounds=None, starts=right[None] * torch.nan)


@pytest.mark.parametrize(("name", "norm"), CASES)
def test_each_question_is_counted(name, norm, drawn):
    """The model is given as many inputs as the queries say."""
    weights, inputs, targets, _ = drawn
    model, asked = binary(weights), []

    def counted(x):
        asked.append(len(x))
        return model(x)

    found = BLIND[name](counted, inputs, targets, epsilon=0.3, norm=norm, bounds=None)
    assert sum(asked) == int(found.queries.sum())


@pytest.mark.parametrize(("name", "norm"), CASES)
def test_neighbours_change_no_bit(name, norm, drawn):
    """Batches of another size, and a sample whose place is the same, lead to the same points, bit for bit."""
    weights, inputs, targets, _ = drawn
    inputs, targets = inputs[:5], targets[:5]
    words = {"epsilon": 0.3, "norm": norm, "bounds": None, "seed": 3}
    whole = BLIND[name](by_rows(weights), inputs, targets, **words)
    for size in (1, 3):
        parts = BLIND[name](by_rows(weights), inputs, targets, **words, batch_size=size)
        assert torch.equal(whole.inputs, parts.inputs)
        assert torch.equal(whole.queries, parts.queries)
    first = BLIND[name](by_rows(weights), inputs[:3], targets[:3], **words)
    assert torch.equal(whole.inputs[:3], first.inputs)
    other = BLIND[name](by_rows(weights), inputs, targets, **{**words, "seed": 4})
    assert not torch.equal(whole.inputs, other.inputs)


@pytest.mark.parametrize("name", BLIND)
def test_functions_of_numpy_are_attacked(name, drawn):
    """Without a gradient anywhere; those of whom one is asked say what they need."""
    weights, inputs, targets, margins = drawn

    def model(x):
        z = x.detach().numpy() @ weights.numpy()
        return torch.from_numpy(np.stack([np.zeros_like(z), z], 1))

    norm = BLIND[name].norms[0]
    epsilon = float(margins.max()) * (2 if norm == "inf" else 10)
    found = BLIND[name](model, inputs.numpy(), targets.numpy(), epsilon=epsilon, norm=norm, bounds=None)
    assert isinstance(found.inputs, np.ndarray)
    assert found.success.mean() > 0.9
    with pytest.raises(InputError, match="model gives no gradients"):
        attacks.pgd(model, inputs.numpy(), targets.numpy(), epsilon=epsilon, bounds=None)


class Rounded(nn.Module):
    """A net that rounds its inputs, so that its gradients are 0."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        """Return the net's answer to what is left."""
        return self.net((x * 16).round() / 16)


def test_masked_gradients_stop_pgd_and_not_square(make):
    """Where gradients vanish, steps along them lead nowhere; a random search does not notice."""
    model = Rounded(make["perceptron"](0, 16)).eval()
    inputs = torch.rand(20, 1, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    targets = model(inputs).argmax(1)
    white = attacks.pgd(model, inputs, targets, epsilon=0.4, random_start=False)
    blind = attacks.square(model, inputs, targets, epsilon=0.4, steps=150)
    assert not white.success.any()
    assert blind.success.sum() >= 15
    for name in ("spsa", "nes"):
        assert BLIND[name](model, inputs, targets, epsilon=0.4).success.sum() >= 10, name


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 1, 3, 7), (1, 1, 1)])
@pytest.mark.parametrize(("name", "norm"), CASES)
def test_odd_shapes(name, norm, shape):
    """Budget and box are held, and some answers fall."""
    inputs = torch.rand(6, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    model = binary(np.linspace(-1, 1.1, math.prod(shape)))
    targets = model(inputs).argmax(1)
    epsilon = {"inf": 0.4, "2": 0.4 * math.sqrt(math.prod(shape)), "1": 0.4 * math.prod(shape)}[norm]
    found = BLIND[name](model, inputs, targets, epsilon=epsilon, norm=norm)
    away = attacks.norm_of(found.inputs - inputs, norm)
    assert found.inputs.shape == inputs.shape
    assert (away <= epsilon * (1 + 1e-6)).all()
    assert found.inputs.min() >= 0
    assert found.inputs.max() <= 1
    if math.prod(shape) > 1:
        assert found.success.any() or "noise" in name


def test_square_keeps_within_what_may_change():
    """Windows lie around free features, so that none is wasted where few are."""
    frozen = torch.ones(1, 8, 8, dtype=torch.bool)
    frozen[0, 6, 1] = frozen[0, 2, 7] = False
    weights = np.ones(64)
    inputs = torch.full((4, 1, 8, 8), 0.5, dtype=torch.float64)

    def model(x):
        return binary(weights)(x) - torch.tensor([0.0, 32.7], dtype=x.dtype)

    targets = torch.zeros(4, dtype=torch.int64)
    for norm, epsilon in (("inf", 0.4), ("2", 0.6)):
        found = attacks.square(model, inputs, targets, epsilon=epsilon, norm=norm, frozen=frozen, steps=60)
        assert found.success.all(), norm
        assert torch.equal(found.inputs[:, frozen], inputs[:, frozen])


def test_windows():
    """The schedule of the paper, sizes, places drawn uniformly, and bumps of norm 1 that sum to about nothing."""
    edges = [0, 11, 51, 201, 501, 1001, 2001, 4001, 6001, 8001]
    assert [share_of(step, 10_000, 1.0) for step in edges] == [2.0**-power for power in range(10)]
    assert share_of(100, 100_000, 1.0) == share_of(10, 10_000, 1.0) == share_of(1, 1000, 1.0)
    frame = Frame.of(torch.zeros(4, 3, 8, 10))
    assert frame == Frame(3, 8, 10)
    assert [frame.size(share) for share in (1.0, 0.3, 0.001)] == [(8, 8), (5, 5), (1, 1)]
    assert frame.size(0.2, 3) == (5, 5)
    assert Frame.of(torch.zeros(4, 30)).size(0.3) == (1, 9)
    uniform = torch.rand(4000, 3, generator=torch.Generator().manual_seed(0))
    zeros = torch.zeros(4000, 3, 8, 10)
    asked = Asked(binary(np.ones(240)))
    budget = attacks.core._given.budget_for(
        attacks.core._given.given_inputs(zeros, asked), 0.1, "inf", None, None, is_minimal=False
    )
    window = Window.drawn(uniform, (5, 5), frame, budget)
    mask = window.mask
    assert mask.shape == (4000, 1, 8, 10)
    assert (mask.sum((1, 2, 3)) == 25).all()
    every = torch.arange(80).expand(4000, -1)
    assert torch.equal(window.holds(every), mask.flatten(1))
    assert torch.equal(window.places, every[mask.flatten(1)].view(4000, 25))
    points = torch.rand(4000, 3, 80, generator=torch.Generator().manual_seed(1))
    assert torch.equal(window.put(points, window.of(points) * 2), torch.where(mask.flatten(2), points * 2, points))
    corner = mask[:, 0, 0, 0].float().mean()
    assert corner == pytest.approx(1 / 24, abs=0.015)
    for size in ((1, 1), (3, 3), (5, 5), (1, 4), (1, 3), (7, 7)):
        assert torch.linalg.vector_norm(bump(*size)).item() == pytest.approx(1, abs=1e-6)
    assert bump(5, 5)[:2].gt(0).all()
    assert bump(5, 5)[2:].lt(0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (lambda: attacks.Square(share=0.0), r"share must be in \(0, 1\], of the area that a window has at first, got"),
        (lambda: attacks.Square(steps=0), "steps must be a whole number of 1 or more, got 0"),
        (lambda: attacks.Spsa(delta=0.0), "delta must be above 0, a share of the budget, got 0.0"),
        (lambda: attacks.Spsa(optimiser="sgd"), "optimiser must be 'adam' or 'sign', got 'sgd'"),
        (lambda: attacks.Nes(momentum=1.0), r"momentum must be in \[0, 1\), got 1.0"),
        (lambda: attacks.Nes(probes=1.5), "probes must be a whole number of 1 or more, got 1.5"),
        (lambda: attacks.GaussianNoise(std=-1.0), "std must be above 0, a share of the budget, got -1.0"),
        (lambda: attacks.UniformNoise(draws=True), "draws must be a whole number of 1 or more, got True"),
        (lambda: attacks.Boundary(sideways=0.0), "sideways must be above 0, a share of the distance, got 0.0"),
        (lambda: attacks.Square(loss="hinge"), "loss must be one of"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    """With their value."""
    with pytest.raises(InputError, match=message):
        settings()


def test_norms_without_an_attack_are_named(drawn):
    """With those that it has."""
    weights, inputs, targets, _ = drawn
    with pytest.raises(InputError, match="norm must be one of 'inf', '2' for the attack Square, got '1'"):
        attacks.square(binary(weights), inputs, targets, epsilon=0.1, norm="1", bounds=None)
    with pytest.raises(InputError, match="norm must be one of '2' for the attack Boundary, got 'inf'"):
        attacks.boundary(binary(weights), inputs, targets, norm="inf", bounds=None)
