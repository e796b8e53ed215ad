"""Which labels are wrong: closed forms, what recovers a known truth, and messages."""

import numpy as np
import pytest
import torch

from reseed import InputError, SeedPlan
from reseed.memorization import (
    averaging_start,
    held_out_probabilities,
    in_sample_margin,
    label_matrix,
    memorization,
    rank_suspects,
)
from reseed.models import ModelConfig, architecture
from reseed.training import OptimizerConfig, Recipe, StackedTraining, TrainingSet, trained_on


def test_memorisation_is_the_difference_of_two_shares():
    """Against loops over runs, and within its interval."""
    draw = np.random.default_rng(0)
    correct, inside = draw.random((40, 7)) < 0.6, draw.random((40, 7)) < 0.5
    found = memorization(correct, inside)
    for sample in range(7):
        seen = inside[:, sample]
        expected = correct[seen, sample].mean() - correct[~seen, sample].mean()
        assert found.value[sample] == pytest.approx(expected)
    assert ((found.low <= found.value) & (found.value <= found.high)).all()
    assert (found.inside + found.outside == 40).all()


def test_memorisation_is_unknown_where_all_runs_saw_a_sample():
    """Always in or always out is NaN with a warning, never 0."""
    with pytest.warns(RuntimeWarning, match="2 of 3 samples is NaN"):
        found = memorization(np.ones((4, 3)), [[1, 0, 1], [1, 0, 1], [1, 0, 0], [1, 0, 0]])
    assert np.isnan(found.value).tolist() == np.isnan(found.low).tolist() == [True, True, False]
    tensor = memorization(torch.tensor([[True], [False]]), torch.tensor([[True], [False]])).value
    assert torch.equal(tensor, torch.tensor([1.0], dtype=torch.float64))


def test_intervals_of_memorisation_cover():
    """At least nine in ten intervals cover the true difference, where 95 in a hundred should."""
    draw = np.random.default_rng(1)
    inside = draw.random((60, 2000)) < 0.7
    correct = draw.random((60, 2000)) < np.where(inside, 0.9, 0.3)
    found = memorization(correct, inside)
    assert ((found.low <= 0.6) & (found.high >= 0.6)).mean() > 0.9


def test_mislabelled_points_are_memorised():
    """Feldman and Zhang's estimate on Gaussian classes: what is mislabelled has to be learned by heart."""
    draw = np.random.default_rng(0)
    centres = draw.standard_normal((5, 20))
    centres *= 3 / np.linalg.norm(centres, axis=1, keepdims=True)
    truth = np.arange(300) % 5
    inputs = centres[truth] + draw.standard_normal((300, 20))
    given = truth.copy()
    wrong = draw.permutation(300)[:30]
    given[wrong] = (truth[wrong] + draw.integers(1, 5, 30)) % 5
    data = TrainingSet(torch.from_numpy(inputs).float(), torch.from_numpy(given), 5)
    recipe = Recipe(
        model=ModelConfig("mlp", hidden=(64,)), optimizer=OptimizerConfig("adam", lr=0.01), epochs=30, batch_size=32
    )
    plan, runs = SeedPlan(share=0.7), range(40)
    stack = StackedTraining(recipe, architecture(recipe.model), data, tuple(plan.seeds(run) for run in runs))
    for _ in stack.steps():
        pass
    correct = stack.predict(data.inputs).argmax(-1).numpy() == given
    found = memorization(correct, trained_on(plan, runs, 300)).value
    is_wrong = np.isin(np.arange(300), wrong)
    assert found[is_wrong].mean() - found[~is_wrong].mean() > 0.4


def simulated(classes=4, samples=4000, seed=0):
    """Calibrated answers, true labels drawn from them, and labels given by a known matrix."""
    draw = np.random.default_rng(seed)
    answers = draw.dirichlet(np.full(classes, 0.08), samples)
    truth = np.array([draw.choice(classes, p=row) for row in answers])
    matrix = np.full((classes, classes), 0.02)
    matrix[0, 1], matrix[2, 3] = 0.3, 0.2
    np.fill_diagonal(matrix, 0)
    np.fill_diagonal(matrix, 1 - matrix.sum(1))
    given = np.array([draw.choice(classes, p=matrix[label]) for label in truth])
    return answers, truth, given, matrix


def test_the_matrix_of_labels_is_recovered():
    """Of calibrated answers the known matrix comes back, and posteriors say how many labels are wrong."""
    answers, truth, given, matrix = simulated()
    found = label_matrix(answers, given)
    assert np.abs(found.matrix - matrix).max() < 0.05
    assert (1 - found.right).sum() == pytest.approx((truth != given).sum(), rel=0.15)
    assert found.posterior.sum(1) == pytest.approx(1)


def test_wrong_labels_come_first():
    """The ranking has wrong labels far before others, whatever classes are called."""
    answers, truth, given, _ = simulated()
    found = rank_suspects(answers, given)
    first = found.order[: found.count]
    assert (truth != given)[first].mean() > 0.7
    assert (found.likely == truth)[first][(truth != given)[first]].mean() > 0.85
    assert found.is_issue.sum() == found.count
    renamed = np.array([2, 0, 3, 1])
    other = rank_suspects(answers[:, np.argsort(renamed)], renamed[given])
    assert other.score == pytest.approx(found.score, abs=1e-3)


