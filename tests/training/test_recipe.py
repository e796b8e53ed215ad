"""Recipes: TOML, hash, errors."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reseed._errors import ModelError, RecipeError
from reseed.data import CorruptionConfig, DataConfig
from reseed.models import ModelConfig
from reseed.training import (
    OptimizerConfig,
    Recipe,
    RecordConfig,
    ScheduleConfig,
    default_recipe,
    load_recipe,
    lr_factor,
    with_settings,
)

FULL = Recipe(
    data=DataConfig('a "quoted" näme.csv', features=("x1", "x2"), label="y"),
    model=ModelConfig("mlp", hidden=(7, 5), dropout=0.25, init_scale=0.3),
    optimizer=OptimizerConfig("adamw", lr=1e-3, clip_norm=1.0),
    schedule=ScheduleConfig("cosine", warmup=0.1),
    steps=17,
)


def test_toml_round_trip_keeps_everything():
    """A recipe with every kind of field survives TOML, and so does its hash."""
    again = Recipe.from_toml(FULL.to_toml())
    assert again == FULL
    assert again.digest == FULL.digest


@given(st.floats(1e-9, 1e3), st.integers(1, 10**6), st.floats(0, 0.99))
def test_toml_round_trip_of_any_numbers(lr, epochs, dropout):
    """Floats and integers survive TOML exactly."""
    recipe = Recipe(model=ModelConfig(dropout=dropout), optimizer=OptimizerConfig(lr=lr), epochs=epochs)
    assert Recipe.from_toml(recipe.to_toml()) == recipe


def test_hash_is_stable_and_sees_every_field():
    """The hash is a fixed number for a fixed recipe, and any change changes it."""
    assert Recipe().digest == "7c90823cef74ddb8"
    changed = [
        replace(FULL, epochs=3),
        replace(FULL, data=replace(FULL.data, split_seed=1)),
        replace(FULL, model=replace(FULL.model, hidden=(7,))),
        replace(FULL, schedule=replace(FULL.schedule, warmup=0.2)),
    ]
    assert len({recipe.digest for recipe in [FULL, *changed]}) == 5


def test_file_fields_replace_defaults():
    """A partial file changes what it names and keeps the rest."""
    recipe = Recipe.from_toml("epochs = 3\n[optimizer]\nlr = 1\n", default=FULL)
    assert (recipe.epochs, recipe.optimizer.lr, recipe.optimizer.name) == (3, 1.0, "adamw")
    assert isinstance(recipe.optimizer.lr, float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs = ", "the recipe is not valid TOML"),
        ("epoch = 3", r"unknown recipe field epoch\. Did you mean .epochs.\? Known here: augment, average, batch_size"),
        ("[optimizer]\nrate = 3", r"unknown recipe field optimizer.rate\. Known here: clip_norm, lr"),
        ("optimizer = 3", "recipe field optimizer must be a table, got 3"),
        ("epochs = 'three'", "recipe field epochs must be of type int, got 'three'"),
        ("epochs = true", "recipe field epochs must be of type int, got True"),
        ("epochs = 1.5", "recipe field epochs must be of type int, got 1.5"),
        ("[model]\nhidden = [8, 'x']", r"recipe field model.hidden\[1\] must be of type int, got 'x'"),
        ("[model]\nhidden = [0]", r"model.hidden must hold positive widths, got \(0,\)"),
        ("[model]\ndropout = 1.0", r"model.dropout must be in \[0, 1\), got 1.0"),
        ("[model]\ninit_scale = 0.0", "model.init_scale must be positive, got 0.0"),
        ("[model]\nnorm = 'weight'", r"model.norm must be one of batch, group, layer, none; got 'weight'"),
        ("[model]\ndepth = 9", r"model.depth must be 8, 14, 20, 26, 32, ... \(6 n \+ 2\), got 9"),
        ("[model]\nvocabulary = 0", "model.vocabulary must be 1 or more, got 0"),
        ("epochs = 0", "recipe field epochs must be 1 or more, got 0"),
        ("steps = 0", "recipe field steps must be 1 or more, got 0"),
        ("batch_size = 0", "recipe field batch_size must be 1 or more, got 0"),
        ("augment = 'mixup'", "recipe field augment must be one of none, crop, crop-flip; got 'mixup'"),
        ("[optimizer]\nname = 'lion'", "recipe field optimizer.name must be one of sgd, sgdw, adam, adamw; got 'lion'"),
        ("[optimizer]\nlr = 0", "recipe field optimizer.lr must be a positive number, got 0.0"),
        ("[optimizer]\nlr = nan", "recipe field optimizer.lr must be a positive number, got nan"),
        ("[optimizer]\nmomentum = 1.0", r"optimizer.momentum must be a number in \[0, 1\), got 1.0"),
        ("[optimizer]\nweight_decay = -1.0", "optimizer.weight_decay must be zero or more, got -1.0"),
        ("[optimizer]\nclip_norm = 0.0", "optimizer.clip_norm must be a positive number, got 0.0"),
        ("[schedule]\nname = 'step'", "schedule.name must be one of constant, cosine, linear, exponential; got 'step'"),
        ("[schedule]\nwarmup = 1.0", r"schedule.warmup must be a share in \[0, 1\), got 1.0"),
        ("[schedule]\ngamma = 0.0", r"schedule.gamma must be a factor in \(0, 1\], got 0.0"),
        ("[schedule]\nfloor = 1.5", r"schedule.floor must be a share in \[0, 1\], got 1.5"),
    ],
)
def test_bad_recipes_name_the_field(text, message):
    """Every bad value raises, naming the field and showing the value."""
    with pytest.raises(RecipeError, match=message):
        Recipe.from_toml(text)


def test_unreadable_recipe_file_is_named(tmp_path):
    """A missing or broken recipe file raises with its path."""
    with pytest.raises(RecipeError, match=r"cannot read the recipe '.*missing.toml'"):
        load_recipe(tmp_path / "missing.toml")
    (tmp_path / "broken.toml").write_text("= 1")
    with pytest.raises(RecipeError, match=r"broken.toml: the recipe is not valid TOML"):
        load_recipe(tmp_path / "broken.toml")


def test_default_recipes_name_their_model():
    """Every known model has a default recipe; an own factory starts from mlp's; an unknown name raises."""
    for name in ("mlp", "cnn", "resnet", "small-inception", "small-alexnet", "text-tfidf", "text-encoder", "my:net"):
        assert default_recipe(name).model.name == name
    assert default_recipe("text-encoder", fine_tune=True).model.fine_tune
    with pytest.raises(ModelError, match=r"unknown model 'mpl'\. Did you mean 'mlp'"):
        default_recipe("mpl")


