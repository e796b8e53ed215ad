"""Sharpening and flattening probabilities, against what powers of numbers must do."""

import math

import pytest
import torch

from reseed import InputError
from reseed.mitigations import tempered

P = torch.softmax(3 * torch.randn(40, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64), -1)


def test_exponent_one_is_the_identity():
    """The exponent 1 changes nothing."""
    torch.testing.assert_close(tempered(P, exponent=1.0), P, rtol=1e-14, atol=0)


@pytest.mark.parametrize("exponent", [0.01, 0.5, 1.0, 3.0, 50.0])
def test_one_hot_is_a_fixed_point(exponent):
    """Certainty stays certainty exactly, and a class of probability zero never gets any."""
    one_hot = torch.eye(4)
    assert torch.equal(tempered(one_hot, exponent=exponent), one_hot)
    assert tempered(torch.tensor([0.5, 0.5, 0.0]), exponent=exponent)[2] == 0


def test_exponents_multiply():
    """The exponent a and then b is the exponent a b."""
    twice = tempered(tempered(P, exponent=0.4), exponent=1.7)
    torch.testing.assert_close(twice, tempered(P, exponent=0.4 * 1.7), rtol=1e-12, atol=0)


def test_powers_by_hand():
    """Powers are taken and normalised one number at a time, with math.pow, and a temperature is an inverse exponent."""
    for row, found, inverse in zip(P, tempered(P, exponent=0.3), tempered(P, temperature=1 / 0.3), strict=True):
        powers = [math.pow(p, 0.3) for p in row.tolist()]
        expected = torch.tensor([power / math.fsum(powers) for power in powers], dtype=torch.float64)
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
        torch.testing.assert_close(inverse, expected, rtol=1e-12, atol=0)


def test_a_published_pair():
    """The exponent 0.5 turns (0.8, 0.2) into (2/3, 1/3)."""
    expected = torch.tensor([2 / 3, 1 / 3], dtype=torch.float64)
    torch.testing.assert_close(tempered(torch.tensor([0.8, 0.2], dtype=torch.float64), exponent=0.5), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "pass exponent or temperature, got exponent=None, temperature=None"),
        ({"exponent": 1.0, "temperature": 1.0}, "pass exponent or temperature"),
        ({"exponent": 0.0}, r"exponent must be a positive number, got 0\.0"),
        ({"exponent": math.nan}, "exponent must be a positive number, got nan"),
        ({"temperature": math.inf}, "temperature must be a positive number, got inf"),
        ({"temperature": -2.0}, r"temperature must be a positive number, got -2\.0"),
    ],
)
def test_what_is_no_power_is_refused(options, message):
    """None or both, and what is not positive and finite, are errors that name the argument."""
    with pytest.raises(InputError, match=message):
        tempered(P, **options)
