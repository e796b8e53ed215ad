"""Counter-based draws."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from reseed.training import DropoutDraws, draw_bits, draw_key, draw_uniform

CPU = torch.device("cpu")


def reference_bits(key: int, *coordinates: int) -> int:
    """The hash of one position in plain Python integers; each axis but the last makes a key of low and high words."""
    mask = 0xFFFFFFFF
    *outer, position = coordinates
    for row in outer:
        low, high = key & mask, key >> 32
        key = reference_bits(key, row) | reference_bits(low << 32 | high, row) << 32
    bits = (position * 0x9E3779B1 + key) & mask
    bits ^= bits >> 16
    bits = bits * 0x7FEB352D & mask
    bits ^= bits >> 15
    bits = (bits + (key >> 32)) & mask
    bits = bits * 0x846CA68B & mask
    bits ^= bits >> 16
    bits = bits * 0x7FEB352D & mask
    bits ^= bits >> 15
    return bits


@pytest.mark.parametrize("key", [0, 1, 2**64 - 1, draw_key(123, 4, 5)])
def test_bits_equal_a_plain_python_hash(key):
    """Wrapping 32-bit tensor arithmetic is the hash that unbounded integers give."""
    bits = draw_bits(key, (300,), CPU).tolist()
    assert [value & 0xFFFFFFFF for value in bits] == [reference_bits(key, position) for position in range(300)]


@pytest.mark.parametrize("shape", [(40,), (3, 7), (2, 3, 5), (2, 2, 3, 4)])
def test_masks_equal_a_plain_python_hash(shape):
    """An element is dropped by the hash of its coordinates; one and two axes are one, as long as they are."""
    word, step, p = 9, 4, 0.4
    with DropoutDraws(word).at_step(step):
        dropped = nn.functional.dropout(torch.ones(shape), p) == 0
    key = draw_key(word, step, 1)
    places = list(np.ndindex(shape)) if len(shape) > 2 else [(place,) for place in range(dropped.numel())]
    signed = [(reference_bits(key, *place) ^ 2**31) - 2**31 for place in places]  # two's complement
    assert dropped.flatten().tolist() == [bits < round(p * 2**32) - 2**31 for bits in signed]


@pytest.mark.parametrize("shape", [(300, 7), (6, 5, 9), (6, 2, 8, 9)])
def test_a_smaller_batch_has_a_corner_of_the_masks(shape):
    """Fewer samples, or texts that are padded less, change no draw of the elements that both batches have."""
    draws, fresh = DropoutDraws(5), DropoutDraws(5)
    small = (shape[0] - 2, *shape[1:]) if len(shape) == 2 else tuple(extent - 1 for extent in shape)
    corner = tuple(map(slice, small))
    for step, extents in enumerate((shape, small, shape, small)):
        with draws.at_step(step):
            found = nn.functional.dropout(torch.ones(extents), 0.5)
        with fresh.at_step(step):
            assert torch.equal(found[corner], nn.functional.dropout(torch.ones(shape), 0.5)[corner])


def test_masks_of_many_axes_are_uniform_and_unrelated():
    """Along every axis masks keep their share, and rows are without correlation to their neighbours (4 sigma)."""
    with DropoutDraws(5).at_step(0):
        kept = (nn.functional.dropout(torch.ones(24, 12, 50, 50), 0.5) > 0).double()
    assert abs(float(kept.mean()) - 0.5) < 4 * 0.5 / kept.numel() ** 0.5
    for axis in range(4):
        each = kept.transpose(0, axis).flatten(1)
        assert float((each.mean(1) - 0.5).abs().max()) < 4.5 * 0.5 / each.shape[1] ** 0.5
        for distance in (1, 2, 8):
            pairs = each[:-distance].flatten(), each[distance:].flatten()
            assert abs(float(torch.corrcoef(torch.stack(pairs))[0, 1])) < 4 / pairs[0].numel() ** 0.5
    rows = kept.view(-1, 50)
    assert len(rows.unique(dim=0)) == len(rows)


def test_draws_depend_on_position_not_on_shape():
    """The same positions get the same bits in a longer tensor and in another shape."""
    assert torch.equal(draw_bits(9, (4, 5), CPU).flatten(), draw_bits(9, (100,), CPU)[:20])


def test_uniform_numbers_are_uniform():
    """A million draws fill [0, 1) evenly, alone and in pairs (chi-squared, 4 sigma)."""
    draws = draw_uniform(draw_key(1, 2, 3), (1_000_000,), CPU).numpy()
    assert draws.min() >= 0
    assert draws.max() < 1
    for bins in (np.histogram(draws, 64, (0, 1))[0], np.histogram2d(draws[::2], draws[1::2], 8, [(0, 1)] * 2)[0]):
        expected = bins.sum() / bins.size
        chi2 = ((bins - expected) ** 2 / expected).sum()
        assert abs(chi2 - (bins.size - 1)) < 4 * np.sqrt(2 * (bins.size - 1))


@pytest.mark.parametrize("change", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_neighbouring_counters_give_unrelated_draws(change):
    """Another word, step or place gives draws without correlation (4 sigma)."""
    count = 200_000
    one = draw_uniform(draw_key(7, 7, 7), (count,), CPU).double()
    other = draw_uniform(draw_key(7 + change[0], 7 + change[1], 7 + change[2]), (count,), CPU).double()
    assert abs(float(torch.corrcoef(torch.stack([one, other]))[0, 1])) < 4 / count**0.5


def test_dropout_module_keeps_the_stated_share_and_the_mean():
    """Inside the mode a dropout module drops with probability p and scales the rest."""
    draws = DropoutDraws(5)
    with draws.at_step(0):
        out = nn.Dropout(0.3)(torch.ones(500, 400))
    assert abs(float((out == 0).float().mean()) - 0.3) < 4 * (0.21 / 200_000) ** 0.5
    assert torch.allclose(out[out > 0], torch.tensor(1 / 0.7))


def test_masks_are_a_function_of_word_step_and_place():
    """Equal words and steps repeat, other steps, words and later calls in a step differ."""

    def masks(word: int, step: int) -> list[torch.Tensor]:
        draws = DropoutDraws(word)
        with draws.at_step(step):
            return [nn.functional.dropout(torch.ones(64), 0.5) for _ in range(2)]

    first, second = masks(1, 1)
    assert torch.equal(first, masks(1, 1)[0])
    assert not torch.equal(first, second)
    assert not torch.equal(first, masks(1, 2)[0])
    assert not torch.equal(first, masks(2, 1)[0])


def test_channel_dropout_drops_whole_channels():
    """Dropout2d zeroes channels as a whole."""
    with DropoutDraws(3).at_step(0):
        out = nn.Dropout2d(0.5)(torch.ones(20, 10, 4, 4))
    per_channel = out.flatten(2)
    assert ((per_channel == 0).all(-1) | (per_channel == 2).all(-1)).all()
    assert 0.2 < float((per_channel[..., 0] == 0).float().mean()) < 0.8


def test_edges_of_dropout():
    """Probability 0 and evaluation mode change nothing, probability 1 drops all, in place writes in place."""
    x = torch.ones(50)
    with DropoutDraws(3).at_step(0):
        assert torch.equal(nn.functional.dropout(x, 0.0), x)
        assert torch.equal(nn.functional.dropout(x, 0.5, training=False), x)
        assert torch.equal(nn.functional.dropout(x, 1.0), torch.zeros(50))
        y = torch.ones(50)
        assert nn.functional.dropout(y, 0.5, inplace=True) is y
    assert 0 < int((y == 0).sum()) < 50


@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"mask": "bool"}, {"mask": "float"}, {"gqa": True}])
def test_attention_spelt_out_equals_torch(options):
    """With a probability too small to drop anything, attention with dropout equals torch's without."""
    generator = torch.Generator().manual_seed(0)
    heads = 2 if options.get("gqa") else 4
    query = torch.randn(2, 4, 6, 8, generator=generator)
    key, value = torch.randn(2, 2, heads, 6, 8, generator=generator)
    keep = torch.rand(6, 6, generator=generator) > 0.3
    keep.fill_diagonal_(True)
    mask = {"bool": keep, "float": torch.where(keep, 0.5, -torch.inf), None: None}[options.get("mask")]
    arguments = {"is_causal": options.get("is_causal", False), "enable_gqa": options.get("gqa", False)}
    attention = nn.functional.scaled_dot_product_attention
    with DropoutDraws(1).at_step(0):
        ours = attention(query, key, value, mask, 1e-12, **arguments)
        undropped = attention(query, key, value, mask, **arguments)
        dropped = attention(query, key, value, mask, 0.5, **arguments)
    expected = attention(query, key, value, mask, **arguments)
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)
    assert torch.equal(undropped, expected)
    assert not torch.allclose(dropped, expected, atol=1e-2)


@pytest.mark.parametrize("need_weights", [False, True])
def test_multi_head_attention_draws_from_the_stream(need_weights):
    """Dropout deep inside torch's own attention layer is the run's, and nothing else of the layer changes."""
    layer, x = nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True), torch.rand(3, 5, 8)

    def attend(word):
        with DropoutDraws(word).at_step(0):
            return layer(x, x, x, need_weights=need_weights)[0]

    before = torch.get_rng_state()
    assert torch.equal(attend(1), attend(1))
    assert not torch.allclose(attend(1), attend(2))
    assert torch.equal(before, torch.get_rng_state())
    layer.dropout = 0.0
    torch.testing.assert_close(attend(1), layer(x, x, x, need_weights=need_weights)[0])


def test_global_generators_are_left_alone():
    """Draws change neither torch's, numpy's nor Python's global state."""
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    with DropoutDraws(1).at_step(0):
        nn.functional.dropout(torch.ones(10), 0.5)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1:] == (random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002
