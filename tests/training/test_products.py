"""Products of many runs, by whichever library."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from reseed.training import _products
from reseed.training._products import batched_product


@pytest.fixture
def on_processor(monkeypatch):
    """Have the library think that it runs on a processor of some name."""

    def pretend(name):
        monkeypatch.setattr(_products, "processor", lambda: name)
        _products._onednn_pays.cache_clear()

    yield pretend
    _products._onednn_pays.cache_clear()


class CalledFunctions(TorchDispatchMode):
    """Notes the names of torch's operations."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    "shapes", [((3, 5, 7), (3, 7, 4)), ((2, 256, 384), (2, 384, 128)), ((2, 1, 4096), (2, 4096, 2048))]
)
@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize("name", ["Intel(R) Xeon(R) Processor", "AMD EPYC"])
def test_products_are_those_of_double_precision(shapes, is_turned, on_processor, name):
    """Small and large products, of tensors as they lie and of turned ones, equal a plain one up to rounding."""
    on_processor(name)
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(shape, generator=generator) for shape in shapes)
    if is_turned:
        left, right = (value.transpose(1, 2).contiguous().transpose(1, 2) for value in (left, right))
    expected = torch.einsum("rij,rjk->rik", left.double(), right.double())
    out = torch.full(expected.shape, torch.nan)
    for found in (batched_product(left, right), batched_product(left, right, out=out), out):
        torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch has no oneDNN here")
def test_the_library_depends_on_shapes_and_processor(on_processor):
    """Large products in single precision go to oneDNN where the processor is not Intel's; else torch does."""
    for name, sizes, precision, batched in (
        ("AMD EPYC", (256, 256, 128), torch.float32, 0),
        ("Intel(R) Xeon(R) Processor", (256, 256, 128), torch.float32, 1),
        ("AMD EPYC", (8, 8, 4), torch.float32, 1),
        ("AMD EPYC", (256, 256, 128), torch.float64, 1),
    ):
        on_processor(name)
        rows, inner, columns = sizes
        with CalledFunctions() as called:
            batched_product(torch.rand(2, rows, inner, dtype=precision), torch.rand(2, inner, columns, dtype=precision))
        assert called.names.count("aten.bmm.default") == batched, (name, sizes, precision)


def test_a_result_of_another_precision_is_converted():
    """Products of bfloat16 go into a float32 result."""
    out = torch.empty(2, 4, 5)
    found = batched_product(torch.ones(2, 4, 3).bfloat16(), torch.ones(2, 3, 5).bfloat16(), out=out)
    assert found is out
    assert bool((out == 3.0).all())
