"""The cascade of attacks: who is tried, what is reported, and that it is what the attacks find alone."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from reseed._errors import InputError, InputTypeError
from reseed.models import Networks
from reseed.perturbations.attacks import AbstractAttack, AttackSuite, Fgsm, Pgd, Square


def linear(seed, dimensions=6, classes=3):
    """A linear network."""
    generator = torch.Generator().manual_seed(seed)
    network = nn.Linear(dimensions, classes).eval()
    for value in network.parameters():
        value.data = torch.randn(value.shape, generator=generator)
    return network


@pytest.fixture
def runs():
    """Four networks."""
    return Networks([linear(seed) for seed in range(4)])


@pytest.fixture
def data(runs):
    """Inputs, and targets that most networks answer for."""
    inputs = torch.rand(30, 6, generator=torch.Generator().manual_seed(1)) * 0.6 + 0.2
    return inputs, runs(inputs)[0].argmax(-1)


def exact_accuracy(network, inputs, targets, epsilon):
    """The share of samples whose margin to no class can be used up, by the formula of linear networks."""
    weight, logits = network.weight.detach(), network(inputs).detach()
    gap = logits.gather(1, targets[:, None]) - logits
    size = (weight[targets][:, None] - weight[None]).abs().sum(-1)
    safe = gap > epsilon * size
    return safe.scatter(1, targets[:, None], True).all(1).float().mean().item()


class Counted(AbstractAttack):
    """Another attack that remembers whom it saw."""

    needs_gradients = False

    def hunt(self, hunt, seed):
        """Look at the inputs."""
        SEEN.append(list(zip(hunt.items.runs.tolist(), hunt.items.samples.tolist(), strict=True)))
        hunt.look(hunt.clean)


SEEN: list = []


@pytest.mark.parametrize("effort", ["quick", "standard"])
def test_worst_case_of_linear_networks(runs, data, effort):
    """No attack can do better than the formula, and the suite does as well."""
    found = AttackSuite(effort=effort)(runs, *data, epsilon=0.1)
    for run in range(4):
        assert found.accuracy[run] == pytest.approx(exact_accuracy(runs[run], *data, 0.1))
    assert not found.masking
    assert (found.accuracy <= found.clean_accuracy).all()
    assert found.accuracy[0] < 0.9 < found.clean_accuracy[0]


@pytest.mark.parametrize("batch_size", [None, 7])
def test_survivors_alone_are_tried(runs, data, batch_size):
    """Each attack sees whom no earlier one fooled, of each run its own, and nobody twice."""
    SEEN.clear()
    suite = AttackSuite((Fgsm(), Counted()), looks_for_masking=False)
    found = suite(runs, *data, epsilon=0.1, batch_size=batch_size)
    seen = [pair for batch in SEEN for pair in batch]
    left = np.argwhere(~found.success[0] & ~found.worst.was_wrong.numpy())
    assert sorted(seen) == [tuple(pair) for pair in left.tolist()]
    assert found.stages[1].tried.tolist() == found.tried[1].sum(-1).tolist()
    if batch_size:
        assert max(sum(run == 0 for run, _ in batch) for batch in SEEN) <= batch_size


def test_worst_case_is_that_of_the_attacks(runs, data):
    """What the suite gives back is what the first successful attack finds alone with the same seed."""
    attacks = (Fgsm(), Pgd(steps=5), Pgd(steps=5, loss="margin"))
    inputs, targets = data
    found = AttackSuite(attacks)(runs, inputs, targets, epsilon=0.08, seed=3, batch_size=11)
    alone = [attack(runs, inputs, targets, epsilon=0.08, seed=3) for attack in attacks]
    for number, attacked in enumerate(alone):
        mine = found.first == number
        assert attacked.success.numpy()[mine].all()
        torch.testing.assert_close(found.worst.inputs[mine], attacked.inputs[mine])
        for name in ("steps", "queries", "distance"):
            torch.testing.assert_close(getattr(found.worst, name)[mine], getattr(attacked, name)[mine])
    any_success = torch.stack([attacked.success for attacked in alone]).any(0)
    assert torch.equal(found.worst.success, any_success)
    answers = torch.stack([runs[run](found.worst.inputs[run]).argmax(-1) for run in range(4)])
    assert torch.equal(answers != targets, found.worst.success)
    assert ((found.first >= 0).sum(-1) == sum(stage.fooled for stage in found.stages)).all()


def test_accuracies_fall_along_the_cascade(runs, data):
    """The last is the worst case, and none is above the one before."""
    found = AttackSuite(effort="standard", looks_for_masking=False)(runs, *data, epsilon=0.05)
    steps = [found.clean_accuracy, *(stage.accuracy for stage in found.stages)]
    assert all((later <= earlier).all() for earlier, later in pairwise(steps))
    assert (found.accuracy == (~found.worst.success.numpy()).mean(-1)).all()


def test_without_cascade_each_accuracy_is_known(runs, data):
    """Attacks alone, and all with gradients or all without."""
    attacks = (Fgsm(), Pgd(steps=5), Counted())
    found = AttackSuite(attacks, cascade=False)(runs, *data, epsilon=0.08)
    for attack in attacks[:2]:
        alone = attack(runs, *data, epsilon=0.08)
        assert (found.accuracy_of(attack.name) == (~alone.success.numpy()).mean(-1)).all()
    assert (found.black_box_accuracy == found.clean_accuracy).all()
    assert (found.white_box_accuracy == found.accuracy).all()


def test_cascade_does_not_know_what_it_left_out(runs, data):
    """White-box attacks came first, so that they are known together; those after them are not."""
    found = AttackSuite((Fgsm(), Pgd(steps=5), Counted()))(runs, *data, epsilon=0.08)
    assert (found.white_box_accuracy == found.stages[1].accuracy).all()
    with pytest.warns(RuntimeWarning, match="attacks without gradients is not known, .* pass cascade=False"):
        assert np.isnan(found.black_box_accuracy).all()
    with pytest.warns(RuntimeWarning, match="attack 'Pgd' is not known"):
        assert np.isnan(found.accuracy_of("Pgd")).all()
    with pytest.raises(KeyError, match="there are Fgsm, Pgd, Counted"):
        found.accuracy_of("Square")


def test_one_module_has_no_run_axis(data):
    """And numpy comes back where numpy was given."""
    inputs, targets = (value.numpy() for value in data)
    found = AttackSuite(effort="quick")(linear(0), inputs, targets, epsilon=0.1)
    assert found.accuracy == pytest.approx(exact_accuracy(linear(0), *data, 0.1))
    assert found.first.shape == (30,)
    assert found.success.shape == (2, 30)
    assert isinstance(found.worst.inputs, np.ndarray)
    assert repr(found).startswith("SuiteResult('inf', epsilon 0.1: clean 100.0%, Fgsm ")


def test_each_run_may_have_targets_of_its_own(runs, data):
    """What it answers itself, so that nobody is wrong before."""
    own = runs(data[0]).argmax(-1)
    found = AttackSuite(effort="standard")(runs, data[0], own, epsilon=0.1)
    assert (found.clean_accuracy == 1).all()
    for run in range(4):
        assert found.accuracy[run] == pytest.approx(exact_accuracy(runs[run], data[0], own[run], 0.1))


def test_progress_is_told(runs, data):
    """The name, how many are done, and how many there are."""
    told = []
    AttackSuite(effort="quick")(runs, *data, epsilon=0.05, batch_size=20, progress=lambda *each: told.append(each))
    names = [name for name, _, _ in told]
    assert names == sorted(names)
    for name in ("Fgsm", "Pgd"):
        done, totals = zip(*(each[1:] for each in told if each[0] == name), strict=True)
        assert list(done) == sorted(done)
        assert set(totals) == {done[-1]}


def test_nobody_right(runs, data):
    """Nothing is tried, and nothing fails."""
    inputs, _ = data
    found = AttackSuite(effort="quick")(linear(0), inputs, linear(0)(inputs).argmin(-1), epsilon=0.1)
    assert found.accuracy == 0
    assert [stage.tried for stage in found.stages] == [0, 0]
    torch.testing.assert_close(found.worst.inputs, inputs)
    assert (found.first == -1).all()


def test_two_classes_without_a_warning():
    """DLR needs three; the suite that chooses its attacks itself takes the margin."""
    network = linear(0, classes=2)
    inputs = torch.rand(3, 6)
    found = AttackSuite(effort="thorough", looks_for_masking=False)(
        network, inputs, network(inputs).argmax(-1), epsilon=1.0
    )
    assert "Apgd(loss='margin')" in [stage.name for stage in found.stages]
    assert found.stages[-1].name == "Square"


def test_attacks_of_another_norm_are_left_out(data):
    """By the suite that chooses itself; those that were asked for are an error."""
    found = AttackSuite(effort="standard", looks_for_masking=False)(linear(0), *data, epsilon=0.4, norm="1")
    assert [stage.name for stage in found.stages] == ["Fgsm", "Pgd", "Apgd"]
    with pytest.raises(InputError, match="norm must be one of 'inf', '2' for the attack Square, got '1'"):
        AttackSuite((Square(),))(linear(0), *data, epsilon=0.4, norm="1")


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"effort": "huge"}, InputError, "effort must be one of 'quick', 'standard', 'thorough', got 'huge'"),
        ({"attacks": ()}, InputError, "attacks holds none"),
        ({"attacks": Fgsm()}, InputTypeError, r"attacks must be a sequence of attacks, got one alone: \(Fgsm,\)"),
        ({"attacks": (len,)}, InputTypeError, "attacks holds <built-in function len>, which is none; .*foreign"),
    ],
)
def test_settings_are_checked(settings, error, text):
    """What is no suite is told."""
    with pytest.raises(error, match=text):
        AttackSuite(**settings)


def test_arguments_are_checked(runs, data):
    """As every attack does."""
    with pytest.raises(InputError, match="norm must be one of 'inf', '2', '1' for the attack Pgd, got 'l2'"):
        AttackSuite()(runs, *data, epsilon=0.1, norm="l2")
    with pytest.raises(InputError, match="batch_size must be a whole number of 1 or more, got 0"):
        AttackSuite()(runs, *data, epsilon=0.1, batch_size=0)
    with pytest.raises(InputError, match="epsilon is None; give the budget"):
        AttackSuite()(runs, *data, epsilon=None)
