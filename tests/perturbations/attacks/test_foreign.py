"""Attacks of others: judged by our budget and by the model's own answers."""

import random
import sys
from warnings import catch_warnings, filterwarnings

import numpy as np
import pytest
import torch
from torch import nn

from reseed._errors import InputError, InputTypeError, MissingExtraError
from reseed.models import Networks
from reseed.perturbations.attacks import AttackSuite, Fgsm, fgsm, foreign, from_art, from_foolbox


def linear(seed):
    """A linear network."""
    generator = torch.Generator().manual_seed(seed)
    network = nn.Linear(6, 3).eval()
    for value in network.parameters():
        value.data = torch.randn(value.shape, generator=generator)
    return network


@pytest.fixture
def runs():
    """Three networks."""
    return Networks([linear(seed) for seed in range(3)])


@pytest.fixture
def data(runs):
    """Inputs, and targets that most networks answer for."""
    inputs = torch.rand(30, 6, generator=torch.Generator().manual_seed(1)) * 0.6 + 0.2
    return inputs, runs(inputs)[0].argmax(-1)


def own_step(model, inputs, targets, epsilon=0.1):
    """The step of FGSM, as somebody else writes it."""
    asked = inputs.requires_grad_()
    nn.functional.cross_entropy(model(asked), targets).backward()
    return (inputs + epsilon * asked.grad.sign()).clamp(0, 1)


def test_a_function_is_asked_of_each_run(runs, data):
    """What it finds is what ours finds, and nothing of the networks is touched."""
    before = [value.clone() for value in runs.parameters()]
    found = foreign(own_step)(runs, *data, epsilon=0.1)
    ours = fgsm(runs, *data, epsilon=0.1)
    assert torch.equal(found.success, ours.success)
    torch.testing.assert_close(found.inputs, ours.inputs)
    assert all(torch.equal(a, b) for a, b in zip(before, runs.parameters(), strict=True))
    assert all(value.grad is None for value in runs.parameters())


def test_a_module_and_inputs_are_left_as_they_are(data):
    """Although the function accumulates gradients in the one and asks for those of the other."""
    network = linear(0)
    inputs = data[0].clone()
    foreign(own_step)(network, inputs, data[1], epsilon=0.1)
    assert network.weight.grad is None
    assert not inputs.requires_grad
    assert torch.equal(inputs, data[0])


def test_what_is_outside_does_not_count(runs, data):
    """However much it fools."""
    with pytest.warns(RuntimeWarning, match="own_step returned [0-9]+ of 30 inputs outside the budget .*0.05") as told:
        found = foreign(own_step)(linear(0), *data, epsilon=0.05)
    assert len(told) == 1
    assert torch.equal(found.success, found.was_wrong)
    assert not found.distance.any()


@pytest.mark.parametrize("excess", [0.0, 1e-7])
def test_rounding_is_put_back(data, excess):
    """A budget left by less than a ten thousandth of it is no reason to be left out."""
    network = linear(0)

    def nearly(model, inputs, targets):
        return inputs + (own_step(model, inputs.clone(), targets) - inputs) * (1 + excess * 10)

    found = foreign(nearly)(network, *data, epsilon=0.1)
    assert torch.equal(found.success, fgsm(network, *data, epsilon=0.1).success)
    assert (found.distance <= 0.1 * (1 + 1e-6)).all()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda inputs: torch.full_like(inputs, torch.nan), "nan"),
        (lambda inputs: inputs - 1, "box"),
        (lambda inputs: inputs + torch.tensor([0.0, 0, 0, 0, 0, 0.05]), "frozen"),
    ],
)
def test_all_limits_are_held(data, change, named):
    """Numbers that are none, the box, features that stay."""
    frozen = torch.arange(6) == 5
    attack = foreign(lambda model, inputs, targets: change(inputs), name=named, needs_gradients=False)
    with pytest.warns(RuntimeWarning, match=f"{named} returned 30 of 30 inputs outside"):
        found = attack(linear(0), *data, epsilon=0.1, frozen=frozen)
    torch.testing.assert_close(found.inputs, data[0])


def test_arrays_come_back_too(data):
    """And functions that give no gradients are asked as well."""
    attack = foreign(lambda model, inputs, targets: inputs.numpy() * 0.6, name="darker", needs_gradients=False)
    found = attack(lambda x: linear(0)(x).detach(), *data, epsilon=0.4)
    fooled = found.changed
    assert fooled.any()
    torch.testing.assert_close(found.inputs[fooled], data[0][fooled] * 0.6)
    assert torch.equal(found.success, linear(0)(found.inputs).argmax(-1) != data[1])


