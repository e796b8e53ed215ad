"""Signs of masked gradients: each is raised by a model that has the fault, and none by an ordinary one."""

import numpy as np
import pytest
import torch
from torch import nn

from reseed.models import Networks
from reseed.perturbations.attacks import AbstractAttack, AttackSuite, Fgsm, Pgd


@pytest.fixture(scope="module")
def blobs():
    """Three clouds in eight dimensions, within [0, 1]."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.arange(120) % 3
    centres = torch.rand(3, 8, generator=generator) * 0.6 + 0.2
    inputs = centres[targets] + 0.08 * torch.randn(120, 8, generator=generator)
    return inputs.clamp(0, 1), targets


def trained(blobs, seed):
    """A small network that was trained a little."""
    inputs, targets = blobs
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(80):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs), targets).backward()
        optimizer.step()
    return network.eval()


@pytest.fixture(scope="module")
def network(blobs):
    """An ordinary network."""
    return trained(blobs, 0)


class Blind(AbstractAttack):
    """The corners of the ball, by chance."""

    needs_gradients = False

    def hunt(self, hunt, seed):
        """Try some, none in the direction of a gradient."""
        generator = torch.Generator().manual_seed(seed)
        for _ in range(30):
            signs = torch.randint(0, 2, hunt.clean.shape, generator=generator) * 2.0 - 1
            hunt.look(hunt.budget.project(hunt.clean + hunt.budget.epsilon * signs))
            hunt.settled()
            if hunt.is_over:
                return


SUITE = AttackSuite((Fgsm(), Pgd(steps=10), Blind()))


def raised(model, blobs, suite=SUITE, epsilon=0.15, **settings):
    """The result, and the names of the signs, of which the warning tells too."""
    with pytest.warns(RuntimeWarning, match="Gradients may be masked") as told:
        found = suite(model, *blobs, epsilon=epsilon, **settings)
    sentences = " ".join(str(each.message) for each in told)
    assert all(str(flag) in sentences for flag in found.masking.flags)
    return found, found.masking.names


@pytest.mark.parametrize("norm", ["inf", "2", "1"])
@pytest.mark.parametrize("epsilon", [0.02, 0.15])
def test_ordinary_networks_raise_none(blobs, network, norm, epsilon):
    """At any norm and budget, with everything looked for."""
    scale = {"inf": 1, "2": 2, "1": 4}[norm]
    found = SUITE(Networks([network, trained(blobs, 1)]), *blobs, epsilon=epsilon * scale, norm=norm)
    assert not found.masking
    assert [flag.name for flag in found.masking.looked] == [
        "answers_differ",
        "probabilities",
        "zero_gradients",
        "saturated_loss",
        "one_step_beats_many",
        "blind_beats_gradients",
        "huge_budget_survived",
    ]
    assert all((flag.looked_at > 0).all() for flag in found.masking.looked if flag.name != "one_step_beats_many")
    assert str(found.masking) == "No sign of masked gradients among 7."


def test_gradients_of_zero(blobs, network):
    """What is multiplied by nothing answers a constant; attacks along it do not move at any budget."""
    biased = torch.tensor([-1.0, 0.0, 2.0])
    found, names = raised(lambda x: network(x) * 0 + biased, blobs)
    assert names == ("zero_gradients", "huge_budget_survived")
    (flag,) = (each for each in found.masking.flags if each.name == "zero_gradients")
    assert flag.share.tolist() == [1.0]
    assert flag.looked_at.tolist() == [40]


def test_rounding_is_found_by_attacks_without_gradients(blobs, network):
    """Steps have no slope."""
    found, names = raised(lambda x: network(x + ((x * 16).round() / 16 - x).detach() - (x - x.detach())), blobs)
    assert {"zero_gradients", "blind_beats_gradients", "huge_budget_survived"} <= set(names)
    assert found.stages[2].fooled > 2
    (flag,) = (each for each in found.masking.flags if each.name == "blind_beats_gradients")
    assert flag.share[0] == pytest.approx(found.stages[2].fooled / (~found.worst.was_wrong).sum().item())
    assert "attacks without gradients fool" in str(flag)


def test_saturated_cross_entropy(blobs, network):
    """Large logits leave the cross-entropy no gradient, the margin keeps its own."""
    found, names = raised(lambda x: network(x) * 1e4, blobs, AttackSuite(effort="quick"))
    assert "saturated_loss" in names
    assert "zero_gradients" not in names
    assert "use the losses 'margin' or 'dlr'" in str(found.masking)
    by_margin = AttackSuite((Pgd(steps=20, loss="margin"),), looks_for_masking=False)
    assert by_margin(lambda x: network(x) * 1e4, *blobs, epsilon=0.15).accuracy < found.accuracy


def test_a_random_model(blobs, network):
    """Two answers to one question."""
    generator = torch.Generator().manual_seed(0)

    def noisy(x):
        return network(x + 0.05 * torch.randn(x.shape, generator=generator))

    found, names = raised(noisy, blobs, AttackSuite(effort="quick"))
    assert names[0] == "answers_differ"
    assert "when it is asked twice" in str(found.masking)


def test_probabilities(blobs, network):
    """They are told of once, as a sign."""
    found, names = raised(lambda x: network(x).softmax(1), blobs, AttackSuite(effort="quick"))
    assert "probabilities" in names
    assert "return logits" in str(found.masking)


def test_one_step_beats_many(blobs, network):
    """Slopes that lead to the boundary from the inputs themselves, and back from anywhere else."""
    inputs, _ = blobs

    def bent(x):
        logits = network(x)
        is_clean = (x[:, None] == inputs).all(-1).any(1)
        return torch.where(is_clean[:, None], logits, 2 * logits.detach() - logits)

    suite = AttackSuite((Fgsm(), Pgd(steps=10, random_start=False)))
    found, names = raised(bent, blobs, suite, epsilon=0.2)
    assert names[0] == "one_step_beats_many"
    assert found.masking.flags[0].looked_at[0] == min(64, found.stages[0].fooled)


def test_runs_have_signs_of_their_own(blobs, network):
    """Of two runs one is at fault, and is named."""
    dead = trained(blobs, 1)
    dead[2].weight.data.zero_()
    dead[2].bias.data = torch.tensor([-1.0, 0.0, 2.0])
    found, names = raised(Networks([network, dead]), blobs, AttackSuite(effort="quick"))
    assert "zero_gradients" in names
    (flag,) = (each for each in found.masking.flags if each.name == "zero_gradients")
    assert flag.share.tolist() == [0.0, 1.0]
    assert flag.is_raised.tolist() == [False, True]
    assert str(flag).endswith("(run 1)")


def test_order_of_attacks_hides_no_sign(blobs, network):
    """An attack without gradients that comes first is checked by those with them, on a few samples."""
    _, names = raised(
        lambda x: network(x + ((x * 16).round() / 16 - x).detach() - (x - x.detach())),
        blobs,
        AttackSuite((Blind(), Pgd(steps=5))),
    )
    assert "blind_beats_gradients" in names
    ordinary = AttackSuite((Blind(), Pgd(steps=20)))(network, *blobs, epsilon=0.15)
    assert not ordinary.masking


def test_frozen_features_allow_survivors(blobs, network):
    """No budget is huge where most features stay as they are."""
    frozen = np.arange(8) > 0
    found = SUITE(network, *blobs, epsilon=0.1, frozen=frozen)
    assert "huge_budget_survived" not in [flag.name for flag in found.masking.looked]
    assert not found.masking


def test_no_bounds(blobs, network):
    """A huge budget without a box is one of the inputs' own size."""
    found = SUITE(network, *blobs, epsilon=0.1, bounds=None)
    assert not found.masking
    assert "huge_budget_survived" in [flag.name for flag in found.masking.looked]


def test_nothing_is_looked_for_unasked(blobs, network):
    """Nor warned of."""
    suite = AttackSuite((Fgsm(),), looks_for_masking=False)
    found = suite(lambda x: network(x) * 0 + torch.tensor([-1.0, 0.0, 2.0]), *blobs, epsilon=0.1)
    assert found.masking.looked == ()
