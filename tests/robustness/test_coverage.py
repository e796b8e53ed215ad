"""Neuron coverage: closed forms, a brute force in double precision, and no dependence on how batches are made."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from reseed import InputError
from reseed._errors import InputTypeError
from reseed.models import Activations, ModelConfig, Networks, architecture, draw_model
from reseed.robustness import Coverage, NeuronRange, neuron_coverage, neuron_ranges

NUMBERS = ("kmncov", "nbcov", "snacov", "tkncov", "nc", "tknp", "neurons", "zero_width", "samples")


def ranges_of(*batches):
    """Ranges over some batches."""
    ranges = NeuronRange()
    for batch in batches:
        ranges.update(batch)
    return ranges


def covered(ranges, *batches, **options):
    """The coverage of some batches."""
    coverage = Coverage(ranges, **options)
    for batch in batches:
        coverage.update(batch)
    return coverage.compute()


def numbers(found):
    """All of a coverage but its column."""
    return {name: getattr(found, name) for name in NUMBERS}


def brute_force(profile, inputs, sections, top, threshold, pattern_top):
    """The definitions, sample by sample and neuron by neuron."""
    hit, upper, lower, highest, active, patterns = set(), set(), set(), set(), set(), set()
    with_width = {
        (layer, j)
        for layer, values in profile.items()
        for j in range(values.shape[1])
        if values[:, j].max() > values[:, j].min()
    }
    count = len(next(iter(inputs.values())))
    corners = []
    for i in range(count):
        pattern, out = [], 0
        for layer, values in inputs.items():
            row = values[i]
            order = sorted(range(len(row)), key=lambda j, row=row: (-row[j], j))
            highest |= {(layer, j) for j in order[:top]}
            pattern.append(tuple(sorted(order[:pattern_top])))
            for j, value in enumerate(row):
                low, high = profile[layer][:, j].min(), profile[layer][:, j].max()
                if value > high:
                    upper.add((layer, j))
                if value < low:
                    lower.add((layer, j))
                out += not low <= value <= high
                if (layer, j) in with_width and low <= value <= high:
                    hit.add((layer, j, min(int((value - low) * sections / (high - low)), sections - 1)))
                if row.max() > row.min() and (value - row.min()) / (row.max() - row.min()) > threshold:
                    active.add((layer, j))
        patterns.add(tuple(pattern))
        corners.append(out)
    neurons = sum(values.shape[1] for values in inputs.values())
    found = {
        "kmncov": len(hit) / (sections * len(with_width)) if with_width else np.nan,
        "nbcov": (len(upper) + len(lower)) / (2 * neurons),
        "snacov": len(upper) / neurons,
        "tkncov": len(highest) / neurons,
        "nc": len(active) / neurons,
        "tknp": len(patterns),
        "neurons": neurons,
        "zero_width": neurons - len(with_width),
        "samples": count,
    }
    return found, np.array(corners) / neurons


@st.composite
def activations(draw):
    """Two layers on two sets of samples, of a few values each, so that there are ties and values at the edges."""
    widths = {"a": draw(st.integers(1, 5)), "b": draw(st.integers(1, 4))}
    seed = draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    levels = draw(st.sampled_from([2, 4, 50]))
    make = lambda n: {name: generator.integers(0, levels, (n, width)) / 2 for name, width in widths.items()}  # noqa: E731
    return make(draw(st.integers(2, 8))), make(draw(st.integers(1, 12))), generator


OPTIONS = st.fixed_dictionaries(
    {
        "sections": st.sampled_from([1, 2, 3, 7, 20]),
        "top": st.integers(1, 6),
        "threshold": st.sampled_from([0.0, 0.2, 0.5]),
        "pattern_top": st.integers(1, 6),
    }
)


@settings(max_examples=100, deadline=None)
@given(activations(), OPTIONS)
@pytest.mark.filterwarnings("ignore:no neuron has a range")
def test_all_numbers_are_those_of_the_definitions(sets, options):
    """Of the whole at once, of shuffled batches of any size, and of two parts that are merged."""
    profile, inputs, generator = sets
    expected, corners = brute_force(profile, inputs, **options)
    found = covered(ranges_of(profile), inputs, **options)
    assert numbers(found) == pytest.approx(expected, nan_ok=True, rel=1e-12)
    np.testing.assert_allclose(found.corner_share, corners)

    count = len(inputs["a"])
    order = generator.permutation(count)
    cuts = np.sort(generator.integers(0, count + 1, 3))
    batches = [{name: values[rows] for name, values in inputs.items()} for rows in np.split(order, cuts)]
    first = len(profile["a"]) // 2
    halves = [{name: values[part] for name, values in profile.items()} for part in (np.s_[:first], np.s_[first:])]
    ranges = ranges_of(halves[1]).merge(ranges_of(halves[0]))
    assert ranges.samples == len(profile["a"])
    again = covered(ranges, *batches, **options)
    assert numbers(again) == pytest.approx(numbers(found), nan_ok=True, rel=0)
    np.testing.assert_array_equal(again.corner_share, found.corner_share[order])

    parts = [Coverage(ranges, **options) for _ in range(2)]
    for batch, part in zip(batches, itertools.cycle(parts)):
        part.update(batch)
    merged = parts[0].merge(parts[1]).compute()
    assert numbers(merged) == pytest.approx(numbers(found), nan_ok=True, rel=0)
    np.testing.assert_array_equal(np.sort(merged.corner_share), np.sort(found.corner_share))


@settings(max_examples=60, deadline=None)
@given(activations(), OPTIONS)
@pytest.mark.filterwarnings("ignore:no neuron has a range")
def test_what_must_hold_between_the_numbers(sets, options):
    """The training data has no corners; more inputs cover no less; one half of snacov is a bound of nbcov."""
    profile, inputs, _ = sets
    ranges = ranges_of(profile)
    own = covered(ranges, profile, **options)
    assert own.nbcov == own.snacov == own.corner_share.max() == 0
    some = covered(ranges, {name: values[: len(values) // 2 + 1] for name, values in inputs.items()}, **options)
    every = covered(ranges, inputs, **options)
    for name in ("kmncov", "nbcov", "snacov", "tkncov", "nc", "tknp"):
        assert not getattr(some, name) > getattr(every, name)
    assert every.snacov <= 2 * every.nbcov
    assert every.nbcov <= 1
    assert not every.kmncov > 1
    one = covered(ranges, {name: values[:1] for name, values in inputs.items()}, **options)
    widths = [values.shape[1] for values in inputs.values()]
    assert one.tkncov == sum(min(options["top"], width) for width in widths) / sum(widths)
    assert one.tknp == 1
    assert covered(ranges, inputs, **options | {"top": 5}).tkncov == 1


@pytest.mark.parametrize("sections", [1, 2, 20, 1000])
def test_midpoints_of_sections_cover_all(sections):
    """On a network of one neuron that answers what it is asked."""
    midpoints = (np.arange(sections) + 0.5) / sections
    found = neuron_coverage(nn.Identity(), [[0.0], [1.0]], midpoints[:, None], [""], sections=sections)
    assert found.kmncov == 1
    assert found.nbcov == 0
    half = neuron_coverage(nn.Identity(), [[0.0], [1.0]], midpoints[: (sections + 1) // 2, None], "", sections=sections)
    assert half.kmncov == ((sections + 1) // 2) / sections


def sections_hit(*values, low=0.0, high=10.0, sections=10):
    """How many sections of one neuron are hit."""
    found = covered(ranges_of([[low], [high]]), [[value] for value in values], sections=sections)
    return round(found.kmncov * sections)


def test_edges_of_sections():
    """The lowest value is in the first section and the highest in the last, an inner edge above; outside is none."""
    assert sections_hit(0.0, 0.5) == 1
    assert sections_hit(10.0, 9.5) == 1
    assert all(sections_hit(float(edge), edge + 0.5) == 1 for edge in range(10))
    assert all(sections_hit(edge - 0.5, float(edge)) == 2 for edge in range(1, 10))
    assert sections_hit(-0.001, 10.001, -1e308, 1e308) == 0
    assert sections_hit(5.0, 5.0 + 1e-300, low=5.0, high=5.0 + 1e-14, sections=3) == 1


def test_neurons_of_no_width_are_left_out_and_counted():
    """They have no sections, but may be driven out of their one value."""
    ranges = ranges_of([[0.0, 3.0], [1.0, 3.0]])
    found = covered(ranges, [[0.2, 3.0], [0.7, 4.0]], sections=2)
    assert (found.zero_width, found.neurons, found.kmncov) == (1, 2, 1.0)
    assert (found.snacov, found.nbcov) == (0.5, 0.25)
    np.testing.assert_array_equal(found.corner_share, [0.0, 0.5])
    with pytest.warns(RuntimeWarning, match="no neuron has a range of some width on the training data; kmncov is NaN"):
        assert np.isnan(covered(ranges_of([[1.0]]), [[1.0]]).kmncov)


def test_a_neuron_that_goes_both_ways_counts_twice():
    """So that the boundary's coverage reaches 1, where the reference repository stops at a half (fault 7).

    It counts a neuron once for either way and divides by 2 M, and divides the strong activation's by 2 M as well.
    """
    ranges = ranges_of(np.zeros((1, 4)), np.ones((1, 4)))
    found = covered(ranges, np.full((1, 4), 2.0), np.full((1, 4), -1.0))
    assert (found.nbcov, found.snacov) == (1.0, 1.0)
    only_below = covered(ranges, np.full((1, 4), -1.0))
    assert (only_below.nbcov, only_below.snacov) == (0.5, 0.0)


def test_neurons_are_counted_once_for_all_samples():
    """Neuron coverage is a union over samples, where the reference repository adds them up (fault 8)."""
    values = np.array([[0.0, 0.5, 1.0], [0.0, 0.1, 1.0], [0.0, 0.2, 1.0]])
    found = covered(ranges_of(values), values, threshold=0.2)
    assert found.nc == 2 / 3  # of neurons 1 and 2; there are 4 pairs of sample and neuron
    assert covered(ranges_of(values), values[1:], threshold=0.2).nc == 1 / 3  # 0.2 does not exceed 0.2


def test_activations_are_scaled_in_each_layer_and_sample():
    """A layer of large numbers does not silence the others, and one that answers one value has nothing above it."""
    batch = {"small": [[0.0, 0.001, 0.002]], "large": [[0.0, 500.0, 1000.0]], "flat": [[7.0, 7.0, 7.0]]}
    assert covered(ranges_of({name: [[0.0, 0.0, 0.0], *rows] for name, rows in batch.items()}), batch).nc == 4 / 9


def test_ties_go_to_the_lower_number():
    """Of equal activations the first are the highest."""
    batch = {"a": [[1.0, 1.0, 1.0, 1.0], [0.0, 2.0, 2.0, 2.0]], "b": [[0.0, 0.0, 5.0], [0.0, 0.0, 5.0]]}
    found = covered(ranges_of(batch), batch, top=2, pattern_top=2)
    assert found.tkncov == (3 + 2) / 7  # neurons 0, 1, 2 of a; 0 and 2 of b
    assert found.tknp == 2


def test_slack_forgives_rounding():
    """What is out of its range by less than a share of its width is in the outermost section."""
    ranges = ranges_of([[0.0], [1.0]])
    assert covered(ranges, [[1.0 + 1e-9]]).snacov == 1
    forgiven = covered(ranges, [[1.0 + 1e-9], [-1e-9]], slack=1e-6, sections=4)
    assert (forgiven.nbcov, forgiven.kmncov) == (0.0, 0.5)
    assert covered(ranges, [[1.0 + 1e-5]], slack=1e-6).snacov == 1


def images(seed, count=40, shape=(1, 8, 8)):
    """Images that are the same each time."""
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", ["mlp", "cnn", "resnet"])
def test_a_network_is_covered_as_its_activations_are(name):
    """Against the definitions on what the layers answer; batches of any size give the same; the network stays."""
    model = draw_model(architecture(ModelConfig(name, width=4, hidden=(9,))), (1, 8, 8), 3, 0).train()
    training, inputs = images(1), images(2) * 1.5
    with Activations(model.eval()) as seen, torch.no_grad():
        model(training)
        profile = {layer: value.double().numpy() for layer, value in seen.take().items()}
        model(inputs)
        values = {layer: value.double().numpy() for layer, value in seen.take().items()}
    expected, corners = brute_force(profile, values, 20, 3, 0.2, 2)
    model.train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    found = neuron_coverage(model, training, inputs, slack=0, batch_size=40)
    assert numbers(found) == pytest.approx(expected)
    np.testing.assert_allclose(found.corner_share, corners)
    assert isinstance(found.corner_share, torch.Tensor)
    assert model.training
    assert all(part.training for part in model.modules())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())

    ranges = neuron_ranges(model, training.numpy())
    small = neuron_coverage(model, ranges, inputs.flip(0).numpy(), batch_size=7)
    assert (small.snacov, small.tkncov, small.samples) == (found.snacov, found.tkncov, 40)
    np.testing.assert_allclose(small.corner_share[::-1], found.corner_share)
    own = neuron_coverage(model, ranges, training, batch_size=7)
    assert own.nbcov == own.snacov == 0


def test_all_layers_and_all_batches_count():
    """Nested ones too, and inputs beyond the first 64 (fault 12 of the reference repository)."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Linear(3, 4))), nn.Linear(4, 2))
    training = images(1, 100, (2,))
    far = torch.cat([training, 100 * images(2, 1, (2,))])
    assert neuron_coverage(model, training, far[:100]).snacov == 0
    found = neuron_coverage(model, training, far, batch_size=64)
    assert found.neurons == 9
    assert found.nbcov > 0.4
    assert found.corner_share[:100].sum() == 0
    assert found.corner_share[100] == 1
    of_one = neuron_coverage(model, training, far, "0.1.0")
    assert of_one.neurons == 4
    by_class = neuron_coverage(model, training, far, [nn.Linear])
    assert numbers(by_class) == numbers(found)


