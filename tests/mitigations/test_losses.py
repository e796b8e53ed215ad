"""The confidence penalty and label smoothing as functions of logits."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from torch import nn

from reseed._errors import InputError, InputTypeError
from reseed.mitigations import (
    ConfidencePenaltyLoss,
    class_prior,
    confidence_penalty_loss,
    entropy,
    kl_to_prior,
    label_smoothing_loss,
    soft_cross_entropy,
)

F = nn.functional
CLASSES = 7
PRIOR = torch.tensor([0.3, 0.05, 0.0, 0.15, 0.1, 0.2, 0.2], dtype=torch.float64)

LOSSES = {
    "plain": lambda z, y, **options: confidence_penalty_loss(z, y, 0.7, **options),
    "hinge": lambda z, y, **options: confidence_penalty_loss(z, y, 0.7, threshold=1.2, **options),
    "normalised": lambda z, y, **options: confidence_penalty_loss(z, y, 0.7, 0.6, normalize=True, **options),
    "uniform": lambda z, y, **options: label_smoothing_loss(z, y, 0.2, **options),
    "unigram": lambda z, y, **options: label_smoothing_loss(z, y, 0.2, PRIOR, **options),
    "no penalty": lambda z, y, **options: confidence_penalty_loss(z, y, 0.0, **options),
    "no smoothing": lambda z, y, **options: label_smoothing_loss(z, y, 0.0, **options),
}


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Forty rows of logits in double precision, and labels."""
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(40, CLASSES, generator=generator, dtype=torch.float64) * 3
    return logits, torch.randint(0, CLASSES, (40,), generator=generator)


def _gradient(loss, logits, *arguments, **options):
    free = logits.clone().requires_grad_()
    return torch.autograd.grad(loss(free, *arguments, **options).sum(), free)[0]


