"""Dropout passes: their masks, what is recorded of them, and that they leave everything as it was."""

import copy

import numpy as np
import pytest
import scipy.stats
import torch
from torch import nn

from reseed import ModelError, RecipeError
from reseed.models import AbstractArchitecture, ModelConfig, architecture
from reseed.training import (
    AverageConfig,
    Recipe,
    RecordConfig,
    RecordedSplit,
    Seeds,
    StackedTraining,
    Training,
    TrainingSet,
    check_dropout,
    run_training,
)
from reseed.training._draws import draw_key, keep_mask
from reseed.training._passes import DropoutPasses, pass_step

PLAN = [Seeds(init=1 + run, order=20 + run, dropout=300 + run, augment=4, data=5) for run in range(3)]
MODELS = [
    ModelConfig("mlp", hidden=(12, 6), dropout=0.3),
    ModelConfig("cnn", width=4, dropout=0.3),
]


class Foreign(AbstractArchitecture):
    """A factory of networks that reseed does not know."""

    @property
    def is_native(self):
        """No."""
        return False

    def prepare(self, splits, cache, announce):
        """Not needed here."""
        raise NotImplementedError

    def build(self, input_shape, num_classes):
        """Make a network with two kinds of dropout and batch statistics."""
        return nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout2d(0.3), nn.Flatten(), nn.Dropout(0.2), nn.Linear(144, 3)
        )


class Keep:
    """A sink that keeps what it is given."""

    def __init__(self):
        self.found = {}

    def write(self, split, checkpoint, arrays):
        """Keep it."""
        self.found[split, checkpoint] = arrays


def trained(images, recipe, seeds):
    """A training of one run, or of several as one program, at its end."""
    kind = Training if isinstance(seeds, Seeds) else StackedTraining
    training = kind(recipe, architecture(recipe.model), images, seeds)
    for _ in training.steps():
        pass
    return training


