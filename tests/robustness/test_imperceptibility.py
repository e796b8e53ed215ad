"""How large and how visible changes of inputs are: closed forms, and sums written out in double precision."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d, uniform_filter

from reseed._errors import InputError, InputTypeError
from reseed.robustness import lp_distortion, perturbation_sensitivity_distance, structural_similarity


@pytest.fixture
def images():
    """Clean and changed images [sample, channel, height, width], not square, within [0, 1]."""
    rng = np.random.default_rng(0)
    clean = rng.random((5, 3, 12, 15))
    return clean, np.clip(clean + 0.1 * rng.standard_normal(clean.shape), 0, 1)


def brute_similarity(x, y, window, size, width):
    """One channel's mean similarity, by scipy's filters, cropped to windows inside the image."""
    if window == "uniform":
        means, unbiased = (lambda a: uniform_filter(a, size)), size**2 / (size**2 - 1)
    else:
        bell = np.exp(-0.5 * ((np.arange(size) - size // 2) / 1.5) ** 2)
        bell /= bell.sum()
        means, unbiased = (lambda a: correlate1d(correlate1d(a, bell, 0), bell, 1)), 1.0
    ux, uy = means(x), means(y)
    vx, vy = unbiased * (means(x * x) - ux * ux), unbiased * (means(y * y) - uy * uy)
    vxy = unbiased * (means(x * y) - ux * uy)
    c1, c2 = (0.01 * width) ** 2, (0.03 * width) ** 2
    similar = (2 * ux * uy + c1) * (2 * vxy + c2) / ((ux**2 + uy**2 + c1) * (vx + vy + c2))
    inside = size // 2
    return similar[inside:-inside, inside:-inside].mean()


def brute_sensitivity(x, y, floor):
    """One image's distance, pixel by pixel."""
    total = 0.0
    for channel in range(x.shape[0]):
        around = np.pad(x[channel], 1, "reflect")
        for row in range(x.shape[1]):
            for column in range(x.shape[2]):
                std = max(np.std(around[row : row + 3, column : column + 3]), floor)
                total += abs(y[channel, row, column] - x[channel, row, column]) / std
    return total


def test_equal_inputs_are_at_no_distance(images):
    """Distortion 0, similarity 1, sensitivity distance 0."""
    clean, _ = images
    for norm in (0, 1, 2, "inf"):
        assert lp_distortion(clean, clean, norm) == 0
    for window in ("uniform", "gaussian"):
        found = structural_similarity(clean, clean, window=window, reduction="none")
        np.testing.assert_allclose(found, 1, rtol=0, atol=1e-14)
    assert perturbation_sensitivity_distance(clean, clean) == 0


@pytest.mark.parametrize("norm", [0, 1, 2, "inf"])
@pytest.mark.parametrize("normalise", ["input", "none", "dim"])
def test_distortion_is_numpys_norm(images, norm, normalise):
    """Of each sample's flattened change, over that of what it is normalised by."""
    clean, changed = images
    clean = np.where(clean < 0.3, 0, clean)  # so that order 0 of the input is not the number of its elements
    changed[:, :, ::2] = clean[:, :, ::2]
    order = math.inf if norm == "inf" else norm
    size = [np.linalg.norm((b - a).ravel(), order) for a, b in zip(clean, changed, strict=True)]
    below = {
        "input": [np.linalg.norm(a.ravel(), order) for a in clean],
        "none": [1.0] * 5,
        "dim": [np.linalg.norm(np.ones(clean[0].size), order)] * 5,
    }[normalise]
    expected = np.array(size) / below
    found = lp_distortion(clean, changed, norm, normalise=normalise, reduction="none")
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert lp_distortion(clean, changed, str(norm), normalise=normalise) == pytest.approx(expected.mean(), rel=1e-13)


def test_closed_forms_of_distortion():
    """A step of eps on inputs whose largest number is 1; one changed number of D that are not zero."""
    x = np.linspace(0.5, 1, 20).reshape(1, 20)
    signs = np.where(np.arange(20) % 2, 1, -1)
    assert lp_distortion(x, x + 0.03 * signs, "inf") == pytest.approx(0.03, rel=1e-12)
    one = x.copy()
    one[0, 3] += 0.5
    assert lp_distortion(x, one, 0) == pytest.approx(1 / 20, rel=1e-14)


def test_inputs_of_zeros_have_no_relative_distortion():
    """They are NaN, told, and left out of the mean; absolute norms keep them."""
    clean, changed = np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [3.0, 5.0]])
    with pytest.warns(RuntimeWarning, match="1 of 2 clean inputs are zero throughout") as told:
        values = lp_distortion(clean, changed, reduction="none")
    assert told[0].filename == __file__
    np.testing.assert_allclose(values, [np.nan, 0.2])
    with pytest.warns(RuntimeWarning, match="left out of the mean"):
        assert lp_distortion(clean, changed) == pytest.approx(0.2)
    assert lp_distortion(clean, changed, normalise="none") == pytest.approx(1.0)
    assert lp_distortion(clean, changed, success=[False, True]) == pytest.approx(0.2)  # it is not asked about


