"""The confidence penalty and label smoothing as methods of a recipe."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from reseed._errors import RecipeError
from reseed.mitigations import (
    Batch,
    ConfidencePenalty,
    DisturbLabel,
    LabelSmoothing,
    class_prior,
    confidence_penalty_loss,
    label_smoothing_loss,
    parse_mitigations,
    soft_cross_entropy,
)
from reseed.models import ModelConfig, architecture
from reseed.training import (
    OptimizerConfig,
    Recipe,
    SeedPlan,
    StackedTraining,
    TrainingSet,
    arithmetic,
    check_forward,
    mitigated,
)

PRIOR = (0.5, 0.25, 0.25)


@pytest.fixture
def batch() -> Batch:
    """Two runs of thirty samples, at step 3 of 10."""
    labels = torch.randint(0, 3, (2, 30), generator=torch.Generator().manual_seed(0))
    return Batch(3, 10, labels, 3, [1, 2], frequencies=torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64))


@pytest.fixture
def logits() -> torch.Tensor:
    """Their logits, in double precision."""
    return torch.randn(2, 30, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 3


@pytest.mark.parametrize(
    ("method", "beta"),
    [
        (ConfidencePenalty(0.4), 0.4),
        (ConfidencePenalty(0.4, threshold=0.7), 0.4),
        (ConfidencePenalty(0.4, threshold=0.7, normalize=True), 0.4),
        (ConfidencePenalty(0.4, course="linear", warmup=0.6), 0.2),
        (ConfidencePenalty(0.4, course="step", warmup=0.3), 0.4),
        (ConfidencePenalty(0.4, course="step", warmup=0.4, start=0.1), 0.1),
    ],
)
def test_the_penalty_is_the_losss(method, beta, batch, logits):
    """What the method adds at a step is what the function adds, at the strength of that step."""
    added = method.penalty(batch)(logits)
    options = {"threshold": method.threshold, "normalize": method.normalize, "reduction": "none"}
    whole = confidence_penalty_loss(logits, batch.labels, beta, **options)
    torch.testing.assert_close(whole - confidence_penalty_loss(logits, batch.labels, 0.0, reduction="none"), added)


@pytest.mark.parametrize(
    ("method", "prior"),
    [
        (LabelSmoothing(0.2), None),
        (LabelSmoothing(0.2, prior="unigram"), [0.6, 0.3, 0.1]),
        (LabelSmoothing(0.2, prior=PRIOR), PRIOR),
    ],
)
def test_the_targets_are_the_losss(method, prior, batch, logits):
    """Cross-entropy with the method's targets is the function's loss."""
    found = soft_cross_entropy(logits, method.targets(None, batch), check=False)
    expected = label_smoothing_loss(logits, batch.labels, 0.2, prior, reduction="none")
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)  # targets are in single precision


def test_a_prior_has_one_form():
    """Lists, arrays and tensors of probabilities, text and tables give the same method, which can be hashed."""
    method = LabelSmoothing(prior=PRIOR)
    for given in (list(PRIOR), np.array(PRIOR), torch.tensor(PRIOR)):
        assert LabelSmoothing(prior=given) == method
        assert hash(LabelSmoothing(prior=given)) == hash(method)
    assert parse_mitigations("label-smoothing:prior=0.5,0.25,0.25") == (method,)
    assert parse_mitigations("label-smoothing:prior=unigram") == (LabelSmoothing(prior="unigram"),)
    text = '[[mitigations]]\nname = "label-smoothing"\nprior = [0.5, 0.25, 0.25]\n'
    assert Recipe.from_toml(text).mitigations == (method,)


def test_unigram_takes_frequencies_of_the_training_set():
    """Smoothing towards the training set's class frequencies is smoothing towards these numbers."""
    losses = {}
    data, recipe = _clusters(90, classes=3)
    data = TrainingSet(data.inputs, data.labels.clamp(max=1), 3)
    frequencies = class_prior(data.labels, 3)
    for prior in ("unigram", tuple(frequencies.tolist()), "uniform"):
        training = _training(mitigated(recipe, [LabelSmoothing(0.3, prior=prior)]), data, epochs=2)
        losses[str(prior)] = torch.cat([block.losses for block in training.blocks([training.total_steps])])
    unigram, given, uniform = losses.values()
    torch.testing.assert_close(unigram, given, rtol=1e-5, atol=1e-6)
    assert (unigram - uniform).abs().max() > 1e-2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConfidencePenalty(-0.1), r"confidence-penalty: beta must be zero or more, got -0.1"),
        (lambda: ConfidencePenalty(start=-0.1), r"start must be zero or more, got -0.1"),
        (lambda: ConfidencePenalty(threshold=0.0), r"threshold must be in \(0, log K\], got 0.0"),
        (lambda: ConfidencePenalty(threshold=1.5, normalize=True), r"threshold must be in \(0, 1\] where entropy is"),
        (
            lambda: ConfidencePenalty(course="sine"),
            r"course must be one of constant, linear, cosine, exponential, step",
        ),
        (lambda: ConfidencePenalty(warmup=0.0), r"warmup must be a share in \(0, 1\], got 0.0"),
        (lambda: LabelSmoothing(1.0), r"label-smoothing: epsilon must be a share in \[0, 1\), got 1.0"),
        (lambda: LabelSmoothing(prior="bigram"), r"prior must be uniform, unigram or probabilities, .* got 'bigram'"),
        (lambda: LabelSmoothing(prior=(0.5, 0.6)), r"prior must be probabilities that sum to 1, got \(0.5, 0.6\)"),
        (lambda: LabelSmoothing(prior=(1.5, -0.5)), r"prior must be probabilities that sum to 1"),
        (lambda: parse_mitigations("label-smoothing:prior=0.5,x"), r"label-smoothing: prior must be .*, got '0.5,x'"),
        (lambda: DisturbLabel(1.0), r"disturb-label: alpha must be a share in \[0, 1\), got 1.0"),
    ],
)
def test_bad_options_are_refused(make, message):
    """Each mistake is named with the method, the field and the value."""
    with pytest.raises(RecipeError, match=message):
        make()


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (ConfidencePenalty(threshold=1.2), r"threshold must be at most log K = 1.099 for 3 classes, got 1.2"),
        (LabelSmoothing(prior=(0.5, 0.5)), r"prior must be one probability for each of 3 classes, got \(0.5, 0.5\)"),
    ],
)
def test_options_that_do_not_fit_the_data_are_refused_before_training(method, message):
    """What depends on the number of classes is refused when the model is tried and when a training begins."""
    data, recipe = _clusters(30, classes=3)
    training = _training(mitigated(recipe, [method]), data)
    with pytest.raises(RecipeError, match=message):
        check_forward(training)
    with pytest.raises(RecipeError, match=message):
        next(training.steps())


