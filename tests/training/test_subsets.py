"""Runs that leave training samples out: which ones, how many steps they make, and that stacks change nothing."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from reseed import RecipeError, SeedPlan, StudyError
from reseed.models import ModelConfig, architecture
from reseed.studies import Study, train_study
from reseed.training import (
    OptimizerConfig,
    Recipe,
    RecordConfig,
    StackedTraining,
    Subset,
    Training,
    TrainingSet,
    as_tree,
    trained_on,
)

SAMPLES = 23
RECIPE = Recipe(
    model=ModelConfig("mlp", hidden=(4,)), optimizer=OptimizerConfig("adam", lr=0.01), epochs=3, batch_size=5
)


@pytest.fixture
def data():
    """A few samples in double precision."""
    draw = torch.Generator().manual_seed(0)
    inputs = torch.rand(SAMPLES, 3, generator=draw, dtype=torch.float64)
    return TrainingSet(inputs, torch.arange(SAMPLES) % 2, 2)


@pytest.mark.parametrize("folds", [2, 3, 5, 22, 23])
def test_folds_leave_out_every_sample(folds):
    """All runs of a block train on equally many samples, and every sample is left out by one of them at least."""
    plan = SeedPlan(folds=folds)
    inside = trained_on(plan, range(2 * folds), SAMPLES)
    assert set(inside.sum(1)) == {SAMPLES - -(-SAMPLES // folds)}
    left = (~inside).reshape(2, folds, SAMPLES).sum(1)
    assert left.min() == 1
    assert left.sum() == 2 * folds * -(-SAMPLES // folds)
    assert folds in (22, 23) or not (inside[:folds] == inside[folds:]).all(), "each block divides anew"


def test_folds_that_divide_leave_out_every_sample_once():
    """Where the number of samples divides, folds share none."""
    assert (~trained_on(SeedPlan(folds=4), range(4), 24)).sum(0).tolist() == [1] * 24


def test_shares_are_drawn_for_each_run():
    """A share leaves out so many samples, others in each run."""
    inside = trained_on(SeedPlan(share=0.7), range(200), 100)
    assert set(inside.sum(1)) == {70}
    assert abs(inside.mean(0) - 0.7).max() < 5 * np.sqrt(0.21 / 200)


def test_bootstraps_and_whole_sets_are_known_too():
    """Of resamples the drawn samples count, and a run of everything saw everything."""
    plan = SeedPlan(vary=frozenset({"data"}))
    drawn = plan.seeds(1).generator("data").integers(0, 50, 50)
    assert np.flatnonzero(trained_on(plan, [1], 50)[0]).tolist() == sorted(set(drawn.tolist()))
    assert trained_on(SeedPlan(), range(3), 4).all()


@pytest.mark.parametrize("plan", [SeedPlan(folds=4), SeedPlan(share=0.6)])
def test_what_is_trained_on_is_what_is_said(plan, data):
    """The rows of all batches of a training are those that `trained_on` says, each once an epoch."""
    factory = architecture(RECIPE.model)
    for run, inside in enumerate(trained_on(plan, range(5), SAMPLES)):
        training = Training(RECIPE, factory, data, plan.seeds(run))
        rows = [step.rows.numpy() for step in training.steps()]
        assert len(rows) == training.total_steps
        epochs = np.concatenate(rows).reshape(RECIPE.epochs, -1)
        for epoch in epochs:
            assert sorted(epoch.tolist()) == np.flatnonzero(inside).tolist()


@pytest.mark.parametrize("plan", [SeedPlan(folds=4), SeedPlan(share=0.6), SeedPlan(folds=4, vary=frozenset({"init"}))])
def test_stacks_of_folds_train_as_each_by_itself(plan, data):
    """In float64 a stack of folds predicts what each run predicts by itself."""
    factory = architecture(RECIPE.model)
    stack = StackedTraining(RECIPE, factory, data, tuple(plan.seeds(run) for run in range(6)))
    for _ in stack.steps():
        pass
    alone = []
    for run in range(6):
        training = Training(RECIPE, factory, data, plan.seeds(run))
        for _ in training.steps():
            pass
        alone.append(training.predict(data.inputs)[0])
    torch.testing.assert_close(stack.predict(data.inputs), torch.stack(alone), rtol=1e-9, atol=1e-12)


def test_left_out_samples_change_nothing(data):
    """A run's training does not see its left-out samples: other labels of these give the same network."""
    factory, plan = architecture(RECIPE.model), SeedPlan(folds=4)
    outside = torch.from_numpy(~trained_on(plan, [2], SAMPLES)[0])
    other = replace(data, labels=torch.where(outside, 1 - data.labels, data.labels))
    found = []
    for one in (data, other):
        training = Training(RECIPE, factory, one, plan.seeds(2))
        for _ in training.steps():
            pass
        found.append(training.predict(data.inputs))
    assert torch.equal(*found)