def test_arrays_of_any_layout_are_asked():
    """Read only, back to front, of the other byte order, in double precision; integers stay what they are."""
    model = nn.Linear(2, 3)
    inputs = images(1, 10, (2,)).numpy()
    expected = neuron_coverage(model, inputs, inputs)
    locked = inputs.astype(np.float64)
    locked.flags.writeable = False
    for others in (locked, inputs[::-1], inputs.astype(">f4")):
        assert numbers(neuron_coverage(model, inputs, others)) == pytest.approx(numbers(expected))
    tokens = nn.Sequential(nn.Embedding(5, 2), nn.Flatten(), nn.Linear(6, 3))
    assert neuron_coverage(tokens, [[0, 1, 2], [2, 3, 4]], [[0, 1, 2]]).samples == 1


def test_what_was_seen_is_not_changed_by_what_is_merged():
    """Merging makes a third."""
    ranges, other = ranges_of([[0.0], [1.0]]), ranges_of([[5.0]])
    assert ranges.merge(other).high[""].tolist() == [5.0]
    assert ranges.merge(NeuronRange()).samples == NeuronRange().merge(ranges).samples == 2
    assert ranges.high[""].tolist() == [1.0]
    one, two = Coverage(ranges), Coverage(ranges)
    one.update([[0.5]])
    two.update([[2.0]])
    assert one.merge(two).compute().snacov == 1
    assert one.compute().snacov == 0
    assert two.compute().samples == 1