def _clusters(samples: int, classes: int = 10) -> tuple[TrainingSet, Recipe]:
    """Return overlapping Gaussian clusters in 30 dimensions, and a recipe for them."""
    generator = torch.Generator().manual_seed(5)
    centres = torch.randn(classes, 30, generator=torch.Generator().manual_seed(6))
    centres = 3 * centres / centres.norm(dim=1, keepdim=True)
    labels = torch.randint(0, classes, (samples,), generator=generator)
    inputs = centres[labels] + torch.randn(samples, 30, generator=generator)
    model = ModelConfig("mlp", hidden=(128, 128), dropout=0.0)
    return TrainingSet(inputs, labels, classes), Recipe(model=model, optimizer=OptimizerConfig("adam", lr=1e-3))


def _training(recipe: Recipe, data: TrainingSet, epochs: int = 1, runs: int = 1) -> StackedTraining:
    recipe = replace(recipe, epochs=epochs, batch_size=64)
    seeds = tuple(SeedPlan(1).seeds(run) for run in range(runs))
    return StackedTraining(recipe, architecture(recipe.model), data, seeds)


@pytest.mark.parametrize(
    "methods",
    [
        [ConfidencePenalty(beta) for beta in (0.0, 0.3, 1.0)],
        [LabelSmoothing(epsilon) for epsilon in (0.0, 0.1, 0.3)],
    ],
    ids=["penalty", "smoothing"],
)
def test_strength_spreads_predictions(methods):
    """With strength, entropy on new samples rises and confident answers become rarer, as far as theory says."""
    everything, recipe = _clusters(1100)
    data = TrainingSet(everything.inputs[:600], everything.labels[:600], 10)
    optimum = {0.3: 0.849176, 1.0: 0.475963}
    spread, certain = [], []
    for method in methods:
        training = _training(mitigated(recipe, [method]), data, epochs=30, runs=3)
        with arithmetic(1):
            list(training.blocks([training.total_steps]))
        p = training.predict(everything.inputs[600:]).softmax(-1)
        spread.append(-(p * p.log()).sum(-1).mean().item())
        certain.append((p.amax(-1) > 0.99).double().mean().item())
        if isinstance(method, ConfidencePenalty) and method.beta in optimum:
            own = training.predict(data.inputs).softmax(-1)[:, torch.arange(600), data.labels].mean().item()
            assert own == pytest.approx(optimum[method.beta], abs=0.06)
    assert all(one < other for one, other in pairwise(spread))
    assert all(one > other or one == other == 0 for one, other in pairwise(certain))
    assert certain[0] > 0.1
    assert spread[-1] < math.log(10)
