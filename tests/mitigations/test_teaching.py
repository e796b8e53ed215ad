"""What teachers say, against trainings that are made and asked by hand."""

from dataclasses import replace

import pytest
import torch
from tests.mitigations.conftest import CNN, MLP, PLAN

from reseed import RecipeError, TrainingError
from reseed.mitigations import (
    Distill,
    EnsembleSoftLabels,
    KnnSmoothing,
    LateBranching,
    SnapshotDistillation,
    Stage,
    Tgtss,
    auto_transient,
    described,
    parse_mitigations,
    tempered,
)
from reseed.models import architecture
from reseed.training import (
    OptimizerConfig,
    Recipe,
    ScheduleConfig,
    StackedTraining,
    Training,
    TrainingSet,
    check_stages,
    find_transient,
    generator,
    mitigated,
    recipe_of_teachers,
    teach,
)
from reseed.training._seeds import derived
from reseed.training._teach import seeds_of_teachers

RECIPE = Recipe(
    model=MLP, optimizer=OptimizerConfig("adam", lr=1e-2), schedule=ScheduleConfig("cosine"), epochs=3, batch_size=16
)
TOTAL = 12
RUNS = [PLAN.seeds(0), PLAN.seeds(1)]


def by_hand(recipe: Recipe, data: TrainingSet, seeds, **options) -> Training:
    """Return a training of one network."""
    return Training(recipe, architecture(recipe.model), data, seeds, **options)


def trajectory(recipe: Recipe, data: TrainingSet, seeds) -> torch.Tensor:
    """Return probabilities of the training set after every step, [step, sample, class]."""
    training = by_hand(recipe, data, seeds)
    return torch.stack([training.predict(data.inputs)[0].softmax(-1) for _ in training.steps()])


@pytest.mark.parametrize("most", [1, 2])
def test_the_running_mean_is_the_mean_of_the_stack(data, most):
    """A lesson is the mean over the steps beyond the transient of each run's own teacher."""
    stage = Tgtss(transient=0.3, every=1).stage
    lesson = teach(stage, RECIPE, architecture(MLP), data, RUNS, most=most)
    for run, seeds in enumerate(RUNS):
        (own,) = seeds_of_teachers(seeds, stage)
        expected = trajectory(RECIPE, data, own)[4:].mean(0)
        torch.testing.assert_close(lesson.output[run], expected, rtol=0, atol=1e-6)
    assert (lesson.steps, lesson.samples_seen, lesson.forward_passes) == (TOTAL, 150, 8 * 50)


def test_a_transient_to_the_last_step_is_self_distillation(data):
    """What is learned is the last checkpoint's probabilities, tempered."""
    method = Tgtss(0.5, transient=0.999, every=1)
    lesson = teach(method.stage, RECIPE, architecture(MLP), data, RUNS[:1])
    (own,) = seeds_of_teachers(RUNS[0], method.stage)
    expected = tempered(trajectory(RECIPE, data, own)[-1], exponent=0.5)
    assert torch.equal(method.learn(lesson.output, data.labels)[0], expected)


def test_a_temperature_is_an_inverse_exponent(data):
    """The temperature 2 learns what the exponent 0.5 learns; text and recipes name either."""
    said = torch.rand(2, 50, 3, generator=torch.Generator().manual_seed(0)).softmax(-1)
    (by_text,) = parse_mitigations("tgtss:temperature=2")
    assert by_text == Tgtss(temperature=2.0)
    assert torch.equal(by_text.learn(said, data.labels), Tgtss(0.5).learn(said, data.labels))
    recipe = mitigated(RECIPE, [by_text])
    assert Recipe.from_toml(recipe.to_toml()) == recipe


def test_text_names_an_anchor():
    """Folders and URLs are read back as they are written."""
    for place in ("reseed-studies/digits mlp", "s3://bucket/some/study"):
        method = Distill(0.3, anchor=place)
        assert parse_mitigations(described((method,)) + "+swa")[0] == method


@pytest.mark.parametrize("model", [MLP, CNN])
def test_being_asked_leaves_the_teacher_as_it_was(data, model):
    """The teacher's weights and buffers are bit for bit those of one that is never asked."""
    recipe = replace(RECIPE, model=model)
    asked, silent = (by_hand(recipe, data, RUNS[0]) for _ in range(2))
    for _ in asked.steps():
        asked.predict(data.inputs)
    for _ in silent.steps():
        pass
    for name, value in asked.model.state_dict().items():
        assert torch.equal(value, silent.model.state_dict()[name]), name