@pytest.mark.parametrize(("window", "size"), [("uniform", 7), ("uniform", 3), ("gaussian", 11)])
@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-1.0, 3.0)])
def test_similarity_is_that_of_scipys_filters(images, window, size, bounds):
    """Averaged over the windows inside the image and over channels, with constants of the width of the bounds."""
    clean, changed = images
    expected = [
        np.mean([brute_similarity(a, b, window, size, bounds[1] - bounds[0]) for a, b in zip(x, y, strict=True)])
        for x, y in zip(clean, changed, strict=True)
    ]
    found = structural_similarity(clean, changed, bounds=bounds, window=window, size=size, reduction="none")
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert structural_similarity(clean, changed, bounds=bounds, window=window, size=size) == pytest.approx(
        np.mean(expected), rel=1e-10
    )


@pytest.mark.parametrize(("a", "b"), [(0.2, 0.4), (0.0, 1.0), (1.0, 0.9)])
def test_similarity_of_constant_images(a, b):
    """(2ab + C1) / (a^2 + b^2 + C1): variances are 0, and so the second factor 1."""
    one, other = np.full((1, 1, 9, 9), a), np.full((1, 1, 9, 9), b)
    expected = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)
    assert structural_similarity(one, other) == pytest.approx(expected, rel=1e-10)


def test_small_images_are_refused_or_looked_at_with_a_smaller_window(images):
    """The message says which size fits; shrinking takes it."""
    clean, changed = (each[..., :6, :] for each in images)
    with pytest.raises(InputError, match=r"smaller than the window of 7 pixels; pass size=5, or shrink=True"):
        structural_similarity(clean, changed)
    assert structural_similarity(clean, changed, shrink=True) == structural_similarity(clean, changed, size=5)
    with pytest.raises(InputError, match="images in which no window fits"):
        structural_similarity(clean[..., :2, :], changed[..., :2, :], shrink=True)
    large = structural_similarity(*images)
    assert structural_similarity(*images, shrink=True) == large  # where the window fits, it stays


def test_sensitivity_is_the_sum_over_pixels(images):
    """Of changes over the standard deviation around each, at least the floor."""
    clean, changed = images
    clean[:, 1, 2:8, 3:9] = 0.5  # flat regions, where the floor counts
    for floor in (1 / 255, 0.2):
        expected = [brute_sensitivity(x, y, floor) for x, y in zip(clean, changed, strict=True)]
        found = perturbation_sensitivity_distance(clean, changed, floor=floor, reduction="none")
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    default = perturbation_sensitivity_distance(clean, changed)
    assert default == pytest.approx(perturbation_sensitivity_distance(clean, changed, floor=1 / 255), rel=1e-14)
    scaled = perturbation_sensitivity_distance(2 * clean - 1, 2 * changed - 1, bounds=(-1.0, 1.0))
    assert scaled == pytest.approx(default, rel=1e-9)  # changes, deviations and the floor are all twice as large


def test_sensitivity_of_a_checkerboard():
    """Every square of 3 x 3 holds five of one kind and four of the other: std = sqrt(20) / 9."""
    board = (np.indices((6, 10)).sum(axis=0) % 2).astype(float)[None, None].repeat(3, axis=1)
    changed = np.abs(board - 0.25)
    expected = 3 * 6 * 10 * 0.25 / (math.sqrt(20) / 9)
    assert perturbation_sensitivity_distance(board, changed) == pytest.approx(expected, rel=1e-12)


MEASURES = [lp_distortion, structural_similarity, perturbation_sensitivity_distance]


@pytest.mark.parametrize("measure", MEASURES)
def test_only_what_counts_is_in_the_mean(images, measure):
    """Values are NaN elsewhere; where nothing counts, the mean is NaN and says so on the caller's line."""
    clean, changed = images
    every = measure(clean, changed, reduction="none")
    success = np.array([True, False, True, False, False])
    some = measure(clean, changed, success=success, reduction="none")
    np.testing.assert_array_equal(some, np.where(success, every, np.nan))
    assert measure(clean, changed, success=success) == pytest.approx(every[success].mean(), rel=1e-14)
    with pytest.warns(RuntimeWarning, match="no sample counts for") as told:
        assert math.isnan(measure(clean, changed, success=np.zeros(5, bool)))
    assert told[0].filename == __file__


