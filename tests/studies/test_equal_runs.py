"""Runs that end with the same results: found exactly, told apart from chance, and told with what to do."""

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import reseed
from reseed import Recipe, SeedPlan, Study, inspect
from reseed.studies import equal_rows, equal_runs, train_study

X, Y = load_wine(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)


def notes(study):
    """The notes of a study that speak of equal runs."""
    return [note for note in inspect(study).stability.notes if "distinct results" in note or "identical" in note]


def with_copies(samples=300):
    """Probabilities [run, sample, class] of five runs, of which 1 and 4, and 2 and 3, are the same."""
    found = np.random.default_rng(0).dirichlet([1, 1, 1], (5, samples))
    found[4], found[3] = found[1], found[2]
    return found


def test_equal_runs_are_found_exactly(tmp_path):
    """Groups are those of equal answers and scores; a last bit makes runs differ, at the very end too."""
    study = Study.from_predictions(with_copies(), tmp_path / "study")
    found = equal_runs(study)
    assert (found.groups, found.distinct, found.have_scores) == (((1, 4), (2, 3)), 3, True)
    moved = np.array([[0.7, 0.6], [0.7, np.nextafter(0.6, 1)]])
    assert equal_rows(np.zeros((2, 2), int), moved).groups == ()
    many = np.zeros((3, 200_000), int)
    many[1, -1] = 1
    assert equal_rows(many, None).groups == ((0, 2),)


def test_chance_is_not_told():
    """Equal answers without scores are chance where runs differ in few samples, and scores of 0 and 1 are no scores."""
    labels = np.array([[0, 1, 1], [0, 1, 1], [0, 0, 1]])
    found = equal_rows(labels, np.ones((3, 3)))
    assert (found.groups, found.have_scores) == (((0, 1),), False)
    assert not found.are_telling(1.0)
    assert found.are_telling(20.0)
    assert equal_rows(labels[:2], None).are_telling(0.0)  # all of them


def test_an_import_with_a_file_given_twice_says_so(tmp_path):
    """The numbers of equal runs are named, with what they are too few for."""
    (told,) = notes(Study.from_predictions(with_copies(), tmp_path / "study"))
    assert told.startswith(
        "5 runs have 3 distinct results only: exactly the same answers and probabilities are those of runs 1, 4; "
        "runs 2, 3."
    )
    assert "check that no predictions were given twice" in told


def test_few_equal_answers_without_scores_are_not_told(tmp_path):
    """On three samples two of three runs agree by chance."""
    assert notes(Study.from_predictions([[0, 1, 1], [0, 1, 0], [0, 1, 1]], tmp_path / "study")) == []


def test_many_equal_answers_without_scores_are_told(tmp_path):
    """Where runs differ in many samples, two that never do are not of different seeds."""
    labels = with_copies(400).argmax(2)
    (told,) = notes(Study.from_predictions(labels, tmp_path / "study"))
    assert "exactly the same answers are those of runs 1, 4; runs 2, 3." in told


@pytest.mark.parametrize(
    ("fit", "expected"),
    [
        (lambda seed: LogisticRegression(random_state=seed).fit(X[::2], Y[::2]), 1),
        (lambda seed: LogisticRegression(C=10.0 ** -(seed % 2)).fit(X[::2], Y[::2]), 2),
    ],
)
def test_a_fit_that_does_not_use_its_seed_gets_the_remedy(tmp_path, fit, expected):
    """A learner without sampling, or a seed that is hardly used, is told, with what each library needs."""
    study = reseed.run(fit, eval_data=(X[1::2], Y[1::2]), out=tmp_path / "study", runs=6, engine="serial")
    (told,) = notes(study)
    assert equal_runs(study).distinct == expected
    for word in (
        "random_state=",
        "torch.manual_seed(seed)",
        "set_seed(seed) before from_pretrained",
        "reseed.bootstrap",
    ):
        assert word in told


def test_a_fit_that_uses_its_seed_is_not_told(tmp_path):
    """Trees of other seeds that differ are no matter, though their probabilities are 0 and 1."""

    def fit(seed):
        return DecisionTreeClassifier(max_features=1, random_state=seed).fit(X[::2], Y[::2])

    assert notes(reseed.run(fit, eval_data=(X[1::2], Y[1::2]), out=tmp_path / "s", runs=4, engine="serial")) == []


def test_a_recipe_whose_varied_stream_draws_nothing_says_so(tmp_path):
    """Dropout varies and there is none: all runs are one, and the note names the stream."""
    plan = SeedPlan(0, frozenset({"dropout"}))
    study = train_study(Recipe(epochs=1), tmp_path / "study", runs=2, plan=plan, engine="serial", probe=False)
    (told,) = notes(study)
    assert told.startswith("All runs gave identical predictions: the same answers and probabilities.")
    assert "what differs between runs (dropout)" in told