def _optimum(classes: int, beta: float, threshold: float | None) -> float:
    """Return the probability of the label, class 0, where the loss of a free vector of logits is least."""
    free = torch.zeros(classes, dtype=torch.float64)
    free[0] = 1.0
    free.requires_grad_()
    optimizer = torch.optim.LBFGS(
        [free], lr=0.5, max_iter=3000, tolerance_grad=1e-12, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = confidence_penalty_loss(free[None], torch.tensor([0]), beta, threshold)
        loss.backward()
        return loss

    optimizer.step(closure)
    return float(free.detach().softmax(0)[0])


TABLE = {
    2: (0.999954, 0.968937, 0.782188, 0.676741, 0.649316, 0.555972),
    3: (0.999909, 0.944578, 0.683501, 0.552685, 0.519278, 0.405034),
    10: (0.999593, 0.849176, 0.475963, 0.332881, 0.298204, 0.181282),
    1000: (0.968332, 0.486440, 0.184485, 0.104965, 0.087643, 0.034860),
}
BETAS = (0.1, 0.3, 1.0, 2.0, 2.5, 8.0)


@pytest.mark.parametrize("classes", TABLE)
@pytest.mark.parametrize(("place", "beta"), list(enumerate(BETAS)))
def test_the_optimum_is_the_closed_form(classes, place, beta):
    """A free vector of logits ends at the root of log(t (K - 1) / (1 - t)) = 1 / (beta t), which pins the sign."""
    root = brentq(lambda t: math.log(t * (classes - 1) / (1 - t)) - 1 / (beta * t), 1 / classes + 1e-9, 1 - 1e-9)
    assert root == pytest.approx(TABLE[classes][place], abs=2e-6)
    assert _optimum(classes, beta, None) == pytest.approx(root, abs=1e-4)


@pytest.mark.parametrize(
    ("classes", "beta", "threshold", "expected", "tolerance"),
    [
        (10, 1.0, 1.0, 0.78297, 1e-3),
        (10, 0.3, 1.0, 0.84918, 1e-4),
        (3, 2.0, 0.5, 0.86080, 1e-3),
        (10, 5.0, 2.0, 0.39514, 1e-3),
    ],
)
def test_the_optimum_under_a_threshold(classes, beta, threshold, expected, tolerance):
    """The penalty acts below the threshold alone: optima are the plain one, or the kink where H is the threshold."""
    assert _optimum(classes, beta, threshold) == pytest.approx(expected, abs=tolerance)


def test_a_threshold_at_its_most_is_the_plain_penalty(batch):
    """With the threshold log K the hinge is always on: the losses differ by beta log K."""
    plain = confidence_penalty_loss(*batch, 0.7, reduction="none")
    hinge = confidence_penalty_loss(*batch, 0.7, threshold=math.log(CLASSES), reduction="none")
    torch.testing.assert_close(hinge - plain, torch.full_like(plain, 0.7 * math.log(CLASSES)))


def test_the_hinge_equals_a_loop(batch):
    """Each row pays beta times what its entropy lacks, and nothing above the threshold."""
    logits, labels = batch
    found = confidence_penalty_loss(logits, labels, 0.7, threshold=1.2, reduction="none")
    for row, label in enumerate(labels.tolist()):
        p = np.exp(logits[row].numpy())
        p /= p.sum()
        lack = max(0.0, 1.2 + float((p * np.log(p)).sum()))
        assert float(found[row]) == pytest.approx(-math.log(p[label]) + 0.7 * lack, abs=1e-12)


def test_the_gradient_is_the_written_out_one(batch):
    """dL/dz = p - onehot + beta p (log p + H)."""
    logits, labels = batch
    p = logits.softmax(1)
    expected = p - F.one_hot(labels, CLASSES) + 0.7 * p * (p.log() + entropy(logits)[:, None])
    found = _gradient(confidence_penalty_loss, logits, labels, 0.7, reduction="sum")
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_numerical_differentiation_agrees(name, batch):
    """Automatic derivatives are right for every form."""
    logits, labels = batch[0][:4].clone().requires_grad_(), batch[1][:4]
    assert torch.autograd.gradcheck(lambda z: LOSSES[name](z, labels, reduction="none"), logits)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_strength_zero_is_cross_entropy(batch, reduction):
    """Without strength both losses are torch's, for labels and soft targets, with and without weights."""
    logits, labels = batch
    expected = F.cross_entropy(logits, labels, reduction=reduction)
    for name in ("no penalty", "no smoothing"):
        torch.testing.assert_close(LOSSES[name](logits, labels, reduction=reduction), expected, rtol=1e-15, atol=0)
        weight = torch.arange(1.0, CLASSES + 1, dtype=torch.float64)
        weighted = F.cross_entropy(logits, labels, weight, reduction=reduction)
        torch.testing.assert_close(LOSSES[name](logits, labels, weight=weight, reduction=reduction), weighted)
        soft = logits.flip(0).softmax(1)
        expected_soft = F.cross_entropy(logits, soft, reduction=reduction)
        torch.testing.assert_close(LOSSES[name](logits, soft, reduction=reduction), expected_soft)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_uniform_smoothing_is_torchs(batch, reduction):
    """Label smoothing follows torch's convention."""
    expected = F.cross_entropy(*batch, label_smoothing=0.2, reduction=reduction)
    torch.testing.assert_close(label_smoothing_loss(*batch, 0.2, reduction=reduction), expected)
    uniform = torch.full((CLASSES,), 1 / CLASSES, dtype=torch.float64)
    torch.testing.assert_close(label_smoothing_loss(*batch, 0.2, uniform, reduction=reduction), expected)
    torch.testing.assert_close(label_smoothing_loss(*batch, 0.2, uniform.tolist(), reduction=reduction), expected)


def test_unigram_smoothing_is_a_soft_target(batch):
    """Smoothing with a prior is cross-entropy with the mixture; a class that never occurs gets nothing."""
    logits, labels = batch
    mixture = 0.8 * F.one_hot(labels, CLASSES) + 0.2 * PRIOR
    assert (mixture[labels != 2, 2] == 0).all()
    torch.testing.assert_close(LOSSES["unigram"](logits, labels), F.cross_entropy(logits, mixture))


def test_smoothing_is_least_at_the_smoothed_labels():
    """The logit gap at the optimum is log(1 + K (1 - eps) / eps), and the loss there is the entropy of q."""
    gap = math.log(1 + 7 * 0.9 / 0.1)
    assert gap == pytest.approx(4.158883, abs=1e-6)
    logits = torch.tensor([[gap] + [0.0] * 6], dtype=torch.float64)
    loss, label = LOSSES["uniform"], torch.tensor([0])
    assert float(label_smoothing_loss(logits, label, 0.1)) == pytest.approx(0.446088, abs=1e-6)
    assert _gradient(label_smoothing_loss, logits, label, 0.1).abs().max() < 1e-12
    assert loss(logits, label) > label_smoothing_loss(logits, label, 0.1)


def test_divergences_tie_the_losses_together(batch):
    """LS = (1 - eps) CE + eps (KL(u, p) + log K); CP + beta log K = CE + beta KL(p, u)."""
    logits, labels = batch
    plain, most = F.cross_entropy(logits, labels, reduction="none"), math.log(CLASSES)
    smooth = label_smoothing_loss(logits, labels, 0.2, reduction="none")
    torch.testing.assert_close(smooth, 0.8 * plain + 0.2 * (kl_to_prior(logits) + most), rtol=0, atol=1e-12)
    charged = confidence_penalty_loss(logits, labels, 0.7, reduction="none")
    reverse = kl_to_prior(logits, direction="reverse")
    torch.testing.assert_close(charged + 0.7 * most, plain + 0.7 * reverse, rtol=0, atol=1e-12)
    unigram = label_smoothing_loss(logits, labels, 0.2, PRIOR, reduction="none")
    own = float(-(PRIOR[PRIOR > 0] * PRIOR[PRIOR > 0].log()).sum())
    torch.testing.assert_close(unigram, 0.8 * plain + 0.2 * (kl_to_prior(logits, PRIOR) + own), rtol=0, atol=1e-12)


def test_uniform_predictions_have_simple_losses():
    """For constant logits CE = H = log K, so the penalised loss is (1 - beta) log K, negative where beta > 1."""
    logits, labels = torch.full((3, 5), 2.0, dtype=torch.float64), torch.tensor([0, 1, 4])
    for beta in (0.0, 0.4, 3.0):
        found = float(confidence_penalty_loss(logits, labels, beta))
        assert found == pytest.approx((1 - beta) * math.log(5), abs=1e-12)
    assert float(label_smoothing_loss(logits, labels, 0.3)) == pytest.approx(math.log(5), abs=1e-12)


@pytest.mark.parametrize("name", ["plain", "hinge", "normalised", "no penalty", "no smoothing", "uniform", "unigram"])
@pytest.mark.parametrize("sign", [1, -1])
def test_extreme_logits_are_no_trouble(name, sign):
    """Logits of 1e4 in single precision give finite losses and gradients; certain and right ones cost nothing."""
    logits = torch.zeros(1, CLASSES)
    logits[0, 0] = sign * 1e4
    value, gradient = LOSSES[name](logits, torch.tensor([0])), _gradient(LOSSES[name], logits, torch.tensor([0]))
    assert torch.isfinite(value)
    assert torch.isfinite(gradient).all()
    if sign == 1 and name in ("plain", "no penalty", "no smoothing"):
        assert (float(value), float(gradient.abs().max())) == (0.0, 0.0)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", LOSSES)
def test_ignored_positions_are_not_there(name, reduction, batch):
    """Value and gradient are bit for bit those of the kept tokens alone, whatever padding holds, NaN included."""
    logits, labels = (part.clone() for part in batch)
    ignored = torch.rand(40, generator=torch.Generator().manual_seed(4)) < 0.4
    labels[ignored], logits[ignored] = -100, torch.nan
    kept = LOSSES[name](logits[~ignored], labels[~ignored], reduction=reduction)
    tokens, words = logits.view(8, 5, CLASSES), labels.view(8, 5)
    assert torch.equal(LOSSES[name](tokens, words, reduction=reduction), kept)
    gradient = _gradient(LOSSES[name], tokens, words, reduction=reduction).view(40, CLASSES)
    expected = _gradient(LOSSES[name], logits[~ignored], labels[~ignored], reduction=reduction)
    assert torch.equal(gradient[~ignored], expected)
    assert (gradient[ignored] == 0).all()
    each = LOSSES[name](tokens, words, reduction="none")
    assert each.shape == (8, 5)
    assert (each.view(40)[ignored] == 0).all()
    assert torch.equal(each.view(40)[~ignored], LOSSES[name](logits[~ignored], labels[~ignored], reduction="none"))


@pytest.mark.parametrize("name", LOSSES)
def test_classes_may_stand_second(name, batch):
    """Torch's layout [sample, class, token] is read with dim=1, soft targets and masks alike."""
    logits, labels = batch[0].view(8, 5, CLASSES), batch[1].view(8, 5)
    expected = LOSSES[name](logits, labels)
    torch.testing.assert_close(LOSSES[name](logits.transpose(1, 2), labels, dim=1), expected)
    soft = F.one_hot(labels, CLASSES).double()
    torch.testing.assert_close(LOSSES[name](logits.transpose(1, 2), soft.transpose(1, 2), dim=1), expected)
    mask = torch.ones(8, CLASSES, 5, dtype=torch.bool)
    torch.testing.assert_close(LOSSES[name](logits.transpose(1, 2), labels, dim=1, class_mask=mask), expected)


@pytest.mark.parametrize("name", LOSSES)
def test_no_position_at_all_costs_nothing(name, batch):
    """Where every position is ignored the loss is zero and so is its gradient."""
    logits, labels = batch[0], torch.full_like(batch[1], -1)
    assert float(LOSSES[name](logits, labels, ignore_index=-1)) == 0
    assert (_gradient(LOSSES[name], logits, labels, ignore_index=-1) == 0).all()


@pytest.mark.parametrize("name", LOSSES)
def test_a_sample_is_weighted_as_a_whole(name, batch):
    """With class weights the mean is that of whole losses by the weight of each label."""
    logits, labels = batch
    weight = torch.arange(CLASSES, dtype=torch.float64)
    each, own = LOSSES[name](logits, labels, reduction="none"), weight[labels]
    torch.testing.assert_close(LOSSES[name](logits, labels, weight=weight), (own * each).sum() / own.sum())
    nothing = torch.zeros(CLASSES, dtype=torch.float64)
    assert float(LOSSES[name](logits, labels, weight=nothing)) == 0


@pytest.mark.parametrize("name", ["plain", "hinge", "uniform", "no penalty", "no smoothing"])
def test_a_mask_leaves_a_smaller_problem(name, batch):
    """Losses over the classes of a mask are those of a model that has these classes alone."""
    logits, mask = batch[0], torch.tensor([True, True, False, True, True, False, True])
    new = torch.cumsum(mask, 0) - 1
    labels = torch.where(mask[batch[1]], batch[1], 0)
    found = LOSSES[name](logits, labels, class_mask=mask, reduction="none")
    torch.testing.assert_close(found, LOSSES[name](logits[:, mask], new[labels], reduction="none"))
    gradient = _gradient(LOSSES[name], logits, labels, class_mask=mask.expand(40, -1))
    torch.testing.assert_close(gradient[:, mask], _gradient(LOSSES[name], logits[:, mask], new[labels]))
    assert (gradient[:, ~mask] == 0).all()


def test_a_mask_renormalises_prior_and_scale(batch):
    """Under a mask the prior sums to one over what is left, and log K counts the classes that are left."""
    logits, mask = batch[0], torch.tensor([True, True, False, True, True, False, True])
    new, labels = torch.cumsum(mask, 0) - 1, torch.where(mask[batch[1]], batch[1], 0)
    smaller = PRIOR[mask] / PRIOR[mask].sum()
    expected = label_smoothing_loss(logits[:, mask], new[labels], 0.2, smaller)
    torch.testing.assert_close(label_smoothing_loss(logits, labels, 0.2, PRIOR, class_mask=mask), expected)
    for direction in ("forward", "reverse"):
        whole = kl_to_prior(logits, PRIOR, direction, mask=mask)
        torch.testing.assert_close(whole, kl_to_prior(logits[:, mask], smaller, direction))
    found = confidence_penalty_loss(logits, labels, 0.7, 0.6, class_mask=mask, normalize=True)
    torch.testing.assert_close(found, confidence_penalty_loss(logits[:, mask], new[labels], 0.7, 0.6, normalize=True))
    lonely = torch.tensor([True] + [False] * 6)
    alone = confidence_penalty_loss(logits, torch.zeros_like(labels), 0.7, class_mask=lonely, normalize=True)
    assert float(alone) == 0


def test_normalising_divides_entropy(batch):
    """With normalize the same beta means the same for any number of classes."""
    found = confidence_penalty_loss(*batch, 0.7, normalize=True)
    torch.testing.assert_close(found, confidence_penalty_loss(*batch, 0.7 / math.log(CLASSES)))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", LOSSES)
def test_half_precision_is_widened(name, kind, batch):
    """Half-precision logits give single-precision losses, those of their values, and gradients of their type."""
    low = batch[0].to(kind)
    found = LOSSES[name](low, batch[1])
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, LOSSES[name](low.double(), batch[1]).float())
    assert _gradient(LOSSES[name], low, batch[1]).dtype == kind


