"""Wrong labels and destroyed inputs: what the formulas say of them, and what is refused."""

import re

import numpy as np
import pytest
import torch

from reseed._errors import DataError
from reseed.data import corrupt_labels, gaussian_inputs, random_pixels, shuffle_pixels, structured_inputs

COUNT, CLASSES = 100_000, 10
LABELS = np.random.default_rng(0).integers(0, CLASSES, COUNT)
IMAGES = np.random.default_rng(1).random((60, 3, 6, 6)).astype(np.float32)
OF_INPUTS = [shuffle_pixels, random_pixels, gaussian_inputs, structured_inputs]
MATRIX = np.array([[0.7, 0.3, 0.0], [0.0, 1.0, 0.0], [0.25, 0.25, 0.5]])


def near(share, probability, count=COUNT):
    """Whether a share of independent events is within four standard errors of their probability."""
    return abs(share - probability) <= 4 * np.sqrt(max(probability * (1 - probability), 0) / count) + 1e-12


@pytest.mark.parametrize("mode", ["other", "any", "permute", "pair"])
def test_rate_zero_is_the_identity(mode):
    """Nothing is touched, and a copy comes back."""
    found = corrupt_labels(LABELS, 0.0, num_classes=CLASSES, mode=mode)
    assert np.array_equal(found.labels, LABELS)
    assert found.labels is not LABELS
    assert not found.selected.any()
    assert not found.changed.any()


@pytest.mark.parametrize("rate", [0.2, 0.6, 1.0])
def test_shares_of_changed_labels(rate):
    """Excluding the own class p of the labels change, including it p (K - 1) / K; agreement is the rest."""
    other = corrupt_labels(LABELS, rate, num_classes=CLASSES, mode="other", seed=3)
    assert near(other.selected.mean(), rate)
    assert np.array_equal(other.selected, other.changed)
    assert near((other.labels == LABELS).mean(), 1 - rate)
    anything = corrupt_labels(LABELS, rate, num_classes=CLASSES, mode="any", seed=3)
    assert np.array_equal(anything.selected, other.selected)
    assert near(anything.changed.mean(), rate * (CLASSES - 1) / CLASSES)
    assert near((anything.labels == LABELS).mean(), 1 - rate + rate / CLASSES)
    for found in (other, anything):
        assert np.array_equal(found.changed, found.labels != LABELS)
        assert np.array_equal(found.labels[~found.selected], LABELS[~found.selected])


@pytest.mark.parametrize(("mode", "own"), [("any", True), ("other", False)])
def test_new_classes_are_equally_likely(mode, own):
    """At rate 1 a chi-square statistic over new classes is what uniform ones give, for each old class as well."""
    found = corrupt_labels(LABELS, 1.0, num_classes=CLASSES, mode=mode, seed=5)
    for label in range(CLASSES):
        counts = np.bincount(found.labels[label == LABELS], minlength=CLASSES)
        assert (counts[label] > 0) == own
        possible = counts if own else np.delete(counts, label)
        expected = possible.sum() / len(possible)
        assert ((possible - expected) ** 2 / expected).sum() < 33  # exceeded with probability 1e-4 at 9 degrees


@pytest.mark.parametrize("rate", [0.3, 1.0])
def test_permuted_labels_keep_the_counts(rate):
    """The classes have exactly as many samples as before, and labels are where chance puts them."""
    found = corrupt_labels(LABELS, rate, num_classes=CLASSES, mode="permute")
    assert np.array_equal(np.bincount(found.labels), np.bincount(LABELS))
    assert near(found.changed.mean(), rate * (CLASSES - 1) / CLASSES)


def test_exact_share():
    """Exactly the rounded share is touched, the same samples and more at a larger rate."""
    few, many = (corrupt_labels(LABELS[:1000], p, num_classes=CLASSES, exact=True) for p in (0.1, 0.2504))
    assert (few.selected.sum(), many.selected.sum()) == (100, 250)
    assert not (few.selected & ~many.selected).any()


def test_pair():
    """Each class becomes the next one, the last one the first."""
    assert corrupt_labels([0, 1, 2], 1.0, num_classes=3, mode="pair").labels.tolist() == [1, 2, 0]


