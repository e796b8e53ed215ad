"""Whitening and crops of images, and the networks of published sizes."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from reseed._errors import InputError, ModelError, RecipeError
from reseed.data import Dataset, Splits
from reseed.models import (
    CenterCrop,
    ModelConfig,
    PerImageWhitening,
    architecture,
    center_crop,
    draw_model,
    per_image_whitening,
)
from reseed.training import Recipe

GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.random((6, 3, 8, 8))
IMAGE_MODELS = ("mlp", "cnn", "resnet", "small-inception", "small-alexnet")


def learnt(model):
    """Return how many weights a network has in convolutions and dense layers."""
    layers = [each for each in model.modules() if isinstance(each, nn.Conv2d | nn.Linear)]
    return sum(weight.numel() for layer in layers for weight in layer.parameters())


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (ModelConfig("small-inception"), 1_649_402),
        (ModelConfig("small-inception", norm="none"), 1_649_402),
        (ModelConfig("small-alexnet"), 1_387_786),
        (ModelConfig("mlp", hidden=(512,)), 1_209_866),
        (ModelConfig("mlp", hidden=(512, 512, 512)), 1_735_178),
    ],
)
@pytest.mark.parametrize("side", [28, 32])
def test_published_numbers_of_weights(config, count, side):
    """At 28 x 28 x 3 and 10 classes networks have the published sizes, of larger images after a crop."""
    with torch.device("meta"):
        model = architecture(replace(config, crop=28 if side == 32 else None)).build((3, side, side), 10)
    assert learnt(model) == count
    norms = sum(
        weight.numel() for each in model.modules() if isinstance(each, nn.BatchNorm2d) for weight in each.parameters()
    )
    assert sum(weight.numel() for weight in model.parameters()) == count + norms
    assert bool(norms) == (config.name == "small-inception" and config.norm == "batch")


@pytest.mark.parametrize("name", ["small-inception", "small-alexnet"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 9), (3, 28, 28)])
def test_other_sizes_and_numbers_of_classes_work(name, shape):
    """Down to a single pixel, of any form, with gradients in every weight."""
    model = draw_model(architecture(ModelConfig(name, norm="layer")), shape, 7, 0)
    logits = model(torch.rand(2, *shape))
    assert logits.shape == (2, 7)
    logits.square().sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_inception_without_norm_has_none():
    """With norm none nothing normalises; with batch every convolution is followed by batch norm."""
    for norm, count in (("none", 0), ("batch", 19)):
        model = architecture(ModelConfig("small-inception", norm=norm)).build((3, 8, 8), 10)
        assert sum(isinstance(each, nn.BatchNorm2d) for each in model.modules()) == count
        assert sum(isinstance(each, nn.Conv2d) for each in model.modules()) == 19


def test_response_normalisation_is_its_formula():
    """Alexnet's layer divides by the squares of nine neighbouring channels, zeros beyond the ends."""
    layer = next(
        each
        for each in architecture(ModelConfig("small-alexnet")).build((3, 8, 8), 10)
        if isinstance(each, nn.LocalResponseNorm)
    )
    values = torch.from_numpy(GENERATOR.normal(size=(1, 64, 2, 2))) * 30
    padded = np.pad(values.numpy(), ((0, 0), (4, 4), (0, 0), (0, 0)))
    sums = np.stack([(padded[:, c : c + 9] ** 2).sum(1) for c in range(64)], 1)
    expected = values.numpy() / (1 + 1e-3 / 9 * sums) ** 0.75
    np.testing.assert_allclose(layer(values).numpy(), expected, rtol=1e-12)


def test_whitened_images_have_mean_zero_and_deviation_one():
    """Against numpy, image by image; a constant image gives zeros, one that hardly varies is not blown up."""
    found = per_image_whitening(IMAGES)
    np.testing.assert_allclose(found.mean((1, 2, 3)), 0, atol=1e-14)
    np.testing.assert_allclose(found.std((1, 2, 3)), 1, rtol=1e-12)
    expected = np.stack([(image - image.mean()) / image.std() for image in IMAGES])
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert (per_image_whitening(np.full((2, 3, 4, 4), 0.5)) == 0).all()
    faint = 0.5 + 1e-4 * IMAGES[:1]
    bound = math.sqrt(faint[0].size)
    np.testing.assert_allclose(per_image_whitening(faint), (faint - faint.mean()) * bound, rtol=1e-9, atol=1e-12)
    given = IMAGES.astype(np.float32)
    assert per_image_whitening(given).dtype == np.float32
    np.testing.assert_allclose(per_image_whitening(given[0]), expected[0], rtol=1e-4, atol=1e-4)


def test_whitening_has_gradients_everywhere():
    """Those of torch for varying images, and finite ones where an image is constant."""
    images = torch.from_numpy(IMAGES[:2]).requires_grad_()
    assert torch.autograd.gradcheck(per_image_whitening, images)
    flat = torch.full((1, 1, 4, 4), 0.5, requires_grad=True)
    per_image_whitening(flat)[0, 0, 0, 0].backward()
    assert torch.isfinite(flat.grad).all()
    assert flat.grad.any()