def test_mlp_equals_a_forward_pass_by_hand(images):
    """Logits are those of the layers written out, with masks from the stream of the pass, in double precision."""
    recipe = Recipe(model=MODELS[0], epochs=2, batch_size=16)
    training = trained(images, recipe, PLAN[0])
    found = training.predict_dropped(images.inputs, 3)[0]
    layers = [layer for layer in training.model.modules() if isinstance(layer, nn.Linear)]
    hidden = images.inputs.flatten(1).double()
    for place, layer in enumerate(layers):
        hidden = hidden @ layer.weight.double().T + layer.bias.double()
        if place < len(layers) - 1:
            key = draw_key(PLAN[0].dropout, pass_step(3, 0), place + 1)
            mask = keep_mask([key], (hidden.numel(),), 0.3, torch.device("cpu"))[0].view_as(hidden)
            hidden = hidden.relu() * mask.double()
    torch.testing.assert_close(found.double(), hidden, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("average", ["none", "swa"])
def test_several_runs_as_one_program_give_the_same(images, model, average):
    """A pass of a stacked run is that of the run by itself, up to rounding; other passes differ."""
    recipe = Recipe(model=model, epochs=2, batch_size=16, average=AverageConfig(average))
    stacked = trained(images, recipe, tuple(PLAN))
    for run, seeds in enumerate(PLAN):
        single = trained(images, recipe, seeds)
        one = single.predict_dropped(images.inputs, 1)[0]
        torch.testing.assert_close(stacked.predict_dropped(images.inputs, 1)[run], one, rtol=1e-3, atol=1e-4)
        assert not torch.allclose(single.predict_dropped(images.inputs, 2)[0], one)
        torch.testing.assert_close(single.predict_dropped(images.inputs, 1)[0], one, rtol=0, atol=0)


def test_foreign_models_mapped_over_runs_give_the_same(images):
    """A model of the user's own drops alike by itself and mapped over runs, and torch's generator is not touched."""
    recipe = Recipe(epochs=1, batch_size=16)
    stacked = StackedTraining(recipe, Foreign(ModelConfig()), images, tuple(PLAN))
    singles = [Training(recipe, Foreign(ModelConfig()), images, seeds) for seeds in PLAN]
    for training in (stacked, *singles):
        for _ in training.steps():
            pass
    random = torch.get_rng_state()
    found = stacked.predict_dropped(images.inputs, 1)
    for run, single in enumerate(singles):
        one = single.predict_dropped(images.inputs, 1)[0]
        torch.testing.assert_close(found[run], one, rtol=1e-3, atol=1e-4)
        assert not torch.allclose(one, single.predict(images.inputs)[0])
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("together", [False, True])
def test_nothing_is_touched(images, model, together):
    """Weights, batch statistics, modes, predictions and torch's generator are bit for bit what they were."""
    recipe = Recipe(model=model, epochs=1, batch_size=16)
    training = trained(images, recipe, tuple(PLAN) if together else PLAN[0])
    modules = [shard.stack for shard in training.shards] if together else [training.model]
    tensors = [*training.trained, *(buffer for module in modules for buffer in module.buffers())]
    before, random = copy.deepcopy(tensors), torch.get_rng_state()
    modes = [part.training for module in modules for part in module.modules()]
    logits = training.predict(images.inputs)
    dropped = training.predict_dropped(images.inputs, 0)
    assert not dropped.requires_grad
    assert not torch.equal(dropped, logits)
    assert all(torch.equal(one, other) for one, other in zip(before, tensors, strict=True))
    assert [part.training for module in modules for part in module.modules()] == modes
    assert torch.equal(training.predict(images.inputs), logits)
    assert torch.equal(torch.get_rng_state(), random)


def test_batches_have_masks_of_their_own():
    """Samples beyond the first thousand get other masks, the same whatever the number of runs."""
    generator = torch.Generator().manual_seed(0)
    row = torch.rand(1, 1, 4, 4, generator=generator)
    images = TrainingSet(row.expand(1500, 1, 4, 4).contiguous(), torch.arange(1500) % 2, 2)
    recipe = Recipe(model=ModelConfig("mlp", hidden=(16,), dropout=0.5), steps=2, batch_size=16)
    single = trained(images, recipe, PLAN[0]).predict_dropped(images.inputs, 0)[0]
    stacked = trained(images, recipe, tuple(PLAN)).predict_dropped(images.inputs, 0)[0]
    assert not torch.equal(single[:476], single[1024:])
    torch.testing.assert_close(single, stacked, rtol=1e-4, atol=1e-5)


def test_arrays_equal_plain_loops():
    """Entropy is scipy's of the counts of labels, the margin a mean over passes with the sign of the last label."""
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(7, 30, 4)), rng.integers(0, 4, 30)
    passes = DropoutPasses(labels)
    for each in logits:
        passes.add(torch.tensor(each))
    arrays = passes.arrays()
    for sample in range(30):
        answers = logits[:, sample].argmax(1)
        assert arrays["label_entropy"][sample] == pytest.approx(scipy.stats.entropy(np.bincount(answers)), abs=1e-12)
        margins = []
        for row, answer in zip(logits[:, sample], answers, strict=True):
            p = np.sort(np.exp(row) / np.exp(row).sum())
            margins.append((p[-1] - p[-2]) * (1 if answer == labels[sample] else -1))
        assert arrays["margin"][sample] == pytest.approx(np.mean(margins), abs=1e-6)


def test_they_are_recorded_once_and_counted(images):
    """After the last checkpoint each run's sink gets the passes of the first split; every predicted sample counts."""
    recipe = Recipe(model=MODELS[0], epochs=2, batch_size=16)
    split = RecordedSplit("evaluation", images.inputs[:20], images.labels[:20].numpy())
    with_them, without = [Keep() for _ in PLAN], [Keep() for _ in PLAN]
    for sinks, passes in ((with_them, 4), (without, 0)):
        training = StackedTraining(recipe, architecture(recipe.model), images, tuple(PLAN))
        outcomes = run_training(training, (5, 10), (split,), "scores", sinks, passes)
        assert [outcome.forward_passes for outcome in outcomes] == [20 * (2 + passes)] * 3
    for one, other in zip(with_them, without, strict=True):
        assert set(one.found) - set(other.found) == {("dropout", 0)}
        for place, arrays in other.found.items():
            for name, values in arrays.items():
                np.testing.assert_array_equal(one.found[place][name], values)
        assert set(one.found["dropout", 0]) == {"label_entropy", "margin"}


def test_models_without_dropout_are_refused():
    """A model whose passes would all be equal is refused with what to do."""
    check_dropout(nn.Sequential(nn.Linear(2, 2), nn.Dropout2d(0.1)), "mine")
    for model in (nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.0))):
        with pytest.raises(ModelError, match=r"model 'mine' has no dropout layer .* train it with dropout \(dropout="):
            check_dropout(model, "mine")


@pytest.mark.parametrize("passes", [-1, 1, 1001])
def test_numbers_of_passes(passes):
    """One pass has no entropy, and thousands are a mistake."""
    with pytest.raises(RecipeError, match=f"dropout_passes must be 0, or 2 to 1000, got {passes:,}"):
        RecordConfig(dropout_passes=passes)