def test_matrix():
    """Row i holds the shares of what is given where the class is i; the identity changes nothing."""
    labels = LABELS % 3
    found = corrupt_labels(labels, 1.0, num_classes=3, mode="matrix", matrix=MATRIX)
    for label in range(3):
        own = found.labels[labels == label]
        for given, probability in enumerate(MATRIX[label]):
            assert near((own == given).mean(), probability, len(own))
    assert not corrupt_labels(labels, 1.0, num_classes=3, mode="matrix", matrix=np.eye(3)).changed.any()
    half = corrupt_labels(labels, 0.5, num_classes=3, mode="matrix", matrix=MATRIX[[1, 2, 0]][:, [1, 2, 0]])
    assert near(half.selected.mean(), 0.5)


def test_labels_keep_their_kind_and_are_never_changed():
    """Tensors give tensors, arrays arrays, all of the type they had; what was given stays."""
    for labels in (torch.arange(9) % 3, (torch.arange(9) % 3).to(torch.int8), np.arange(9, dtype=np.uint8) % 3):
        before = labels.clone() if isinstance(labels, torch.Tensor) else labels.copy()
        found = corrupt_labels(labels, 1.0, num_classes=3)
        assert type(found.labels) is type(found.changed) is type(labels)
        assert found.labels.dtype == labels.dtype
        assert (labels == before).all()


def test_draws_follow_seed_and_sample():
    """One seed always gives the same; with their numbers, samples of a subset are corrupted as in the whole."""
    first, again, other = (corrupt_labels(LABELS, 0.4, num_classes=CLASSES, seed=seed) for seed in (7, 7, 8))
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.selected, other.selected)
    places = np.array([5, 77, 12_345, 3])
    part = corrupt_labels(LABELS[places], 0.4, num_classes=CLASSES, seed=7, items=places)
    assert np.array_equal(part.labels, first.labels[places])
    for function in (random_pixels, gaussian_inputs):
        options = {} if function is random_pixels else {"mean": [0.5] * 3, "sd": [0.1] * 3}
        whole = function(IMAGES, 0.5, seed=2, **options).inputs
        assert np.array_equal(function(IMAGES[9:12], 0.5, seed=2, items=range(9, 12), **options).inputs, whole[9:12])


@pytest.mark.parametrize("function", OF_INPUTS)
@pytest.mark.parametrize("kind", ["float32", "float64", "uint8", "torch", "half"])
def test_inputs_keep_their_kind_and_are_never_changed(function, kind):
    """Type and kind are those of the input; masks say which samples are touched, and which are others now."""
    given = {
        "torch": lambda: torch.from_numpy(IMAGES.copy()),
        "half": lambda: torch.from_numpy(IMAGES).half(),
        "uint8": lambda: (255 * IMAGES).astype(np.uint8),
    }.get(kind, lambda: IMAGES.astype(kind))()
    before = given.clone() if isinstance(given, torch.Tensor) else given.copy()
    found = function(given, 0.5, seed=1)
    assert type(found.inputs) is type(found.selected) is type(given)
    assert (found.inputs.dtype, found.inputs.shape) == (given.dtype, given.shape)
    assert (given == before).all()
    selected = np.asarray(found.selected)
    assert 10 < selected.sum() < 50
    assert np.array_equal(np.asarray(found.changed), selected)
    assert np.array_equal(np.asarray(found.inputs)[~selected], np.asarray(before)[~selected])
    assert not function(given, 0.0).changed.any()
    assert function(given, 0.25, exact=True).selected.sum() == 15


@pytest.mark.parametrize("function", [shuffle_pixels, random_pixels])
def test_positions_move_with_all_their_channels(function):
    """Sorted values stay, for each channel too; a pixel of the result is a pixel of the image."""
    found = function(IMAGES).inputs
    assert np.array_equal(np.sort(found.reshape(60, 3, -1)), np.sort(IMAGES.reshape(60, 3, -1)))
    old = {tuple(pixel) for pixel in IMAGES[0].reshape(3, -1).T.tolist()}
    assert {tuple(pixel) for pixel in found[0].reshape(3, -1).T.tolist()} == old
    apart = function(IMAGES, apart=True).inputs
    assert np.array_equal(np.sort(apart.reshape(60, -1)), np.sort(IMAGES.reshape(60, -1)))
    assert not np.array_equal(np.sort(apart.reshape(60, 3, -1)), np.sort(IMAGES.reshape(60, 3, -1)))