def test_plans_without_subsets_are_what_they_were():
    """The words of runs, and trees of configs, know nothing of subsets where there are none."""
    one, other = SeedPlan(base=3).seeds(4), SeedPlan(base=3, folds=5).seeds(4)
    assert (one.subset, other.subset) == (None, Subset(4, 5))
    assert {**one.words, "data": 0} == {**other.words, "data": 0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"folds": 1}, "folds must be a whole number of 2 or more, or None, got 1; pass 5."),
        ({"folds": 2.5}, "folds must be a whole number of 2 or more"),
        ({"share": 1.0}, "share must be a share of the training set, in (0, 1), or None, got 1.0."),
        ({"share": float("nan")}, "share must be a share of the training set"),
        ({"share": 0.5, "folds": 5}, "folds and share each say what a run trains on; pass one of them."),
        ({"folds": 5, "vary": frozenset({"data"})}, "vary names data, but folds=5 fixes the training sample"),
    ],
)
def test_impossible_subsets(arguments, message):
    """What is no subset is refused by name and value."""
    with pytest.raises(RecipeError) as found:
        SeedPlan(**arguments)
    assert message in str(found.value)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of folds whose training split is recorded, and how it was made."""
    recipe = Recipe(model=ModelConfig("mlp", hidden=(4,)), epochs=2)
    folder = tmp_path_factory.mktemp("folds") / "study"
    record = RecordConfig(level="full", train=True)
    arguments = {"runs": 4, "plan": SeedPlan(folds=3), "record": record, "engine": "stacked", "announce": print}
    return SimpleNamespace(
        recipe=recipe, folder=folder, arguments=arguments, study=train_study(recipe, folder, **arguments)
    )


def test_a_study_knows_what_it_was_trained_on(study):
    """It is recomputed from the seeds in its folder, whether the training split is recorded or not."""
    found = Study.open(study.folder)
    samples = found.recorded("labels", "train").shape[-1]
    assert (found.trained_on() == trained_on(SeedPlan(folds=3), range(4), samples)).all()
    assert found.header.folds == 3
    assert any(f"Each run trains on {samples - -(-samples // 3):,} of the" in note for note in found.header.notes)
    assert found.networks(announce=print).predict(found.inputs().inputs).shape[0] == 4
    whole = as_tree(replace(found.header, folds=0))
    assert not {"folds", "share"} & whole.keys()
    assert json.loads((study.folder / "study.json").read_text())["folds"] == 3


def test_a_study_of_folds_is_continued_with_the_same_folds_only(study):
    """More runs extend it; other folds are another study."""
    with pytest.raises(StudyError, match="folds: 3 there, 4 now"):
        train_study(study.recipe, study.folder, **{**study.arguments, "plan": SeedPlan(folds=4)})


def test_too_many_folds_for_the_data(tmp_path):
    """There are no more folds than samples."""
    (tmp_path / "few.csv").write_text("a,b,label\n" + "".join(f"{row},{row % 3},{row % 2}\n" for row in range(10)))
    from reseed import recipe_for

    with pytest.raises(RecipeError, match="folds is 50, which leaves nothing to train on of 8 training samples"):
        train_study(
            recipe_for(str(tmp_path / "few.csv")), tmp_path / "out", runs=2, plan=SeedPlan(folds=50), engine="serial"
        )
