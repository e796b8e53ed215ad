"""Stacked runs of models that reseed does not know, against the same runs one by one."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from reseed._errors import ModelError
from reseed.models import AbstractArchitecture, ModelConfig, VmappedModel, draw_model, vmapped_model
from reseed.models._fine_tuned import FineTunedEncoder, Trimmed
from reseed.training import (
    DropoutDraws,
    OptimizerConfig,
    Recipe,
    RecordedSplit,
    ScheduleConfig,
    SeedPlan,
    StackedTraining,
    Training,
    TrainingSet,
    check_can_stack,
    group_size,
    run_training,
)
from reseed.training._draws import Masks
from reseed.training._memory import bytes_of_one_run

SEEDS = tuple(SeedPlan(5).seeds(run) for run in range(3))
SGD = OptimizerConfig("sgd", 0.05, 0.9, 1e-3)
OPTIMIZERS = {
    "sgd": SGD,
    "adam": OptimizerConfig("adam", 1e-3, weight_decay=1e-3),
    "adamw": OptimizerConfig("adamw", 1e-3, weight_decay=0.1),
    "clipped": OptimizerConfig("sgd", 0.05, 0.9, clip_norm=0.3),
}


@dataclass(frozen=True)
class Foreign(AbstractArchitecture):
    """A factory from this file."""

    make: Callable[[], nn.Module]

    @property
    def is_native(self):
        """No."""
        return False

    def prepare(self, splits, cache, announce):
        """Not needed here."""
        raise NotImplementedError

    def build(self, input_shape, num_classes):
        """Call the factory."""
        return self.make()


def cnn():
    """Batch norm and dropout of both kinds between convolutions that work in place."""
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.Dropout2d(0.2),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(36, 8),
        nn.BatchNorm1d(8, momentum=None),
        nn.Dropout(0.3, inplace=True),
        nn.Linear(8, 3),
    )


def transformer():
    """Torch's own encoder layers on the rows of an image."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.2, batch_first=True)
    return nn.Sequential(nn.Flatten(1, 2), nn.TransformerEncoder(layer, 2), nn.Flatten(), nn.Linear(128, 3))


class Tied(nn.Module):
    """One matrix that goes there and back."""

    def __init__(self):
        super().__init__()
        self.there, self.back, self.head = nn.Linear(128, 6), nn.Linear(6, 128, bias=False), nn.Linear(128, 3)
        self.back.weight = nn.Parameter(self.there.weight.detach().T.clone())
        self.again = nn.Linear(128, 6)
        self.again.weight = self.there.weight

    def forward(self, x):
        """Return logits."""
        x = self.there(x.flatten(1)).tanh()
        return self.head(self.back(x) + self.back(self.again(self.back(x))))


class Frozen(nn.Module):
    """A frozen layer that is the same in all runs, one that is drawn anew, and a mean that is put anew each time."""

    def __init__(self):
        super().__init__()
        self.same, self.drawn, self.head = nn.Linear(128, 8), nn.Linear(8, 8), nn.Linear(8, 3)
        with torch.no_grad():
            self.same.weight.copy_(torch.linspace(-1, 1, 1024).view(8, 128))
            self.same.bias.zero_()
        for parameter in (*self.same.parameters(), *self.drawn.parameters()):
            parameter.requires_grad_(False)
        self.register_buffer("mean", torch.zeros(8))
        self.register_buffer("position", torch.arange(8))

    def forward(self, x):
        """Return logits of what deviates from the running mean."""
        x = self.drawn(self.same(x.flatten(1)).tanh())[:, self.position]
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.mean(0).detach()
        return self.head(x - self.mean)


