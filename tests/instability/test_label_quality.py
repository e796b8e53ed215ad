"""Scores of given labels."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch

from reseed._errors import InputError
from reseed.instability import label_quality
from reseed.instability.probabilities import _label_quality


@pytest.mark.parametrize("block", [1, 11, 1_000_000])
def test_equals_loops_over_samples(monkeypatch, block):
    """The three scores of each sample are those of plain Python, in blocks of any size."""
    monkeypatch.setattr(_label_quality, "_BLOCK", block)
    rng = np.random.default_rng(5)
    probabilities, targets = rng.dirichlet(np.full(4, 0.3), 50), rng.integers(0, 4, 50)
    found = label_quality(probabilities, targets)
    for sample, target in enumerate(targets):
        row = probabilities[sample].tolist()
        others = row[:target] + row[target + 1 :]
        ratio = -sum(p * math.log(p) for p in row if p > 0) / math.log(4) / row[target]
        assert found.self_confidence[sample] == row[target]
        assert found.normalized_margin[sample] == pytest.approx((row[target] - max(others) + 1) / 2, abs=1e-14)
        assert found.confidence_weighted_entropy[sample] == pytest.approx(math.log1p(ratio) / ratio, rel=1e-11)


def test_closed_forms():
    """Certain and right is 1, certain and wrong is 0, uniform over K is 1/K, 1/2 and ln(1 + K) / K."""
    found = label_quality([[1, 0, 0], [0, 1, 0], [1 / 3, 1 / 3, 1 / 3]], [0, 0, 0])
    assert found.self_confidence.tolist() == [1, 0, 1 / 3]
    assert found.normalized_margin.tolist() == [1, 0, 0.5]
    assert found.confidence_weighted_entropy == pytest.approx([1, 0, math.log(4) / 3], abs=1e-12)


@pytest.mark.parametrize("gap", [10, 300, 700, 708, 709, 720, 740, 745])
def test_peaked_softmax_equals_decimal_arithmetic(gap):
    """The score of an unlikely label is that of its probability, down to the smallest number there is."""
    logits = np.array([float(gap), 0.0])
    probabilities = np.exp(logits - gap) / np.exp(logits - gap).sum()
    with localcontext(prec=60):
        own, other = map(Decimal, probabilities[::-1].tolist())
        ratio = -(own * own.ln() + other * other.ln()) / Decimal(2).ln() / own
        expected = float((1 + ratio).ln() / ratio)
    found = label_quality([probabilities], [1]).confidence_weighted_entropy[0]
    assert found == pytest.approx(expected, rel=1e-9 if gap < 740 else 0.2)  # of 745 one bit is left
    if gap == 720:
        assert found == pytest.approx(0.0067, abs=5e-5)


@pytest.mark.parametrize("tiny", [0.0, 5e-324, 1e-300])
def test_hardly_possible_labels_have_no_quality(tiny):
    """A probability next to nothing gives a score next to 0, without overflow."""
    found = label_quality([[tiny, 0.5, 0.5]], [0])
    assert 0 <= found.confidence_weighted_entropy[0] < 1e-290


def test_axes_before_the_sample_are_kept():
    """[run, sample, class] gives [run, sample], and a tensor gives tensors."""
    probabilities = torch.full((2, 3, 2), 0.5)
    found = label_quality(probabilities, torch.tensor([0, 1, 0]))
    assert found.confidence_weighted_entropy.shape == (2, 3)
    assert torch.equal(found.normalized_margin, torch.full((2, 3), 0.5, dtype=torch.float64))


def test_bad_input_is_refused():
    """Logits, single classes and targets out of range are refused."""
    with pytest.raises(InputError, match=r"probabilities holds -1 at position \(0, 0\), a negative probability"):
        label_quality([[-1.0, 2.0]], [0])
    with pytest.raises(InputError, match=r"probabilities must have two classes or more, got float64\[1, 1\]"):
        label_quality([[1.0]], [0])
    with pytest.raises(InputError, match=r"targets holds 3 at position \(0,\), outside 0..1"):
        label_quality([[0.5, 0.5]], [3])
