"""Accuracy under attack, which attacks succeeded, how sure networks are of wrong answers, what survives on the way."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import softmax

from reseed._errors import InputError, InputTypeError
from reseed.robustness import (
    accuracy_under_attacks,
    adversarial_class_confidence,
    attack_success,
    noise_tolerance,
    survival_after_blur,
    survival_after_jpeg,
    task_accuracy,
    true_class_confidence,
)
from reseed.robustness.imperceptibility._survival import gaussian_blur


@pytest.fixture
def attacked():
    """Logits [run, sample, class] and true labels [sample]."""
    rng = np.random.default_rng(0)
    return 2 * rng.standard_normal((4, 60, 5)), rng.integers(0, 5, 60)


def test_accuracy_of_runs_and_of_corruptions(attacked):
    """The share that is right over the last axis; strings will do, torch gives torch."""
    logits, targets = attacked
    labels = logits.argmax(-1)
    expected = (labels == targets).mean(-1)
    np.testing.assert_allclose(task_accuracy(labels, targets), expected, rtol=1e-14)
    np.testing.assert_allclose(task_accuracy(labels.reshape(2, 2, 60), targets), expected.reshape(2, 2), rtol=1e-14)
    assert task_accuracy(["a", "b"], ["a", "c"]) == 0.5
    np.testing.assert_array_equal(task_accuracy([0, 1], [0, 2], reduction="none"), [1, 0])
    assert isinstance(task_accuracy(torch.from_numpy(labels), torch.from_numpy(targets)), torch.Tensor)


def test_the_worst_case_is_of_every_sample(attacked):
    """Right under every attack: no higher than the lowest accuracy, and lower with each further attack."""
    logits, targets = attacked
    labels = {f"attack {number}": each.argmax(-1) for number, each in enumerate(logits)}
    found = accuracy_under_attacks(labels, targets)
    right = np.array([each == targets for each in labels.values()])
    np.testing.assert_array_equal(found.withstands, right.all(axis=0))
    assert found.worst_case == right.all(axis=0).mean() <= min(found.each.values())
    assert found.each["attack 2"] == right[2].mean()
    fewer = accuracy_under_attacks(dict(list(labels.items())[:2]), targets)
    assert fewer.worst_case >= found.worst_case
    runs = accuracy_under_attacks({"pgd": torch.from_numpy(logits.argmax(-1))}, targets)
    assert runs.worst_case.shape == (4,)
    assert runs.withstands.shape == (4, 60)


def test_attacks_that_are_none_are_refused():
    """No attack, other samples."""
    with pytest.raises(InputError, match="answers holds no attack"):
        accuracy_under_attacks({}, [0])
    with pytest.raises(InputError, match=r"answers\['b'\] is \[2, 1\], but others are \[1\]"):
        accuracy_under_attacks({"a": [0], "b": [[0], [1]]}, [0])
    with pytest.raises(InputError, match=r"targets is int64\[2\] but answers\['a'\] is"):
        accuracy_under_attacks({"a": [0]}, [0, 1])


def test_success_needs_a_right_clean_answer(attacked):
    """An error without an attack is no success, unless it is asked to be; and it must be known."""
    logits, targets = attacked
    clean, adversarial = logits[0], logits[1]
    wrong, right = adversarial.argmax(-1) != targets, clean.argmax(-1) == targets
    for form in (lambda x: x, lambda x: x.argmax(-1), lambda x: torch.from_numpy(x)):
        found = attack_success(form(adversarial), targets, clean=form(clean))
        np.testing.assert_array_equal(np.asarray(found), wrong & right)
    every = attack_success(adversarial, targets, require_clean_correct=False)
    np.testing.assert_array_equal(every, wrong)
    assert (wrong & ~right).any()
    with pytest.raises(InputError, match=r"clean is missing, .* or require_clean_correct=False"):
        attack_success(adversarial, targets)
    per_run = attack_success(logits, targets, clean=logits[::-1])
    assert per_run.shape == (4, 60)


def test_targeted_attacks_succeed_with_the_label_they_want(attacked):
    """Any other wrong answer is none; the true label cannot be wanted."""
    logits, targets = attacked
    wanted = (targets + 1) % 5
    found = attack_success(logits[0], targets, wanted=wanted, require_clean_correct=False)
    np.testing.assert_array_equal(found, logits[0].argmax(-1) == wanted)
    with pytest.raises(InputError, match="wanted is the true label of sample 0; pass a label that is wrong"):
        attack_success(logits[0], targets, wanted=targets, require_clean_correct=False)


@pytest.mark.parametrize("from_logits", [True, False])
def test_confidences_are_those_of_a_softmax(attacked, from_logits):
    """Written out with scipy's softmax and a sort; of runs, a mean for each."""
    logits, targets = attacked
    shares = softmax(logits, axis=-1)
    success = logits.argmax(-1) != targets
    outputs = logits if from_logits else shares
    ordered = np.sort(shares, axis=-1)
    own = np.take_along_axis(shares, np.broadcast_to(targets[None, :, None], (4, 60, 1)), -1)[..., 0]
    for found, values in [
        (adversarial_class_confidence, ordered[..., -1]),
        (noise_tolerance, ordered[..., -1] - ordered[..., -2]),
        (lambda x, **more: true_class_confidence(x, targets, **more), own),
    ]:
        each = found(outputs, success=success, from_logits=from_logits, reduction="none")
        np.testing.assert_allclose(each, np.where(success, values, np.nan), rtol=1e-12)
        means = found(torch.from_numpy(outputs), success=success, from_logits=from_logits)
        assert isinstance(means, torch.Tensor)
        np.testing.assert_allclose(means, [values[run][success[run]].mean() for run in range(4)], rtol=1e-12)
        one = found(outputs[0], success=success[0], from_logits=from_logits)
        assert isinstance(one, float)