@pytest.mark.parametrize("measure", MEASURES)
def test_each_run_may_have_its_own_changed_inputs(images, measure):
    """Then there is a value for each run, the same as alone."""
    clean, changed = (torch.from_numpy(each) for each in images)
    runs = torch.stack([changed, clean, (changed + clean) / 2])
    success = torch.tensor([[True] * 5, [True] * 5, [True, False, True, True, False]])
    values = measure(clean, runs, success=success, reduction="none")
    assert isinstance(values, torch.Tensor)
    assert values.shape == (3, 5)
    means = measure(clean, runs, success=success)
    for run in range(3):
        alone = measure(clean, runs[run], success=success[run])
        assert values[run].isnan().logical_not().equal(success[run])
        assert means[run] == pytest.approx(alone, rel=1e-13)


@pytest.mark.parametrize("measure", MEASURES)
def test_many_samples_are_taken_in_blocks(measure, monkeypatch):
    """However many at a time, values are the same."""
    rng = np.random.default_rng(1)
    clean, changed = rng.random((2, 50, 2, 8, 9), np.float32)
    whole = measure(clean, changed, reduction="none")
    monkeypatch.setattr("reseed.robustness._inputs._BLOCK", {"cpu": 1000})
    np.testing.assert_allclose(measure(clean, changed, reduction="none"), whole, rtol=1e-12)
    assert whole.dtype == np.float64


def test_single_precision_loses_nothing(images):
    """Sums in small windows are in double precision, whatever the type of the images; norms are good to single."""
    clean, changed = (each.astype(np.float32) for each in images)
    for measure, error in zip(MEASURES, (1e-6, 1e-13, 1e-13), strict=True):
        assert measure(clean, changed) == pytest.approx(measure(clean.astype(float), changed.astype(float)), rel=error)


@pytest.mark.parametrize("measure", MEASURES[1:])
def test_images_are_checked(images, measure):
    """Bounds, whole numbers, shapes."""
    clean, changed = images
    with pytest.raises(
        InputError, match=r"perturbed holds values from .* to 2, outside bounds=\(0, 1\); pass the bounds"
    ):
        measure(clean, np.where(changed == changed.max(), 2.0, changed))
    with pytest.raises(InputError, match="clean holds values from nan to nan"):
        measure(np.where(clean == clean.max(), np.nan, clean), changed)
    with pytest.raises(InputTypeError, match=r"clean is uint8\[5, 3, 12, 15\]; pass floating-point images, .*/ 255"):
        measure((255 * clean).astype(np.uint8), (255 * changed).astype(np.uint8))
    with pytest.raises(InputError, match=r"clean is float64\[5, 540\]; pass images"):
        measure(clean.reshape(5, -1), changed.reshape(5, -1))
    with pytest.raises(InputError, match=r"bounds=\(1, 0\) must be two numbers, the lower one first"):
        measure(clean, changed, bounds=(1, 0))


@pytest.mark.parametrize("measure", MEASURES)
def test_arguments_are_checked(images, measure):
    """Each message names the argument and shows what was given."""
    clean, changed = images
    with pytest.raises(InputError, match=r"clean is float64\[5, .*\] but perturbed is float64\[4, "):
        measure(clean, changed[:4])
    with pytest.raises(InputError, match="reduction='sum' is unknown; pass 'mean', or 'none'"):
        measure(clean, changed, reduction="sum")
    with pytest.raises(InputError, match=r"success must be boolean .* pass `success != 0`"):
        measure(clean, changed, success=[1, 0, 1, 0, 1])
    with pytest.raises(InputError, match=r"success is bool\[4\], but there are values of \[5\]"):
        measure(clean, changed, success=np.ones(4, bool))


def test_options_are_checked(images):
    """Those of one measure alone."""
    clean, changed = images
    for given, match in [
        ({"norm": 3}, "norm=3 is unknown; pass 0, 1, 2 or 'inf'"),
        ({"normalise": "l2"}, "normalise='l2' is unknown"),
    ]:
        with pytest.raises(InputError, match=match):
            lp_distortion(clean, changed, **given)
    broken = clean.copy()
    broken[0, 1, 2, 3] = np.inf
    with pytest.raises(InputError, match=r"clean is .* and holds inf at position \(0, 1, 2, 3\); pass finite inputs"):
        lp_distortion(broken, changed)
    with pytest.raises(InputError, match="window='box' is unknown"):
        structural_similarity(clean, changed, window="box")
    for size in (4, 1, 7.0, True):
        with pytest.raises(InputError, match=f"size={size!r} is no window; pass an odd number"):
            structural_similarity(clean, changed, size=size)
    for floor in (0, -1.0, math.inf, math.nan):
        with pytest.raises(InputError, match=r"must be above 0; pass for example 0\.003922"):
            perturbation_sensitivity_distance(clean, changed, floor=floor)
    with pytest.raises(InputError, match="pass images of two rows and two columns or more"):
        perturbation_sensitivity_distance(clean[..., :1], changed[..., :1])