@pytest.mark.parametrize("method", [Tgtss(), EnsembleSoftLabels(exponent=0.5), LateBranching(2.0)])
def test_a_teacher_that_fits_perfectly_teaches_the_labels(data, method):
    """With one-hot lessons the student's training is bit for bit the control's."""
    one_hot = torch.nn.functional.one_hot(data.labels, data.num_classes).double()[None]
    taught = (method.learn(one_hot, data.labels),)
    student, control = (
        by_hand(mitigated(RECIPE, [method]), data, RUNS[0], taught=taught),
        by_hand(RECIPE, data, RUNS[0]),
    )
    for _ in zip(student.steps(), control.steps(), strict=True):
        for value, other in zip(student.trained, control.trained, strict=True):
            assert torch.equal(value, other)
    stacks = [
        StackedTraining(recipe, architecture(MLP), data, tuple(RUNS), taught=lessons)
        for recipe, lessons in ((mitigated(RECIPE, [method]), taught), (RECIPE, ()))
    ]
    for stack in stacks:
        list(stack.blocks([TOTAL]))
    assert torch.equal(*(stack.predict(data.inputs) for stack in stacks))


def test_an_ensemble_is_the_mean_of_its_teachers(data):
    """A lesson of several teachers is the mean of their last probabilities, whoever trains beside whom."""
    stage = EnsembleSoftLabels(teachers=3, teacher="per_run").stage
    expected = torch.stack(
        [
            torch.stack([trajectory(RECIPE, data, own)[-1] for own in seeds_of_teachers(seeds, stage)]).mean(0)
            for seeds in RUNS
        ]
    )
    for most in (1, 4):
        lesson = teach(stage, RECIPE, architecture(MLP), data, RUNS, most=most)
        torch.testing.assert_close(lesson.output, expected, rtol=0, atol=1e-6)
        assert (lesson.steps, lesson.samples_seen, lesson.forward_passes) == (3 * TOTAL, 450, 150)


def test_in_batch_keeps_what_training_says(data):
    """The mean is over a sample's late batches; one that none of them held is predicted at the end, and counted."""
    data = replace(data, inputs=data.inputs[:49], labels=data.labels[:49])  # of 49, every epoch leaves one out
    stage = Tgtss(transient=0.7, source="in_batch").stage
    lesson = teach(stage, RECIPE, architecture(MLP), data, RUNS[:1])
    (own,) = seeds_of_teachers(RUNS[0], stage)
    training, said = by_hand(RECIPE, data, own), {row: [] for row in range(49)}
    for step in training.steps():
        for row, logits in zip(step.rows.tolist(), step.logits, strict=True):
            if step.number > round(0.7 * 9):
                said[row].append(logits.softmax(-1))
    last = training.predict(data.inputs)[0].softmax(-1)
    unheard = [row for row, found in said.items() if not found]
    assert len(unheard) == 1
    for row, found in said.items():
        expected = torch.stack(found).mean(0) if found else last[row]
        torch.testing.assert_close(lesson.output[0, row], expected, rtol=0, atol=1e-6)
    assert (lesson.steps, lesson.samples_seen, lesson.forward_passes) == (9, 144, 1)


@pytest.mark.parametrize(
    ("changes", "method", "message"),
    [
        ({}, Tgtss(transient=0.8, source="in_batch"), "a whole epoch of 4 steps after the transient, but of 12 steps"),
        ({"steps": 3}, Tgtss(transient=0.0, source="in_batch"), "of 3 steps those from 1 on are left"),
        ({"steps": 11}, Tgtss(transient=0.5, source="in_batch"), "some samples would have no target"),
        ({}, SnapshotDistillation(cycles=13), "schedule.cycles must be at most 12"),
        ({"steps": 1}, LateBranching(), "branching needs 2 steps or more, but the recipe has 1"),
        ({}, KnnSmoothing(k=50), "mitigation knn-smoothing needs 51 training samples or more, got 50"),
    ],
)
def test_too_few_steps_or_samples_are_refused_before_training(data, changes, method, message):
    """Where some sample would go without a target, or an ensemble without members, the message says what to change."""
    recipe = mitigated(replace(RECIPE, **changes), [method])
    with pytest.raises(RecipeError, match=message):
        check_stages(recipe, architecture(MLP), data)


def test_enough_steps_are_accepted(data):
    """With exactly the last epoch left after the transient every sample has been heard."""
    method = Tgtss(transient=8 / 12, source="in_batch")
    check_stages(mitigated(RECIPE, [method]), architecture(MLP), data)
    assert teach(method.stage, RECIPE, architecture(MLP), data, RUNS[:1]).forward_passes == 0


