"""Fixup against its formula, and what it makes of a residual network."""

from dataclasses import replace

import pytest
import torch
from tests.mitigations.conftest import CNN, PLAN, RESNET
from torch import nn

from reseed import RecipeError
from reseed.mitigations import Fixup, parse_mitigations
from reseed.models import ModelConfig, architecture, residual_branches
from reseed.training import Recipe, StackedTraining, Training, mitigated


def begun(data, text, depth=8):
    """Return the first run's network before its first step."""
    model = ModelConfig("resnet", width=4, norm="none", depth=depth)
    recipe = mitigated(Recipe(model=model), parse_mitigations(text))
    return Training(recipe, architecture(recipe.model), data, PLAN.seeds(0)).model


@pytest.mark.parametrize(("depth", "factor"), [(8, 3**-0.5), (14, 6**-0.5)])
def test_branches_shrink_with_their_number(data, depth, factor):
    """Branches of two layers by 1 / sqrt(L), three for eight layers; their last layers and the network's begin at 0."""
    drawn, found = (begun(data, text, depth).state_dict() for text in ("control", "fixup"))
    inner = [name for name in drawn if name.endswith("body.0.weight")]
    silent = [name for name in drawn if name.endswith("body.3.weight")] + [list(drawn)[-2]]
    assert len(inner) == len(silent) - 1 == (depth - 2) // 2
    for name, value in found.items():
        if name in silent or name.endswith("bias"):
            assert not value.any(), name
        else:
            torch.testing.assert_close(value, drawn[name] * (factor if name in inner else 1.0))


def test_the_first_answer_is_no_answer(data):
    """All logits are 0, and every block is its skip."""
    network = begun(data, "fixup")
    assert not network(data.inputs).any()
    block = next(module for module in network.modules() if hasattr(module, "skip"))
    inputs = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.equal(block(inputs), block.skip(inputs).relu())


def test_a_share_of_what_is_drawn_stays(data):
    """Weights lie between the two beginnings."""
    drawn, whole, part = (begun(data, text).state_dict() for text in ("control", "fixup", "fixup:share=0.25"))
    for name, value in part.items():
        torch.testing.assert_close(value, 0.25 * whole[name] + 0.75 * drawn[name])


def test_it_goes_with_a_smaller_draw(data):
    """What is drawn smaller is scaled after that."""
    found, smaller = (begun(data, text).state_dict() for text in ("fixup", "fixup+init-scale:factor=0.5"))
    for name, value in smaller.items():
        torch.testing.assert_close(value, 0.5 * found[name])


def test_a_stack_begins_at_the_same_bits(data):
    """Runs in a stack and one by one, in single precision, each with its own draw."""
    recipe = mitigated(Recipe(model=RESNET), [Fixup()])
    data = replace(data, inputs=data.inputs.float())
    build, seeds = architecture(RESNET), [PLAN.seeds(run) for run in range(2)]
    together = StackedTraining(recipe, build, data, tuple(seeds)).evaluated_networks()
    for own, network in zip(seeds, together, strict=True):
        alone = Training(recipe, build, data, own).model
        for one, other in zip(network.parameters(), alone.parameters(), strict=True):
            assert torch.equal(one, other)
    assert not torch.equal(next(together[0].parameters()), next(together[1].parameters()))


def test_branches_are_found_in_residual_networks_alone():
    """Two layers a branch, three blocks; none in other networks."""
    assert [len(branch) for branch in residual_branches(architecture(RESNET).build((1, 8, 8), 3))] == [2, 2, 2]
    assert residual_branches(nn.Sequential(nn.Linear(2, 2))) == []


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (CNN, r"fixup is for residual branches, and model 'cnn' has none .*; choose model resnet, or zero-init"),
        (
            ModelConfig("resnet"),
            r"fixup is for networks without normalisation, and recipe field model\.norm is 'batch', .* to none",
        ),
    ],
)
def test_other_networks_are_refused(model, message):
    """Before anything is trained, with the model's name and what to choose."""
    with pytest.raises(RecipeError, match=message):
        mitigated(Recipe(model=model), [Fixup()])


def test_a_share_beyond_all_is_refused():
    """The message names method, option and value."""
    with pytest.raises(RecipeError, match=r"mitigation fixup: share must be a number in \[0, 1\], got 2"):
        Fixup(2)
