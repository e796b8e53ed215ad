"""Labels that are wrong now and then."""

import pytest
import torch
from torch import nn

from reseed._errors import InputError, InputTypeError
from reseed.mitigations import Batch, DisturbLabel, disturb_labels, label_smoothing_loss

CLASSES = 5


def test_the_expected_loss_is_that_of_label_smoothing():
    """The mean over 100,000 draws lies within three standard errors of label smoothing's loss."""
    logits = torch.randn(1, CLASSES, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2
    labels = disturb_labels(torch.full((100_000,), 2), 0.3, CLASSES, key=7)
    losses = nn.functional.cross_entropy(logits.expand(100_000, -1), labels, reduction="none")
    expected = label_smoothing_loss(logits, torch.tensor([2]), 0.3)
    assert abs(losses.mean() - expected) < 3 * losses.std() / 100_000**0.5


def test_draws_are_uniform_and_independent():
    """Replaced labels are spread evenly, and what one key draws says nothing of another's draws."""
    labels = torch.zeros(60_000, dtype=torch.int64)
    first, second = (disturb_labels(labels, 0.5, CLASSES, key=key) for key in (0, 1))
    table = torch.zeros(CLASSES, CLASSES).index_put_((first, second), torch.ones(60_000), accumulate=True) / 60_000
    margin = torch.tensor([0.6] + [0.1] * 4)
    torch.testing.assert_close(table, margin[:, None] * margin, rtol=0, atol=0.01)


def test_the_same_key_draws_the_same():
    """Draws are a function of the key; torch's generator is left as it was; padding stays."""
    labels = torch.arange(40) % CLASSES
    labels[::4] = -100
    before = torch.get_rng_state()
    found = disturb_labels(labels.view(4, 10), 0.9, CLASSES, key=5).view(-1)
    assert torch.equal(found, disturb_labels(labels.view(4, 10), 0.9, CLASSES, key=5).view(-1))
    assert torch.equal(torch.get_rng_state(), before)
    assert (found[::4] == -100).all()
    assert not torch.equal(found, disturb_labels(labels, 0.9, CLASSES, key=6))
    assert torch.equal(disturb_labels(labels, 0.0, CLASSES, key=5), labels)


def test_each_run_and_step_draws_afresh():
    """The method's draws are each run's own, whatever runs are beside it, and others at each step."""
    labels, method = torch.zeros(3, 500, dtype=torch.int64), DisturbLabel(0.5)

    def disturbed(step, words):
        return method.targets(None, Batch(step, 10, labels[: len(words)], CLASSES, words))

    whole = disturbed(0, [11, 12, 13])
    assert torch.equal(disturbed(0, [12])[0], whole[1])
    assert not torch.equal(whole[0], whole[1])
    assert not torch.equal(disturbed(1, [11, 12, 13]), whole)
    assert (whole.sum(-1) == 1).all()
    assert whole[..., 0].mean().item() == pytest.approx(0.6, abs=0.05)


def test_soft_targets_are_replaced_where_labels_are():
    """Under soft targets a disturbed sample gets the drawn label, every other one keeps its target."""
    labels, method = torch.zeros(2, 200, dtype=torch.int64), DisturbLabel(0.5)
    batch = Batch(0, 10, labels, CLASSES, [11, 12])
    soft = torch.full((2, 200, CLASSES), 0.2)
    hard, found = method.targets(None, batch), method.targets(soft, batch)
    is_kept = (found == soft).all(-1)
    assert torch.equal(found[~is_kept], hard[~is_kept])
    assert (hard[is_kept][:, 0] == 1).all()
    assert is_kept.double().mean().item() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"alpha": 1.0}, InputError, r"alpha must be in \[0, 1\), got 1.0"),
        ({"num_classes": 1}, InputError, r"num_classes must be 2 or more, got 1"),
        ({"labels": torch.tensor([0.0])}, InputTypeError, r"labels must be whole numbers, got torch.float32"),
        ({"labels": torch.tensor([7])}, InputError, r"labels must lie in 0..2, got 7"),
        ({"key": 0.5}, InputTypeError, r"key must be a whole number, got 0.5"),
    ],
)
def test_bad_arguments_are_refused(options, error, message):
    """Each mistake is named with its value."""
    arguments = {"labels": torch.tensor([0]), "alpha": 0.1, "num_classes": 3, "key": 1} | options
    with pytest.raises(error, match=message):
        disturb_labels(**arguments)
