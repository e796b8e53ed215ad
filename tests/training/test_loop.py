"""The training loop against hand-written PyTorch, and its promises about randomness."""

import random
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from reseed.models import ModelConfig, architecture
from reseed.training import (
    OptimizerConfig,
    Recipe,
    RecordedSplit,
    ScheduleConfig,
    Training,
    lr_factor,
    run_training,
)


class Discard:
    """A sink that keeps nothing."""

    def write(self, split, checkpoint, arrays):
        """Forget the arrays."""


def weights(training: Training) -> dict[str, torch.Tensor]:
    """Parameters and buffers of a training's model."""
    return training.model.state_dict()


def assert_same(one: Training, other: Training) -> None:
    """Assert that two models are equal bit for bit."""
    for name, tensor in weights(one).items():
        assert torch.equal(tensor, weights(other)[name]), name


@pytest.mark.parametrize(
    ("config", "build"),
    [
        (OptimizerConfig("sgd", 0.1, 0.9, 1e-3), partial(torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=1e-3)),
        (OptimizerConfig("adam", 1e-2, weight_decay=1e-3), partial(torch.optim.Adam, lr=1e-2, weight_decay=1e-3)),
        (
            OptimizerConfig("adamw", 1e-2, weight_decay=0.1, clip_norm=0.5),
            partial(torch.optim.AdamW, lr=1e-2, weight_decay=0.1),
        ),
    ],
)
@pytest.mark.parametrize(
    "schedule", [ScheduleConfig(), ScheduleConfig("cosine", 0.2), ScheduleConfig("exponential", gamma=0.7)]
)
def test_training_equals_a_hand_written_loop(images, seeds, train, config, build, schedule):
    """Weights after training equal, bit for bit, those of a plain loop with the same draws."""
    recipe = Recipe(model=ModelConfig(hidden=(16,)), optimizer=config, schedule=schedule, epochs=3, batch_size=16)
    ours = train(recipe)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds.init)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer, step = build(model.parameters(), fused=True), 0
    for epoch in range(3):
        key = (int.from_bytes(b"reseed", "little"), epoch)
        order = np.random.default_rng(np.random.SeedSequence(seeds.order, spawn_key=key)).permutation(70)
        for start in range(0, 70, 16):
            rows = order[start : start + 16]
            loss = nn.functional.cross_entropy(model(images.inputs[rows]), images.labels[rows])
            optimizer.zero_grad()
            loss.backward()
            if config.clip_norm:
                nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
            optimizer.param_groups[0]["lr"] = config.lr * lr_factor(schedule, step, 15, 5)
            optimizer.step()
            step += 1
    for mine, theirs in zip(ours.model.parameters(), model.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_equal_seeds_agree_and_each_stream_matters(train, busy_recipe, seeds):
    """The same words give the same weights; another word in any stream gives others."""
    first = train(busy_recipe, bootstrap=True)
    assert_same(first, train(busy_recipe, bootstrap=True))
    for stream in ("init", "order", "dropout", "augment", "data"):
        other = train(busy_recipe, bootstrap=True, seeds=replace(seeds, **{stream: 99}))
        differing = [n for n, tensor in weights(first).items() if not torch.equal(tensor, weights(other)[n])]
        assert differing, stream


def test_initial_weights_depend_on_the_init_word_only(images, busy_recipe, seeds):
    """Other streams leave the initial weights alone."""
    build = architecture(busy_recipe.model)
    one = Training(busy_recipe, build, images, seeds)
    other = Training(busy_recipe, build, images, replace(seeds, order=1, dropout=1, augment=1, data=1))
    assert_same(one, other)


@pytest.mark.parametrize("every", [(1,), tuple(range(1, 11))])
def test_recording_leaves_the_trajectory_bit_identical(images, seeds, train, busy_recipe, every):
    """Weights and batch-norm statistics are the same with and without recording, however often."""
    recorded = Training(busy_recipe, architecture(busy_recipe.model), images, seeds)
    splits = (
        RecordedSplit("evaluation", images.inputs[:20], images.labels[:20].numpy()),
        RecordedSplit("train", images.inputs, images.labels.numpy()),
    )
    run_training(recorded, every, splits, "full", [Discard()])
    assert_same(recorded, train(busy_recipe))


def test_global_random_state_is_left_as_it_was(train, busy_recipe):
    """Training touches neither torch's, numpy's nor Python's global generators."""
    torch.manual_seed(123)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    train(busy_recipe)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1:] == (random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002


def test_global_seed_does_not_matter(train, busy_recipe):
    """Whatever the global seed is, the training is the same."""
    torch.manual_seed(1)
    first = train(busy_recipe)
    torch.manual_seed(2)
    assert_same(first, train(busy_recipe))


def test_every_epoch_sees_every_sample_once(images, seeds):
    """Batches of one epoch are a permutation of the rows, and epochs differ."""
    training = Training(Recipe(epochs=2, batch_size=16), architecture(ModelConfig()), images, seeds)
    rows = [step.rows for step in training.steps()]
    epochs = torch.cat(rows[:5]), torch.cat(rows[5:])
    assert all(sorted(epoch.tolist()) == list(range(70)) for epoch in epochs)
    assert not torch.equal(*epochs)


def test_a_last_batch_of_one_is_left_out(images, seeds):
    """Seventy samples in batches of 23 make three batches, not a fourth of one sample."""
    training = Training(Recipe(epochs=1, batch_size=23), architecture(ModelConfig()), images, seeds)
    assert [len(step.rows) for step in training.steps()] == [23, 23, 23]
    single = Training(Recipe(epochs=1, batch_size=1), architecture(ModelConfig()), images, seeds)
    assert single.steps_per_epoch == 70


def test_steps_stop_in_the_middle_of_an_epoch(images, seeds):
    """A number of steps takes precedence over epochs."""
    training = Training(Recipe(epochs=9, steps=7, batch_size=16), architecture(ModelConfig()), images, seeds)
    assert [step.number for step in training.steps()] == [1, 2, 3, 4, 5, 6, 7]


def test_bootstrap_resamples_with_replacement(images, seeds):
    """A bootstrap epoch has the size of the training set but repeats samples, the same ones every epoch."""
    recipe = Recipe(epochs=2, batch_size=70)
    training = Training(recipe, architecture(ModelConfig()), images, seeds, bootstrap=True)
    first, second = (sorted(step.rows.tolist()) for step in training.steps())
    assert len(first) == 70
    assert first == second
    assert len(set(first)) < 60


def test_divergence_is_reported_with_its_step(images, seeds):
    """A run whose loss stops being finite ends there and says at which step."""
    recipe = Recipe(optimizer=OptimizerConfig("sgd", lr=1e30), epochs=5, batch_size=16)
    training = Training(recipe, architecture(recipe.model), images, seeds)
    losses = []
    for step in Training(recipe, architecture(recipe.model), images, seeds).steps():
        losses.append(float(step.loss))
    expected = 1 + next(i for i, loss in enumerate(losses) if not np.isfinite(loss))
    split = RecordedSplit("evaluation", images.inputs, images.labels.numpy())
    (outcome,) = run_training(training, (25,), (split,), "labels", [Discard()])
    assert outcome.diverged_at == expected
    assert np.isnan(outcome.accuracy)


def test_outcome_counts_the_cost(images, seeds):
    """Steps, samples seen and forward passes are what was done."""
    recipe = Recipe(epochs=2, batch_size=16)
    training = Training(recipe, architecture(recipe.model), images, seeds)
    split = RecordedSplit("evaluation", images.inputs[:30], images.labels[:30].numpy())
    (outcome,) = run_training(training, (5, 10), (split,), "scores", [Discard()])
    assert (outcome.steps, outcome.samples_seen, outcome.forward_passes) == (10, 140, 60)
    predicted = training.model.eval()(images.inputs[:30]).argmax(1)
    assert outcome.accuracy == pytest.approx(float((predicted == images.labels[:30]).float().mean()))


class Foreign(nn.Module):
    """A model that draws random numbers in ways that no dropout function shows."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 6, num_layers=2, dropout=0.5, batch_first=True)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        """Run the rows of the image through the LSTM, with noise in training."""
        x = x[:, 0] + (0.1 * torch.randn_like(x[:, 0]) if self.training else 0)
        return self.head(self.lstm(x)[0][:, -1])


def foreign(input_shape, num_classes):
    """A factory for `Foreign`."""
    return Foreign()


def test_foreign_models_draw_from_the_dropout_stream(train, seeds, monkeypatch):
    """Noise and LSTM dropout inside foreign code are a function of the dropout word."""
    import sys

    monkeypatch.setitem(sys.modules, "foreign_model", sys.modules[__name__])
    recipe = Recipe(model=ModelConfig("foreign_model:foreign"), epochs=1, batch_size=35)
    torch.manual_seed(1)
    first = train(recipe)
    torch.manual_seed(2)
    assert_same(first, train(recipe))
    other = train(recipe, seeds=replace(seeds, dropout=1))
    assert not torch.equal(first.model.head.weight, other.model.head.weight)
