"""The entropy of predictions."""

import math

import numpy as np
import pytest
import torch

from reseed._errors import InputError, InputTypeError
from reseed.mitigations import entropy


@pytest.fixture
def logits() -> torch.Tensor:
    """Thirty rows of seven logits in double precision."""
    return torch.randn(30, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 3


def test_entropy_equals_scipy(logits):
    """Values are those of another library, in nats, and lie between zero and log K."""
    from scipy.special import softmax
    from scipy.stats import entropy as reference

    found = entropy(logits)
    np.testing.assert_allclose(found.numpy(), reference(softmax(logits.numpy(), axis=1), axis=1), atol=1e-13)
    assert (found > 0).all()
    assert (found < math.log(7)).all()


def test_gradient_is_the_written_out_one(logits):
    """dH/dz = p (-log p - H), whose rows sum to zero; numerical differentiation agrees, twice."""
    free = logits.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(entropy(free).sum(), free)
    p = logits.softmax(1)
    expected = p * (-p.log() - entropy(logits)[:, None])
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(gradient.sum(1), torch.zeros(30, dtype=torch.float64), rtol=0, atol=1e-14)
    mask = torch.tensor([True] * 5 + [False] * 2)
    for chosen in (None, mask):
        assert torch.autograd.gradcheck(lambda z, m=chosen: entropy(z, mask=m), free[:3])
        assert torch.autograd.gradgradcheck(lambda z, m=chosen: entropy(z, mask=m), free[:3])


def test_symmetries(logits):
    """Adding a constant or reordering classes changes nothing; constant rows have the most entropy."""
    order = torch.randperm(7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(entropy(logits + 12.5), entropy(logits), rtol=0, atol=1e-13)
    torch.testing.assert_close(entropy(logits[:, order]), entropy(logits), rtol=0, atol=1e-13)
    assert float(entropy(torch.full((4,), 3.0))) == pytest.approx(math.log(4), abs=1e-6)


def test_classes_may_stand_anywhere(logits):
    """The axis of the classes can be named."""
    torch.testing.assert_close(entropy(logits.T, dim=0), entropy(logits))
    images = logits.view(5, 6, 7).transpose(1, 2)
    torch.testing.assert_close(entropy(images, dim=1), entropy(logits).view(5, 6))


def test_classes_that_cannot_be_have_no_part(logits):
    """Entropy under a mask is that of the other logits alone, and no gradient reaches the masked ones."""
    mask = torch.rand(30, 7, generator=torch.Generator().manual_seed(2)) > 0.4
    mask[:, 3] = True
    free = logits.clone().requires_grad_()
    found = entropy(free, mask=mask)
    for row, own in enumerate(mask):
        torch.testing.assert_close(found[row], entropy(torch.cat([logits[row, own], logits.new_tensor([-torch.inf])])))
    (gradient,) = torch.autograd.grad(found.sum(), free)
    assert torch.isfinite(gradient).all()
    assert (gradient[~mask] == 0).all()
    transposed = entropy(logits.T, dim=0, mask=mask.T)
    torch.testing.assert_close(transposed, found.detach())


@pytest.mark.parametrize("size", [1e4, 1e30, float("inf")])
def test_extreme_logits_are_no_trouble(size):
    """A certain prediction has entropy zero and gradient zero in single precision, minus infinity included."""
    free = torch.tensor([[0.0, -size, -size]], requires_grad=True)
    found = entropy(free)
    (gradient,) = torch.autograd.grad(found.sum(), free)
    assert found.tolist() == [0.0]
    assert gradient.tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(logits, kind):
    """Half-precision logits give single-precision entropy, that of their own values."""
    low = logits.to(kind)
    assert entropy(low).dtype == torch.float32
    torch.testing.assert_close(entropy(low), entropy(low.double()).float())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"logits": torch.tensor([[1, 2]])}, InputTypeError, r"logits must be floating-point numbers, got torch.int64"),
        ({"logits": torch.zeros(3, 1)}, InputError, r"\(3, 1\) must have two classes or more along dim=-1"),
        ({"logits": torch.zeros(3, 2), "dim": 2}, InputError, r"dim=2 is no axis of logits of shape \(3, 2\)"),
        ({"logits": torch.zeros(3, 2), "mask": torch.ones(2)}, InputTypeError, r"must be boolean, got torch.float32"),
        (
            {"logits": torch.zeros(3, 2), "mask": torch.ones(3, dtype=torch.bool)},
            InputError,
            r"has shape \(3,\); pass one value for each of 2 classes",
        ),
        (
            {"logits": torch.zeros(2, 2), "mask": torch.tensor([[True, False], [False, False]])},
            InputError,
            r"leaves no class at position \(1,\)",
        ),
    ],
)
def test_bad_arguments_are_refused(arguments, error, message):
    """Each mistake is named with its value."""
    with pytest.raises(error, match=message):
        entropy(**arguments)


def test_a_wrong_type_is_a_type_error():
    """Whole numbers in place of logits are also the standard library's TypeError."""
    with pytest.raises(TypeError):
        entropy(torch.tensor([1, 2]))
