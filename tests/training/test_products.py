"""Products of many runs, by whichever library."""

import pytest
import torch

from reseed.training import _products
from reseed.training._products import batched_product


@pytest.mark.parametrize(
    "shapes", [((3, 5, 7), (3, 7, 4)), ((2, 256, 384), (2, 384, 128)), ((2, 1, 4096), (2, 4096, 2048))]
)
@pytest.mark.parametrize("is_turned", [False, True])
def test_products_are_those_of_double_precision(shapes, is_turned):
    """Small and large products, of tensors as they lie and of turned ones, equal a plain one up to rounding."""
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(shape, generator=generator) for shape in shapes)
    if is_turned:
        left, right = (value.transpose(1, 2).contiguous().transpose(1, 2) for value in (left, right))
    expected = torch.einsum("rij,rjk->rik", left.double(), right.double())
    out = torch.full(expected.shape, torch.nan)
    for found in (batched_product(left, right), batched_product(left, right, out=out), out):
        torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-3)


def test_both_libraries_agree(monkeypatch):
    """Where oneDNN is missing, or the precision is another, torch's batched product is used, with the same result."""
    left, right = torch.rand(2, 256, 256), torch.rand(2, 256, 128)
    by_default = batched_product(left, right)
    monkeypatch.setattr(_products, "_has_onednn", lambda: False)
    torch.testing.assert_close(batched_product(left, right), by_default)
    assert batched_product(left.double(), right.double()).dtype == torch.float64


def test_a_result_of_another_precision_is_converted():
    """Products of bfloat16 go into a float32 result."""
    out = torch.empty(2, 4, 5)
    found = batched_product(torch.ones(2, 4, 3).bfloat16(), torch.ones(2, 3, 5).bfloat16(), out=out)
    assert found is out
    assert bool((out == 3.0).all())
