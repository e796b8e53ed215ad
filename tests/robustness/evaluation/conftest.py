"""Small studies of each kind of input."""

import dataclasses
import shutil

import numpy as np
import pytest
import torch

import reseed
from reseed.data import DataConfig
from reseed.models import ModelConfig
from reseed.studies import Study, train_study
from reseed.training import Recipe, RecordConfig

QUIET = {"announce": lambda line: None}
WORDS = {"weather": ("rain", "sunny", "storm", "cloudy"), "music": ("play", "song", "album", "singer")}


def texts_file(path):
    """Write 60 short texts of two classes."""
    rng = np.random.default_rng(0)
    lines = ["text,label"]
    for number in range(60):
        label = list(WORDS)[number % 2]
        lines.append(f"please {' '.join(rng.choice(WORDS[label], 3))} today,{label}")
    path.write_text("\n".join(lines))
    return str(path)


def features_file(path):
    """Write 80 rows of two classes with features of very different scale, of which one never differs."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 80)
    lines = ["small,large,same,label"]
    for label in labels:
        lines.append(f"{label + rng.normal() / 3:.4f},{1000 * (label + rng.normal() / 3):.3f},7.0,{'ab'[label]}")
    path.write_text("\n".join(lines))
    return str(path)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A function that returns a study of three short runs of a kind of input, trained once."""
    there = {}

    def train(kind):
        if kind not in there:
            root = tmp_path_factory.mktemp(kind)
            data = {
                "images": DataConfig("digits"),
                "texts": DataConfig(texts_file(root / "texts.csv")),
                "features": DataConfig(features_file(root / "features.csv")),
            }[kind]
            model = ModelConfig("text-tfidf" if kind == "texts" else "mlp", hidden=(16,))
            recipe = Recipe(data, model, steps=80 if kind == "images" else 60)
            there[kind] = train_study(recipe, root / "study", runs=3, record=RecordConfig(), probe=False)
        return there[kind]

    return train


@pytest.fixture
def study(trained, tmp_path):
    """A function that returns a copy of a study of a kind, to be written to."""

    def copy(kind):
        shutil.copytree(trained(kind).path, tmp_path / kind)
        return Study.open(tmp_path / kind)

    return copy


@pytest.fixture
def linear():
    """Three linear networks of four features in double precision, with the same inputs and what they answer."""
    generator = torch.Generator().manual_seed(0)
    modules = []
    for _ in range(3):
        module = torch.nn.Linear(4, 2).double().eval()
        module.weight.data = torch.randn(2, 4, generator=generator, dtype=torch.float64)
        module.bias.data = torch.randn(2, generator=generator, dtype=torch.float64) / 10
        modules.append(module)
    inputs = torch.randn(200, 1, 2, 2, generator=generator, dtype=torch.float64)
    flat = [torch.nn.Sequential(torch.nn.Flatten(), module).eval() for module in modules]
    return reseed.models.Networks(flat), inputs, modules


def replaced(recipe, **changes):
    """Return a recipe with changes."""
    return dataclasses.replace(recipe, **changes)
