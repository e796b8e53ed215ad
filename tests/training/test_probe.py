"""The determinism probe."""

import itertools
import sys

import pytest
import torch
from torch import nn

from reseed._errors import DeterminismError
from reseed.models import ModelConfig, architecture
from reseed.training import Recipe, SeedPlan, TrainingSet, makes_use_of, probe_determinism

CALLS = itertools.count()


class Counting(nn.Linear):
    """A layer whose output depends on how often any such layer was ever called."""

    def forward(self, x):
        """Add a number that no seed controls."""
        return super().forward(x.flatten(1)) + 1e-3 * next(CALLS)


def counting_logits(input_shape, num_classes):
    """A factory of models that are nondeterministic in the forward pass."""
    return Counting(64, num_classes)


def counting_weights(input_shape, num_classes):
    """A factory whose initial weights depend on how often it was called."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))
    with torch.no_grad():
        model[1].bias.fill_(next(CALLS))
    return model


@pytest.fixture
def probe(images, monkeypatch):
    """A function that probes a recipe."""
    monkeypatch.setitem(sys.modules, "probed_model", sys.modules[__name__])

    def run(recipe: Recipe, *vary: str) -> None:
        plan = SeedPlan(vary=frozenset(vary or {"init", "order"}))
        probe_determinism(recipe, architecture(recipe.model), images, plan)

    return run


def test_reseeds_own_models_pass(probe, busy_recipe):
    """A recipe that uses every stream is deterministic, whichever stream varies."""
    for stream in ("init", "order", "dropout", "augment", "data"):
        probe(busy_recipe, stream)


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("counting_logits", "the logits at step 1"),
        ("counting_weights", "the initial value of parameter '1.bias'"),
    ],
)
def test_the_tensor_that_broke_is_named(probe, name, tensor):
    """The first tensor that differs between equal seeds is named."""
    with pytest.raises(DeterminismError, match=f"the first tensor that differs is {tensor}"):
        probe(Recipe(model=ModelConfig(f"probed_model:{name}")))


def test_varying_what_is_not_used_is_refused(probe):
    """Two seeds that give the same training raise and say what to vary."""
    with pytest.raises(DeterminismError, match=r"makes no use of what varies \(augment, dropout\)"):
        probe(Recipe(), "dropout", "augment")


@pytest.mark.parametrize(
    ("stream", "dropout", "expected"),
    [
        ("init", 0.0, True),
        ("order", 0.0, True),
        ("data", 0.0, True),
        ("augment", 0.0, False),
        ("dropout", 0.0, False),
        ("dropout", 0.5, True),
    ],
)
def test_streams_that_a_recipe_makes_use_of(stream, dropout, expected):
    """A stream is in use where two of its seeds give two trainings: dropout only in a model that has it."""
    config = ModelConfig("mlp", hidden=(8,), dropout=dropout)
    recipe = Recipe(model=config, batch_size=8)
    data = TrainingSet(torch.randn(32, 4, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 2, 2)
    assert makes_use_of(stream, recipe, architecture(config), data) is expected
