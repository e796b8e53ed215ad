"""Batch-norm statistics recomputed with averaged weights, of single runs and of stacks."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, update_bn

from reseed.data import DataConfig, load
from reseed.models import ModelConfig, architecture
from reseed.training import (
    AverageConfig,
    NoSink,
    OptimizerConfig,
    Recipe,
    RecordedSplit,
    SeedPlan,
    StackedTraining,
    Training,
    TrainingSet,
    run_training,
)

AVERAGED = Recipe(model=ModelConfig("cnn", width=4), epochs=3, batch_size=16, average=AverageConfig("swa", start=0.4))
RECIPE = replace(AVERAGED, average=replace(AVERAGED.average, statistics="refreshed"))


def first_batches(training: Training) -> Sequence[Tensor]:
    """The batches of the first epoch: sixteen at a time, what is left at the end."""
    order = next(training.orders(training.seeds, bootstrap=training.bootstrap))
    return [training.data.inputs[order[first : first + 16]] for first in range(0, len(order), 16)]


@pytest.mark.parametrize("bootstrap", [False, True])
def test_statistics_are_those_of_torch(images, seeds, bootstrap):
    """Predictions equal those of torch's averaged model after its own update of batch norm on the run's samples."""
    training = Training(RECIPE, architecture(RECIPE.model), images, seeds, bootstrap)
    reference = AveragedModel(training.model)
    for step in training.steps():
        if step.number >= round(0.4 * training.total_steps):
            reference.update_parameters(training.model)
    update_bn(first_batches(training), reference)
    reference.eval()
    torch.testing.assert_close(training.predict(images.inputs)[0], reference(images.inputs).detach())


def test_predicting_leaves_the_training_alone(images, seeds):
    """Weights, statistics, their counters and modes are bit for bit those of a training that predicts nothing."""
    build = architecture(RECIPE.model)
    plain, predicting = (Training(RECIPE, build, images, seeds) for _ in range(2))
    for _ in zip(plain.steps(), predicting.steps(), strict=True):
        predicting.predict(images.inputs[:4])
    for name, value in plain.model.state_dict().items():
        assert torch.equal(value, predicting.model.state_dict()[name]), name
    assert all(module.training for module in predicting.model.modules())
    assert torch.equal(plain.predict(images.inputs), predicting.predict(images.inputs))


class Normalised(nn.Module):
    """A user's network, which `torch.func.vmap` stacks."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.first, self.norm, self.drop = nn.Linear(width, 8), nn.BatchNorm1d(8), nn.Dropout(0.2)
        self.last = nn.Linear(8, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        return self.last(self.drop(torch.tanh(self.norm(self.first(x.flatten(1))))))


def normalised(input_shape, num_classes):
    """A factory of one's own."""
    return Normalised(int(np.prod(input_shape)), num_classes)


@pytest.mark.parametrize(
    "model",
    [
        ModelConfig("cnn", width=4, dropout=0.2),
        ModelConfig("resnet", width=4),
        ModelConfig(f"{__name__}:normalised"),
        ModelConfig("mlp", hidden=(8,)),
    ],
    ids=["cnn", "resnet", "user", "mlp"],
)
def test_stacked_runs_have_statistics_of_their_own(images, model):
    """In double precision the predictions of a stack are those of its runs, each on its own batches."""
    recipe, build = replace(RECIPE, model=model), architecture(model)
    data = replace(images, inputs=images.inputs.double())
    seeds = tuple(SeedPlan(3).seeds(run) for run in range(3))
    stacked = StackedTraining(recipe, build, data, seeds)
    single = [Training(recipe, build, data, own) for own in seeds]
    for _ in zip(stacked.steps(), *(training.steps() for training in single), strict=True):
        pass
    expected = torch.cat([training.predict(data.inputs) for training in single])
    torch.testing.assert_close(stacked.predict(data.inputs), expected)


@pytest.mark.parametrize(("model", "passes"), [(RECIPE.model, 70), (ModelConfig("mlp"), 0)])
def test_passes_are_counted(images, seeds, model, passes):
    """A checkpoint with an average costs a pass over the training set, once for all splits; an MLP needs none."""
    recipe = replace(RECIPE, model=model)
    split = RecordedSplit("test", images.inputs[:9], images.labels[:9].numpy())
    for averaged, extra in ((recipe, 2 * passes), (replace(recipe, average=AVERAGED.average), 0)):
        training = Training(averaged, architecture(model), images, seeds)
        (outcome,) = run_training(training, (3, 10, 15), (split, replace(split, name="train")), "labels", [NoSink()])
        assert outcome.forward_passes == 3 * 2 * 9 + extra


def test_averaged_statistics_are_nearly_as_good():
    """Why they are the default: on digits they give the labels of refreshed ones but for one in fifty, for free."""
    splits = load(DataConfig("digits"))
    model = ModelConfig("cnn", width=4)
    prepared = architecture(model).prepare(splits, None, print)
    data = TrainingSet(prepared.train, splits.train.labels, splits.train.num_classes)
    labels = []
    for recipe in (AVERAGED, RECIPE):
        recipe = replace(recipe, model=model, epochs=4, batch_size=32, optimizer=OptimizerConfig("sgd", 0.05))
        training = Training(recipe, architecture(model), data, SeedPlan(0).seeds(0))
        for _ in training.steps():
            pass
        labels.append(training.predict(prepared.evaluation)[0].argmax(-1))
    assert 0.98 < (labels[0] == labels[1]).float().mean() <= 1