def test_crops_keep_the_middle():
    """Two pixels of 32 on each side of 28; of an odd rest the smaller part comes first."""
    images = torch.arange(32 * 32).view(1, 1, 32, 32).float()
    assert torch.equal(center_crop(images, 28), images[..., 2:30, 2:30])
    assert torch.equal(center_crop(images, 29), images[..., 1:30, 1:30])
    np.testing.assert_array_equal(center_crop(IMAGES[:, :, :, :6], 4), IMAGES[:, :, 2:6, 1:5])
    np.testing.assert_array_equal(center_crop(IMAGES, 8), IMAGES)


@pytest.mark.parametrize("name", IMAGE_MODELS)
def test_networks_crop_and_whiten_by_themselves(name):
    """A network with both layers answers raw images as the one without answers what the functions make of them."""
    images = torch.rand(4, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    config = ModelConfig(name, hidden=(8,), width=4)
    plain = draw_model(architecture(config), (3, 6, 6), 5, 3).eval()
    own = draw_model(architecture(replace(config, crop=6, whiten=True)), (3, 9, 9), 5, 3).eval()
    assert [type(layer) for layer in own][:2] == [CenterCrop, PerImageWhitening]
    torch.testing.assert_close(own(images), plain(per_image_whitening(center_crop(images, 6))))
    asked = images.clone().requires_grad_()
    own(asked)[:, 0].sum().backward()
    assert not asked.grad[..., 0, :].any()
    assert asked.grad[..., 4, 4].any()
    data = Dataset("toy", "train", images, torch.arange(4) % 2, ("0", "1", "2", "3"), ("a", "b"))
    prepared = architecture(replace(config, crop=6, whiten=True)).prepare(Splits(data, data), None, print)
    assert torch.equal(prepared.train, images)


def test_dense_layers_are_blind_to_a_fixed_shuffle():
    """With the first layer's columns shuffled as pixels are, an MLP answers the same; exactly, where sums are exact."""
    model = draw_model(architecture(ModelConfig("mlp", hidden=(16, 8))), (1, 6, 6), 3, 1).double()
    order = torch.from_numpy(np.random.default_rng(4).permutation(36))
    images = torch.randint(0, 9, (20, 1, 6, 6), generator=torch.Generator().manual_seed(2)).double()
    shuffled = images.flatten(1)[:, order].view_as(images)
    with torch.no_grad():
        model[1].weight.copy_((model[1].weight * 1024).round())
        expected = model(images)
        assert not torch.equal(model(shuffled), expected)
        model[1].weight.copy_(model[1].weight[:, order])
        assert torch.equal(model(shuffled), expected)


def test_recipes_from_before_keep_their_digest_and_text():
    """At their default the fields are not written, so that the hash of older recipes is what it was; set, they are."""
    recipe = Recipe()
    assert recipe.digest == "7c90823cef74ddb8"
    assert "crop" not in recipe.to_toml().replace("augment", "")
    assert "whiten" not in recipe.to_toml()
    asked = replace(recipe, model=ModelConfig("cnn", crop=28, whiten=True))
    assert Recipe.from_toml(asked.to_toml()) == asked
    assert len({asked.digest, recipe.digest, replace(recipe, model=ModelConfig("cnn")).digest}) == 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: center_crop(IMAGES, 9), InputError, "side must be at most 8 for images of 8 x 8, got 9"),
        (lambda: center_crop(IMAGES, 0), InputError, "side must be a whole number of 1 or more, got 0"),
        (
            lambda: per_image_whitening(np.zeros((2, 3, 4, 4), np.uint8)),
            InputError,
            r"floating-point numbers \[..., channel, height, width\], got uint8\[2, 3, 4, 4\]; divide whole numbers",
        ),
        (lambda: per_image_whitening(torch.rand(4, 4)), InputError, r"width\], got float32\[4, 4\]"),
        (lambda: per_image_whitening(torch.rand(2, 3, 0, 4)), InputError, r"no pixels, got float32\[2, 3, 0, 4\]"),
        (lambda: ModelConfig(crop=0), RecipeError, "model.crop must be 1 or more, got 0"),
        (
            lambda: architecture(ModelConfig("mlp", whiten=True)).build((12,), 3),
            ModelError,
            r"model.whiten is for images, but a sample has shape \(12,\)",
        ),
        (
            lambda: architecture(ModelConfig("mlp", crop=4)).build((12,), 3),
            ModelError,
            r"model.crop is for images, but a sample has shape \(12,\)",
        ),
        (
            lambda: architecture(ModelConfig("small-alexnet", crop=9)).build((1, 8, 12), 3),
            ModelError,
            "model.crop must be at most 8 for images of 8 x 12, got 9",
        ),
        (
            lambda: architecture(ModelConfig("small-inception")).build((12,), 3),
            ModelError,
            r"model 'small-inception' takes images \[channel, height, width\], but a sample has shape \(12,\)",
        ),
        (
            lambda: architecture(ModelConfig("cnn", crop=3)).build((1, 8, 8), 3),
            ModelError,
            "needs images of at least 4 x 4 pixels, got 3 x 3",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, error, message):
    """The message names the argument, shows the value and says what fits."""
    with pytest.raises(error, match=message):
        call()