def encoder(kind, attention):
    """Return a factory of tiny pre-trained encoders under a head, with dropout everywhere."""

    def make():
        transformers = pytest.importorskip("transformers", reason="needs the extra `text`")
        size = {"vocab_size": 30, "max_position_embeddings": 16, "attn_implementation": attention}
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            if kind == "bert":
                inside = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12}
                body = transformers.BertModel(transformers.BertConfig(**size, **inside))
            else:
                inside = {"dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 12}
                body = transformers.DistilBertModel(transformers.DistilBertConfig(**size, **inside))
        head = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Dropout(0.2), nn.Linear(6, 3))
        return Trimmed(FineTunedEncoder(body, head, padding_id=0), padding_id=0)

    return make


TEXT = {
    f"{kind}-{attention}": encoder(kind, attention)
    for kind in ("bert", "distilbert")
    for attention in ("sdpa", "eager")
}
MODELS = {"cnn": cnn, "transformer": transformer, "tied": Tied, "frozen": Frozen, **TEXT}
FAMILIES = [pytest.param(name, marks=[pytest.mark.text] * (name in TEXT)) for name in MODELS]
TWO = [pytest.param(name, marks=[pytest.mark.text] * (name in TEXT)) for name in ("cnn", "bert-sdpa")]


def problem(model: str, dtype=torch.float64) -> TrainingSet:
    """Fifty samples of three classes: images, or texts of two to eleven tokens padded to twelve."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 3, (50,), generator=generator)
    if model not in TEXT:
        return TrainingSet(torch.rand(50, 2, 8, 8, generator=generator).to(dtype), labels, 3)
    tokens = torch.randint(1, 30, (50, 12), generator=generator)
    lengths = torch.randint(2, 12, (50, 1), generator=generator)
    return TrainingSet(tokens.where(torch.arange(12) < lengths, 0), labels, 3)


def foreign(make) -> Foreign:
    """The architecture of a factory."""
    return Foreign(ModelConfig("own:net"), make)


def both(model: str, data: TrainingSet, dtype=torch.float64, **changes):
    """The same runs as one stack and one by one, in a precision."""
    recipe = Recipe(**{"optimizer": SGD, "epochs": 3, "batch_size": 16} | changes)
    stacked = StackedTraining(recipe, foreign(MODELS[model]), data, SEEDS)
    single = [Training(recipe, foreign(MODELS[model]), data, seeds) for seeds in SEEDS]
    for module in (stacked.shards[0].stack, *(training.model for training in single)):
        module.to(dtype)
    return stacked, single


def assert_equal_trainings(model: str, **changes) -> None:
    """Assert that rows and inputs are equal bit for bit, losses and predictions to rounding."""
    data = problem(model)
    stacked, single = both(model, data, **changes)
    for together, *alone in zip(stacked.steps(), *(training.steps() for training in single), strict=True):
        assert torch.equal(together.rows, torch.stack([step.rows for step in alone]))
        assert torch.equal(together.inputs, torch.cat([step.inputs for step in alone]))
        torch.testing.assert_close(together.loss, torch.stack([step.loss for step in alone]))
    expected = torch.cat([training.predict(data.inputs) for training in single])
    torch.testing.assert_close(stacked.predict(data.inputs), expected)


@pytest.mark.parametrize("model", FAMILIES)
def test_every_family_trains_the_same_stacked(model):
    """In double precision a short stacked training equals the single ones, dropout, padding and statistics included."""
    assert_equal_trainings(model, augment="none" if model in TEXT else "crop-flip")


@pytest.mark.parametrize(
    "schedule", [ScheduleConfig("cosine", 0.2), ScheduleConfig("linear"), ScheduleConfig("exponential", gamma=0.7)]
)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", TWO)
def test_every_optimizer_and_schedule_trains_the_same_stacked(model, optimizer, schedule):
    """State, clipping and rates are each run's own: a stacked training equals the single ones."""
    assert_equal_trainings(model, optimizer=OPTIMIZERS[optimizer], schedule=schedule)


@pytest.mark.parametrize("model", FAMILIES)
def test_the_first_steps_agree_in_single_precision(model):
    """In float32 the first steps agree closely."""
    data = problem(model, torch.float32)
    stacked, single = both(model, data, torch.float32, steps=3)
    for together, *alone in zip(stacked.steps(), *(training.steps() for training in single), strict=True):
        torch.testing.assert_close(together.loss, torch.stack([step.loss for step in alone]), rtol=1e-4, atol=1e-5)


