"""Small training problems."""

import pytest
import torch

from reseed.models import ModelConfig, architecture
from reseed.training import Recipe, Seeds, Training, TrainingSet


@pytest.fixture
def seeds() -> Seeds:
    """The words of some run."""
    return Seeds(init=11, order=22, dropout=33, augment=44, data=55)


@pytest.fixture
def images() -> TrainingSet:
    """Seventy random 8 x 8 images of three classes."""
    generator = torch.Generator().manual_seed(0)
    return TrainingSet(torch.rand(70, 1, 8, 8, generator=generator), torch.randint(0, 3, (70,), generator=generator), 3)


@pytest.fixture
def train(images, seeds):
    """A function that trains a recipe to its end and returns the training."""

    def run(recipe: Recipe, *, bootstrap: bool = False, seeds: Seeds = seeds) -> Training:
        training = Training(recipe, architecture(recipe.model), images, seeds, bootstrap=bootstrap)
        for _ in training.steps():
            pass
        return training

    return run


@pytest.fixture
def busy_recipe() -> Recipe:
    """A recipe in which every stream of random numbers is used: batch norm, dropout, augmentation."""
    return Recipe(model=ModelConfig("cnn", width=4, dropout=0.3), epochs=2, batch_size=16, augment="crop-flip")
