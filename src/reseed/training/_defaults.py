"""Sensible recipes for models that come without one."""

from __future__ import annotations

from dataclasses import replace

from reseed.data import DataConfig
from reseed.models import ModelConfig, check_model_name
from reseed.training._recipe import OptimizerConfig, Recipe, ScheduleConfig

_ADAM = OptimizerConfig("adam", lr=1e-3)

_RECIPES = {
    "mlp": Recipe(model=ModelConfig("mlp", hidden=(64,)), epochs=20, batch_size=32),
    "cnn": Recipe(model=ModelConfig("cnn"), optimizer=_ADAM, epochs=3, batch_size=128),
    "resnet": Recipe(
        model=ModelConfig("resnet"),
        optimizer=OptimizerConfig("sgd", lr=0.1, weight_decay=5e-4),
        schedule=ScheduleConfig("cosine", warmup=0.05),
        epochs=15,
        batch_size=128,
        augment="crop-flip",
    ),
    "small-inception": Recipe(
        model=ModelConfig("small-inception"), optimizer=OptimizerConfig("sgd", lr=0.1), epochs=15, batch_size=128
    ),
    "small-alexnet": Recipe(
        model=ModelConfig("small-alexnet"), optimizer=OptimizerConfig("sgd", lr=0.01), epochs=15, batch_size=128
    ),
    "text-tfidf": Recipe(model=ModelConfig("text-tfidf", hidden=(128,)), optimizer=_ADAM, epochs=10, batch_size=128),
    "text-encoder": Recipe(
        model=ModelConfig("text-encoder", hidden=(256,), dropout=0.1),
        optimizer=_ADAM,
        epochs=12,
        batch_size=256,
    ),
}

_FINE_TUNING = Recipe(
    model=ModelConfig("text-encoder", hidden=(), dropout=0.1, fine_tune=True),
    optimizer=OptimizerConfig("adamw", lr=5e-5, weight_decay=0.01, clip_norm=1.0),
    schedule=ScheduleConfig("linear", warmup=0.1),
    epochs=3,
    batch_size=32,
)


def default_recipe(model: str, data: DataConfig | None = None, *, fine_tune: bool = False) -> Recipe:
    """Return the recipe that a model starts from when the user names none.

    Args:
        model: A known model's name or MODULE:FUNCTION (which starts from the recipe of ``mlp``).
        data: What is learned; default: ``digits``.
        fine_tune: For ``text-encoder``: the recipe for training end to end.

    Raises:
        ModelError: The model's name is unknown.

    Examples:
        >>> default_recipe("text-tfidf").optimizer.name
        'adam'
    """
    check_model_name(model)
    recipe = _FINE_TUNING if fine_tune and model == "text-encoder" else _RECIPES.get(model, _RECIPES["mlp"])
    return replace(recipe, data=data or recipe.data, model=replace(recipe.model, name=model))
