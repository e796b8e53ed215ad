"""Closed forms on linear networks, and programs written out a second time."""

import math
from statistics import NormalDist

import numpy as np
import pytest
import torch

from reseed.perturbations import apgd, carlini_wagner, deepfool, ead, fgsm, pgd
from reseed.perturbations.attacks import Pgd

DUAL = {"inf": 1, "2": 2, "1": math.inf}


@pytest.fixture
def binary(make):
    """Two classes, six features, and the distance of each input from the boundary in the three norms."""
    weight = torch.tensor([1.5, -2.0, 0.5, 0.25, -1.0, 0.75], dtype=torch.float64)
    model = make["linear"](torch.stack([torch.zeros_like(weight), weight]), [0.0, 0.1])
    inputs = torch.randn(40, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    targets = model(inputs).argmax(1)
    gap = (inputs @ weight + 0.1).abs()
    return model, inputs, targets, {norm: gap / weight.norm(p=DUAL[norm]) for norm in DUAL}


@pytest.fixture
def several(make):
    """Five classes, and the least over the others of (z_y - z_j) / ||w_y - w_j||_q."""
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(5, 8, generator=generator, dtype=torch.float64)
    model = make["linear"](weight, torch.randn(5, generator=generator, dtype=torch.float64))
    inputs = torch.randn(60, 8, generator=generator, dtype=torch.float64)
    logits = model(inputs)
    targets = logits.argmax(1)
    gaps = logits.gather(1, targets[:, None]) - logits
    exact = {}
    for norm, dual in DUAL.items():
        lengths = torch.linalg.vector_norm(weight[targets][:, None] - weight[None], dual, dim=2)
        exact[norm] = (gaps / lengths).masked_fill(gaps == 0, torch.inf).amin(1)
    return model, inputs, targets, exact


@pytest.mark.parametrize("norm", ["2", "inf"])
@pytest.mark.parametrize("kind", ["binary", "several"])
def test_deepfool_is_exact_in_one_step(kind, norm, request):
    """On linear networks: the distance, but for the overshoot, after the first step."""
    model, inputs, targets, exact = request.getfixturevalue(kind)
    found = deepfool(model, inputs, targets, norm=norm, bounds=None, overshoot=1e-9)
    assert found.success.all()
    assert torch.allclose(found.distance, exact[norm], rtol=1e-7)
    assert (found.steps == 1).all()
    assert (found.queries == 1 + 1 + len(model.weight) - 1 + 1 + len(model.weight) - 1).all()
    further = deepfool(model, inputs, targets, norm=norm, bounds=None, overshoot=0.1)
    assert torch.allclose(further.distance, 1.1 * exact[norm], rtol=1e-7)
    back = deepfool(model, inputs, targets, norm=norm, bounds=None, overshoot=0.1, bisections=30)
    assert back.success.all()
    assert (back.distance >= exact[norm] * (1 - 1e-12)).all()
    assert torch.allclose(back.distance, exact[norm], rtol=1e-7)


@pytest.mark.parametrize("norm", ["2", "inf"])
def test_deepfool_succeeds_only_within_its_budget(several, norm):
    """Where the exact distance is below it."""
    model, inputs, targets, exact = several
    epsilon = float(exact[norm].median())
    found = deepfool(model, inputs, targets, epsilon=epsilon, norm=norm, bounds=None)
    assert torch.equal(found.success, exact[norm] < epsilon)


@pytest.mark.parametrize("norm", DUAL)
def test_one_step_flips_what_the_budget_reaches(binary, norm):
    """FGSM: exactly where epsilon times the dual norm of the weights is more than the margin."""
    model, inputs, targets, exact = binary
    if norm == "1":  # the largest of six features alone is moved
        assert torch.linalg.vector_norm(model.weight[1], math.inf) == 2
    for epsilon in (0.05, 0.2, 0.5):
        found = fgsm(model, inputs, targets, epsilon=epsilon, norm=norm, bounds=None)
        assert torch.equal(found.success, exact[norm] < epsilon)
        assert 0 < found.success.sum() < 40
        assert (found.queries[~found.success] == 4).all()


@pytest.mark.parametrize("attack", [pgd, apgd])
@pytest.mark.parametrize("norm", DUAL)
def test_robust_accuracy_is_the_closed_form(attack, norm, several):
    """To one sample: the share whose exact distance is above epsilon.

    Two losses together: each alone follows the class that is ahead, which need not be the one to be reached.
    """
    model, inputs, targets, exact = several
    for share in (0.25, 0.75):
        epsilon = float(exact[norm].quantile(share))
        fooled = torch.zeros(60, dtype=torch.bool)
        for loss in ("cross_entropy", "margin"):
            fooled |= attack(
                model, inputs, targets, epsilon=epsilon, norm=norm, bounds=None, steps=20, loss=loss
            ).success
        assert not (fooled & (exact[norm] > epsilon)).any()
        assert fooled.sum() >= (exact[norm] < epsilon).sum() - 1


@pytest.mark.parametrize("loss", ["cross_entropy", "margin", "dlr"])
def test_every_loss_finds_what_there_is(loss, several):
    """Of five classes, with cross-entropy and DLR too; with restarts nearly all."""
    model, inputs, targets, exact = several
    epsilon = float(exact["inf"].median())
    found = apgd(model, inputs, targets, epsilon=epsilon, bounds=None, loss=loss, steps=25, restarts=3)
    assert not (found.success & (exact["inf"] > epsilon)).any()
    assert found.success.sum() >= (exact["inf"] < epsilon).sum() - 2


def test_the_nearest_are_nearly_the_nearest(several):
    """Carlini and Wagner's attack and EAD: never below the exact distance, and close above it."""
    model, inputs, targets, exact = several
    inputs, targets, exact = inputs[:30], targets[:30], {norm: each[:30] for norm, each in exact.items()}
    found = carlini_wagner(model, inputs, targets, bounds=None, rate=0.1, steps=60)
    assert found.success.all()
    assert (found.distance >= exact["2"] * (1 - 1e-12)).all()
    assert (found.distance / exact["2"]).median() < 1.02
    sparse = {
        rule: ead(model, inputs, targets, bounds=None, steps=80, rate=0.1, beta=0.1, rule=rule) for rule in ("l1", "en")
    }
    assert sparse["l1"].success.all()
    assert (sparse["l1"].distance >= exact["1"] * (1 - 1e-12)).all()
    assert (sparse["l1"].distance / exact["1"]).median() < 1.2

    def net(found):
        change = found.inputs - inputs
        return change.square().sum(1) + 0.1 * change.abs().sum(1)

    assert (net(sparse["en"]) <= net(sparse["l1"]) + 1e-12).all()
    assert (net(sparse["en"]) < net(sparse["l1"])).any()
    assert (sparse["l1"].distance <= sparse["en"].distance + 1e-12).all()


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_two_gaussians(norm, make):
    """AAW of the classifier sign(w.x) of x = y mu + N(0, I): Phi((w.mu - eps ||w||_q) / ||w||_2)."""
    generator = torch.Generator().manual_seed(4)
    mean = torch.full((20,), 0.5, dtype=torch.float64)
    targets = torch.randint(0, 2, (20000,), generator=generator)
    noise = torch.randn(20000, 20, generator=generator, dtype=torch.float64)
    inputs = (2 * targets[:, None] - 1) * mean + noise
    model = make["linear"](torch.stack([torch.zeros_like(mean), mean]))
    for epsilon, stated in ((0.1, {"inf": 0.963, "2": 0.984}), (0.25, {"inf": 0.868, "2": 0.976})):
        found = pgd(model, inputs, targets, epsilon=epsilon, norm=norm, bounds=None, steps=2, random_start=False)
        exact = NormalDist().cdf(float((mean @ mean - epsilon * mean.norm(p=DUAL[norm])) / mean.norm()))
        assert exact == pytest.approx(stated[norm], abs=5e-4)
        assert 1 - found.success.double().mean() == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20000))


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_steps_are_those_of_a_loop_written_out(norm, several, make):
    """Element by element from the input, within bounds, where nothing is fooled before the last step."""
    model, inputs, targets, exact = several
    least, most = float(inputs.min()) - 0.001, float(inputs.max()) + 0.001
    epsilon = float(exact[norm].median())
    attack = Pgd(steps=7, random_start=False, step_size=0.2)
    found = attack(model, inputs, targets, epsilon=epsilon, norm=norm, bounds=(least, most))
    weight, points = model.weight, inputs.clone()
    fooled = torch.zeros(60, dtype=torch.bool)
    reached = points.clone()
    for step in range(8):
        logits = points @ weight.T + model.bias
        now = ~fooled & (logits.argmax(1) != targets)
        reached[now] = points[now]
        fooled |= now
        if step == 7:
            break
        gradient = (logits.softmax(1) - torch.eye(5, dtype=torch.float64)[targets]) @ weight
        if norm == "inf":
            points = points + 0.2 * epsilon * gradient.sign()
            points = inputs + (points - inputs).clamp(-epsilon, epsilon)
        else:
            points = points + 0.2 * epsilon * gradient / gradient.norm(dim=1, keepdim=True)
            change = points - inputs
            points = inputs + change * (epsilon / change.norm(dim=1, keepdim=True)).clamp_max(1)
        points = points.clamp(least, most)
    assert torch.equal(found.success, fooled)
    assert 0 < fooled.sum() < 60
    assert torch.allclose(found.inputs[fooled], reached[fooled], rtol=0, atol=1e-9)