logits_of = arrays.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(2, 5)), elements=st.floats(-30, 30))


@settings(max_examples=40, deadline=None)
@given(logits_of, st.integers(0, 4))
def test_confidences_bound_each_other(logits, label):
    """2 ACAC - 1 <= NTE <= ACAC, ACTC <= 1 - ACAC, 1 / K <= ACAC, for untargeted successes."""
    targets = np.full(len(logits), label % logits.shape[1])
    success = logits.argmax(-1) != targets
    if not success.any():
        return
    sure = adversarial_class_confidence(logits, success=success, from_logits=True)
    lead = noise_tolerance(logits, success=success, from_logits=True)
    true = true_class_confidence(logits, targets, success=success, from_logits=True)
    slack = 1e-12
    assert 2 * sure - 1 - slack <= lead <= sure + slack
    assert true <= 1 - sure + slack
    assert 1 / logits.shape[1] - slack <= sure <= 1 + slack
    assert lead >= 0
    if logits.shape[1] == 2:
        assert true == pytest.approx(1 - sure, abs=slack)
        assert lead == pytest.approx(2 * sure - 1, abs=slack)


def test_nothing_succeeded():
    """There is no confidence: NaN, and a warning on the caller's line."""
    for found in (
        lambda: adversarial_class_confidence([[0.1, 0.9]], success=[False], from_logits=False),
        lambda: noise_tolerance([[0.1, 0.9]], success=[False], from_logits=False),
        lambda: true_class_confidence([[0.1, 0.9]], [0], success=[False], from_logits=False),
    ):
        with pytest.warns(RuntimeWarning, match="no sample counts for the") as told:
            assert math.isnan(found())
        assert told[0].filename == __file__
    with pytest.warns(RuntimeWarning, match="of 1 of 2 runs; it is NaN"):
        found = noise_tolerance([[[0.2, 0.8]]] * 2, success=[[True], [False]], from_logits=False)
    np.testing.assert_allclose(found, [0.6, np.nan])


def test_outputs_are_checked():
    """What they are must be said, and be so."""
    with pytest.raises(InputError, match=r"outputs sums to 3 at position \(0,\), not to 1; pass softmax outputs"):
        adversarial_class_confidence([[1.0, 2.0]], success=[True], from_logits=False)
    with pytest.raises(InputTypeError, match="from_logits=None does not say what the outputs are"):
        adversarial_class_confidence([[1.0, 2.0]], success=[True], from_logits=None)
    for bad in (np.nan, np.inf):
        with pytest.raises(InputError, match=f"outputs holds {bad} as the highest logit of row 1; find the run"):
            noise_tolerance([[1.0, 2.0], [bad, 0.0]], success=[True, True], from_logits=True)
    with pytest.raises(InputError, match=r"outputs must be \[sample, class\], got float64\[2\]"):
        adversarial_class_confidence([1.0, 2.0], success=[True], from_logits=True)
    with pytest.raises(InputError, match="of one class; pass two classes or more"):
        noise_tolerance([[1.0]], success=[True], from_logits=True)
    with pytest.raises(InputError, match=r"targets holds 2 at position \(0,\), outside 0..1"):
        true_class_confidence([[1.0, 2.0]], [2], success=[True], from_logits=True)
    with pytest.raises(InputError, match=r"targets is int64\[2\], but there are 1 samples"):
        true_class_confidence([[1.0, 2.0]], [0, 1], success=[True], from_logits=True)
    assert noise_tolerance([[0.0, -np.inf]], success=[True], from_logits=True) == 1  # a class may be ruled out
    half = torch.softmax(torch.randn(20, 7, dtype=torch.float16), -1)
    assert adversarial_class_confidence(half, success=torch.ones(20, dtype=torch.bool), from_logits=False) > 1 / 7


def brightest(images):
    """A network that answers 1 where any pixel is above a half."""
    top = images.flatten(-3).amax(-1)
    return torch.stack([torch.full_like(top, 0.5), top], dim=-1)