@pytest.mark.parametrize("model", [MLP, CNN])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("schedule", [ScheduleConfig(), ScheduleConfig("cosine", cycles=2)])
def test_a_branch_with_the_trunks_seeds_is_the_training_uninterrupted(data, model, optimizer, schedule):
    """A training that goes on from a copy is bit for bit the one never cut, and the copy can be used again."""
    recipe = replace(RECIPE, model=model, optimizer=OptimizerConfig(optimizer, lr=1e-2), schedule=schedule)
    whole, trunk = by_hand(recipe, data, RUNS[0]), by_hand(recipe, data, RUNS[0])
    list(whole.blocks([TOTAL]))
    cut = TOTAL // 2  # where the second cycle begins, at the peak rate
    list(trunk.blocks([cut]))
    copy = trunk.snapshot(cut).without_averages().copied()
    for _ in range(2):
        branch = by_hand(recipe, data, RUNS[0], begun=copy)
        list(branch.blocks([TOTAL]))
        for name, value in branch.model.state_dict().items():
            assert torch.equal(value, whole.model.state_dict()[name]), name


def test_branches_have_the_trunk_in_common_and_nothing_else(data):
    """A lesson is the mean of the branches, each of which begins with the trunk's weights; the trunk is paid once."""
    stage = LateBranching(branches=3, at=0.5).stage
    lesson = teach(stage, RECIPE, architecture(MLP), data, RUNS[:1])
    root = by_hand(RECIPE, data, derived(RUNS[0], "teacher", 0))
    list(root.blocks([6]))
    ends = []
    for own in seeds_of_teachers(RUNS[0], stage):
        branch = by_hand(RECIPE, data, own, begun=root.snapshot(6).without_averages().copied())
        assert torch.equal(branch.predict(data.inputs), root.predict(data.inputs))
        list(branch.blocks([TOTAL]))
        ends.append(branch.predict(data.inputs)[0].softmax(-1))
    assert not torch.equal(ends[0], ends[1])
    torch.testing.assert_close(lesson.output[0], torch.stack(ends).mean(0), rtol=0, atol=1e-6)
    assert (lesson.steps, lesson.forward_passes) == (6 + 3 * 6, 3 * 50)
    assert lesson.samples_seen == 75 + 7 + 3 * (150 - 82)  # batches of 16, 16, 16 and 2


def test_snapshots_are_taken_where_cycles_end(data):
    """The teacher has a cyclic schedule, and its probabilities at the ends of the cycles are averaged."""
    stage = SnapshotDistillation(cycles=3).stage
    own_recipe = recipe_of_teachers(RECIPE, stage)
    assert own_recipe.schedule == ScheduleConfig("cosine", cycles=3)
    lesson = teach(stage, RECIPE, architecture(MLP), data, RUNS[:1])
    (own,) = seeds_of_teachers(RUNS[0], stage)
    expected = trajectory(own_recipe, data, own)[[3, 7, 11]].mean(0)
    torch.testing.assert_close(lesson.output[0], expected, rtol=0, atol=1e-6)
    assert (lesson.steps, lesson.forward_passes) == (TOTAL, 150)


def test_a_pilot_finds_the_transient(data):
    """The pilot trains on nine tenths, and the rule is applied to its losses on the rest; it is counted."""
    seeds = PLAN.shared_seeds("pilot")
    pilot = find_transient(RECIPE, architecture(MLP), data, seeds)
    order = generator(seeds.order, 0).permutation(50)
    held, kept = torch.from_numpy(order[:5]), torch.from_numpy(order[5:])
    training = by_hand(RECIPE, replace(data, inputs=data.inputs[kept], labels=data.labels[kept]), seeds)
    losses = []
    for _ in training.steps():
        logits = training.predict(data.inputs[held])[0]
        losses.append(torch.nn.functional.cross_entropy(logits, data.labels[held]).item())
    assert pilot.transient == (auto_transient(losses) + 1) / len(losses)
    assert (pilot.steps, pilot.samples_seen, pilot.forward_passes) == (9, 3 * 45, 9 * 5)


def test_a_pilot_that_cannot_be_watched_is_an_error(data):
    """Too few samples, and a loss that is not finite, are errors that say what to do."""
    few = replace(data, inputs=data.inputs[:9], labels=data.labels[:9])
    with pytest.raises(RecipeError, match="needs 10 training samples or more, got 9; give transient instead"):
        find_transient(RECIPE, architecture(MLP), few, RUNS[0])
    wild = replace(RECIPE, optimizer=OptimizerConfig("sgd", lr=1e200))
    with pytest.raises(TrainingError, match="the pilot that finds the transient diverged"):
        find_transient(wild, architecture(MLP), data, RUNS[0])


def test_steps_of_a_stage_end_with_the_last():
    """Steps are counted back from the last one, and the transient leaves at least that."""
    assert Stage(transient=0.6, every=3).steps(10) == (7, 10)
    assert Stage(transient=0.999, every=1).steps(10) == (10,)
