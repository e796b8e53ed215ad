"""What methods make of an anchor's probabilities, sample by sample against the formula."""

import math

import numpy as np
import pytest
import torch

from reseed import RecipeError
from reseed.mitigations import Batch, Diplopia, Distill, FocalDistillation, Rcp, mitigation, parse_mitigations
from reseed.mitigations._anchored import predicted
from reseed.training import Recipe, mitigated

RUNS, SAMPLES, CLASSES = 3, 30, 4


@pytest.fixture
def batch() -> Batch:
    """Three runs' samples with an anchor that is right now and then, and undecided on the first sample of each."""
    generator = torch.Generator().manual_seed(2)
    labels = torch.randint(0, CLASSES, (RUNS, SAMPLES), generator=generator)
    anchor = torch.randn(RUNS, SAMPLES, CLASSES, generator=generator, dtype=torch.float64).mul(2).softmax(-1)
    anchor[:, 0] = 1 / CLASSES
    labels[0, 0], labels[1, 0] = 0, 1
    return Batch(0, 10, labels, CLASSES, [1, 2, 3], anchor)


def each(batch: Batch):
    """Yield place, label and the anchor's probabilities of each sample."""
    for place in np.ndindex(RUNS, SAMPLES):
        yield place, int(batch.labels[place]), batch.taught[place].tolist()


def one_hot(label: int) -> list[float]:
    """Return the one-hot label."""
    return [float(c == label) for c in range(CLASSES)]


def test_ties_of_the_anchor_go_to_the_lowest_class():
    """The predicted class is that of numpy's argmax, which promises the first of equal values."""
    p = torch.rand(50, 5, generator=torch.Generator().manual_seed(0)).mul(3).round()
    np.testing.assert_array_equal(predicted(p).numpy(), p.numpy().argmax(-1))


@pytest.mark.parametrize("exponent", [1.0, 0.5, 2.0])
@pytest.mark.parametrize("weight", [0.25, 1.0])
def test_distillation_mixes_label_and_anchor(batch, weight, exponent):
    """Targets are (1 - lambda) e_y + lambda g(x)^T / sum g(x)^T."""
    found = Distill(weight, exponent).targets(None, batch)
    for place, label, g in each(batch):
        total = math.fsum(p**exponent for p in g)
        expected = [(1 - weight) * e + weight * p**exponent / total for e, p in zip(one_hot(label), g, strict=True)]
        np.testing.assert_allclose(found[place], expected, rtol=1e-12)


def test_diplopia_is_the_loss_of_two_labels(batch):
    """The cross-entropy with its targets is the weighted sum of those with the label and with the anchor's class."""
    found, log_p = Diplopia(0.3).targets(None, batch), torch.randn(CLASSES, dtype=torch.float64).log_softmax(-1)
    for place, label, g in each(batch):
        expected = -0.7 * log_p[label] - 0.3 * log_p[int(np.argmax(g))]
        np.testing.assert_allclose(-(found[place] * log_p).sum(), expected, rtol=1e-6)


def test_rcp_follows_a_right_anchor_only(batch):
    """Where the anchor is right it is mixed with the label; where it is wrong the label stands alone."""
    found, right = Rcp(0.6).targets(None, batch), 0
    for place, label, g in each(batch):
        is_right = int(np.argmax(g)) == label
        right += is_right
        mixed = [0.6 * p + 0.4 * e for e, p in zip(one_hot(label), g, strict=True)]
        np.testing.assert_allclose(found[place], mixed if is_right else one_hot(label), rtol=1e-6)
    assert 0 < right < RUNS * SAMPLES


