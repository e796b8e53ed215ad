"""What is recorded of a prediction."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
from torch import nn

from reseed.training import predict, prediction_arrays
from reseed.training._record import EVAL_BATCH, rows_at_once


def test_scores_against_scipy():
    """Labels and scores equal scipy's softmax and entropy in double precision."""
    logits = torch.randn(40, 5, generator=torch.Generator().manual_seed(0)) * 3
    targets = np.arange(40) % 6 - 1
    arrays = prediction_arrays(logits, targets, "full")
    p = scipy.special.softmax(logits.double().numpy(), axis=1)
    ordered = np.sort(p, axis=1)
    assert np.array_equal(arrays["labels"], p.argmax(1))
    np.testing.assert_allclose(arrays["confidence"], ordered[:, -1], rtol=1e-5)
    np.testing.assert_allclose(arrays["margin"], ordered[:, -1] - ordered[:, -2], atol=1e-6)
    np.testing.assert_allclose(arrays["entropy"], scipy.stats.entropy(p, axis=1), rtol=1e-4)
    np.testing.assert_allclose(arrays["probabilities"], p, rtol=1e-4, atol=1e-7)
    known = targets >= 0
    np.testing.assert_allclose(arrays["own_probability"][known], p[known, targets[known]], rtol=1e-4, atol=1e-7)
    assert np.isnan(arrays["own_probability"][~known]).all()


def test_ties_go_to_the_lowest_index():
    """Of equal logits the first class is the label."""
    logits = torch.tensor([[1.0, 1.0, 0.0], [0.0, 2.0, 2.0]])
    assert prediction_arrays(logits, np.array([0, 0]), "labels")["labels"].tolist() == [0, 1]


def test_extreme_logits_have_zero_entropy_and_no_nan():
    """Certainty is entropy 0, confidence 1 and margin 1."""
    arrays = prediction_arrays(torch.tensor([[1e4, -1e4]]), np.array([1]), "scores")
    values = {name: float(value[0]) for name, value in arrays.items()}
    assert values == {"labels": 0, "own_probability": 0, "confidence": 1, "margin": 1, "entropy": 0}


@pytest.mark.parametrize(("level", "count"), [("labels", 1), ("scores", 5), ("full", 6)])
def test_levels(level, count):
    """Each level adds to the one before."""
    assert len(prediction_arrays(torch.zeros(2, 3), np.zeros(2, int), level)) == count


def test_predict_restores_the_mode_of_every_module():
    """A model with parts in different modes comes back as it was, and batching does not matter."""
    model = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    model[0].eval()
    inputs = torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
    whole = predict(model, inputs)
    torch.testing.assert_close(predict(model, inputs, batch_size=2), whole)
    assert [module.training for module in model.modules()] == [True, False, True, True]
    assert not whole.requires_grad


@pytest.mark.parametrize(
    ("shape", "rows"),
    [((1, 28, 28), 334), ((3, 32, 32), 256), ((1, 8, 8), EVAL_BATCH), ((3, 1000, 1000), 1), ((64,), EVAL_BATCH)],
)
def test_images_are_predicted_in_pieces_of_equal_memory(shape, rows):
    """On a CPU larger images are predicted fewer at a time, at least one; other inputs are not cut smaller."""
    assert rows_at_once(torch.empty(0, *shape)) == rows
    assert rows_at_once(torch.empty(0, *shape), 2) == min(rows, 2)
    assert rows_at_once(torch.empty(0, *shape, device="meta")) == EVAL_BATCH


def test_every_image_is_predicted_once_and_in_order():
    """Predictions of images in pieces are those of all at once."""
    model, inputs = nn.Sequential(nn.Flatten(), nn.Linear(400, 3)), torch.randn(1500, 1, 20, 20)
    assert rows_at_once(inputs) < len(inputs)
    torch.testing.assert_close(predict(model, inputs), predict(model, inputs, len(inputs)))