def test_divergences_equal_torchs(batch):
    """Both directions are those of another implementation, for a prior of all rows and for a teacher's."""
    logits, teacher = batch[0], batch[0].flip(0).softmax(1)
    given = PRIOR + 1e-3
    given = given / given.sum()
    for prior in (given, teacher):
        forward = F.kl_div(logits.log_softmax(1), prior.expand(40, -1), reduction="none").sum(1)
        reverse = F.kl_div(prior.log().expand(40, -1), logits.softmax(1), reduction="none").sum(1)
        torch.testing.assert_close(kl_to_prior(logits, prior), forward)
        torch.testing.assert_close(kl_to_prior(logits, prior, "reverse"), reverse)
    torch.testing.assert_close(kl_to_prior(logits.T, teacher.T, dim=0), kl_to_prior(logits, teacher))
    assert kl_to_prior(logits, PRIOR).isfinite().all()
    assert (kl_to_prior(logits, PRIOR, "reverse") == torch.inf).all()
    assert torch.autograd.gradcheck(lambda z: kl_to_prior(z, given, "reverse"), logits[:3].clone().requires_grad_())


def test_soft_targets_may_rule_classes_out():
    """A class with target zero costs nothing even where its logit is minus infinity."""
    logits = torch.tensor([[0.0, 0.0, -torch.inf]], requires_grad=True)
    found = soft_cross_entropy(logits, torch.tensor([[0.5, 0.5, 0.0]]))
    assert found.item() == pytest.approx(math.log(2))
    assert torch.autograd.grad(found.sum(), logits)[0].isfinite().all()


