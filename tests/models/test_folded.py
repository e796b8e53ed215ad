"""Copies that answer the same in less time: what is folded, what is left alone."""

import copy

import pytest
import torch
from torch import nn

from reseed.models import ModelConfig, Networks, architecture, draw_model, folded


def used(network):
    """A network whose batch norms have seen images."""
    network.train()
    for number in range(3):
        network(torch.rand(16, 3, 8, 8, generator=torch.Generator().manual_seed(number)))
    return network.eval()


@pytest.mark.parametrize("norm", ["batch", "group", "none"])
@pytest.mark.parametrize("name", ["cnn", "resnet", "small-inception"])
def test_answers_and_gradients_are_the_same_up_to_rounding(name, norm):
    """Of reseed's own networks, whatever their norm."""
    config = ModelConfig(name, width=8, norm=norm, **({"depth": 8} if name == "resnet" else {}))
    network = used(draw_model(architecture(config), (3, 8, 8), 4, 1)).double()
    before = copy.deepcopy(network.state_dict())
    quick, images = folded(network), torch.rand(5, 3, 8, 8, dtype=torch.float64)
    found = []
    for each in (network, quick):
        asked = images.clone().requires_grad_()
        logits = each(asked)
        found.append((logits.detach(), torch.autograd.grad(logits[:, 1].sum(), asked)[0]))
    torch.testing.assert_close(found[0], found[1])
    norms = [module for module in quick.modules() if isinstance(module, nn.BatchNorm2d)]
    assert not norms
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_norms_without_statistics_stay(recwarn):
    """They look at the batch, so that they are no part of a convolution."""
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4, track_running_stats=False), nn.Flatten()).eval()
    images = torch.rand(6, 1, 6, 6)
    torch.testing.assert_close(folded(model)(images), model(images))


@pytest.mark.parametrize("wrong", ["training", "hooks", "nothing"])
def test_what_is_left_alone(wrong):
    """Modules that learn, that somebody watches, and those without images."""
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)).eval()
    if wrong == "training":
        model[1].train()
    if wrong == "hooks":
        model[0].register_forward_hook(lambda *_: None)
    if wrong == "nothing":
        model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).eval()
    assert folded(model) is None


def test_strided_pixels_of_few_channels_keep_their_layout():
    """For which torch writes beyond its memory with channels last."""
    model = nn.Sequential(nn.Conv2d(3, 4, 1, stride=2), nn.Flatten()).eval()
    assert folded(model) is None


def test_networks_are_folded_one_by_one():
    """Where they are asked in turn; others are left alone."""
    networks = Networks(
        [used(draw_model(architecture(ModelConfig("cnn", width=4)), (3, 8, 8), 4, word)) for word in range(3)]
    )
    images = torch.rand(6, 3, 8, 8)
    quick = networks.folded()
    assert networks.goes_in_turn
    torch.testing.assert_close(quick(images), networks(images), rtol=1e-4, atol=1e-5)
    assert Networks([nn.Linear(4, 3) for _ in range(3)]).folded() is None


class Branched(nn.Module):
    """Images through code that reseed does not know."""

    def __init__(self, seed):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
            self.head = nn.Linear(4, 3)

    def forward(self, x):
        """Return logits."""
        x = self.stem(x)
        return self.head((x + x.flip(-1)).mean((2, 3)))


def test_foreign_networks_of_images_go_in_turn_too():
    """On a CPU, where mapping over them takes longer."""
    models = [Branched(seed).eval() for seed in range(3)]
    networks, images = Networks(models), torch.rand(5, 3, 8, 8)
    assert networks.goes_in_turn
    torch.testing.assert_close(networks(images), torch.stack([model(images) for model in models]))
    torch.testing.assert_close(networks.folded()(images), networks(images), rtol=1e-4, atol=1e-5)