def test_masks_are_bit_for_bit_those_of_the_single_runs():
    """Mapped over runs, every kind of dropout takes the masks that each run takes by itself."""
    words, generator = [3, 2**32 - 1, 7], torch.Generator().manual_seed(0)
    x = torch.rand(3, 4, 2, 6, 6, generator=generator)

    def drop(x):
        attention = nn.functional.scaled_dot_product_attention(x, x, torch.eye(x.shape[-1]).expand_as(x), dropout_p=0.4)
        return nn.functional.dropout(x, 0.3), nn.functional.dropout2d(x, 0.5), attention, nn.Dropout(0.2)(x[:, 0, 0])

    together = DropoutDraws(Masks(words))

    def one(x, run):
        with together.of_run(run):
            return drop(x)

    for step in range(3):
        together.begin(step)
        found = torch.func.vmap(one)(x, torch.arange(3)[:, None])
        for run, word in enumerate(words):
            with DropoutDraws(word).at_step(step):
                expected = drop(x[run])
            for mapped, alone in zip(found, expected, strict=True):
                assert torch.equal(mapped[run] == 0, alone == 0)
                torch.testing.assert_close(mapped[run], alone)


def test_each_run_has_its_own_weights_and_ties_and_frozen_layers_stay():
    """Stacking rounds nothing, keeps tied weights tied, holds once what is frozen and equal, and adds no parameter."""
    build = foreign(Tied)
    singles = [draw_model(build, (), 3, seeds.init) for seeds in SEEDS]
    stacked = vmapped_model([draw_model(build, (), 3, seeds.init) for seeds in SEEDS], None)
    assert len(list(stacked.parameters())) == len(list(singles[0].parameters()))
    assert stacked.body.again.weight is stacked.body.there.weight
    for run, single in enumerate(singles):
        for name, parameter in single.named_parameters():
            assert torch.equal(stacked.body.get_parameter(name)[run], parameter)
    frozen = VmappedModel([draw_model(foreign(Frozen), (), 3, seeds.init) for seeds in SEEDS], None).body
    assert frozen.same.weight.shape == (8, 128)
    assert frozen.drawn.weight.shape == (3, 8, 8)
    assert frozen.mean.shape == (3, 8)
    assert frozen.position.shape == (8,)
    assert [name for name, parameter in frozen.named_parameters() if parameter.requires_grad] == [
        "head.weight",
        "head.bias",
    ]


@pytest.mark.parametrize("model", ["cnn", "frozen"])
def test_each_run_keeps_its_own_statistics(model):
    """Batch statistics and buffers that are put anew are each run's own, step by step."""
    stacked, single = both(model, problem(model))
    for _ in zip(stacked.steps(), *(training.steps() for training in single), strict=True):
        pass
    found = dict(stacked.shards[0].stack.model.body.named_buffers())
    for run, training in enumerate(single):
        for name, buffer in training.model.named_buffers():
            value = found[name][run] if found[name].ndim > buffer.ndim else found[name]
            torch.testing.assert_close(value, buffer)


@pytest.mark.parametrize("model", TWO)
def test_recording_leaves_the_training_as_it_is(model):
    """Predicting after every step changes no bit of what follows."""
    data = problem(model, torch.float32)
    plain, recorded = (both(model, data, torch.float32)[0] for _ in range(2))
    for one, other in zip(plain.steps(), recorded.steps(), strict=True):
        assert torch.equal(one.logits, other.logits)
        recorded.predict(data.inputs)


class Keep:
    """A sink that keeps labels."""

    def __init__(self):
        self.labels = []

    def write(self, split, checkpoint, arrays):
        """Append the labels."""
        self.labels.append(arrays["labels"])