def test_class_frequencies():
    """Frequencies are counts over all that counts; a pseudocount gives every class some mass."""
    labels = [[0, 1, 1], [1, -100, -100]]
    assert class_prior(labels, 3).tolist() == [0.25, 0.75, 0.0]
    assert class_prior(np.array(labels), 3, pseudocount=1).tolist() == pytest.approx([2 / 7, 4 / 7, 1 / 7])
    assert class_prior(torch.tensor(labels), 3).dtype == torch.float64


def test_the_module_is_the_function(batch):
    """The module gives the function's values, moves what it holds with it, and lets the strength change."""
    weight, mask = torch.arange(1.0, CLASSES + 1), torch.ones(CLASSES, dtype=torch.bool)
    module = ConfidencePenaltyLoss(0.7, 1.2, weight, class_mask=mask, reduction="sum").double()
    assert module.weight.dtype == torch.float64
    expected = confidence_penalty_loss(*batch, 0.7, 1.2, weight.double(), class_mask=mask, reduction="sum")
    torch.testing.assert_close(module(*batch), expected)
    module.beta = 0.0
    torch.testing.assert_close(module(*batch), F.cross_entropy(*batch, weight.double(), reduction="sum"))
    assert "threshold=1.2" in repr(module)


LABELS = torch.tensor([0, 1])
MISTAKES = [
    ({"beta": -0.1}, InputError, r"beta must be zero or more, got -0.1"),
    ({"beta": math.nan}, InputError, r"beta must be zero or more, got nan"),
    ({"threshold": 0.0}, InputError, r"threshold must be in \(0, log K\] \(1.09861 for 3 classes\), got 0.0"),
    ({"threshold": 1.1}, InputError, r"threshold must be in \(0, log K\]"),
    ({"threshold": 1.05, "normalize": True}, InputError, r"threshold must be in \(0, 1, since entropy is normalised\]"),
    ({"logits": torch.zeros(2, 1)}, InputError, r"must have two classes or more"),
    ({"logits": torch.zeros(2, 3, dtype=torch.int64)}, InputTypeError, r"logits must be floating-point"),
    ({"target": torch.tensor([0, 3])}, InputError, r"target must lie in 0..2, got 3; mark positions"),
    ({"target": torch.tensor([0, -1])}, InputError, r"target must lie in 0..2, got -1"),
    ({"target": torch.tensor([0, 1, 1])}, InputError, r"target has shape \(3,\) but logits \(2, 3\)"),
    ({"target": torch.tensor([True, False])}, InputTypeError, r"target must hold class indices or probabilities"),
    ({"target": torch.full((2, 3), 0.5)}, InputError, r"target sums to 1.5"),
    ({"weight": torch.ones(2)}, InputError, r"weight has shape \(2,\); pass one for each of 3 classes"),
    ({"weight": torch.tensor([1.0, -1.0, 1.0])}, InputError, r"weight must hold numbers of zero or more, got -1.0"),
    ({"reduction": "total"}, InputError, r"reduction must be 'none', 'mean' or 'sum', got 'total'"),
    ({"class_mask": torch.tensor([True, False, True])}, InputError, r"class that class_mask rules out, first at row 1"),
    (
        {"class_mask": torch.tensor([True, False, True]), "target": torch.full((2, 3), 1 / 3)},
        InputError,
        r"class that class_mask rules out, first at row 0",
    ),
    ({"class_mask": torch.zeros(3, dtype=torch.bool)}, InputError, r"leaves no class"),
    ({"check_finite": True, "logits": torch.full((2, 3), torch.nan)}, InputError, r"hold numbers that are not finite"),
]