def test_held_out_answers_are_those_of_runs_that_did_not_see_a_sample():
    """Against loops, with a margin that is the mean difference of logits."""
    draw = np.random.default_rng(0)
    logits = draw.standard_normal((4, 3, 6, 5))
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    inside, labels = trained_on(SeedPlan(folds=2), range(4), 6), draw.integers(0, 5, 6)
    held_out = held_out_probabilities(probabilities, inside)
    margin = in_sample_margin(probabilities, labels, inside)
    for sample in range(6):
        seen = inside[:, sample]
        assert held_out[sample] == pytest.approx(probabilities[~seen, :, sample].mean((0, 1)))
        own = logits[seen, :, sample, labels[sample]]
        others = np.delete(logits[seen, :, sample], labels[sample], -1).max(-1)
        assert margin[sample] == pytest.approx((own - others).mean())


def along(surer, truth, steps=8, classes=4):
    """Answers of one run that become surer at each checkpoint: of the truth, or of anything."""
    draw = np.random.default_rng(0)
    logits = np.repeat(draw.standard_normal((1, 1, len(truth), classes)), steps, 1)
    for step in range(steps):
        for sample, label in enumerate(truth):
            logits[0, step, sample, surer(step, sample, label)] += step
    powers = np.exp(logits)
    return powers / powers.sum(-1, keepdims=True)


@pytest.mark.parametrize(
    ("surer", "start"),
    [
        (lambda step, sample, label: label, 7),
        (lambda step, sample, label: label if step < 4 else (label + 1 + (step + sample) % 3) % 4, 0),
    ],
    ids=["learns to the end", "forgets what it knew"],
)
def test_answers_are_averaged_where_they_tell_most(surer, start):
    """Networks that go on learning are asked at their end, and such as get worse all along; by brute force."""
    labels = np.random.default_rng(1).integers(0, 4, 200)
    probabilities = along(surer, labels)
    nobody = np.zeros((1, 200), bool)
    assert averaging_start(probabilities, labels, nobody) == start
    found = {}
    for first in (0, 4, 6, 7):
        mean = probabilities[0, first:].mean(0)
        raised = [mean**power / (mean**power).sum(-1, keepdims=True) for power in np.geomspace(0.5, 8, 60)]
        own = [answers[range(200), labels] for answers in raised]
        found[first] = max(np.log((1 - e) * one + e / 4).mean() for one in own for e in np.linspace(0.001, 0.5, 60))
    assert max(found, key=found.get) == start


def test_a_single_checkpoint_is_the_window():
    """There is nothing to choose."""
    assert averaging_start(GOOD, [0, 1, 1], [[1, 0, 1], [0, 1, 1]]) == 0


def test_what_no_run_left_out_is_unknown():
    """NaN with a warning."""
    answers = np.full((2, 1, 2, 2), 0.5)
    with pytest.warns(RuntimeWarning, match="1 of 2 samples are NaN: every run was trained on them"):
        assert np.isnan(held_out_probabilities(answers, [[1, 0], [1, 1]])[0]).all()
    with pytest.warns(RuntimeWarning, match="1 of 2 samples are NaN: no run was trained on them"):
        assert np.isnan(in_sample_margin(answers, [0, 1], [[1, 0], [1, 0]])).tolist() == [False, True]


GOOD = np.full((2, 1, 3, 2), 0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: memorization([[2, 0]], [[1, 0]]), "correct must hold True and False [run, sample]"),
        (lambda: memorization([[1, 0]], [[1, 0], [1, 1]]), "trained_on is bool[2, 2], but correct is int64[1, 2]"),
        (lambda: memorization([[1, 0]], [1, 0]), "trained_on must be [run, sample], got int64[2]"),
        (lambda: memorization([[1, 0]], [[0.5, 0]]), "trained_on must hold True and False, got float64[1, 2]"),
        (lambda: held_out_probabilities(GOOD[:, 0], [[1, 0, 1]] * 2), "of a single checkpoint pass"),
        (lambda: held_out_probabilities(GOOD, [[1, 0]] * 2), "both must have the same runs and samples"),
        (lambda: held_out_probabilities(3 * GOOD, [[1, 0, 1]] * 2), "pass probabilities, not logits"),
        (lambda: in_sample_margin(GOOD, [0, 1, 2], [[1, 0, 1]] * 2), "labels holds 2 at position 2"),
        (lambda: averaging_start(GOOD, [0, 1, 1], [[1, 1, 1]] * 2), "trained_on is True everywhere"),
        (lambda: averaging_start(GOOD, [0, 1], [[1, 0, 1]] * 2), "labels must be 3 whole numbers [sample]"),
        (lambda: label_matrix(GOOD, [0, 1, 1]), "of several runs take their mean first"),
        (lambda: label_matrix(GOOD[0, 0], [0.0, 1.0, 1.0]), "labels must be 3 whole numbers [sample]"),
        (lambda: rank_suspects(GOOD[0, 0], [0, 1, 1], [0.0, np.nan, 1.0]), "margin must hold 3 numbers [sample]"),
    ],
)
def test_bad_input(call, message):
    """Each mistake is told by argument, with its value and what to do."""
    with pytest.raises(InputError) as found:
        call()
    assert message in str(found.value)