def brightness(images):
    """A network that answers 1 where the mean is above a half."""
    mean = images.flatten(-3).mean(-1)
    return torch.stack([torch.full_like(mean, 0.5), mean], dim=-1)


def test_survival_is_a_share_of_the_successful():
    """A spot is blurred away, a bright image stays; those that failed before are neither asked about nor counted."""
    images = torch.zeros(4, 1, 9, 9)
    images[0, 0, 4, 4] = 1.0  # 1 until it is blurred
    images[1] = 1.0  # 1 in any case
    images[2] = 1.0  # an attack that failed: its label is 1
    targets, success = torch.tensor([0, 0, 1, 0]), torch.tensor([True, True, False, False])
    asked = []

    def ask(block):
        asked.append(len(block))
        return brightest(block)

    values = survival_after_blur(images, targets, ask, success=success, reduction="none")
    np.testing.assert_array_equal(values, [0, 1, np.nan, np.nan])
    assert survival_after_blur(images, targets, ask, success=success) == 0.5
    assert sum(asked) == 4
    assert survival_after_blur(images, targets, ask, success=success, radius=0.01) == 1
    wanted = survival_after_blur(images, targets, ask, success=success, wanted=[1, 1, 0, 1])
    assert wanted == 0.5
    with pytest.warns(RuntimeWarning, match="no sample counts for the survival after blur"):
        assert math.isnan(survival_after_blur(images, targets, ask, success=torch.zeros(4, dtype=torch.bool)))


def test_survival_of_each_runs_own_images():
    """A share for each run, the same as alone, however many are asked at a time."""
    torch.manual_seed(0)
    images = torch.rand(3, 10, 1, 8, 8) ** torch.tensor([0.5, 1, 2]).view(3, 1, 1, 1, 1)
    targets, success = torch.zeros(10, dtype=torch.int64), torch.rand(3, 10) < 0.7
    for survival in (survival_after_blur, survival_after_jpeg):
        together = survival(images, targets, brightness, success=success, batch_size=3)
        assert together.shape == (3,)
        for run in range(3):
            alone = survival(images[run], targets, brightness, success=success[run])
            assert together[run] == pytest.approx(alone, rel=1e-14)
    assert together[0] > together[2]


def test_blur_is_a_gaussian():
    """Of its standard deviation, of sum 1, with edges that are continued."""
    spot = torch.zeros(1, 1, 41, 41, dtype=torch.float64)
    spot[0, 0, 20, 20] = 1
    blurred = gaussian_blur(spot, 2.0)
    places = torch.arange(41, dtype=torch.float64) - 20
    assert float((blurred.sum(-1) * places**2).sum()) == pytest.approx(4.0, rel=2e-3)  # it ends at four deviations
    assert float(blurred.sum()) == pytest.approx(1, rel=1e-12)
    flat = torch.full((2, 3, 8, 9), 0.3)
    torch.testing.assert_close(gaussian_blur(flat, 3.0), flat)


def test_jpeg_of_one_and_three_channels():
    """Images come back of their shape and nearly as they were; bounds become bytes and return."""
    seen = []

    def ask(block):
        seen.append(block)
        return brightness(block)

    ramp = torch.linspace(0, 1, 256).reshape(1, 1, 16, 16).expand(2, -1, -1, -1)
    for channels in (1, 3):
        for bounds in ((0.0, 1.0), (-2.0, 3.0)):
            wide = bounds[0] + (bounds[1] - bounds[0]) * ramp.expand(-1, channels, -1, -1)
            survival_after_jpeg(wide, [0, 0], ask, success=[True, True], quality=95, bounds=bounds)
            assert seen[-1].shape == wide.shape
            assert float((seen[-1] - wide).abs().max()) < 0.03 * (bounds[1] - bounds[0])
    with pytest.raises(InputError, match="images of 2 channels; pass images of one or three channels"):
        survival_after_jpeg(torch.rand(1, 2, 8, 8), [0], ask, success=[True])
    with pytest.raises(InputError, match="quality=0 must be a whole number from 1 to 95"):
        survival_after_jpeg(torch.rand(1, 1, 8, 8), [0], ask, success=[True], quality=0)


def test_survival_checks_what_it_is_given():
    """Bounds, radius, and what the network gives."""
    images = torch.rand(2, 1, 8, 8)
    with pytest.raises(InputError, match=r"adversarial holds values from .*, outside bounds"):
        survival_after_blur(images + 1, [0, 0], brightness, success=[True, True])
    with pytest.raises(InputError, match="radius=0 must be above 0"):
        survival_after_blur(images, [0, 0], brightness, success=[True, True], radius=0)
    with pytest.raises(InputError, match=r"ask gave float32\[1, 2\] for images float32\[2, 1, 8, 8\]"):
        survival_after_blur(images, [0, 0], lambda block: brightness(block)[:1], success=[True, True])
    with pytest.raises(InputTypeError, match="pass floating-point images"):
        survival_after_blur((255 * images).to(torch.uint8), [0, 0], brightness, success=[True, True])