def test_draws_belong_to_the_seed(data):
    """Those of every global generator, which are left as they were."""

    def noisy(model, inputs, targets):
        drawn = torch.rand(()) + np.random.random() + random.random()  # noqa: NPY002, S311
        return inputs + 0.01 * drawn.item()

    attack = foreign(noisy, needs_gradients=False)
    network = linear(0)
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    first, again, other = (attack(network, *data, epsilon=0.1, seed=seed).inputs for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_part_of_a_suite(runs, data):
    """Under its name; without gradients where that is said."""
    darker = foreign(lambda model, inputs, targets: inputs * 0.95, name="darker", needs_gradients=False)
    found = AttackSuite((Fgsm(), foreign(own_step), darker))(runs, *data, epsilon=0.1)
    assert [stage.name for stage in found.stages] == ["Fgsm", "own_step", "darker"]
    assert [stage.needs_gradients for stage in found.stages] == [True, True, False]
    assert (found.stages[1].fooled == 0).all()


def test_what_is_no_attack_is_told(runs, data):
    """Each mistake by what it is."""
    with pytest.raises(InputTypeError, match="function must be called with a model, inputs and targets, got a int"):
        foreign(3)
    with pytest.raises(InputError, match=r"half returned the shape \(15, 6\) for inputs of \(30, 6\)"):
        foreign(lambda model, inputs, targets: inputs[::2], name="half")(linear(0), *data, epsilon=0.1)
    with pytest.raises(InputError, match="goal is given, of which the function own_step knows nothing"):
        foreign(own_step)(linear(0), *data, epsilon=0.1, goal=(data[1] + 1) % 3)
    with pytest.raises(InputTypeError, match="attack must be an object of foolbox"):
        from_foolbox(int)
    with pytest.raises(InputTypeError, match="factory must be called with a classifier"):
        from_art("PGD")


@pytest.mark.parametrize("attack", [from_foolbox(lambda *_: None), from_art(lambda *_: None)])
def test_missing_extras_are_named(monkeypatch, data, attack):
    """Where the library is not there."""
    for name in ("foolbox", "art", "art.estimators", "art.estimators.classification"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'reseed\[attacks\]'"):
        attack(linear(0), *data, epsilon=0.1)


class TestFoolbox:
    """Their attacks as parts of ours."""

    @pytest.fixture
    def attacks(self):
        """Their attacks."""
        pytest.importorskip("eagerpy", reason="needs the extra `attacks`: foolbox")
        with catch_warnings():
            filterwarnings("ignore", category=DeprecationWarning)  # of what it imports itself
            import foolbox.attacks
        return foolbox.attacks

    def test_one_step_is_ours(self, attacks, runs, data):
        """FGSM is the same step, of each run."""
        found = from_foolbox(attacks.LinfFastGradientAttack(random_start=False))(runs, *data, epsilon=0.1)
        ours = fgsm(runs, *data, epsilon=0.1)
        assert torch.equal(found.success, ours.success)
        torch.testing.assert_close(found.inputs, ours.inputs)

    def test_nearest_wrong_answer(self, attacks, data):
        """DeepFool of a linear network finds the distance of the formula, towards a goal too nothing leaves the box."""
        attack = from_foolbox(attacks.L2DeepFoolAttack(overshoot=0.001))
        found = attack(linear(0), *data, epsilon=0.5, norm="2")
        weight, logits = linear(0).weight.detach(), linear(0)(data[0]).detach()
        gap = logits.gather(1, data[1][:, None]) - logits
        length = (weight[data[1]][:, None] - weight[None]).norm(dim=-1)
        exact = (gap / length).nan_to_num(nan=torch.inf).amin(1).double()
        inside = found.success & ((found.inputs > 0) & (found.inputs < 1)).all(1)
        assert inside.sum() > 5
        torch.testing.assert_close(found.distance[inside], exact[inside], rtol=0.01, atol=1e-4)

    def test_goal(self, attacks, data):
        """The answer wanted."""
        attack = from_foolbox(attacks.LinfPGD(steps=10), name="their pgd")
        goal = (data[1] + 1) % 3
        found = attack(linear(0), *data, epsilon=0.4, goal=goal)
        assert attack.name == "their pgd"
        assert found.success.any()
        assert torch.equal(found.success, linear(0)(found.inputs).argmax(-1) == goal)

    def test_norm_must_be_its_own(self, attacks, data):
        """By which it measures."""
        with pytest.raises(
            InputError,
            match="norm must be '2', by which L2ProjectedGradientDescentAttack of foolbox measures, got 'inf'",
        ):
            from_foolbox(attacks.L2PGD())(linear(0), *data, epsilon=0.1)


class TestArt:
    """Their attacks as parts of ours."""

    @pytest.fixture
    def evasion(self):
        """Their attacks."""
        pytest.importorskip("art.estimators", reason="needs the extra `attacks`: adversarial-robustness-toolbox")
        return pytest.importorskip("art.attacks.evasion")

    def test_one_step_is_ours(self, evasion, runs, data):
        """FGSM is the same step, of each run, and a function will do as a model."""

        def step(classifier, epsilon):
            return evasion.FastGradientMethod(classifier, eps=epsilon)

        ours = fgsm(runs, *data, epsilon=0.1)
        for model, expected in ((runs, ours.success), (linear(0).forward, ours.success[0])):
            found = from_art(step)(model, *data, epsilon=0.1)
            assert torch.equal(found.success, expected)

    def test_goal_must_agree(self, evasion, data):
        """Targeted or not."""
        attack = from_art(lambda classifier, epsilon: evasion.FastGradientMethod(classifier, eps=epsilon))
        assert attack.name == "art"
        with pytest.raises(InputError, match="art of ART is not targeted, and goal is given; let both agree"):
            attack(linear(0), *data, epsilon=0.1, goal=(data[1] + 1) % 3)