@pytest.mark.parametrize("name", ["constant", "cosine", "linear"])
@pytest.mark.parametrize("warmup", [0.0, 0.25])
def test_schedules_against_closed_forms(name, warmup):
    """The factor rises linearly to one over the warm-up, then follows its curve down to zero."""
    total, config = 40, ScheduleConfig(name, warmup)
    factors = [lr_factor(config, step, total, 5) for step in range(total)]
    start = round(warmup * total)
    assert factors[:start] == [(step + 1) / start for step in range(start)]
    assert factors[start] == 1.0
    middle = factors[start + (total - start) // 2]
    assert middle == pytest.approx({"constant": 1.0, "cosine": 0.5, "linear": 0.5}[name])
    last = factors[-1]
    left = 1 / (total - start)
    expected = {"constant": 1.0, "cosine": 0.5 * (1 - math.cos(math.pi * left)), "linear": left}
    assert last == pytest.approx(expected[name])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": "week"}, "every must be 'epoch', 'final' or a number of steps, got 'week'"),
        ({"every": "0"}, "every must be 'epoch', 'final' or a number of steps, got '0'"),
        ({"burn_in": -1}, "burn_in must be zero or more steps, got -1"),
        ({"level": "all"}, "level must be 'labels', 'scores' or 'full', got 'all'"),
    ],
)
def test_bad_record_options_are_refused(options, message):
    """Bad recording options raise, naming the option."""
    with pytest.raises(RecipeError, match=message):
        RecordConfig(**options)


@pytest.mark.parametrize(
    ("every", "burn_in", "expected"),
    [
        ("epoch", 0, (5, 10, 12)),
        ("final", 0, (12,)),
        ("4", 0, (4, 8, 12)),
        (4, 0, (4, 8, 12)),
        ("5", 5, (10, 12)),
        ("100", 0, (12,)),
        ("3", 100, (12,)),
    ],
)
def test_checkpoints(every, burn_in, expected):
    """Checkpoints follow the stride after the burn-in, and the last step always is one."""
    assert RecordConfig(every, burn_in).checkpoints(12, 5) == expected


def test_recipes_without_corruption_are_what_they_were():
    """Neither digests nor files changed when corruptions came; with one they hold it, also by single fields."""
    plain = Recipe(data=DataConfig("digits"))
    assert plain.digest == Recipe().digest == "7c90823cef74ddb8"
    assert "corruption" not in plain.to_toml()
    assert "labels" not in plain.to_toml()
    corruption = CorruptionConfig("gaussian", rate=1, evaluation=False, statistics="sample")
    recipe = replace(plain, data=replace(plain.data, corruption=corruption))
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert recipe.digest == Recipe.from_toml(recipe.to_toml()).digest != plain.digest
    text = '[data.corruption]\nkind = "pair"\nrate = 1'
    assert Recipe.from_toml(text).data.corruption == CorruptionConfig("pair", 1.0)
    assert with_settings(recipe, {"data.corruption.rate": 0.5}).data.corruption == replace(corruption, rate=0.5)
    assert with_settings(recipe, {"data.corruption": None}) == plain
    assert with_settings(plain, {"data.corruption": corruption}) == recipe
    annotated = Recipe(data=DataConfig("cifar10", labels="worse"))
    assert Recipe.from_toml(annotated.to_toml()) == annotated


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data.corruption = 3", "recipe field data.corruption must be a table, got 3"),
        (
            "data.corruption.share = 0.1",
            r"unknown recipe field data.corruption.share\. Known here: evaluation, exact, kind",
        ),
        ('data.corruption.rate = "all"', "recipe field data.corruption.rate must be of type float, got 'all'"),
        ('data.corruption.kind = "flip"', "recipe field data.corruption.kind must be one of labels, pair"),
    ],
)
def test_corruptions_that_are_none(text, message):
    """Fields of a table that may be missing are checked as others are."""
    with pytest.raises(RecipeError, match=message):
        Recipe.from_toml(text)
