"""Watching a training."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from reseed._errors import InputError
from reseed.mitigations import PredictionEnsemble, Sam, entropy
from reseed.models import ModelConfig, architecture
from reseed.training import (
    GradientNormRecorder,
    OptimizerConfig,
    Recipe,
    SeedPlan,
    StackedTraining,
    Training,
    gradient_norms,
    mitigated,
)

SGD = OptimizerConfig("sgd", lr=0.1, momentum=0.0)
MLP = Recipe(model=ModelConfig("mlp", hidden=(8,), dropout=0.2), optimizer=SGD, epochs=2, batch_size=16)
CNN = replace(MLP, model=ModelConfig("cnn", width=4, hidden=(8,)))


@pytest.fixture
def start(images):
    """A function that begins a training of two runs as one program, or of the first one by itself."""

    def begin(recipe: Recipe, *, stacked: bool, monitor: bool = True) -> Training | StackedTraining:
        seeds = tuple(SeedPlan(3).seeds(run) for run in range(2))
        build = architecture(recipe.model)
        if stacked:
            return StackedTraining(recipe, build, images, seeds, monitor=monitor)
        return Training(recipe, build, images, seeds[0], monitor=monitor)

    return begin


@pytest.mark.parametrize("recipe", [MLP, CNN], ids=["mlp", "cnn"])
def test_norms_are_those_of_the_updates(recipe, start, images):
    """Without momentum a step's update is the learning rate times the gradient, so that its length is known."""
    training = start(recipe, stacked=False)
    before = torch.cat([value.detach().flatten().clone() for value in training.model.parameters()])
    for step in training.steps():
        after = torch.cat([value.detach().flatten().clone() for value in training.model.parameters()])
        torch.testing.assert_close(step.gradient_norm[0], (before - after).norm() / 0.1, rtol=1e-4, atol=1e-6)
        before = after


@pytest.mark.parametrize("recipe", [MLP, CNN], ids=["mlp", "cnn"])
@pytest.mark.parametrize("clip", [None, 0.1])
def test_each_run_of_a_stack_has_its_own_signals(recipe, clip, start):
    """Signals of a run in a stack are those of the run by itself; they are taken before clipping."""
    recipe = replace(recipe, optimizer=replace(SGD, clip_norm=clip))
    alone, together = start(recipe, stacked=False), start(recipe, stacked=True)
    (one,), (both,) = (list(training.blocks([training.total_steps])) for training in (alone, together))
    assert set(one.signals) == {"loss", "gradient_norm", "entropy"}
    for name, values in one.signals.items():
        assert values.shape == (alone.total_steps, 1)
        torch.testing.assert_close(both.signals[name][:, :1], values, rtol=1e-3, atol=1e-4)
        assert not torch.allclose(both.signals[name][:, 1:], values, rtol=1e-2)
    torch.testing.assert_close(one.signals["loss"], one.losses)
    assert (one.signals["gradient_norm"] > 0.1).any()


def test_entropy_is_that_of_the_batch(start):
    """The recorded entropy is the mean of the batch's predictions in training mode."""
    steps = [step.logits.clone() for step in start(MLP, stacked=True).steps()]
    (block,) = start(MLP, stacked=True).blocks([len(steps)])
    expected = torch.stack([entropy(logits).mean(1) for logits in steps])
    torch.testing.assert_close(block.signals["entropy"], expected)


@pytest.mark.parametrize("stacked", [True, False])
@pytest.mark.parametrize("recipe", [MLP, CNN, mitigated(MLP, [Sam(0.1)])], ids=["mlp", "cnn", "sam"])
def test_monitoring_changes_nothing(recipe, stacked, start, images):
    """Predictions are bit for bit those of a training that nobody watches."""
    found = []
    for monitor in (True, False):
        training = start(recipe, stacked=stacked, monitor=monitor)
        state = torch.get_rng_state()
        (block,) = training.blocks([training.total_steps])
        assert torch.equal(torch.get_rng_state(), state)
        assert bool(block.signals) == monitor
        found.append(training.predict(images.inputs))
    assert torch.equal(*found)


def test_a_run_of_several_networks_has_their_mean(start):
    """The signals of an ensemble are the means over its networks."""
    recipe = mitigated(MLP, [PredictionEnsemble(3)])
    steps = [step.gradient_norm for step in start(recipe, stacked=True).steps()]
    (block,) = start(recipe, stacked=True).blocks([len(steps)])
    torch.testing.assert_close(block.signals["gradient_norm"], torch.stack(steps).view(-1, 2, 3).mean(-1))


def test_the_recorder_gives_the_norm_and_its_mean():
    """Norms are those of all gradients at once; the exponential mean is its recurrence; frozen weights do not count."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    model[0].bias.requires_grad_(False)
    recorder, expected = GradientNormRecorder(model, ema=0.75), []
    for _ in range(5):
        model.zero_grad()
        nn.functional.cross_entropy(model(torch.randn(8, 4)), torch.zeros(8, dtype=torch.int64)).backward()
        recorder.record()
        expected.append(float(nn.utils.clip_grad_norm_(model.parameters(), 1e9)))
    np.testing.assert_allclose(recorder.norms, expected, rtol=1e-6)
    mean = expected[0]
    for step in range(5):
        mean = 0.75 * mean + 0.25 * expected[step]
        assert recorder.smoothed[step] == pytest.approx(mean, rel=1e-6)


def test_no_gradient_has_norm_zero():
    """Before any backward pass the norm is zero."""
    assert gradient_norms([torch.zeros(3, requires_grad=True)], runs=3).tolist() == [0.0] * 3


@pytest.mark.parametrize(
    ("model", "ema", "message"),
    [([torch.zeros(1)], 1.0, r"ema must be in \[0, 1\), got 1.0"), ([], 0.0, r"model has no parameters")],
)
def test_bad_arguments_are_refused(model, ema, message):
    """Each mistake is named with its value."""
    with pytest.raises(InputError, match=message):
        GradientNormRecorder(model, ema)
