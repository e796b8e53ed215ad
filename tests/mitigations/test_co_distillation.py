"""Networks that learn from each other, against sums written out one network, sample and class at a time."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.mitigations.conftest import MLP, PLAN

from reseed._errors import RecipeError
from reseed.mitigations import Batch, CoDistillation, LabelSmoothing, PredictionEnsemble, parse_mitigations
from reseed.models import architecture
from reseed.training import OptimizerConfig, Recipe, StackedTraining, mitigated

CONTROL = Recipe(model=MLP, optimizer=OptimizerConfig("adam", lr=1e-2), steps=6, batch_size=16)


def batch(step: int = 0, total: int = 10) -> Batch:
    """A batch of which only the step matters."""
    return Batch(step, total, torch.zeros(0), 4, ())


def divergence(name: str, q: list[float], p: list[float]) -> float:
    """D(q, p), summed class by class."""

    def kl(one: list[float], other: list[float]) -> float:
        return sum(a * math.log(a / b) for a, b in zip(one, other, strict=True))

    middle = [(a + b) / 2 for a, b in zip(q, p, strict=True)]
    return {
        "ce": -sum(a * math.log(b) for a, b in zip(q, p, strict=True)),
        "kl": kl(q, p),
        "js": kl(q, middle) / 2 + kl(p, middle) / 2,
        "symkl": kl(q, p) / 2 + kl(p, q) / 2,
    }[name]


@pytest.mark.parametrize("name", ["ce", "kl", "js", "symkl"])
@pytest.mark.parametrize("networks", [2, 3])
def test_each_network_is_drawn_to_the_mean_of_the_others(name, networks):
    """Two runs beside each other: every network's term is that of its own run's others, plus its own entropy."""
    logits = torch.randn(2 * networks, 5, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    p = logits.softmax(-1).tolist()
    found = CoDistillation(networks, 0.7, name, entropy=0.3).penalty(batch())(logits)
    for place in range(2 * networks):
        first = place - place % networks
        others = [p[other] for other in range(first, first + networks) if other != place]
        for sample in range(5):
            own = p[place][sample]
            q = [sum(other[sample][c] for other in others) / len(others) for c in range(4)]
            entropy = -sum(value * math.log(value) for value in own)
            expected = 0.7 * divergence(name, q, own) + 0.3 * entropy
            assert found[place, sample].item() == pytest.approx(expected, rel=1e-10)


def test_what_the_others_say_is_held_constant():
    """The gradient by a network's logits is w (p - q): through q nothing flows."""
    logits = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64).requires_grad_()
    p = logits.detach().softmax(-1)
    q = (p.sum(0) - p) / 2
    for name in ("ce", "kl"):
        penalty = CoDistillation(3, 0.7, name).penalty(batch())
        (gradient,) = torch.autograd.grad(penalty(logits).sum(), logits)
        torch.testing.assert_close(gradient, 0.7 * (p - q))


@pytest.mark.parametrize("name", ["ce", "kl", "js", "symkl"])
def test_networks_that_agree_and_are_certain(name):
    """Logits far apart are no trouble: equal networks have no divergence, opposite ones a finite one."""
    certain = torch.tensor([[[200.0, 0.0]], [[200.0, 0.0]]])
    torch.testing.assert_close(CoDistillation(2, 1.0, name).penalty(batch())(certain), torch.zeros(2, 1))
    opposite = torch.tensor([[[200.0, 0.0]], [[0.0, 200.0]]])
    bound = math.log(2) if name == "js" else 200.0
    torch.testing.assert_close(CoDistillation(2, 1.0, name).penalty(batch())(opposite), torch.full((2, 1), bound))


def test_the_weight_waits_and_rises():
    """Over twenty steps with a burn-in of five and a ramp of four, the weight is 0, then 1/4, 1/2, 3/4, 1 and stays."""
    method = CoDistillation(2, 2.0, "ce", burn_in=0.25, ramp=0.2)
    logits = torch.zeros(2, 1, 4, dtype=torch.float64)
    found = []
    for step in range(20):
        penalty = method.penalty(batch(step, 20))
        found.append(0.0 if penalty is None else penalty(logits)[0, 0].item() / math.log(4))
    np.testing.assert_allclose(found, [0.0] * 5 + [0.5, 1.0, 1.5] + [2.0] * 12)


def test_networks_share_batches_and_differ_in_weights_and_masks(data):
    """The first network has the run's own words; the others share its order and augmentation only."""
    recipe = mitigated(CONTROL, [CoDistillation(3)])
    training = StackedTraining(recipe, architecture(recipe.model), data, (PLAN.seeds(0), PLAN.seeds(1)))
    networks = training.networks
    assert networks[0] == PLAN.seeds(0)
    assert networks[3] == PLAN.seeds(1)
    for stream, words in (("order", 2), ("augment", 2), ("init", 6), ("dropout", 6)):
        assert len({getattr(seeds, stream) for seeds in networks}) == words, stream


def test_cost_and_inference(data):
    """A run costs as many trainings as it has networks, and serves the first of them."""
    recipe = mitigated(CONTROL, [CoDistillation(3)])
    training = StackedTraining(recipe, architecture(recipe.model), data, (PLAN.seeds(0), PLAN.seeds(1)))
    blocks = list(training.blocks([6]))
    alone = StackedTraining(CONTROL, architecture(recipe.model), data, (PLAN.seeds(0), PLAN.seeds(1)))
    assert blocks[0].samples == 3 * next(alone.blocks([6])).samples
    (shard,) = training.shards
    torch.testing.assert_close(training.predict(data.inputs), shard.predict(data.inputs)[::3])


def test_listening_brings_networks_together(data):
    """Networks that learn from each other end closer to each other than ones that do not."""
    control = replace(CONTROL, model=replace(MLP, dropout=0.0), steps=150)
    distances = []
    for method in (CoDistillation(2, 3.0), CoDistillation(2, 0.0, entropy=1e-9)):
        recipe = mitigated(control, [method])
        training = StackedTraining(recipe, architecture(recipe.model), data, (PLAN.seeds(0),))
        list(training.blocks([150]))
        one, other = training.shards[0].predict(data.inputs).softmax(-1)
        distances.append((one - other).abs().sum(-1).mean().item())
    assert distances[0] < 0.5 * distances[1]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: CoDistillation(1), "co-distillation: networks must be 2 or more, .* got 1"),
        (lambda: CoDistillation(weight=-1.0), "co-distillation: weight must be zero or more, got -1.0"),
        (lambda: CoDistillation(divergence="l2"), "co-distillation: divergence must be ce, kl, js or symkl, got 'l2'"),
        (lambda: CoDistillation(burn_in=1.0), r"co-distillation: burn_in must be a share in \[0, 1\), got 1.0"),
        (lambda: CoDistillation(ramp=2.0), r"co-distillation: ramp must be a share in \[0, 1\], got 2.0"),
        (lambda: CoDistillation(entropy=-0.1), "co-distillation: entropy must be zero or more, got -0.1"),
        (
            lambda: mitigated(CONTROL, [CoDistillation(), PredictionEnsemble()]),
            "both train several networks as one run",
        ),
    ],
)
def test_bad_options_are_refused(make, text):
    """Options that make no sense raise before anything is trained, and name method and field."""
    with pytest.raises(RecipeError, match=text):
        make()


def test_text_names_its_options():
    """The command line's text reaches every option, and it goes with methods of other seams."""
    text = "co-distillation:networks=3:divergence=js:burn-in=0.1+label-smoothing"
    assert parse_mitigations(text) == (CoDistillation(3, divergence="js", burn_in=0.1), LabelSmoothing())
