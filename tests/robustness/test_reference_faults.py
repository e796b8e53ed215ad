"""Where a public implementation of these metrics departs from their definitions, ours must not.

Each test states what that implementation gives, from its formula, and that ours is the definition's.
"""

import math

import numpy as np
import pytest
import torch

from reseed.robustness import (
    accuracy_variance,
    all_pairs,
    attack_success,
    confidence_variance,
    flip_probability,
    lp_distortion,
    mean_corruption_error,
    mean_flip_rate,
    output_stability,
    perturbation_sensitivity_distance,
    relative_corruption_error,
    structural_similarity,
    survival_after_blur,
    survival_after_jpeg,
    task_accuracy,
)


def test_accuracy_is_of_right_answers():
    """Not the share of wrong ones, 1/4 here (fault 1)."""
    assert task_accuracy([0, 1, 2, 0], [0, 1, 2, 2]) == 0.75


def test_corruption_errors_are_ratios_of_errors_over_types_and_severities():
    """Not a ratio of accuracies, 0.8 / 0.6 here, and not of one corruption at one severity (fault 2)."""
    assert mean_corruption_error([[0.2]], [[0.4]]) == pytest.approx(0.5)
    assert mean_corruption_error([[0.2, 0.2], [0.3, 0.3]], [[0.4, 0.4], [0.3, 0.3]]) == pytest.approx(0.75)
    assert relative_corruption_error([[0.2]], 0.1, [[0.4]], 0.2) == pytest.approx(0.5)


def test_accuracy_variance_has_a_sign():
    """A defence that costs accuracy is below 0 (fault 3)."""
    assert accuracy_variance([0, 1], [1, 0], [0, 1]) == -1
    assert all_pairs([[0, 1], [1, 1]], [0, 1]).accuracy_variance[0, 1] == -0.5


def test_pairs_are_compared_where_both_are_right():
    """Not where both are wrong, as on the second sample here (fault 4)."""
    first, second, targets = [[0.9, 0.1], [0.8, 0.2]], [[0.6, 0.4], [0.7, 0.3]], [0, 1]
    assert confidence_variance(first, second, targets, from_logits=False) == pytest.approx(0.3)
    right_alone = output_stability(first[:1], second[:1], [0], from_logits=False)
    assert output_stability(first, second, targets, from_logits=False) == pytest.approx(right_alone)
    found = all_pairs([first, second], targets, from_logits=False)
    assert found.confidence_variance[0, 1] == pytest.approx(0.3)
    assert found.both_right[0, 1] == 1


def test_changes_of_flat_regions_are_the_more_visible():
    """The change is divided by the deviation around it, not multiplied (fault 5)."""
    board = (np.indices((8, 8)).sum(axis=0) % 2).astype(float)[None, None]
    flat = np.full((1, 1, 8, 8), 0.5)
    on_texture = perturbation_sensitivity_distance(board, np.abs(board - 0.1))
    on_flat = perturbation_sensitivity_distance(flat, flat + 0.1)
    assert on_flat == pytest.approx(64 * 0.1 * 255)
    assert on_texture == pytest.approx(64 * 0.1 / (math.sqrt(20) / 9))


def test_imperceptibility_is_of_targeted_successes_too():
    """Whatever an attack wants, its successes are those that the mask names (fault 6)."""
    rng = np.random.default_rng(0)
    clean = rng.random((3, 1, 8, 8))
    changed = np.clip(clean + 0.1 * rng.standard_normal(clean.shape), 0, 1)
    answers, targets, wanted = [1, 0, 2], [0, 0, 0], [1, 1, 1]
    success = attack_success(answers, targets, wanted=wanted, require_clean_correct=False)
    np.testing.assert_array_equal(success, [True, False, False])
    assert structural_similarity(clean, changed, success=success) == pytest.approx(
        structural_similarity(clean[:1], changed[:1])
    )


def test_similarity_takes_the_width_of_the_bounds():
    """Images in bytes' range with their bounds are as alike as those in [0, 1]; the wrong width is not (fault 6)."""
    rng = np.random.default_rng(0)
    clean = rng.random((2, 3, 9, 9)) * 0.1
    changed = clean[::-1].copy()
    found = structural_similarity(clean, changed)
    assert structural_similarity(255 * clean, 255 * changed, bounds=(0, 255)) == pytest.approx(found, rel=1e-9)
    assert abs(structural_similarity(clean, changed, bounds=(0, 255)) - found) > 0.5


def test_distortions_are_relative_in_every_norm():
    """Order 0 over the numbers that are not zero, 2 here and not 4; "inf" over the largest one (fault 6)."""
    clean, changed = np.array([[0.5, 0.25, 0.0, 0.0]]), np.array([[0.5, 0.35, 0.0, 0.0]])
    assert lp_distortion(clean, changed, 0) == pytest.approx(1 / 2)
    assert lp_distortion(clean, changed, "inf") == pytest.approx(0.1 / 0.5)


@pytest.mark.parametrize("survival", [survival_after_blur, survival_after_jpeg])
def test_survival_is_of_the_successful(survival):
    """One of one that succeeded survives, of four that were attacked (fault 6)."""
    images = torch.full((4, 1, 8, 8), 0.8)

    def ask(block):
        return torch.stack([torch.full((len(block),), 0.5), block.mean((1, 2, 3))], dim=1)

    assert survival(images, [0, 1, 1, 1], ask, success=[True, False, False, False]) == 1


def test_flip_rates_are_there():
    """Sequential, against the first frame, and relative to a baseline (fault 14)."""
    frames = [[0], [1], [0], [1]]
    assert flip_probability(frames, noise=False) == 1
    assert mean_flip_rate([flip_probability(frames, noise=True)], [1.0]) == pytest.approx(2 / 3)


def test_clean_errors_are_no_successes():
    """A sample that is wrong before the attack counts for nobody (fault 14)."""
    np.testing.assert_array_equal(attack_success([1, 1], [0, 0], clean=[0, 1]), [True, False])
