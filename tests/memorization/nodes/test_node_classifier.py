"""What nodes know of classes: the same as scikit-learn's naive Bayes and scipy's kernel densities."""

import numpy as np
import pytest
import torch
from scipy.stats import gaussian_kde, norm
from sklearn.naive_bayes import BernoulliNB, GaussianNB

from reseed import InputError
from reseed.memorization import NodeClassifier


def made(samples=120, nodes=7, seed=0):
    """Values whose means differ between three classes, and the classes."""
    generator = np.random.default_rng(seed)
    targets = generator.integers(0, 3, samples)
    return generator.normal(generator.normal(0, 1, (3, nodes))[targets], 0.7), targets


def test_discrete_is_bernoulli():
    """Every log-probability, prediction and score of BernoulliNB with alpha 1."""
    (values, targets), (others, truth) = made(), made(50, seed=1)
    ours = NodeClassifier("discrete").fit(values, targets)
    peer = BernoulliNB(alpha=1.0, binarize=None).fit(values > 0, targets)
    np.testing.assert_allclose(ours.predict_log_proba(others), peer.predict_log_proba(others > 0), atol=1e-10)
    np.testing.assert_array_equal(ours.predict(others), peer.predict(others > 0))
    assert ours.score(others, truth) == pytest.approx(peer.score(others > 0, truth))
    moved = NodeClassifier("discrete", threshold=0.4).fit(values, targets)
    peer = BernoulliNB(alpha=1.0, binarize=0.4).fit(values, targets)
    np.testing.assert_allclose(moved.predict_log_proba(others), peer.predict_log_proba(others), atol=1e-10)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_continuous_is_gaussian(offset):
    """Every log-probability of GaussianNB, also of values far from zero."""
    (values, targets), (others, _) = made(), made(50, seed=1)
    ours = NodeClassifier("continuous").fit(values + offset, targets)
    peer = GaussianNB(var_smoothing=0).fit(values + offset, targets)
    expected = peer.predict_log_proba(others + offset)
    np.testing.assert_allclose(ours.predict_log_proba(others + offset), expected, rtol=1e-6, atol=1e-6)


def test_deviations_have_a_floor():
    """A node that is constant within a class counts with 0.01; one that is constant over all not at all."""
    values = np.array([[1.0, 5.0], [1.0, 5.0], [2.0, 5.0], [3.0, 5.0]])
    targets = [0, 0, 1, 1]
    ours = NodeClassifier("continuous").fit(values, targets)
    x = np.array([[1.005, -9.0], [1.5, 7.0]])
    joint = np.stack([norm(1, 0.01).logpdf(x[:, 0]), norm(2.5, 0.5).logpdf(x[:, 0])], axis=1)
    expected = joint - np.logaddexp(*joint.T)[:, None]
    np.testing.assert_allclose(ours.predict_log_proba(x), expected, atol=1e-9)
    with pytest.warns(RuntimeWarning, match=r"every node of the layers \[''\] answers one value; only the prior"):
        flat = NodeClassifier("combined").fit(values[:, 1:], [0, 0, 0, 1])
    np.testing.assert_allclose(np.exp(flat.predict_log_proba([[4.0]])), [[0.75, 0.25]])


def test_kernels_are_those_of_scipy():
    """Densities of gaussian_kde with Scott's bandwidth, floored; in blocks."""
    (values, targets), (others, _) = made(), made(50, seed=1)
    others[0] = 100.0  # where every density is at the floor
    ours = NodeClassifier("continuous", "kde").fit(values, targets)
    joint = np.log(np.bincount(targets) / len(targets)) * np.ones((50, 1))
    for number in range(3):
        for node in range(values.shape[1]):
            density = gaussian_kde(values[targets == number, node])(others[:, node])
            joint[:, number] += np.log(np.maximum(density, 1e-12))
    expected = (
        joint - np.log(np.exp(joint - joint.max(1, keepdims=True)).sum(1, keepdims=True)) - joint.max(1, keepdims=True)
    )
    np.testing.assert_allclose(ours.predict_log_proba(others), expected, atol=1e-8)


