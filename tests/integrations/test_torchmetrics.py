"""Measures as metrics of torchmetrics."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.stats import entropy

pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")

from torchmetrics import MetricCollection

from reseed._errors import InputError
from reseed.integrations.torchmetrics import Jitter, LabelEntropy

LABELS = torch.from_numpy(np.random.default_rng(0).integers(0, 3, (5, 40)))


def brute_force():
    """Mean entropy and mean pairwise disagreement by loops over samples and pairs."""
    entropies = [entropy(np.unique(column, return_counts=True)[1]) for column in LABELS.numpy().T]
    pairs = [(one, other) for one in range(5) for other in range(one)]
    disagreements = [(LABELS[one] != LABELS[other]).double().mean().item() for one, other in pairs]
    return np.mean(entropies), np.mean(disagreements)


@pytest.mark.parametrize("batch", [1, 7, 40])
def test_batches_add_up(batch):
    """Whatever the batches, the means are those of all samples; a collection resets them."""
    metrics = MetricCollection([LabelEntropy(), Jitter()])
    for part in LABELS.split(batch, dim=1):
        metrics.update(part)
    expected_entropy, expected_jitter = brute_force()
    found = metrics.compute()
    assert found["LabelEntropy"].item() == pytest.approx(expected_entropy, rel=1e-6)
    assert found["Jitter"].item() == pytest.approx(expected_jitter, rel=1e-6)
    metrics.reset()
    metrics.update(LABELS[:, :1].expand(-1, 2))
    assert metrics["Jitter"].samples == 2


def test_forward_gives_the_batch_and_keeps_the_whole():
    """Calling a metric returns the batch's value, and the state goes on."""
    metric = Jitter()
    first = metric(torch.tensor([[0, 1], [0, 2]]))
    second = metric(torch.tensor([[3, 1], [3, 1]]))
    assert (first.item(), second.item(), metric.compute().item()) == (0.5, 0.0, 0.25)


def test_scores_count_by_their_highest_class():
    """Scores [run, sample, class] are what their labels are."""
    scores = torch.nn.functional.one_hot(LABELS, 3) * 2.0 - 1.0
    by_scores, by_labels = LabelEntropy(), LabelEntropy()
    by_scores.update(scores)
    by_labels.update(LABELS)
    assert by_scores.compute() == by_labels.compute()


def test_states_are_summed_over_devices():
    """Two devices' states merge into that of all samples."""
    one, other, whole = LabelEntropy(), LabelEntropy(), LabelEntropy()
    one.update(LABELS[:, :15])
    other.update(LABELS[:, 15:])
    whole.update(LABELS)
    one.merge_state(other)
    assert one.compute() == pytest.approx(whole.compute())


def test_a_single_run_is_refused():
    """A batch of one run says nothing about disagreement."""
    with pytest.raises(InputError, match="run"):
        Jitter().update(LABELS[:1])


@pytest.mark.parametrize("metric", [LabelEntropy, Jitter])
@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (float("nan"), r"probabilities holds NaN at position \(1, 0, 0\); find the run that diverged and leave it out"),
        (-float("inf"), r"probabilities holds nothing but -inf at position \(1, 0\); find the run that diverged"),
    ],
)
def test_a_run_that_diverged_has_no_answer(metric, bad, text):
    """Scores without a largest are refused, in the words of `predicted_labels`, and leave the mean as it was."""
    scores = torch.nn.functional.one_hot(LABELS, 3) * 2.0
    found, expected = metric(), metric()
    for one in (found, expected):
        one.update(scores)
    scores[1] = bad
    with pytest.raises(InputError, match=text):
        found.update(scores)
    assert found.compute() == expected.compute()


def test_labels_that_are_not_numbers_have_no_answer():
    """Labels as floats may be NaN too."""
    with pytest.raises(InputError, match="labels holds nan at position"):
        Jitter().update(torch.tensor([[0.0], [float("nan")]]))


def test_nothing_seen_is_not_a_number():
    """Before the first sample the mean is NaN, as torchmetrics warns."""
    with pytest.warns(UserWarning, match="compute"):
        assert torch.isnan(LabelEntropy().compute())


def test_reseed_does_not_import_torchmetrics():
    """Only this module loads the package."""
    code = "import sys, reseed, reseed.integrations; sys.exit('torchmetrics' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
