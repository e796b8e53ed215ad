"""Trainings under mitigations, with what their teachers say."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from reseed.models import ModelConfig, architecture
from reseed.training import (
    Recipe,
    SeedPlan,
    Seeds,
    StackedTraining,
    Taught,
    Training,
    TrainingSet,
    find_transient,
    recipe_of_teachers,
    teach,
)

PLAN = SeedPlan(5)
MLP = ModelConfig("mlp", hidden=(16,), dropout=0.2)
CNN = ModelConfig("cnn", width=4, hidden=(8,), dropout=0.2)
RESNET = ModelConfig("resnet", width=4, norm="none")


@pytest.fixture
def data() -> TrainingSet:
    """Fifty small images of three classes, in double precision."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(50, 1, 8, 8, generator=generator, dtype=torch.float64)
    return TrainingSet(inputs, torch.randint(0, 3, (50,), generator=generator), 3)


@pytest.fixture
def lessons(data):
    """A function that returns what teachers say to runs, for each mitigation of a recipe."""

    def ask(recipe: Recipe, seeds: Sequence[Seeds], most: int = 1) -> Taught:
        found = []
        for method in recipe.mitigations:
            if method.stage is None:
                found.append(None)
                continue
            stage, build = method.stage, architecture(recipe.model)
            if stage.find_transient:
                pilot = find_transient(recipe_of_teachers(recipe, stage), build, data, PLAN.shared_seeds("pilot"))
                stage = replace(stage, transient=pilot.transient, find_transient=False)
            asking = [PLAN.shared_seeds()] if stage.shared else seeds
            lesson = teach(stage, recipe, build, data, asking, most=most)
            found.append(method.learn(lesson.output, data.labels))
        return tuple(found)

    return ask


@pytest.fixture
def trained(data, lessons):
    """A function that trains runs to their end by themselves or in a stack: losses [step, run] and predictions."""

    def run(recipe: Recipe, *, runs: int = 2, stacked: bool) -> tuple[torch.Tensor, torch.Tensor]:
        seeds = tuple(PLAN.seeds(run) for run in range(runs))
        build = architecture(recipe.model)
        if stacked:
            groups = [StackedTraining(recipe, build, data, seeds, taught=lessons(recipe, seeds, most=runs))]
        elif recipe.peers is not None:
            groups = [StackedTraining(recipe, build, data, (own,), taught=lessons(recipe, (own,))) for own in seeds]
        else:
            groups = [Training(recipe, build, data, own, taught=lessons(recipe, (own,))) for own in seeds]
        losses, predictions = [], []
        for group in groups:
            losses.append(torch.cat([block.losses for block in group.blocks(range(1, group.total_steps + 1))]))
            predictions.append(group.predict(data.inputs))
        return torch.cat(losses, dim=1), torch.cat(predictions)

    return run