@pytest.mark.parametrize(("changes", "error", "message"), MISTAKES)
def test_bad_arguments_are_refused(changes, error, message):
    """Each mistake is named with its value."""
    arguments = {"logits": torch.zeros(2, 3), "target": LABELS, "beta": 0.5} | changes
    with pytest.raises(error, match=message):
        confidence_penalty_loss(**arguments)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda z: label_smoothing_loss(z, LABELS, 1.0), InputError, r"epsilon must be in \[0, 1\), got 1.0"),
        (lambda z: label_smoothing_loss(z, LABELS, 0.1, [0.5, 0.5]), InputError, r"prior has shape \(2,\)"),
        (lambda z: label_smoothing_loss(z, LABELS, 0.1, [0.5, 0.5, 0.5]), InputError, r"prior sums to 1.5"),
        (lambda z: label_smoothing_loss(z, LABELS, 0.1, [1.5, -0.5, 0.0]), InputError, r"prior holds -0.5"),
        (lambda z: label_smoothing_loss(z, LABELS, 0.1, z.softmax(1)), InputError, r"prior has shape \(2, 3\)"),
        (
            lambda z: kl_to_prior(z, [1.0, 0.0, 0.0], mask=torch.tensor([False, True, True])),
            InputError,
            r"prior has no mass on the classes that the mask allows",
        ),
        (lambda z: kl_to_prior(z, direction="up"), InputError, r"direction must be 'forward' or 'reverse', got 'up'"),
        (lambda z: class_prior([], 3), InputError, r"labels of shape \(0,\) hold none that counts"),
        (lambda z: class_prior([-100], 3), InputError, r"hold none that counts"),
        (lambda z: class_prior([3], 3), InputError, r"labels must lie in 0..2, got 3"),
        (lambda z: class_prior([0], 1), InputError, r"num_classes must be 2 or more, got 1"),
        (lambda z: class_prior([0], 3, pseudocount=-1), InputError, r"pseudocount must be zero or more, got -1"),
        (lambda z: class_prior([0.5], 3), InputTypeError, r"labels must be whole numbers, got torch.float32"),
        (lambda z: ConfidencePenaltyLoss(-1.0), InputError, r"beta must be zero or more, got -1.0"),
    ],
)
def test_bad_smoothing_is_refused(call, error, message):
    """So are mistakes in priors, divergences and counts."""
    with pytest.raises(error, match=message):
        call(torch.zeros(2, 3))
