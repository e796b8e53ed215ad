"""Stacked runs against the same runs one by one."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from reseed._errors import ModelError
from reseed.models import ModelConfig, StackedModel, architecture, draw_model
from reseed.training import (
    AverageConfig,
    OptimizerConfig,
    Recipe,
    RecordedSplit,
    ScheduleConfig,
    SeedPlan,
    StackedTraining,
    Training,
    TrainingSet,
    arithmetic,
    check_can_stack,
    group_size,
    run_training,
    trains_apart,
)
from reseed.training._draws import DrawnDropout, Masks
from reseed.training._shard import Shard
from reseed.training._stack import AutogradStack
from reseed.training._stacked_mlp import StackedMlp

PLAN = SeedPlan(5)
SEEDS = tuple(PLAN.seeds(run) for run in range(3))
MODELS = {
    "mlp": ModelConfig("mlp", hidden=(16, 8), dropout=0.3),
    "cnn": ModelConfig("cnn", width=4, hidden=(8,), dropout=0.2),
    "cnn-group": ModelConfig("cnn", width=4, hidden=(8,), norm="group"),
    "cnn-layer": ModelConfig("cnn", width=4, hidden=(8,), norm="layer"),
    "cnn-none": ModelConfig("cnn", width=4, hidden=(8,), norm="none", init_scale=0.5),
    "resnet": ModelConfig("resnet", width=4, dropout=0.1),
    "mlp-input": ModelConfig("mlp", hidden=(8,), crop=5, whiten=True, dropout=0.2),
    "cnn-input": ModelConfig("cnn", width=4, hidden=(8,), crop=5, whiten=True),
    "head": ModelConfig("text-tfidf", hidden=(8,), dropout=0.1),
}
OPTIMIZERS = {
    "sgd": OptimizerConfig("sgd", 0.05, 0.9, 1e-3),
    "adam": OptimizerConfig("adam", 1e-3, weight_decay=1e-3),
    "adamw": OptimizerConfig("adamw", 1e-3, weight_decay=0.1),
    "clipped": OptimizerConfig("sgd", 0.05, 0.9, clip_norm=0.3),
}


def problem(model: str, dtype=torch.float64) -> TrainingSet:
    """Fifty samples of three classes, images or features as the model wants them."""
    generator = torch.Generator().manual_seed(0)
    shape = (12,) if model == "head" else (2, 8, 8)
    inputs = torch.rand(50, *shape, generator=generator)
    return TrainingSet(inputs.to(dtype), torch.randint(0, 3, (50,), generator=generator), 3)


def both(recipe: Recipe, data: TrainingSet, *, bootstrap=False):
    """The same runs as one stack and one by one, on the data's precision."""
    build = architecture(recipe.model)
    stacked = StackedTraining(recipe, build, data, SEEDS, bootstrap=bootstrap)
    single = [Training(recipe, build, data, seeds, bootstrap=bootstrap) for seeds in SEEDS]
    return stacked, single


def assert_equal_trainings(recipe: Recipe, data: TrainingSet, **options) -> None:
    """Assert that rows, inputs and masks are equal bit for bit, losses and predictions to rounding."""
    stacked, single = both(recipe, data, **options)
    for together, *alone in zip(stacked.steps(), *(training.steps() for training in single), strict=True):
        assert torch.equal(together.rows, torch.stack([step.rows for step in alone]))
        assert torch.equal(together.inputs, torch.cat([step.inputs for step in alone]))
        torch.testing.assert_close(together.loss, torch.stack([step.loss for step in alone]))
    expected = torch.cat([training.predict(data.inputs) for training in single])
    torch.testing.assert_close(stacked.predict(data.inputs), expected)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_trains_the_same_stacked(model):
    """In double precision a short stacked training equals the single ones, whatever the layers."""
    recipe = Recipe(
        model=MODELS[model],
        optimizer=OPTIMIZERS["sgd"],
        epochs=3,
        batch_size=16,
        augment="none" if model == "head" else "crop-flip",
    )
    assert_equal_trainings(recipe, problem(model))