def test_one_permutation_for_all_and_its_inverse():
    """The same order for every image, which undoing restores bit for bit and other data can be given."""
    found = shuffle_pixels(IMAGES, seed=4)
    flat = IMAGES.reshape(60, 3, 36)
    assert np.array_equal(found.inputs.reshape(60, 3, 36), flat[:, :, found.permutation])
    assert np.array_equal(shuffle_pixels(found.inputs, permutation=np.argsort(found.permutation)).inputs, IMAGES)
    assert np.array_equal(shuffle_pixels(IMAGES[:2], seed=4).inputs, found.inputs[:2])
    features = shuffle_pixels(IMAGES.reshape(60, -1), permutation=range(108)[::-1]).inputs
    assert np.array_equal(features, IMAGES.reshape(60, -1)[:, ::-1])


def test_a_linear_layer_is_blind_to_one_permutation():
    """With its columns in the same order, a network answers the shuffled inputs as it answered the others."""
    features = IMAGES.reshape(60, -1).astype(np.float64)
    weights = np.random.default_rng(0).normal(size=(5, 108))
    found = shuffle_pixels(features)
    np.testing.assert_allclose(found.inputs @ weights[:, found.permutation].T, features @ weights.T, atol=1e-12)


def test_each_image_gets_an_order_of_its_own():
    """Positions of two images with the same pixels differ."""
    orders = random_pixels(np.arange(64.0)[None].repeat(50, 0)).inputs
    assert len({tuple(order) for order in orders.tolist()}) == 50
    assert near((orders == np.arange(64)).mean(), 1 / 64, 3200)


def test_noise_has_the_moments_of_what_it_replaces():
    """Mean and standard deviation are within standard errors of those of each channel, of all, or of the sample."""
    images = (IMAGES + np.arange(3)[:, None, None]) * np.array([1, 2, 3])[:, None, None]
    found = gaussian_inputs(images, seed=1)
    size = 60 * 36
    np.testing.assert_allclose(found.mean, images.mean((0, 2, 3)))
    np.testing.assert_allclose(found.sd, images.std((0, 2, 3)))
    assert (np.abs(found.inputs.mean((0, 2, 3)) - found.mean) < 4 * found.sd / np.sqrt(size)).all()
    assert (np.abs(found.inputs.std((0, 2, 3)) - found.sd) < 4 * found.sd / np.sqrt(2 * size)).all()
    whole = gaussian_inputs(images, statistics="global", seed=1)
    assert whole.mean == pytest.approx(images.mean())
    assert whole.sd == pytest.approx(images.std())
    assert abs(whole.inputs.std() - images.std()) < 4 * images.std() / np.sqrt(2 * 3 * size)
    own = gaussian_inputs(images, statistics="sample", seed=1)
    np.testing.assert_allclose(own.sd, images.std((1, 2, 3)))
    scores = (own.inputs.mean((1, 2, 3)) - own.mean) / (own.sd / np.sqrt(108))
    assert (np.abs(scores) < 3).mean() > 0.95
    assert scores.std() == pytest.approx(1, abs=0.4)
    constant = gaussian_inputs(np.full((3, 4), 0.5), statistics="sample")
    assert not constant.changed.any()


def test_noise_can_be_clipped_and_bytes_always_are():
    """Clipped noise lies between the bounds, and noise of bytes between theirs."""
    assert gaussian_inputs(IMAGES).inputs.min() < 0
    clipped = gaussian_inputs(IMAGES, clip=(0, 1)).inputs
    assert (clipped.min(), clipped.max()) == (0, 1)
    dark = gaussian_inputs(np.array([[0, 0], [1, 200]], np.uint8), seed=3).inputs
    assert dark.dtype == np.uint8


def test_structured_turns_and_inverts():
    """One turn against the clock and an inversion; four of them are none."""
    image = np.array([[[[0.0, 0.25], [0.5, 1.0]]]])
    found = structured_inputs(image).inputs
    assert found[0, 0].tolist() == [[0.75, 0.0], [1.0, 0.5]]
    four = (255 * IMAGES).astype(np.uint8)
    for _ in range(4):
        four = structured_inputs(four).inputs
    assert np.array_equal(four, (255 * IMAGES).astype(np.uint8))
    features = structured_inputs(torch.ones(4, 3), transform=lambda x: x.neg_())
    assert torch.equal(features.inputs, -torch.ones(4, 3))