@pytest.mark.parametrize("norm", ["inf", "2"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_leaving_circles_loses_nothing(norm, dtype, make, monkeypatch):
    """Nobody is fooled later who came back to a point where he was: without the stop the same is found."""
    model = make["perceptron"](0, features=8, dtype=dtype)
    inputs = torch.rand(200, 8, generator=torch.Generator().manual_seed(0)).to(dtype)
    targets = model(inputs).argmax(1)
    attack = Pgd(steps=40)
    with_stop = attack(model, inputs, targets, epsilon=0.08, norm=norm)
    monkeypatch.setattr(
        "reseed.perturbations.attacks.gradients._pgd._same", lambda a, _: torch.zeros(len(a), dtype=torch.bool)
    )
    without = attack(model, inputs, targets, epsilon=0.08, norm=norm)
    assert 0.1 < without.success.double().mean() < 0.9
    assert torch.equal(with_stop.success, without.success)
    assert torch.equal(with_stop.distance, without.distance)
    assert torch.equal(with_stop.inputs, without.inputs)
    if norm == "inf":
        assert with_stop.queries.sum() < without.queries.sum()


def test_what_the_box_stops_has_no_part(make):
    """An input in a corner: the one feature that can move is moved, by every attack."""
    model = make["linear"]([[0.0, 0.0, 0.0], [1.0, -2.0, 3.0]], [0.0, -3.5])
    inputs, targets = np.array([[0.2, 0.0, 1.0]]), [0]  # z_1 = -0.3, and only the first can help
    for norm, attack in (("1", pgd), ("2", pgd), ("inf", pgd), ("1", apgd), ("2", apgd)):
        assert attack(model, inputs, targets, epsilon=0.31, norm=norm, random_start=False).success.all()
    for norm in ("2", "inf"):
        found = deepfool(model, inputs, targets, norm=norm, overshoot=1e-6)
        assert found.distance == pytest.approx(0.3, rel=1e-5)
        assert found.steps == 1


def test_goals_of_linear_networks(several):
    """DeepFool reaches them all, through whichever class is the strongest on the way."""
    model, inputs, targets, exact = several
    goal = (targets + 1) % 5
    found = deepfool(model, inputs, targets, goal=goal, bounds=None, bisections=20)
    assert found.success.all()
    assert torch.equal(model(found.inputs).argmax(1), goal)
    assert (found.distance >= exact["2"] * (1 - 1e-12)).all()
    near = carlini_wagner(model, inputs, targets, goal=goal, bounds=None, rate=0.1, steps=60)
    assert near.success.all()
    ratio = near.distance / found.distance  # the objective of Carlini and Wagner's is convex here
    assert ratio.quantile(0.9) < 1.05
    assert (ratio < 0.98).any()
