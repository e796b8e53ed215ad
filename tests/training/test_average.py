"""Averaged weights, of single runs and of stacks."""

from dataclasses import replace

import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from reseed._errors import RecipeError
from reseed.mitigations import Ema, Swa
from reseed.models import ModelConfig, architecture
from reseed.training import AverageConfig, Recipe, SeedPlan, StackedTraining, Training, average_notes
from reseed.training._average import Averages

RECIPE = Recipe(model=ModelConfig("cnn", width=4, dropout=0.2), epochs=3, batch_size=16)


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (AverageConfig("swa", start=0.4), {}),
        (AverageConfig("ema", start=0.4, decay=0.8), {"multi_avg_fn": get_ema_multi_avg_fn(0.8)}),
    ],
)
def test_averages_are_those_of_torch(images, seeds, config, options):
    """Averaged predictions equal those of torch's own averaged model, batch statistics included."""
    recipe = replace(RECIPE, average=config)
    training = Training(recipe, architecture(recipe.model), images, seeds)
    reference = AveragedModel(training.model, use_buffers=True, **options)
    for step in training.steps():
        if step.number >= round(0.4 * training.total_steps):
            reference.update_parameters(training.model)
    reference.eval()
    torch.testing.assert_close(training.predict(images.inputs)[0], reference(images.inputs).detach())


@pytest.mark.parametrize(("last", "steps"), [(0.4, range(60, 101)), (1.0, range(1, 101)), (0.001, range(100, 101))])
def test_the_last_part_of_a_training_is_averaged(last, steps):
    """Of 100 steps, 0.4 are the weights after step 60, with which that part begins, and after each of its 40 steps."""
    for method, decay in ((Swa(last=last), None), (Ema(last=last, decay=0.9), 0.9)):
        settings = {name.removeprefix("average."): value for name, value in method.settings({}).items()}
        weight = torch.zeros((), dtype=torch.float64)
        averages = Averages(AverageConfig(**settings), [weight], 100, lambda: None)
        for number in range(1, 101):
            weight.fill_(number**2)
            averages.update(number)
        expected = steps[0] ** 2
        for step in steps[1:]:
            expected += (step**2 - expected) * (1 / (step - steps[0] + 1) if decay is None else 1 - decay)
        with averages.in_place():
            assert weight.item() == pytest.approx(expected, rel=1e-12)


def test_averaging_leaves_the_training_alone(images, seeds):
    """The last weights are bit for bit those of a training without averages, evaluated on the way or not."""
    build = architecture(RECIPE.model)
    plain, averaged = Training(RECIPE, build, images, seeds), None
    averaged = Training(replace(RECIPE, average=AverageConfig("swa")), build, images, seeds)
    for _ in zip(plain.steps(), averaged.steps(), strict=True):
        averaged.predict(images.inputs[:4])
    for name, value in plain.model.state_dict().items():
        assert torch.equal(value, averaged.model.state_dict()[name]), name
    assert not torch.equal(plain.predict(images.inputs), averaged.predict(images.inputs))


def test_a_start_at_the_last_step_averages_nothing(images, seeds):
    """An average of one set of weights is those weights, bit for bit."""
    build = architecture(RECIPE.model)
    plain = Training(RECIPE, build, images, seeds)
    last = Training(replace(RECIPE, average=AverageConfig("swa", start=0.999)), build, images, seeds)
    for _ in zip(plain.steps(), last.steps(), strict=True):
        pass
    assert torch.equal(plain.predict(images.inputs), last.predict(images.inputs))


@pytest.mark.parametrize("model", [ModelConfig("mlp", hidden=(8,)), ModelConfig("cnn", width=4), ModelConfig("resnet")])
@pytest.mark.parametrize("name", ["swa", "ema"])
def test_stacked_runs_are_averaged_each_by_itself(images, model, name):
    """In double precision the averages of a stack are those of its runs."""
    recipe = Recipe(model=model, epochs=2, batch_size=16, average=AverageConfig(name, start=0.3, decay=0.9))
    data, build = replace(images, inputs=images.inputs.double()), architecture(model)
    seeds = tuple(SeedPlan(3).seeds(run) for run in range(3))
    stacked = StackedTraining(recipe, build, data, seeds)
    single = [Training(recipe, build, data, own) for own in seeds]
    for _ in zip(stacked.steps(), *(training.steps() for training in single), strict=True):
        pass
    expected = torch.cat([training.predict(data.inputs) for training in single])
    torch.testing.assert_close(stacked.predict(data.inputs), expected)


@pytest.mark.parametrize("total", [11, 96, 320, 399])
def test_an_average_that_reaches_far_back_is_told(total):
    """Up to four times the steps that it remembers, for exponential ones; what is advised is worth no word."""
    (note,) = average_notes(AverageConfig("ema", start=0.0, decay=0.99), total)
    assert f"remembers about {min(100, total)} of {total} steps" in note
    advised = float(note.partition("ema:decay=")[2].partition(")")[0])
    assert 0 < advised < 0.99
    assert average_notes(AverageConfig("ema", start=0.0, decay=advised), total) == ()
    assert average_notes(AverageConfig("swa", start=0.0, decay=0.99), total) == ()
    assert average_notes(AverageConfig("ema", start=0.0, decay=0.99), 400) == ()


@pytest.mark.parametrize("total", [2, 10])
def test_of_a_few_steps_no_average_is_advised(total):
    """What is left is to train longer."""
    (note,) = average_notes(AverageConfig("ema", start=0.0, decay=0.99), total)
    assert note.endswith("cost accuracy and stability. Train longer.")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"name": "mean"}, "average.name must be one of none, swa, ema; got 'mean'"),
        ({"start": 1.0}, r"average.start must be a share in \[0, 1\), got 1.0"),
        ({"decay": -0.1}, r"average.decay must be a share in \[0, 1\), got -0.1"),
        ({"statistics": "none"}, "average.statistics must be one of averaged, refreshed; got 'none'"),
    ],
)
def test_bad_values_are_refused(values, text):
    """Values out of range raise and name the field."""
    with pytest.raises(RecipeError, match=text):
        AverageConfig(**values)
