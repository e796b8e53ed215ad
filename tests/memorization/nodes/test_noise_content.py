"""What switches nodes on: rates, noise content against chance, and perplexity of classes."""

import re
import warnings

import numpy as np
import pytest
import torch
from scipy.stats import hypergeom
from torch import nn

from reseed import InputError
from reseed.memorization import (
    SampleSets,
    activation_rate,
    always_on_nodes,
    cover,
    dead_nodes,
    layer_perplexity,
    node_noise_content,
    node_perplexity,
    sample_sets,
)

BY_HAND = SampleSets.of({"hidden": [[1, 1, 0], [0, 1, 0], [0, 0, 1]]})  # {0}, {0, 1}, {2}


def random_sets(samples=200, nodes=50, seed=0):
    """Sets of nodes with rates from 0 to 1."""
    generator = np.random.default_rng(seed)
    return SampleSets.of({"a": generator.random((samples, nodes)) < np.linspace(0.02, 0.98, nodes)})


def test_rates_of_sets_by_hand():
    """|S| / N of each node, and the share of nodes that each sample switches on."""
    np.testing.assert_allclose(activation_rate(BY_HAND)["hidden"], [1 / 3, 2 / 3, 1 / 3])
    np.testing.assert_allclose(cover(BY_HAND)["hidden"], [2 / 3, 1 / 3, 1 / 3])


def test_dead_and_always_on():
    """None of the samples, all of them; the bits that fill the last byte are no samples."""
    sets = SampleSets.of({"hidden": np.tile([True, False, True], (9, 1)) & (np.arange(9) < [[9], [9], [8]]).T})
    assert dead_nodes(sets)["hidden"].tolist() == [False, True, False]
    assert always_on_nodes(sets)["hidden"].tolist() == [True, False, False]


def test_rates_equal_the_mean_of_states():
    """Of both axes, with more nodes than are unpacked at once, and with runs."""
    states = np.random.default_rng(0).random((2, 77, 150)) < 0.4
    runs = [SampleSets.of({"a": each}) for each in states]
    sets = SampleSets({"a": np.stack([each.packed["a"] for each in runs])}, 77)
    np.testing.assert_allclose(activation_rate(sets)["a"], states.mean(1))
    np.testing.assert_allclose(cover(sets)["a"], states.mean(2))
    np.testing.assert_array_equal(sets.on("a"), states)
    mask = np.random.default_rng(1).random(77) < 0.3
    targets = np.random.default_rng(2).integers(0, 4, 77)
    for run, each in enumerate(runs):
        np.testing.assert_array_equal(node_noise_content(sets, mask).z["a"][run], node_noise_content(each, mask).z["a"])
        np.testing.assert_array_equal(node_perplexity(sets, targets)["a"][run], node_perplexity(each, targets)["a"])
    assert layer_perplexity(sets, targets)["a"].shape == (2,)


def test_noise_content_by_hand():
    """Sample 0 corrupted: all of the first node, half of the second, none of the third."""
    found = node_noise_content(BY_HAND, [True, False, False])
    np.testing.assert_array_equal(found.content["hidden"], [1, 0.5, 0])
    assert found.base_rate == pytest.approx(1 / 3)
    assert found.dead == {"hidden": 0}


def test_the_null_is_hypergeometric():
    """Its deviation is that of scipy's distribution, divided by the size of the set."""
    sets = random_sets()
    mask = np.arange(200) % 10 < 3
    found = node_noise_content(sets, mask)
    sizes = sets.on("a").sum(0)
    expected = np.array([hypergeom(200, 60, size).std() / size for size in sizes])
    np.testing.assert_allclose(found.null_sd["a"], expected, rtol=1e-10)
    np.testing.assert_allclose(found.content["a"], (sets.on("a") & mask[:, None]).sum(0) / sizes)
    np.testing.assert_allclose(found.z["a"], (found.content["a"] - 0.3) / expected)
    assert node_noise_content(random_sets(1500, 1), np.arange(1500) < 450).base_rate == 0.3