def test_dense_layers_answer_many_images_at_once(monkeypatch):
    """Where layers make no channels, every part of the samples reads all weights: parts are as large as of features."""
    data, recipe = problem("mlp"), Recipe(model=MODELS["mlp"], steps=1)
    training = StackedTraining(recipe, architecture(recipe.model), data, SEEDS)
    inputs, sizes = data.inputs.repeat(100, 1, 1, 1), []
    forward = StackedMlp.forward

    def noted(stack, part):
        sizes.append(part.shape[1])
        return forward(stack, part)

    monkeypatch.setattr(StackedMlp, "forward", noted)
    whole = training.predict(inputs)
    assert sizes == [8192 // 3, 5000 - 8192 // 3]
    torch.testing.assert_close(whole, training.predict(data.inputs).repeat(1, 100, 1))


@pytest.mark.parametrize("model", ["cnn", "cnn-group", "cnn-layer", "cnn-none", "resnet", "cnn-input"])
def test_images_train_the_same_in_the_layout_for_accelerators(model):
    """As one network of grouped convolutions, which GPUs are given, runs on images are the single ones too."""
    recipe = Recipe(model=MODELS[model], optimizer=OPTIMIZERS["clipped"], epochs=2, batch_size=16, augment="crop-flip")
    data = problem(model)
    stacked, single = both(recipe, data)
    masks = Masks([seeds.dropout for seeds in SEEDS])
    whole = StackedModel([stacked.draw(seeds.init) for seeds in SEEDS], lambda p: DrawnDropout(p, masks))
    vars(stacked)["shards"] = (Shard(stacked, AutogradStack(whole, masks), slice(0, 3), SEEDS),)
    for together, *alone in zip(stacked.steps(), *(training.steps() for training in single), strict=True):
        torch.testing.assert_close(together.loss, torch.stack([step.loss for step in alone]))
    expected = torch.cat([training.predict(data.inputs) for training in single])
    torch.testing.assert_close(stacked.predict(data.inputs), expected)


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig("small-inception", crop=2, whiten=True),
        ModelConfig("small-inception", crop=2, norm="none"),
        ModelConfig("small-alexnet", crop=3, dropout=0.1),
    ],
    ids=["inception", "inception-none", "alexnet"],
)
def test_large_networks_on_images_train_the_same_in_both_layouts(config):
    """Branches side by side and normalisation over channels keep runs apart, in a stack and one by one."""
    recipe = Recipe(model=config, optimizer=OptimizerConfig("sgd", 0.01), steps=2, batch_size=8)
    assert_equal_trainings(recipe, problem("images"))
    build = architecture(config)
    models = [draw_model(build, (2, 8, 8), 3, seeds.init).double().eval() for seeds in SEEDS]
    whole = StackedModel([copy.deepcopy(model) for model in models], lambda _: nn.Identity()).eval()
    inputs = torch.rand(3, 5, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = torch.stack([model(own) for model, own in zip(models, inputs, strict=True)])
    torch.testing.assert_close(whole(inputs), expected)
    state = whole.state_of(1, models[1])
    assert all(torch.equal(value, state[name]) for name, value in models[1].state_dict().items())


@pytest.mark.parametrize(
    "schedule",
    [
        ScheduleConfig(),
        ScheduleConfig("cosine", 0.2),
        ScheduleConfig("linear"),
        ScheduleConfig("exponential", gamma=0.7),
    ],
)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_and_schedule_trains_the_same_stacked(optimizer, schedule):
    """State, clipping and rates are each run's own: a stacked training equals the single ones."""
    recipe = Recipe(model=MODELS["mlp"], optimizer=OPTIMIZERS[optimizer], schedule=schedule, epochs=3, batch_size=16)
    assert_equal_trainings(recipe, problem("mlp"))


def test_bootstrap_and_odd_batches_are_the_same_stacked():
    """Resamples, a short last batch and a number of steps are those of the single runs."""
    recipe = Recipe(model=MODELS["mlp"], steps=7, batch_size=7)
    assert_equal_trainings(recipe, problem("mlp"), bootstrap=True)
    assert_equal_trainings(replace(recipe, batch_size=49), problem("mlp"))


@pytest.mark.parametrize("model", MODELS)
def test_the_first_steps_agree_in_single_precision(model):
    """In float32 the first steps agree closely."""
    data = problem(model, torch.float32)
    stacked, single = both(Recipe(model=MODELS[model], steps=3, batch_size=16), data)
    for together, *alone in zip(stacked.steps(), *(training.steps() for training in single), strict=True):
        torch.testing.assert_close(together.loss, torch.stack([step.loss for step in alone]), rtol=1e-4, atol=1e-5)


def test_initial_weights_are_bit_for_bit_those_of_the_single_runs():
    """Stacking copies each run's draws and rounds nothing."""
    build = architecture(MODELS["mlp"])
    models = [draw_model(build, (2, 8, 8), 3, seeds.init) for seeds in SEEDS]
    stacked = StackedModel(models, lambda _: nn.Identity())
    for run, model in enumerate(models):
        assert torch.equal(stacked.body[1].weight[run].T, model[1].weight)
        assert torch.equal(stacked.body[1].bias[run, 0], model[1].bias)


@pytest.mark.parametrize("model", ["mlp", "resnet"])
def test_a_run_does_not_depend_on_its_neighbours(model):
    """A run's losses are the same to rounding in another stack."""
    recipe, data = Recipe(model=MODELS[model], epochs=2, batch_size=16), problem(model)
    build = architecture(recipe.model)

    def losses(seeds):
        training = StackedTraining(recipe, build, data, seeds)
        return torch.stack([step.loss for step in training.steps()])

    torch.testing.assert_close(losses(SEEDS)[:, 1], losses((SEEDS[1], SEEDS[0]))[:, 0])


class Keep:
    """A sink that keeps labels."""

    def __init__(self):
        self.labels = []

    def write(self, split, checkpoint, arrays):
        """Append the labels."""
        self.labels.append(arrays["labels"])


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_a_diverged_run_leaves_its_neighbours_alone(model):
    """A run whose weights become infinite is marked at its step; the others end where they would have."""
    recipe, data = Recipe(model=MODELS[model], epochs=2, batch_size=16), problem(model)
    split = RecordedSplit("evaluation", data.inputs, data.labels.numpy())
    stacked, single = both(recipe, data)
    with torch.no_grad():
        for shard in stacked.shards:
            if 1 in range(shard.runs.start, shard.runs.stop):
                weight = shard.stack.trained[0]
                weight.view(shard.runs.stop - shard.runs.start, -1)[1 - shard.runs.start] = torch.inf
    sinks = [Keep() for _ in SEEDS]
    outcomes = run_training(stacked, (4, 8), (split,), "labels", sinks)
    assert [outcome.diverged_at for outcome in outcomes] == [None, 1, None]
    assert [len(sink.labels) for sink in sinks] == [2, 0, 2]
    assert (outcomes[0].steps, outcomes[0].samples_seen, outcomes[0].forward_passes) == (8, 100, 100)
    for run in (0, 2):
        alone = Keep()
        (expected,) = run_training(single[run], (4, 8), (split,), "labels", [alone])
        assert outcomes[run].accuracy == expected.accuracy
        assert all((a == b).all() for a, b in zip(alone.labels, sinks[run].labels, strict=True))


LARGE = ModelConfig("mlp", hidden=(256,), dropout=0.1)


@pytest.fixture
def two_threads():
    """Two threads of arithmetic inside, what there was before after it."""
    with arithmetic(2):
        yield


@pytest.mark.parametrize("model", [LARGE, MODELS["cnn"]], ids=["large layers", "images"])
def test_threads_share_the_runs_of_a_program(model, two_threads):
    """Runs that fill a core are spread over threads; losses and predictions are those of one thread to rounding."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(160, 2, 16, 16, generator=generator)
    data = TrainingSet(images, torch.randint(0, 3, (160,), generator=generator), 3)
    recipe = Recipe(model=model, epochs=2, batch_size=64, average=AverageConfig("swa", 0.5))

    def trained(threads):
        with arithmetic(threads):
            stacked = StackedTraining(recipe, architecture(model), data, SEEDS)
            losses = torch.cat([block.losses for block in stacked.blocks([2, 3, 6])])
            return stacked, losses, stacked.predict(images)

    together, losses, predicted = trained(2)
    _, expected_losses, expected = trained(1)
    assert trains_apart(together)
    assert len(together.shards) > 1
    torch.testing.assert_close(losses, expected_losses)
    torch.testing.assert_close(predicted, expected)
    assert torch.get_num_threads() == 2


def test_small_networks_step_together():
    """Networks too small to fill a core are one shard, whatever the threads."""
    stacked, _ = both(Recipe(model=MODELS["mlp"]), problem("mlp"))
    assert not trains_apart(stacked)
    assert len(stacked.shards) == 1


@pytest.mark.parametrize("model", MODELS)
def test_blocks_are_the_same_training_as_steps(model):
    """Going from stop to stop gives the losses of single steps, and counts the samples."""
    recipe, data = Recipe(model=MODELS[model], epochs=2, batch_size=16), problem(model)
    stepped, single = both(recipe, data)
    blocked, _ = both(recipe, data)
    losses = torch.stack([step.loss for step in stepped.steps()])
    blocks = list(blocked.blocks([1, 5, 8]))
    assert torch.equal(torch.cat([block.losses for block in blocks]), losses)
    assert [block.samples for block in blocks] == [16, 16 * 2 + 2 + 16, 16 * 2 + 2]
    assert [block.samples for block in single[0].blocks([1, 5, 8])] == [block.samples for block in blocks]


def test_a_stack_whose_runs_all_diverge_ends():
    """When no run is left, training stops."""
    data = problem("mlp")
    recipe = Recipe(model=MODELS["mlp"], epochs=50, batch_size=16)
    split = RecordedSplit("evaluation", data.inputs, data.labels.numpy())
    stacked, _ = both(recipe, data)
    with torch.no_grad():
        stacked.trained[0].fill_(torch.inf)
    outcomes = run_training(stacked, (200,), (split,), "labels", [Keep() for _ in SEEDS])
    assert all(outcome.diverged_at is not None and outcome.steps < 200 for outcome in outcomes)


class Odd(nn.Module):
    """A layer nobody stacks."""

    def forward(self, x):
        """Do nothing."""
        return x


def test_global_random_state_is_left_as_it_was():
    """Stacking, checking and training touch no global generator."""
    recipe, data = Recipe(model=MODELS["mlp"], epochs=1, batch_size=16), problem("mlp")
    torch.manual_seed(123)
    before = torch.get_rng_state()
    stacked = StackedTraining(recipe, architecture(recipe.model), data, SEEDS)
    check_can_stack(stacked)
    assert 2 <= group_size(replace(stacked, data=problem("mlp", torch.float32))) <= 64
    for _ in stacked.steps():
        pass
    assert torch.equal(before, torch.get_rng_state())


def test_what_cannot_be_stacked_is_named():
    """An unknown layer is refused with the reason and the way out."""
    with pytest.raises(ModelError, match=r"has a layer Odd\(\) that works on one run at a time only. Choose"):
        StackedModel([nn.Sequential(nn.Flatten(), Odd())], lambda _: nn.Identity())
    with pytest.raises(ModelError, match="has a layer Conv2d"):
        StackedModel([nn.Conv2d(4, 4, 3, groups=2)], lambda _: nn.Identity())
    for model in MODELS.values():
        recipe = Recipe(model=model)
        data = problem("head" if model.name == "text-tfidf" else model.name)
        check_can_stack(StackedTraining(recipe, architecture(model), data, SEEDS))
