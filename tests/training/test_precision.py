"""Training in bfloat16 with single-precision weights."""

from dataclasses import replace

import pytest
import torch

from reseed._errors import RecipeError
from reseed.models import ModelConfig, architecture
from reseed.training import OptimizerConfig, Recipe, SeedPlan, StackedTraining, Training

MODELS = {
    "mlp": ModelConfig("mlp", hidden=(16, 8), dropout=0.2),
    "cnn": ModelConfig("cnn", width=4, hidden=(8,)),
    "resnet": ModelConfig("resnet", width=4),
    "input": ModelConfig("mlp", hidden=(8,), crop=3, whiten=True),
}
SEEDS = tuple(SeedPlan(5).seeds(run) for run in range(3))


@pytest.mark.parametrize("model", MODELS)
def test_weights_stay_in_single_precision(images, seeds, model):
    """Layers compute in bfloat16, which shows in the logits; weights, losses and predictions stay float32."""
    recipe = Recipe(model=MODELS[model], epochs=1, batch_size=16, precision="bfloat16")
    training = Training(recipe, architecture(recipe.model), images, seeds)
    exact = Training(replace(recipe, precision="float32"), architecture(recipe.model), images, seeds)
    step, other = next(training.steps()), next(exact.steps())
    assert torch.equal(step.logits, step.logits.bfloat16().to(step.logits.dtype))
    assert (step.loss.dtype, training.predict(images.inputs).dtype) == (torch.float32, torch.float32)
    assert all(value.dtype == torch.float32 for value in training.model.parameters())
    torch.testing.assert_close(step.loss, other.loss, atol=0.02, rtol=0.02)
    assert not torch.equal(step.loss, other.loss)


@pytest.mark.parametrize("model", MODELS)
def test_the_first_steps_of_a_stack_agree(images, model):
    """A stack in bfloat16 rounds as its runs do by themselves: the first losses are far closer than the precision."""
    recipe = Recipe(
        model=MODELS[model], steps=3, batch_size=16, precision="bfloat16", optimizer=OptimizerConfig(lr=0.01)
    )
    build = architecture(recipe.model)
    stacked = StackedTraining(recipe, build, images, SEEDS)
    single = [Training(recipe, build, images, own) for own in SEEDS]
    for together, *alone in zip(stacked.steps(), *(training.steps() for training in single), strict=True):
        torch.testing.assert_close(together.loss, torch.stack([step.loss for step in alone]), atol=2e-3, rtol=2e-3)


def test_an_unknown_precision_is_refused():
    """The error names the field and the choices."""
    with pytest.raises(RecipeError, match="precision must be one of float32, bfloat16; got 'float16'"):
        Recipe(precision="float16")
