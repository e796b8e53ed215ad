"""Networks without some of their nodes, and one small training in which clean samples are fitted first."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from reseed import InputError
from reseed._errors import InputTypeError
from reseed.memorization import (
    fit_order_auroc,
    learning_curves,
    node_supported_cost,
    prune_nodes,
    pruning_report,
    weighted_noise_share,
)
from reseed.models import Networks


def drawn(make):
    """A module with weights that are the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()


def dense():
    """4-6-3 with one hidden layer."""
    return drawn(lambda: nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)))


def uniform(*shape):
    """Inputs that are the same each time."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1)) - 0.5


def test_pruned_nodes_answer_zero():
    """As with their outgoing weights at zero; the network is as it was afterwards, by an error too."""
    model, inputs = dense(), uniform(20, 4)
    scores = [0.1, 0.9, np.nan, 0.9, 0.5, 0.2]
    expected = dense()
    expected[2].weight.data[:, [1, 3]] = 0
    with torch.no_grad():
        before = model(inputs)
        with prune_nodes(model, {"1": scores}, 0.6) as pruned:  # 5 have a score, of which 2 are 40 %
            torch.testing.assert_close(model(inputs), expected(inputs))
        assert np.flatnonzero(pruned["1"]).tolist() == [1, 3]
        assert torch.equal(model(inputs), before)
    with pytest.raises(ZeroDivisionError), prune_nodes(model, {"1": scores}):
        _ = 1 / 0
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
    for quantile, count in ((1.0, 0), (0.9, 0), (0.8, 1), (0.0, 5)):
        with prune_nodes(model, {"1": scores}, quantile) as pruned:
            assert pruned["1"].sum() == count
    with prune_nodes(model, {"1": scores}, 0.8) as pruned:
        assert np.flatnonzero(pruned["1"]).tolist() == [1]  # the first of equal scores


def test_channels_are_pruned_whole():
    """At every position, and only in the call of a module that is named."""
    model = drawn(lambda: nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(inplace=True)))
    with torch.no_grad(), prune_nodes(model, {"1": [0.0, 1.0, 0.0]}, 0.6):
        found = model(uniform(5, 1, 6, 6))
    assert (found[:, 1] == 0).all()
    assert (found[:, 0] != 0).any()
    relu = nn.ReLU()
    twice = nn.Sequential(nn.Linear(4, 4), relu, nn.Linear(4, 4), relu)
    with torch.no_grad():
        first = twice[1](twice[0](uniform(5, 4)))
        expected = twice[3](twice[2](first)) * torch.tensor([0.0, 1.0, 1.0, 1.0])
        with prune_nodes(twice, {"1#2": [1.0, 0.0, 0.0, 0.0]}, 0.75):
            torch.testing.assert_close(twice(uniform(5, 4)), expected)


def test_report_by_hand():
    """A node that carries the one corrupted sample: without it that answer alone changes."""
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.ReLU(), nn.Linear(3, 2))
    model[0].weight.data.copy_(torch.eye(3))
    model[2].weight.data.copy_(torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 9.0]]))
    model[2].bias.data.copy_(torch.tensor([0.5, 0.0]))
    inputs = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])  # the last one is labelled wrongly
    report = pruning_report(
        model, {"1": [0.0, 0.1, 1.0]}, inputs, [0, 1, 1], [False, False, True], inputs, [0, 1, 0], quantile=0.6, draws=3
    )
    assert report.pruned == {"1": 1}
    assert (report.before.corrupted_train, report.before.clean_train) == (1, 1)
    assert report.before.test == pytest.approx(2 / 3)
    assert (report.after.corrupted_train, report.after.clean_train, report.after.test) == (0, 1, 1)
    assert len(report.at_random) == 3
    again = pruning_report(
        model, {"1": [0.0, 0.1, 1.0]}, inputs, [0, 1, 1], [False, False, True], inputs, [0, 1, 0], quantile=0.6, draws=3
    )
    assert again == report
    clean = pruning_report(model, {"1": [0, 0, 1]}, inputs, [0, 1, 1], [0, 0, 0], inputs, [0, 1, 0], draws=0)
    assert np.isnan(clean.before.corrupted_train)
    assert clean.at_random == ()


def test_bad_input():
    """Scores of other nodes, layers or axes; a quantile out of range; several networks."""
    model, inputs = dense(), uniform(5, 4)
    with pytest.raises(InputError, match=r"quantile must be in \[0, 1\], the share of nodes that are kept, got 1.5"):
        prune_nodes(model, {"1": [0.1] * 6}, 1.5).__enter__()
    with (
        pytest.raises(InputError, match=r"scores\['1'\] has 4 nodes but the layer 6"),
        prune_nodes(model, {"1": [0.1] * 4}),
    ):
        model(inputs)
    with pytest.raises(InputError, match="model has no module 'relu'"):
        prune_nodes(model, {"relu": [0.1] * 6}).__enter__()
    with pytest.raises(InputError, match=r"scores\['1'\] is float64\[2, 6\]; pass \[node\], of one run"):
        prune_nodes(model, {"1": np.zeros((2, 6))}).__enter__()
    with pytest.raises(InputError, match="scores hold no layer"):
        prune_nodes(model, {}).__enter__()
    with pytest.raises(InputTypeError, match=r"networks\[run\]"):
        prune_nodes(Networks([model]), {"1": [0.1] * 6}).__enter__()
    with pytest.raises(InputError, match="draws must be a whole number of 0 or more, got -1"):
        pruning_report(model, {"1": [0.1] * 6}, inputs, [0] * 5, [0] * 5, inputs, [0] * 5, draws=-1)


def test_clean_samples_are_fitted_first():
    """Under label noise, in a small training: the order tells wrong labels, and they are what still asks for change."""
    generator = np.random.default_rng(0)
    classes = generator.integers(0, 4, 400)
    inputs = torch.from_numpy(generator.normal(generator.normal(0, 1, (4, 20))[classes], 0.5).astype(np.float32))
    corrupted = generator.random(400) < 0.3
    targets = torch.from_numpy(np.where(corrupted, (classes + generator.integers(1, 4, 400)) % 4, classes))
    model = drawn(lambda: nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4)))

    def noise_share():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # some nodes are dead
            shares = weighted_noise_share(node_supported_cost(model, inputs, targets), corrupted)
        return np.mean([np.nanmean(values) for values in shares.values()])

    at_first, correct = noise_share(), []
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    for _ in range(40):
        for rows in torch.from_numpy(generator.permutation(400)).split(32):
            optimizer.zero_grad()
            cross_entropy(model(inputs[rows]), targets[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            correct.append((model(inputs).argmax(1) == targets).numpy())
    curves = learning_curves(np.array(correct), corrupted)
    assert curves.clean[4] - curves.corrupted[4] > 0.2
    assert fit_order_auroc(np.array(correct), corrupted) > 0.8
    assert abs(at_first - corrupted.mean()) < 0.1
    assert noise_share() > corrupted.mean() + 0.1