def unfitted():
    """Ranges and a coverage that have seen nothing."""
    return Coverage(ranges_of([[0.0], [1.0]]))


RANGES = ranges_of({"a": [[0.0, 1.0], [1.0, 2.0]]})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: NeuronRange().low,
            "the ranges have seen no samples yet; update them with activations of the training",
        ),
        (lambda: Coverage(NeuronRange()), "the ranges have seen no samples yet"),
        (lambda: Coverage(RANGES).compute(), "the coverage has seen no samples yet; update it with activations"),
        (lambda: Coverage(RANGES, sections=0), "sections must be a whole number of 1 or more, got 0"),
        (lambda: Coverage(RANGES, top=1.5), "top must be a whole number of 1 or more, got 1.5"),
        (lambda: Coverage(RANGES, pattern_top=-1), "pattern_top must be a whole number of 1 or more, got -1"),
        (lambda: Coverage(RANGES, threshold=1), r"threshold must be in \[0, 1\), got 1"),
        (lambda: Coverage(RANGES, slack=-1), r"slack must be in \[0, 1\), a share of each neuron's range, got -1"),
        (
            lambda: Coverage(RANGES).update({"a": [[1.0]]}),
            r"activations are of the layers {'a': 1} \(neurons of each\), but those before of {'a': 2}",
        ),
        (lambda: RANGES.merge(ranges_of([[1.0]])), r"layers {'': 1} .* those before of {'a': 2}"),
        (lambda: Coverage(RANGES).update({}), "activations hold no layers"),
        (
            lambda: Coverage(RANGES).update({"a": [[1.0, np.nan]]}),
            "neuron 1 of layer 'a' answers nan for sample 0 of its batch; leave out the network or the sample",
        ),
        (lambda: NeuronRange().update([[np.inf]]), "neuron 0 of layer '' answers inf for sample 0"),
        (
            lambda: NeuronRange().update({"a": np.zeros((2, 3, 4))}),
            r"activations of layer 'a' are float64\[2, 3, 4\]; pass \[sample, neuron\], with `reduce='mean'`",
        ),
        (lambda: NeuronRange().update([["a"]]), r"are <U1\[1, 1\]; pass floating-point numbers"),
        (
            lambda: NeuronRange().update({"a": np.zeros((2, 1)), "b": np.zeros((3, 1))}),
            r"activations are of different samples: 'a' \[2, 1\], 'b' \[3, 1\]; pass those of one batch",
        ),
        (
            lambda: Coverage(RANGES).merge(Coverage(RANGES, sections=3)),
            "coverages with other options cannot be merged: .*'sections': 20.*'sections': 3",
        ),
        (
            lambda: unfitted().merge(Coverage(ranges_of([[0.0], [2.0]]))),
            "coverages over other ranges cannot be merged; make both from one `NeuronRange`",
        ),
        (
            lambda: neuron_coverage(nn.Linear(2, 1), np.zeros((0, 2)), [[1.0, 2.0]]),
            r"profile holds no samples: float64\[0, 2\]; pass inputs of shape \[sample, ...\]",
        ),
        (lambda: neuron_coverage(nn.Linear(2, 1), [[1.0, 2.0]], np.zeros((0, 2))), "inputs holds no samples"),
        (
            lambda: neuron_coverage(nn.Linear(2, 1), [[1.0, 2.0]], [[1.0, 2.0]], batch_size=0),
            "batch_size must be a whole number of 1 or more, got 0",
        ),
    ],
)
def test_what_cannot_be_covered_is_refused(call, message):
    """Nothing seen, other layers, values that are no numbers, options out of range."""
    with pytest.raises(InputError, match=message):
        call()


def test_several_networks_are_covered_one_by_one():
    """Networks together, and functions, have no modules to record."""
    networks = Networks([nn.Linear(2, 3), nn.Linear(2, 3)])
    inputs = images(1, 5, (2,))
    with pytest.raises(InputTypeError, match=r"as `model=networks\[run\]`"):
        neuron_coverage(networks, inputs, inputs)
    assert [neuron_coverage(network, inputs, inputs).neurons for network in networks] == [3, 3]
    with pytest.raises(InputTypeError, match="a function has no neurons"):
        neuron_ranges(len, inputs)


def test_an_empty_batch_adds_nothing():
    """Ranges and coverage are as before it."""
    ranges = ranges_of([[0.0], [1.0]], np.zeros((0, 1)))
    assert ranges.samples == 2
    found = covered(ranges, np.zeros((0, 1)), [[0.5]])
    assert (found.samples, found.tknp) == (1, 1)