LABELS_REFUSED = [
    ({"rate": 1.1}, "rate is 1.1; give a share of the samples from 0 to 1"),
    ({"rate": -0.1}, "rate is -0.1;"),
    ({"rate": float("nan")}, "rate is nan;"),
    ({"rate": "much"}, "rate is 'much';"),
    ({"num_classes": 1}, "num_classes is 1; give the number of classes, 2 or more"),
    ({"labels": [0, 3]}, "labels holds 3 at position 1, which is none of the 3 classes; labels are 0 to 2"),
    ({"labels": [0, -1]}, "labels holds -1 at position 1"),
    ({"labels": [0.5]}, "labels is float64[1]; give whole numbers [sample]"),
    ({"labels": np.zeros(0, int)}, "labels is empty"),
    ({"mode": "flip"}, "mode is 'flip'; choose one of other, any, permute, pair, matrix"),
    ({"mode": "matrix"}, "matrix is not given and mode is 'matrix'"),
    ({"matrix": np.eye(3)}, "matrix is given and mode is 'other'"),
    ({"mode": "matrix", "matrix": np.eye(2)}, "matrix is float64[2, 2]; give probabilities [class, class] of 3"),
    ({"mode": "matrix", "matrix": MATRIX * 0.9}, "row 0 of matrix sums to 0.9, not to 1"),
    ({"mode": "matrix", "matrix": [[1.5, -0.5, 0]] * 3}, "matrix holds -0.5 at position (0, 1)"),
    ({"seed": -1}, "seed is -1; give a whole number from 0 to 4294967295"),
    ({"items": [1]}, "items is int64[1]; give one whole number for each of the 3 samples"),
    ({"items": [1, 2, 2**31]}, "items holds 2147483648; give whole numbers from 0 to 2147483647"),
]


@pytest.mark.parametrize(("options", "message"), LABELS_REFUSED)
def test_labels_that_are_refused(options, message):
    """The message names the argument, shows the value and says what to give."""
    with pytest.raises(DataError, match=re.escape(message)):
        corrupt_labels(**({"labels": [0, 1, 2], "rate": 0.5, "num_classes": 3} | options))


INPUTS_REFUSED = [
    (random_pixels, np.zeros(3), {}, "inputs is float64[3]; give numbers, [sample, feature] or images"),
    (random_pixels, np.zeros((0, 3)), {}, "inputs of shape (0, 3) hold no values"),
    (random_pixels, [[0.0], [np.nan]], {}, "inputs hold NaN or infinity in the sample at position 1"),
    (random_pixels, IMAGES, {"rate": 2}, "rate is 2;"),
    (
        shuffle_pixels,
        IMAGES,
        {"permutation": range(7)},
        "permutation has 7 positions, the inputs have 36; give each of",
    ),
    (shuffle_pixels, [[1, 2]], {"permutation": [0, 0]}, "permutation holds 0 more than once; give each of 0 to 1 once"),
    (shuffle_pixels, [[1, 2]], {"permutation": [0, 2]}, "permutation holds 2; give each of 0 to 1 once"),
    (shuffle_pixels, [[1, 2]], {"permutation": [0.5, 1]}, "permutation is float64[2]; give whole numbers"),
    (gaussian_inputs, IMAGES, {"statistics": "row"}, "statistics is 'row'; choose one of channel, global, sample"),
    (gaussian_inputs, IMAGES, {"mean": [0, 0, 0]}, "mean and sd are given together"),
    (gaussian_inputs, IMAGES, {"mean": [0], "sd": [1]}, "mean is int64[1]; with statistics='channel' give 3 numbers"),
    (gaussian_inputs, IMAGES, {"mean": [0] * 3, "sd": [-1] * 3}, "sd holds -1; a standard deviation is zero or more"),
    (gaussian_inputs, IMAGES, {"clip": (1, 0)}, "clip is (1, 0); give the least and the greatest value"),
    (structured_inputs, IMAGES[..., :4], {}, "inputs of shape [3, 6, 4] are no square images"),
    (structured_inputs, [[1.0]], {}, "inputs of shape [1] are no square images [channel, row, column]"),
    (structured_inputs, 2 * IMAGES, {}, "inverting takes images in [0, 1] or bytes (uint8); rescale them"),
    (structured_inputs, [[1.0]], {"transform": lambda x: x[0]}, "transform returns float64[1] for float64[1, 1]"),
    (structured_inputs, [[1.0]], {"transform": lambda x: x * np.nan}, "transform returns NaN or infinity"),
]


@pytest.mark.parametrize(("function", "inputs", "options", "message"), INPUTS_REFUSED)
def test_inputs_that_are_refused(function, inputs, options, message):
    """The message names the argument, shows the value and says what to give."""
    with pytest.raises(DataError, match=re.escape(message)):
        function(inputs, **options)
