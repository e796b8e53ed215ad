"""What methods cost, from manifests that are written here."""

from dataclasses import replace

import numpy as np
import pytest

from reseed import Study
from reseed.instability.comparison._method_cost import method_cost
from reseed.mitigations import parse_mitigations
from reseed.training import Recipe, mitigated


@pytest.fixture
def make(tmp_path):
    """Makes a study whose runs cost what is given, of a recipe with methods or of none."""

    def study(name, *costs, methods=None, alone=True):
        labels = np.tile([0, 1], (len(costs), 1))
        made = Study.from_predictions(labels, tmp_path / name, targets=[0, 1])
        if methods is not None:
            (made.path / "recipe.toml").write_text(mitigated(Recipe(), parse_mitigations(methods)).to_toml())
        manifests = tuple(replace(one, cost=cost, alone=alone) for one, cost in zip(made.manifests, costs, strict=True))
        return replace(made, manifests=manifests)

    return study


def test_passes_are_counted_for_one_model(make):
    """Training counts three passes a sample, a prediction one, and shared teachers once for each model."""
    control = make("control", {"samples_seen": 100}, {"samples_seen": 100}, methods="control")
    cost = {
        "samples_seen": 150,
        "lesson_passes": 60,
        "shared_samples_seen": 200,
        "shared_lesson_passes": 30,
    }
    method = make("method", cost, cost, methods="tgtss")
    assert method_cost(method, control, None, 2).training == pytest.approx((3 * 150 + 60 + 3 * 200 + 30) / 300)


def test_only_the_runs_that_are_compared_count(make):
    """The mean is over the first runs."""
    control = make("control", {"samples_seen": 100}, {"samples_seen": 100}, methods="control")
    method = make("method", {"samples_seen": 200}, {"samples_seen": 400}, {"samples_seen": 900}, methods="control")
    assert method_cost(method, control, None, 2).training == 3


@pytest.mark.parametrize(("methods", "networks"), [("control", 1), ("tgtss", 1), ("prediction-ensemble:members=4", 4)])
def test_networks_that_answer_come_from_the_recipe(make, methods, networks):
    """Only methods that serve a mean of networks cost more at inference."""
    control = make("control", {}, {}, methods="control")
    assert method_cost(make("method", {}, {}, methods=methods), control, None, 2).inference == networks


def test_wall_time_is_beside_the_faster_control(make):
    """The median wall time is divided by that of the control or the null, whichever is faster."""
    control, null = make("control", {"wall_s": 6.0}, {"wall_s": 6.0}), make("null", {"wall_s": 2.0}, {"wall_s": 2.0})
    method = make("method", {"wall_s": 3.0}, {"wall_s": 5.0})
    assert method_cost(method, control, None, 2).wall == pytest.approx(4 / 6)
    assert method_cost(method, control, null, 2).wall == 2


def test_wall_time_counts_shared_teachers(make):
    """Their time counts once for each model; what an earlier version did not time is not made up, nor is it 0."""
    control = make("control", {"wall_s": 2.0}, {"wall_s": 2.0})
    timed = {"wall_s": 3.0, "shared_steps": 9, "shared_wall_s": 1.0}
    assert method_cost(make("timed", timed, timed), control, None, 2).wall == 2
    untimed = {"wall_s": 3.0, "shared_steps": 9}
    assert np.isnan(method_cost(make("untimed", timed, untimed), control, None, 2).wall)
    anchored = {"wall_s": 3.0, "shared_steps": 0}
    assert method_cost(make("anchored", anchored, anchored), control, None, 2).wall == 1.5


def test_wall_time_is_left_out_where_the_machine_was_shared(make):
    """Of a method, and of its control, whose runs may have waited for others; processor time does not wait."""
    cost = {"wall_s": 2.0, "cpu_s": 1.0}
    control, busy = make("control", cost, cost), make("busy", cost, cost, alone=False)
    for method, beside in ((busy, control), (control, busy)):
        found = method_cost(method, beside, None, 2)
        assert np.isnan(found.wall)
        assert found.processor == 1


def test_processor_time_counts_shared_teachers(make):
    """As wall time it is beside the cheaper control, and not made up where teachers were not timed."""
    control, null = make("control", {"cpu_s": 4.0}, {"cpu_s": 4.0}), make("null", {"cpu_s": 2.0}, {"cpu_s": 2.0})
    timed = {"cpu_s": 3.0, "shared_steps": 9, "shared_cpu_s": 1.0}
    assert method_cost(make("timed", timed, timed), control, null, 2).processor == 2
    untimed = {"cpu_s": 3.0, "shared_steps": 9}
    assert np.isnan(method_cost(make("untimed", timed, untimed), control, null, 2).processor)


def test_what_is_not_recorded_is_nan(make):
    """Imported studies have no costs and no recipe; nothing is made up."""
    control = make("control", {}, {})
    found = method_cost(make("method", {"samples_seen": 5}, {}), control, None, 2)
    assert np.isnan([found.training, found.inference, found.wall, found.processor]).all()