def test_focal_distillation_weighs_the_divergence(batch):
    """The penalty is (alpha + beta [anchor right]) KL(g || p), and the anchor itself costs nothing."""
    penalty = FocalDistillation(0.5, 2.0).penalty(batch)
    logits = torch.randn(RUNS, SAMPLES, CLASSES, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found, p = penalty(logits), logits.softmax(-1)
    for place, label, g in each(batch):
        divergence = math.fsum(q * math.log(q / s) for q, s in zip(g, p[place].tolist(), strict=True))
        weight = 2.5 if int(np.argmax(g)) == label else 0.5
        np.testing.assert_allclose(found[place], weight * divergence, rtol=1e-10)
    torch.testing.assert_close(penalty(batch.taught.log()), torch.zeros_like(found), rtol=0, atol=1e-14)


def test_a_certain_anchor_has_a_finite_divergence():
    """Probabilities of exactly zero count nothing, and gradients stay finite."""
    batch = Batch(0, 1, torch.tensor([[1]]), 2, [0], torch.tensor([[[0.0, 1.0]]]))
    logits = torch.zeros(1, 1, 2, requires_grad=True)
    loss = FocalDistillation(1.0, 0.0).penalty(batch)(logits)
    loss.sum().backward()
    torch.testing.assert_close(loss.detach(), torch.tensor([[math.log(2)]]))
    torch.testing.assert_close(logits.grad, torch.tensor([[[0.5, -0.5]]]))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("distill", {"weight": 1.5}, r"mitigation distill: weight must be a share in \[0, 1\], got 1\.5"),
        ("distill", {"exponent": 0.0}, r"mitigation distill: exponent must be a positive number, got 0\.0"),
        ("diplopia", {"alpha": -0.1}, r"mitigation diplopia: alpha must be a share in \[0, 1\], got -0\.1"),
        ("rcp", {"alpha": 2}, r"mitigation rcp: alpha must be a share"),
        ("focal-distillation", {"alpha": -1}, r"alpha must be zero or more, got -1\.0"),
        ("focal-distillation", {"beta": -1}, r"beta must be zero or more, got -1\.0"),
        ("knn-smoothing", {"a": 1.1}, r"knn-smoothing: a must be a share in \[0, 1\], got 1\.1"),
        ("knn-smoothing", {"b": -1}, r"knn-smoothing: b must be a share"),
        ("knn-smoothing", {"k": 0}, "k must be 1 or more, got 0"),
        ("knn-smoothing", {"teacher": "mine"}, "teacher must be per_run or shared, got 'mine'"),
        ("snapshot-distillation", {"cycles": 1}, "cycles must be 2 or more, got 1"),
        ("late-branching", {"branches": 1}, "branches must be 2 or more, got 1"),
        ("late-branching", {"at": 1.0}, r"at must be a share in \(0, 1\), got 1\.0"),
        ("ensemble-soft-labels", {"teachers": 1}, "teachers must be 2 or more, got 1"),
        ("tgtss", {"transient": 1.0}, r"transient must be a share in \[0, 1\), got 1\.0"),
        ("tgtss", {"every": 0}, "every must be 1 or more, got 0"),
        ("tgtss", {"exponent": 0.0}, r"exponent must be a positive number, got 0\.0"),
        ("tgtss", {"exponent": float("inf")}, "exponent must be a positive number, got inf"),
        ("tgtss", {"temperature": 0.0}, r"temperature must be a positive number, got 0\.0"),
        (
            "tgtss",
            {"exponent": 0.5, "temperature": 2.0},
            r"exponent must be left alone where temperature is given, got 0\.5",
        ),
        ("tgtss", {"hard_weight": 1.2}, r"hard_weight must be a share in \[0, 1\], got 1\.2"),
    ],
)
def test_strengths_out_of_range_are_refused(name, options, message):
    """Errors name method, field and value, before anything is trained; so is an ensemble of one."""
    with pytest.raises(RecipeError, match=message):
        mitigation(name, **options)


@pytest.mark.parametrize("text", ["tgtss+distill", "rcp+diplopia", "knn-smoothing+late-branching", "distill+distill"])
def test_methods_that_replace_labels_do_not_compose(text):
    """Two of them are an error that names both."""
    with pytest.raises(RecipeError, match="cannot be combined"):
        mitigated(Recipe(), parse_mitigations(text))
