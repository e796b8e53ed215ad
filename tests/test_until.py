"""Adding runs until a number is known well enough."""

import numpy as np
import pytest

import reseed
from reseed import InputError, Study
from reseed.workflows._until import half_width, next_runs, train_until

LABELS = np.random.default_rng(0).integers(0, 2, (80, 60)) * (np.arange(60) < 20)


@pytest.fixture
def train(tmp_path):
    """Makes studies of the first so many of 80 made-up runs, and keeps the numbers that were asked for."""

    def first(runs):
        first.asked.append(runs)
        return Study.from_predictions(LABELS[:runs], tmp_path / f"{runs}-{len(first.asked)}")

    first.asked = []
    return first


def brute_force_half_width(labels):
    """The jackknife by leaving each run out, with Student's t from a table, on the arcsine scale up to ln(runs)."""
    from scipy.stats import entropy, t

    def mean_entropy(left):
        return np.mean([entropy(np.unique(column, return_counts=True)[1]) for column in left.T])

    without = [mean_entropy(np.delete(labels, run, 0)) for run in range(len(labels))]
    error = np.sqrt((len(labels) - 1) * np.var(without))
    most = np.log(len(labels))
    share = mean_entropy(labels) / most
    away = t.ppf(0.975, len(labels) - 1) * error / most / (2 * np.sqrt(share * (1 - share)))
    low, high = np.sin(np.arcsin(np.sqrt(share)) + np.array([-away, away])) ** 2
    return most * (high - low) / 2


def test_half_width_is_that_of_the_jackknife(train):
    """The half-width is half of the interval that leaving out each run gives."""
    assert half_width(train(10)) == pytest.approx(brute_force_half_width(LABELS[:10]))


def test_runs_are_added_until_the_half_width_is_reached(train):
    """It looks at 10 runs, goes on by what it saw, and stops at the first look that is narrow enough."""
    said = []
    wanted = half_width(train(40)) * 1.0001
    train.asked.clear()
    study = train_until(train, wanted, 80, said.append)
    assert half_width(study) <= wanted
    assert train.asked[0] == 10
    assert all(half_width(train(runs)) > wanted for runs in train.asked[: len(said) - 1])
    assert all("going on to" in line for line in said[:-1])
    assert said[-1].endswith("was asked for")


def test_it_ends_at_the_most_runs_and_says_so(train):
    """What cannot be reached ends at the most runs there may be, with a line that says what to do."""
    said = []
    study = train_until(train, 1e-9, 12, said.append)
    assert len(study.manifests) == 12
    assert said[-1].endswith("not to ± 1e-09; allow more than 12 runs to come closer")


@pytest.mark.parametrize(("reached", "runs"), [(0.00501, 15), (0.0065, 17), (0.5, 20)])
def test_steps_follow_the_square_root_law_up_to_doubling(reached, runs):
    """At least five runs are added, at most as many as there are."""
    assert next_runs(10, reached, 0.005, 1000) == runs


@pytest.mark.parametrize(
    ("until", "most", "message"),
    [
        (0.0, 50, "until is a half-width in nats, above zero, got 0.0"),
        (float("nan"), 50, "got nan; pass for example 0.005"),
        (0.1, 9, "until looks after 10 runs, but runs, the most there may be, is 9"),
    ],
)
def test_bad_wishes_are_refused(train, until, most, message):
    """What cannot be looked for is refused before anything is trained."""
    with pytest.raises(InputError, match=message):
        train_until(train, until, most, print)
    assert train.asked == []


def test_measure_until(tmp_path):
    """The main call extends its study until the half-width is reached, and continues one that is there."""
    recipe = reseed.recipe_for("digits", changes={"epochs": 1})
    said = []
    options = {"recipe": recipe, "out": tmp_path / "study", "announce": said.append, "probe": False}
    first = reseed.measure(until=1e-9, runs=12, **options)
    assert len(first.study.manifests) == 12
    again = reseed.measure(until=1.0, runs=50, **options)
    assert len(again.study.manifests) == 12
    assert "12 runs: mean label entropy known to" in said[-1]
    assert said[-1].endswith("1 was asked for")