@pytest.mark.parametrize("model", TWO)
def test_a_diverged_run_leaves_its_neighbours_alone(model):
    """A run whose weights become infinite is marked at its step; the others end where they would have."""
    data = problem(model)
    split = RecordedSplit("evaluation", data.inputs, data.labels.numpy())
    stacked, single = both(model, data, epochs=2)
    with torch.no_grad():
        stacked.trained[-1][1] = torch.inf
    sinks = [Keep() for _ in SEEDS]
    outcomes = run_training(stacked, (4, 8), (split,), "labels", sinks)
    assert [outcome.diverged_at for outcome in outcomes] == [None, 1, None]
    for run in (0, 2):
        alone = Keep()
        run_training(single[run], (4, 8), (split,), "labels", [alone])
        assert all((a == b).all() for a, b in zip(alone.labels, sinks[run].labels, strict=True))


@pytest.mark.parametrize("model", FAMILIES)
def test_what_can_be_stacked_is_accepted(model):
    """Every family passes its trial, which leaves the global generator alone; memory holds two runs or more."""
    training, _ = both(model, problem(model, torch.float32), torch.float32)
    torch.manual_seed(123)
    before = torch.get_rng_state()
    check_can_stack(training)
    assert 2 <= group_size(training) <= 64
    assert torch.equal(before, torch.get_rng_state())


class Odd(nn.Module):
    """A model that does what cannot be mapped, or what mapping would change."""

    def __init__(self, what):
        super().__init__()
        self.what, self.scale = what, float(torch.rand(()))
        self.head, self.recurrent = nn.Linear(128, 3), nn.GRU(16, 8, batch_first=True)

    def forward(self, x):
        """Return logits."""
        x = x.flatten(1)
        match self.what:
            case "control":
                x = x if x.mean() > 0 else -x
            case "item":
                x = x * x.mean().item()
            case "noise":
                x = x + torch.randn_like(x)
            case "in place":
                x = torch.zeros(len(x), 128).copy_(x)
            case "recurrent":
                return self.head(self.recurrent(x.view(-1, 8, 16))[0].flatten(1).repeat(1, 2))
            case "outside":
                x = x * self.scale
        return self.head(x)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("control", "It looks like you're attempting to use a Tensor in some data-dependent control flow"),
        ("item", r"It looks like you're calling .item\(\) on a Tensor"),
        ("noise", "called random operation while in randomness error mode"),
        ("in place", "inplace arithmetic"),
        ("recurrent", r"Batching rule not implemented for aten::gru\.input"),
        ("outside", "the logits at step 1 of two runs as one program are not those of the same runs one by one"),
    ],
)
def test_what_cannot_be_stacked_is_refused_with_the_reason(what, reason):
    """The message names the model, says what is in the way and which engines to choose."""
    data = problem("cnn", torch.float32)
    training = StackedTraining(
        Recipe(model=ModelConfig("own:net"), batch_size=16), foreign(lambda: Odd(what)), data, SEEDS
    )
    with pytest.raises(ModelError, match=f"runs of model 'own:net' cannot be stacked: .*{reason}") as caught:
        check_can_stack(training)
    assert re.search(r"\w\. Choose the engine serial or processes\.$", str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.text
def test_memory_counts_what_attention_keeps():
    """A run's estimate holds all that its backward pass needs, attention weights and masks included."""
    recipe = Recipe(batch_size=16, optimizer=SGD)
    long = problem("bert-eager")
    long = replace(long, inputs=long.inputs.clamp(min=1))
    layers, heads, length = 2, 2, 12
    build = foreign(TEXT["bert-eager"])
    scores = 4 * layers * heads * length**2 * recipe.batch_size
    weights = 4 * 3 * sum(parameter.numel() for parameter in build.build((), 3).parameters())
    found = bytes_of_one_run(recipe, build, long)
    assert found > weights + 2 * 3 * scores  # softmax, its mask and what was dropped
    half = replace(long, inputs=long.inputs[:, :6])
    assert bytes_of_one_run(recipe, build, half) - weights < (found - weights) / 2