def test_combined_is_density_where_on_and_counts_where_off():
    """Node by node."""
    (values, targets), (others, _) = made(), made(50, seed=1)
    ours = NodeClassifier("combined").fit(values, targets)
    joint = np.log(np.bincount(targets) / len(targets)) * np.ones((50, 1))
    for number in range(3):
        own = values[targets == number]
        off = np.log(1 - ((own > 0).sum(0) + 1) / (len(own) + 2))
        joint[:, number] += np.where(others > 0, norm(own.mean(0), own.std(0)).logpdf(others), off).sum(1)
    expected = joint - np.logaddexp.reduce(joint, axis=1, keepdims=True)
    np.testing.assert_allclose(ours.predict_log_proba(others), expected, atol=1e-8)
    # Where no node is off it is the continuous one, where every node is off the discrete one.
    on, off = np.abs(others), -np.abs(others)
    continuous, discrete = (NodeClassifier(kind).fit(values, targets) for kind in ("continuous", "discrete"))
    np.testing.assert_allclose(ours.predict_log_proba(on), continuous.predict_log_proba(on), atol=1e-8)
    np.testing.assert_allclose(ours.predict_log_proba(off), discrete.predict_log_proba(off), atol=1e-8)


@pytest.mark.parametrize("kind", ["discrete", "continuous", "combined"])
@pytest.mark.parametrize("density", ["gaussian", "kde"])
def test_layers_are_each_for_itself(kind, density):
    """By name as alone, tensors as arrays; probabilities sum to one; names of classes come back."""
    (values, targets), (others, _) = made(), made(50, seed=1)
    both = NodeClassifier(kind, density).fit({"a": values, "b": values[:, :3]}, np.array(["x", "y", "z"])[targets])
    alone = NodeClassifier(kind, density).fit(torch.from_numpy(values[:, :3]), torch.from_numpy(targets))
    found = both.predict_log_proba({"a": others, "b": others[:, :3]})
    np.testing.assert_allclose(np.exp(found["a"]).sum(1), 1)
    given = torch.from_numpy(others[:, :3])
    assert isinstance(alone.predict_log_proba(given), torch.Tensor)
    np.testing.assert_array_equal(found["b"], alone.predict_log_proba(given))
    named = both.predict({"b": others[:, :3]})["b"]
    np.testing.assert_array_equal(named, np.array(["x", "y", "z"])[alone.predict(given).numpy()])
    assert both.score({"b": others[:, :3]}, named) == {"b": 1.0}
    assert both.classes.tolist() == ["x", "y", "z"]


def test_ties_go_to_the_first_class():
    """Equal evidence, equal priors."""
    assert NodeClassifier().fit([[1.0], [1.0]], ["b", "a"]).predict([[1.0], [-1.0]]).tolist() == ["a", "a"]


def test_bad_input():
    """Unknown options, no fit, other layers, values that are not finite."""
    values, targets = made()
    with pytest.raises(InputError, match="kind='naive' is unknown; pass 'discrete', 'continuous' or 'combined'"):
        NodeClassifier("naive")
    with pytest.raises(InputError, match="density='flat' is unknown; pass 'gaussian' or 'kde'"):
        NodeClassifier("continuous", "flat")
    with pytest.raises(InputError, match="threshold must be a finite number, got inf"):
        NodeClassifier(threshold=float("inf"))
    with pytest.raises(InputError, match="was not fitted yet; call fit"):
        NodeClassifier().predict(values)
    fitted = NodeClassifier().fit({"a": values}, targets)
    with pytest.raises(InputError, match="layer 'b' was not fitted; there are 'a'"):
        fitted.predict({"b": values})
    with pytest.raises(InputError, match="layer 'a' has 3 nodes but was fitted with 7"):
        fitted.predict({"a": values[:, :3]})
    with pytest.raises(InputError, match=r"targets is int64\[5\] but there are 120 samples"):
        NodeClassifier().fit(values, targets[:5])
    with pytest.raises(InputError, match="the values of layer 'a' are not finite"):
        fitted.predict({"a": np.full((2, 7), np.inf)})
    with pytest.raises(InputError, match=r"the values of layer 'a' are float64\[7\]; pass \[sample, node\]"):
        fitted.predict({"a": values[0]})
    with pytest.raises(InputError, match="layers of different samples"):
        NodeClassifier().fit({"a": values, "b": values[:3]}, targets)