def test_under_masks_at_random_z_is_standard():
    """Mean 0 and deviation 1 over masks that know nothing of a network at initialisation."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(20, 60), nn.ReLU(), nn.Linear(60, 40), nn.ReLU(), nn.Linear(40, 3))
        sets = sample_sets(model, torch.rand(500, 20))
    generator = np.random.default_rng(0)
    z = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # some nodes are dead
        for _ in range(400):
            found = node_noise_content(sets, generator.permutation(500) < 150)
            z.append(np.concatenate(list(found.z.values())))
    z = np.array(z)
    z = z[:, np.isfinite(z).all(0)]
    assert z.shape[1] > 30
    # Every node by itself, whatever the others do: standard errors are 0.05 and 0.035.
    np.testing.assert_allclose(z.mean(0), 0, atol=0.22)
    np.testing.assert_allclose(z.std(0), 1, atol=0.17)
    assert abs(z.mean()) < 0.05
    assert abs(z.std() - 1) < 0.05


def test_dead_nodes_are_nan_and_told():
    """Not 0; a node that is on for every sample has the base rate, and no z."""
    sets = SampleSets.of({"hidden": [[1, 0, 1], [1, 0, 0], [1, 0, 0]]})
    message = re.escape("nodes are on for no sample, and their noise content is NaN: 1 of 3 of layer 'hidden'.")
    with pytest.warns(RuntimeWarning, match=message):
        found = node_noise_content(sets, [True, False, False])
    np.testing.assert_allclose(found.content["hidden"], [1 / 3, np.nan, 1])
    np.testing.assert_allclose(found.null_sd["hidden"], [0, np.nan, np.sqrt(2) / 3])
    np.testing.assert_allclose(found.z["hidden"], [np.nan, np.nan, np.sqrt(2)])
    assert found.dead == {"hidden": 1}
    with pytest.warns(RuntimeWarning, match="their perplexity is NaN: 1 of 3 of layer 'hidden'"):
        perplexity = node_perplexity(sets, [0, 1, 1])["hidden"]
    np.testing.assert_array_equal(np.isnan(perplexity), [False, True, False])
    assert layer_perplexity(sets, [0, 1, 1])["hidden"] == pytest.approx((perplexity[0] + 1) / 2)
    dead = SampleSets.of({"hidden": np.zeros((4, 2), bool)})
    with pytest.warns(RuntimeWarning, match="every node of layer 'hidden' is on for no sample"):
        assert np.isnan(layer_perplexity(dead, [0, 0, 1, 1])["hidden"])
    with pytest.warns(RuntimeWarning, match="2 of 2"):
        assert np.isnan(list(node_noise_content(dead, [0, 0, 1, 1]).spread()["hidden"].values())).all()


def test_spread_is_over_live_nodes():
    """Deviation and quantiles of the content, and what chance would give."""
    found = node_noise_content(random_sets(), np.arange(200) < 60)
    spread = found.spread()["a"]
    assert spread["sd"] == pytest.approx(found.content["a"].std())
    assert (spread["q05"], spread["q95"]) == pytest.approx(tuple(np.quantile(found.content["a"], [0.05, 0.95])))
    assert spread["null_sd"] == pytest.approx(found.null_sd["a"].mean())
    assert 0.6 < spread["z_sd"] < 1.4  # states are drawn without regard to the mask


def test_perplexity_by_hand():
    """Classes 0, 1, 1: nodes that are on for one class, both, and one."""
    np.testing.assert_allclose(node_perplexity(BY_HAND, [0, 1, 1])["hidden"], [1, 2, 1])
    np.testing.assert_allclose(node_perplexity(BY_HAND, ["cat", "dog", "dog"])["hidden"], [1, 2, 1])
    assert layer_perplexity(BY_HAND, torch.tensor([0, 1, 1]))["hidden"] == pytest.approx(4 / 3)


@pytest.mark.parametrize(
    ("classes", "expected"), [([0] * 8, 1), (list(range(8)), 8), ([0, 0, 0, 0, 1, 1, 2, 2], 2**1.5)]
)
def test_perplexity_of_known_shares(classes, expected):
    """One class, all alike, and (.5, .25, .25)."""
    sets = SampleSets.of({"a": np.ones((8, 1), bool)})
    assert node_perplexity(sets, classes)["a"].item() == pytest.approx(expected, abs=1e-12)


def test_balanced_perplexity():
    """The same where classes are balanced; else a frequent class does not make a node seem selective."""
    targets = np.arange(200) % 4
    plain, balanced = (node_perplexity(random_sets(), targets, balanced=each)["a"] for each in (False, True))
    np.testing.assert_allclose(plain, balanced, rtol=1e-12)
    sets = SampleSets.of({"a": np.ones((10, 1), bool)})
    rare = [0] * 9 + [1]
    assert node_perplexity(sets, rare, balanced=True)["a"].item() == pytest.approx(2)
    assert node_perplexity(sets, rare)["a"].item() < 1.4


@pytest.mark.parametrize(
    ("corrupted", "message"),
    [
        ([True, False], r"corrupted is bool\[2\] but there are 3 samples; pass True or False for each"),
        ([0, 2, 1], r"corrupted must hold True and False \(or 1 and 0\), got int64\[3\]; no indices"),
        ([[True, False, True]], r"corrupted is bool\[1, 3\] but there are 3 samples"),
    ],
)
def test_masks_that_do_not_fit(corrupted, message):
    """The message shows what was given."""
    with pytest.raises(InputError, match=message):
        node_noise_content(BY_HAND, corrupted)


def test_targets_that_do_not_fit():
    """Of another length, or no labels."""
    with pytest.raises(InputError, match=r"targets is int64\[2\] but there are 3 samples; pass one label for each"):
        node_perplexity(BY_HAND, [0, 1])
    with pytest.raises(InputError, match="targets"):
        layer_perplexity(BY_HAND, [0.5, 1.0, 2.0])
