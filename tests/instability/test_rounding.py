"""A limit that is missed by rounding alone is reached, in whatever type the numbers are given."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reseed._errors import InputError
from reseed._simplex import check_simplex
from reseed.instability import (
    bootstrap_instability,
    check_probabilities,
    confidence_histogram,
    entropy_decomposition,
    expected_calibration_error,
    label_entropy,
    label_entropy_reduction,
    label_quality,
    multiplicity,
    nested_instability,
    nested_variance,
    rashomon_capacity,
    rashomon_set,
    rashomon_sweep,
    reduction_beyond_null,
    risk_ambiguity,
    score_variance,
    selective_ensemble,
    self_consistency_ensemble,
    soft_churn,
    viable_prediction_range,
)


def _numpy(kind):
    return lambda numbers: np.array(numbers, kind)


def _torch(kind):
    return lambda numbers: torch.tensor(numbers, dtype=torch.float64).to(kind)


TYPES = {
    "list": list,
    "float64": _numpy(np.float64),
    "float32": _numpy(np.float32),
    "float16": _numpy(np.float16),
    "torch float64": _torch(torch.float64),
    "torch float32": _torch(torch.float32),
    "torch float16": _torch(torch.float16),
    "bfloat16": _torch(torch.bfloat16),
}
of_any_type = pytest.mark.parametrize("given_as", TYPES.values(), ids=TYPES)
twentieths = st.integers(0, 20)
quick = settings(max_examples=60, deadline=None)


@of_any_type
def test_values_from_the_definitions(given_as):
    """0.7 and 0.5 are 0.2 apart, 0.05 is within 0.03 of 0.02, and 0.2 is the end of the second of ten bins."""
    assert risk_ambiguity(given_as([[[0.7, 0.3]], [[0.5, 0.5]]]), 0.2) == 1
    assert rashomon_set(given_as([0.02, 0.05]), epsilon=0.03, base=0).tolist() == [True, True]
    assert rashomon_sweep([[0], [1]], given_as([0.02, 0.05]), [0.03], base=0).survivors.tolist() == [2]
    assert (
        multiplicity([[0], [1]], losses=given_as([0.02, 0.05]), base=0, epsilons=[0.03]).summary["survivors@0.03"] == 2
    )
    error = expected_calibration_error(given_as([0.15, 0.2]), [True, False], bins=10)
    assert error == pytest.approx(abs(1 - 0.35) / 2, abs=0.002)  # one bin: errors of 0.85 and -0.2 offset each other


@of_any_type
@quick
@given(data=st.data())
def test_moves_and_losses_equal_exact_arithmetic(given_as, data):
    """Between numbers of two decimals no comparison comes out otherwise than it does with fractions."""
    shares = data.draw(st.lists(st.lists(twentieths, min_size=3, max_size=3), min_size=2, max_size=4))
    delta, epsilon = data.draw(st.integers(1, 20)), data.draw(twentieths)
    moved = [any(abs(run[sample] - shares[0][sample]) >= delta for run in shares) for sample in range(3)]
    probabilities = given_as([[[share / 20, (20 - share) / 20] for share in run] for run in shares])
    assert risk_ambiguity(probabilities, delta / 20) == pytest.approx(np.mean(moved))
    assert risk_ambiguity(probabilities, np.float32(delta / 20)) == pytest.approx(np.mean(moved))
    losses = [run[0] for run in shares]
    within = [loss <= losses[0] + epsilon for loss in losses]
    assert rashomon_set(given_as([loss / 20 for loss in losses]), epsilon=epsilon / 20, base=0).tolist() == within


def _binned(confidence, right, bins):
    """The calibration error from its definition, with bins found in exact arithmetic."""
    gaps = [Fraction(0)] * bins
    for value, is_right in zip(confidence, right, strict=True):
        gaps[max(0, -(-value * bins // 1) - 1)] += int(is_right) - value
    return float(sum(map(abs, gaps)) / len(confidence))


@of_any_type
@quick
@given(data=st.data())
def test_calibration_bins_equal_exact_arithmetic(given_as, data):
    """A confidence of k / 20 is in the bin that it ends, or lies inside, whatever the type."""
    counts = data.draw(st.lists(twentieths, min_size=1, max_size=8))
    right = data.draw(st.lists(st.booleans(), min_size=len(counts), max_size=len(counts)))
    bins = data.draw(st.sampled_from([1, 4, 5, 10, 20, 40, 100]))
    confidence = [Fraction(count, 20) for count in counts]
    found = expected_calibration_error(given_as([float(value) for value in confidence]), right, bins=bins)
    assert found == pytest.approx(_binned(confidence, right, bins), abs=0.004)


@of_any_type
@pytest.mark.parametrize("bins", [4, 5, 10, 20])
def test_histogram_bins_equal_exact_arithmetic(given_as, bins):
    """Probabilities of k / 20 from logits of any type are in the bin that begins there, or holds them."""
    shares = range(1, 20)
    logits = given_as([[float(np.log(share / (20 - share))), 0.0] for share in shares])
    expected = [0] * bins
    for share in (*shares, *(20 - share for share in shares)):
        expected[share * bins // 20] += 1
    assert confidence_histogram(logits, bins=bins).every.tolist() == expected


def test_shares_of_runs_reach_a_threshold_of_any_type():
    """A self-consistency of 0.6 reaches a threshold of 0.6 in single precision, which is a little more."""
    labels = [[0]] * 4 + [[1]]  # 6 of 10 pairs agree
    for threshold in (0.6, np.float32(0.6), np.float16(0.6), torch.tensor(0.6)):
        assert self_consistency_ensemble(labels, threshold=threshold).labels.tolist() == [0]
    assert self_consistency_ensemble(labels, threshold=0.600001).labels.tolist() == [-1]
    found = selective_ensemble([[0]] * 8 + [[1]])
    assert selective_ensemble([[0]] * 8 + [[1]], alpha=float(Fraction(20, 512))).labels.tolist() == [0]
    assert found.p_values.tolist() == [pytest.approx(20 / 512)]


@of_any_type
def test_a_probability_at_the_threshold_decides_for_the_positive_class(given_as):
    """0.7 is at a threshold of 0.7, however either is written, and the original's own label says so too."""
    for threshold in (0.7, np.float64(0.7)):
        found = bootstrap_instability(given_as([0.7, 0.65]), given_as([[0.9, 0.6]]), threshold=threshold)
        assert found.index.tolist() == [0, 0]
        assert found.label.tolist() == [1, 0]


