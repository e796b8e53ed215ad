"""What every method promises: it trains, reproduces, resumes, works under every engine, and is nothing at zero."""

import dataclasses
import re
from inspect import getdoc, getsource

import numpy as np
import pytest
import torch
from tests.mitigations.conftest import CNN, MLP
from tests.mitigations.table import METHODS, MODELS, VARIANTS

from reseed.mitigations import MITIGATIONS, described, parse_mitigations
from reseed.studies import train_study
from reseed.training import OptimizerConfig, Recipe, RecordConfig, mitigated

ALL = {name: method for name, (method, _) in METHODS.items()} | VARIANTS
CONTROL = Recipe(model=MLP, optimizer=OptimizerConfig("adam", lr=1e-2), epochs=3, batch_size=16)
DIGITS = Recipe(model=MLP, optimizer=OptimizerConfig("adam", lr=1e-2), steps=12, batch_size=256)


def on_its_model(recipe, name):
    """Return a recipe with the first model that a method goes with."""
    return dataclasses.replace(recipe, model=MODELS.get(name, (MLP,))[0])


def test_every_method_is_in_the_table():
    """A method that the contract does not go through is an error."""
    assert set(METHODS) == set(MITIGATIONS)
    assert all(type(method) is MITIGATIONS[name] for name, pair in METHODS.items() for method in pair)


@pytest.mark.parametrize("name", MITIGATIONS)
def test_every_method_has_a_card(name):
    """A docstring says when to use a method, what it costs, where it harms and whose it is, and names its options."""
    card = getdoc(MITIGATIONS[name])
    assert all(part in card for part in ("Use it when:", "Cost:", "Beware:", "References:"))
    sources = "".join(getsource(kind) for kind in MITIGATIONS[name].__mro__[:-2])
    for field in dataclasses.fields(MITIGATIONS[name]):
        assert re.search(rf'^    {field.name}: .*\n    """', sources, re.MULTILINE), field.name


@pytest.mark.parametrize("name", METHODS)
def test_strength_zero_is_the_control(name):
    """At strength zero the recipe is the control's, so that the training is bit for bit the same."""
    _, zero = METHODS[name]
    assert not zero.is_active
    assert mitigated(CONTROL, [zero]) == CONTROL
    assert mitigated(CONTROL, [zero]).digest == CONTROL.digest


@pytest.mark.parametrize("name", ALL)
def test_engines_agree(name, trained):
    """Runs in a stack are those one by one, in double precision up to rounding; images with batch norm as well."""
    for model in MODELS.get(name, (MLP, CNN)):
        recipe = mitigated(dataclasses.replace(CONTROL, model=model), [ALL[name]])
        alone, stacked = trained(recipe, stacked=False), trained(recipe, stacked=True)
        for one, other in zip(alone, stacked, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ALL)
def test_training_reproduces_and_differs_from_the_control(name, trained):
    """The same seeds give the same training bit for bit; it is the control's only for what scales probabilities."""
    control = on_its_model(CONTROL, name)
    recipe = mitigated(control, [ALL[name]])
    first, second = (trained(recipe, stacked=True)[1] for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(first, trained(control, stacked=True)[1]) == (name == "temperature")


@pytest.mark.parametrize("name", ALL)
def test_a_study_resumes(name, tmp_path):
    """A study that goes on equals one that was never interrupted."""
    recipe = mitigated(on_its_model(DIGITS, name), [ALL[name]])
    options = {"record": RecordConfig("final"), "threads": 1, "announce": lambda line: None}
    train_study(recipe, tmp_path / "resumed", runs=2, engine="serial", **options)
    resumed = train_study(recipe, tmp_path / "resumed", runs=3, engine="serial", **options)
    whole = train_study(recipe, tmp_path / "whole", runs=3, engine="serial", **options)
    np.testing.assert_array_equal(resumed.labels.values, whole.labels.values)
    scores = [study.final("confidence") for study in (resumed, whole)]
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize("name", ALL)
def test_text_and_toml_name_a_method(name):
    """What `described` writes is read back, and so is a recipe's TOML."""
    method = ALL[name]
    assert parse_mitigations(described((method,))) == (method,)
    control = on_its_model(CONTROL, name)
    recipe = mitigated(control, [method])
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert recipe.digest != control.digest
