"""Samples that another seed answers differently lie near the boundary: two moons, eight seeds."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_moons
from sklearn.metrics import roc_auc_score

from reseed.models import Networks
from reseed.robustness import boundary_distance, linear_boundary_distance, noise_distance, noise_flip_rate

SEEDS = 8


@pytest.fixture(scope="module")
def moons():
    """Networks 2-64-2 of eight seeds, trained together, and test inputs."""
    inputs, targets = make_moons(200, noise=0.25, random_state=0)
    x, y = torch.tensor(inputs, dtype=torch.float32), torch.tensor(targets)
    generator = torch.Generator().manual_seed(0)
    shapes = [(SEEDS, 2, 64), (SEEDS, 1, 64), (SEEDS, 64, 2), (SEEDS, 1, 2)]
    weights = [
        (torch.randn(shape, generator=generator) * scale).requires_grad_()
        for shape, scale in zip(shapes, (1.0, 1.0, 0.2, 0.0), strict=True)
    ]
    optimizer = torch.optim.Adam(weights, lr=0.01)
    for _ in range(250):
        hidden = torch.relu(x @ weights[0] + weights[1])
        logits = hidden @ weights[2] + weights[3]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), y.repeat(SEEDS))
        optimizer.zero_grad()
        (SEEDS * loss).backward()
        optimizer.step()
    networks = []
    for seed in range(SEEDS):
        network = torch.nn.Sequential(torch.nn.Linear(2, 64), torch.nn.ReLU(), torch.nn.Linear(64, 2))
        values = (weights[0][seed].T, weights[1][seed, 0], weights[2][seed].T, weights[3][seed, 0])
        with torch.no_grad():
            for parameter, value in zip(network.parameters(), values, strict=True):
                parameter.copy_(value)
        networks.append(network)
    return Networks(networks), torch.tensor(make_moons(1000, noise=0.25, random_state=1)[0], dtype=torch.float32)


@pytest.mark.parametrize("ask", ["noise", "nearest", "linear", "flips"])
def test_the_distance_of_one_network_ranks_what_others_answer_differently(moons, ask):
    """Those that flip in any other seed, by each distance; and the closest tenth holds most of all flips."""
    networks, inputs = moons
    first = networks[0]
    answers = networks.predict(inputs).argmax(-1)
    differs = (answers[1:] != answers[0]).numpy()
    flips = differs.any(0)
    assert 0.005 < differs.mean() < 0.03
    if ask == "noise":
        distance = noise_distance(first, inputs, bounds=None, longest=3.0, steps=64).distance
    elif ask == "nearest":
        distance = boundary_distance(first, inputs, bounds=None, longest=4.0).distance
    elif ask == "linear":
        distance = linear_boundary_distance(first, inputs)
    else:
        distance = -noise_flip_rate(first, inputs, sigma=0.2, bounds=None)
    near = -distance.numpy()
    assert roc_auc_score(flips, near) > 0.9
    closest = np.argsort(-near, kind="stable")[:100]
    assert differs[:, closest].sum() > 0.8 * differs.sum()