def test_the_high_subset_excludes_its_threshold():
    """A sample whose entropy is the threshold does not exceed it, nor by rounding."""
    control = [[0, 0, 0], [0, 1, 1], [0, 0, 0], [1, 1, 1]]
    method = [[0, 0, 0]] * 4
    for threshold in (label_entropy(control)[0], np.nextafter(label_entropy(control)[0], 0)):
        found = label_entropy_reduction(method, control, subset="high", threshold=threshold)
        assert found.samples == 2
        assert reduction_beyond_null(method, control, control, subset="high", threshold=threshold).samples == 2


@of_any_type
def test_distributions_of_any_precision_are_taken(given_as):
    """Rows that a type rounds off one are distributions at every door, and others still are none."""
    rows = np.random.default_rng(0).dirichlet(np.ones(7) * 2, (2, 3, 4))
    four = given_as(rows.tolist())
    three = four[0]
    check_probabilities(four)
    measures = (
        viable_prediction_range,
        rashomon_capacity,
        score_variance,
        entropy_decomposition,
        lambda runs: risk_ambiguity(runs, 0.1),
        lambda runs: soft_churn(runs[0], runs[1]),
        lambda runs: label_quality(runs[0], [0] * 4),
        lambda runs: bootstrap_instability(runs[0], runs),
        lambda runs: multiplicity([[0] * 4] * 3, runs, losses=[0.1] * 3),
        lambda runs: rashomon_sweep([[0] * 4] * 3, [0.1] * 3, [0.1], probabilities=runs),
    )
    for measure in measures:
        measure(three)
    nested_variance(four)
    nested_instability(four)
    with pytest.raises(InputError, match=r"sums to 1\.0[0-9]* at position"):
        check_probabilities(given_as([[0.5, 0.52]]))


def test_the_ground_check_knows_half_precision():
    """Halves in numpy are forgiven what they round, other types what they always were."""
    rows = np.array([[0.1] * 10], np.float16)
    assert abs(rows.sum(dtype=np.float64) - 1) > 1e-4
    check_simplex(rows, "rows")
    with pytest.raises(InputError, match=r"rows sums to 0\.999756 at position"):
        check_simplex(rows.astype(np.float32), "rows")
