"""Attacks ask a copy that is quicker: success is what the network itself answers."""

import pytest
import torch
from torch import nn

from reseed.models import Networks
from reseed.perturbations.attacks import Asked, Pgd, pgd


def drawn(seed):
    """A network of images."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3)
        )
        network.train()
        network(torch.rand(50, 1, 8, 8))
    return network.eval()


@pytest.fixture
def images():
    """Some."""
    return torch.rand(90, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_success_is_what_the_network_answers(images, monkeypatch):
    """Although the copy is asked, and in batches that a cache holds, of networks run by run."""
    networks = Networks([drawn(seed) for seed in range(3)])
    targets = networks(images)[0].argmax(-1)
    asked = []
    monkeypatch.setattr("reseed.perturbations.attacks.core._asked._PIXELS", 64 * 20)
    original = Asked.quick_logits
    monkeypatch.setattr(Asked, "quick_logits", lambda self, x, runs: asked.append(len(x)) or original(self, x, runs))
    found = pgd(networks, images, targets, epsilon=0.03, steps=10)
    assert max(asked) == 20
    for run in range(3):
        logits = networks[run](found.inputs[run])
        assert torch.equal(logits.argmax(-1) != targets, found.success[run])
        torch.testing.assert_close(found.logits[run], logits)
    assert 0 < found.changed.float().mean() < 1


def test_batches_of_the_cache_change_nothing(images, monkeypatch):
    """Neither do the runs beside it."""
    targets = drawn(0)(images).argmax(-1)
    whole = pgd(drawn(0), images, targets, epsilon=0.03, steps=10)
    monkeypatch.setattr("reseed.perturbations.attacks.core._asked._PIXELS", 64 * 8)
    parts = pgd(Networks([drawn(0), drawn(1)]), images, targets, epsilon=0.03, steps=10)
    assert torch.equal(whole.success, parts.success[0])
    torch.testing.assert_close(whole.inputs, parts.inputs[0], atol=1e-5, rtol=0)


class Taking(nn.Module):
    """Code that takes single layers out of a chain."""

    def __init__(self):
        super().__init__()
        self.layers = drawn(0)

    def forward(self, x):
        """Return logits; what is folded would be answered otherwise."""
        x = self.layers[0](x)
        for layer in list(self.layers)[-5:]:
            x = layer(x)
        return x


def test_a_copy_that_answers_otherwise_is_not_asked(images):
    """It is compared first."""
    model = Taking().eval()
    targets = model(images).argmax(-1)
    asked = Asked(model)
    runs = torch.zeros(len(images), dtype=torch.int64)
    asked.compare(images, runs, model(images).detach())
    torch.testing.assert_close(asked.quick_logits(images, runs), model(images))
    found = Pgd(steps=5)(model, images, targets, epsilon=0.05)
    assert torch.equal(model(found.inputs).argmax(-1) != targets, found.success)
