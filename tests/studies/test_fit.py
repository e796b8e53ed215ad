"""`reseed.run`: trainings of the user's own."""

import json
import threading

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

import reseed
from reseed import Dataset, InputError, StudyError, TrainingError

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))
Y = (X[:, 0] + RANDOM.normal(size=60) > 0).astype(int) + (X[:, 1] > 0.8)
NAMES = np.array(["cat", "ape", "bee"])  # not in alphabetical order
TRAIN, EVAL = (X[:40], Y[:40]), (X[40:], Y[40:])


def tree(seed):
    """A decision tree that depends on its seed."""
    return DecisionTreeClassifier(max_features=1, random_state=seed).fit(*TRAIN)


def run(fit, out, **options):
    """`reseed.run` in this process, with few runs and no second tries."""
    return reseed.run(fit, out=out, **{"eval_data": EVAL, "runs": 3, "engine": "serial", "retries": 0} | options)


class Fixed:
    """A fitted model that gives what it was told."""

    def __init__(self, probabilities, classes=None):
        self.probabilities = probabilities
        if classes is not None:
            self.classes_ = classes

    def predict_proba(self, inputs):
        """The same whatever the inputs are."""
        return self.probabilities


def test_fit_is_called_with_the_seeds_that_are_recorded(tmp_path):
    """Each run has a seed of its own, which its manifest keeps."""
    seeds = []

    def fit(seed):
        seeds.append(seed)
        return tree(seed)

    study = run(fit, tmp_path)
    assert seeds == [manifest.seeds["fit"] for manifest in study.manifests]
    assert len(set(seeds)) == 3
    assert all(isinstance(seed, int) and 0 <= seed < 2**32 for seed in seeds)


def test_predictions_are_those_of_the_fitted_models(tmp_path):
    """What is recorded equals what the model of the same seed predicts outside the study."""
    study = run(tree, tmp_path, level="full")
    for number, manifest in enumerate(study.manifests):
        model = tree(manifest.seeds["fit"])
        np.testing.assert_array_equal(study.final()[number], model.predict(EVAL[0]))
        np.testing.assert_allclose(study.final("probabilities")[number], model.predict_proba(EVAL[0]), atol=1e-7)
    assert [manifest.accuracy for manifest in study.manifests] == list((study.final() == EVAL[1]).mean(axis=1))


@pytest.mark.parametrize(
    "answer",
    [
        lambda inputs: np.zeros(len(inputs), int),
        lambda inputs: [0] * len(inputs),
        lambda inputs: ["0"] * len(inputs),
        lambda inputs: np.array(["0"] * len(inputs), dtype=object),
        lambda inputs: np.eye(3)[np.zeros(len(inputs), int)],
        lambda inputs: torch.tensor([[0.6, 0.3, 0.1]], requires_grad=True).expand(len(inputs), 3),
        lambda inputs: torch.tensor([[0.5, 0.25, 0.25]], dtype=torch.bfloat16).expand(len(inputs), 3),
    ],
    ids=["integers", "list", "names", "objects", "one-hot", "torch", "bfloat16"],
)
def test_function_of_inputs_may_answer_in_many_ways(tmp_path, answer):
    """Fit may return a plain function; labels and probabilities of every kind are understood."""
    assert (run(lambda seed: answer, tmp_path).final() == 0).all()


def test_class_missing_from_a_bootstrap_gets_probability_zero(tmp_path):
    """Columns are matched through classes_, so a run that never saw a class still lines up with the others."""

    def fit(seed):
        kept = TRAIN[1] != seed % 3
        return DecisionTreeClassifier(random_state=0).fit(TRAIN[0][kept], TRAIN[1][kept])

    study = run(fit, tmp_path, level="full", runs=4)
    assert study.final("probabilities").shape == (4, 20, 3)
    missing = [manifest.seeds["fit"] % 3 for manifest in study.manifests]
    for label, found in zip(missing, study.final("probabilities"), strict=True):
        assert (found[:, label] == 0).all()
        np.testing.assert_allclose(found.sum(axis=-1), 1)


def test_columns_are_matched_by_name(tmp_path):
    """Probabilities whose classes_ stand in another order than class_names are put in order."""
    model = Fixed(np.tile([0.7, 0.2, 0.1], (20, 1)), classes=["bee", "cat", "ape"])
    study = run(lambda seed: model, tmp_path, eval_data=(X[40:], NAMES[Y[40:]]), level="full")
    assert study.header.class_names == ("ape", "bee", "cat")
    np.testing.assert_allclose(study.final("probabilities")[0, 0], [0.1, 0.7, 0.2], atol=1e-7)


def test_class_names_of_the_user_set_the_order(tmp_path):
    """class_names is the order of labels, and targets may be names or indices into it."""
    by_name = run(tree, tmp_path / "a", eval_data=(X[40:], NAMES[Y[40:]]), class_names=NAMES)
    by_index = run(tree, tmp_path / "b", class_names=NAMES)
    np.testing.assert_array_equal(by_name.targets, by_index.targets)
    np.testing.assert_array_equal(by_name.final(), by_index.final())


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(max_features=1),
        RandomForestClassifier(2),
        make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", max_iter=5, tol=None)),
        make_pipeline(StandardScaler(), LinearSVC()),
    ],
    ids=["tree", "forest", "pipeline", "no-probabilities"],
)
def test_unfitted_estimator(tmp_path, estimator):
    """An estimator is cloned and seeded for each run, and itself stays unfitted."""
    study = run(estimator, tmp_path, train_data=(TRAIN[0], NAMES[TRAIN[1]]), eval_data=(X[40:], NAMES[Y[40:]]))
    assert study.header.class_names == ("ape", "bee", "cat")
    assert study.header.model == type(estimator).__name__
    with pytest.raises(Exception, match="not fitted"):
        estimator.predict(X)


def test_estimator_runs_equal_a_fit_by_hand(tmp_path):
    """The clone of run i is the estimator with random_state set to the seed of run i."""
    study = run(DecisionTreeClassifier(max_features=1), tmp_path, train_data=TRAIN)
    expected = [tree(manifest.seeds["fit"]).predict(EVAL[0]) for manifest in study.manifests]
    np.testing.assert_array_equal(study.final(), expected)


def test_estimator_knows_classes_that_only_training_has(tmp_path):
    """A class that no evaluation sample has is still a class."""
    kept = Y[40:] < 2
    study = run(
        DecisionTreeClassifier(max_features=1), tmp_path, train_data=TRAIN, eval_data=(X[40:][kept], Y[40:][kept])
    )
    assert study.header.class_names == ("0", "1", "2")


def test_sparse_inputs(tmp_path):
    """Sparse matrices, such as TF-IDF features, are inputs like others."""
    study = run(
        DecisionTreeClassifier(max_features=1),
        tmp_path,
        train_data=(sparse.csr_matrix(TRAIN[0]), TRAIN[1]),
        eval_data=(sparse.csr_matrix(EVAL[0]), EVAL[1]),
    )
    assert study.final().shape == (3, 20)


def test_dataset_as_evaluation_data(tmp_path):
    """A Dataset brings inputs, targets, ids and class names."""
    data = reseed.load(reseed.DataConfig("digits", limit=200))

    def fit(seed):
        model = DecisionTreeClassifier(random_state=seed, max_features=4)
        model.fit(data.train.inputs.flatten(1).numpy(), data.train.labels.numpy())
        return lambda inputs: model.predict_proba(inputs.flatten(1).numpy())

    study = run(fit, tmp_path, eval_data=data.evaluation)
    assert study.samples.ids == data.evaluation.sample_ids
    assert study.header.dataset == "digits"


def test_same_call_continues_and_extends(tmp_path):
    """Runs that are there are not done again; more runs are added; fewer change nothing."""
    calls = []

    def fit(seed):
        calls.append(seed)
        return tree(seed)

    first = run(fit, tmp_path)
    run(fit, tmp_path)
    assert len(calls) == 3
    extended = run(fit, tmp_path, runs=5)
    assert len(calls) == len(set(calls)) == 5
    np.testing.assert_array_equal(extended.final()[:3], first.final())
    assert len(run(fit, tmp_path, runs=2).manifests) == 5
    assert len(calls) == 5


def test_extension_equals_a_study_made_at_once(tmp_path):
    """Run i does not depend on how many runs were asked for first."""
    run(tree, tmp_path / "a", runs=2)
    np.testing.assert_array_equal(run(tree, tmp_path / "a", runs=4).final(), run(tree, tmp_path / "b", runs=4).final())


def test_finished_runs_survive_a_failure(tmp_path):
    """When one run fails the others are kept, and the next call does only that one."""
    calls = []

    def fit(seed):
        calls.append(seed)
        if len(calls) == 2:
            raise ValueError("bad luck")
        return tree(seed)

    with pytest.raises(TrainingError, match=r"1 of 3 runs did not finish.*run 1 first.*bad luck"):
        run(fit, tmp_path)
    assert run(fit, tmp_path).missing == ()
    assert len(calls) == 4


def test_failed_runs_are_tried_again(tmp_path):
    """A failure that passes is forgotten."""
    calls = []

    def fit(seed):
        calls.append(seed)
        if len(calls) == 1:
            raise ConnectionError("try later")
        return tree(seed)

    assert run(fit, tmp_path, retries=1, runs=2).missing == ()
    assert calls.count(calls[0]) == 2


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_what_fit_raises_is_shown(tmp_path, engine):
    """The message shows the exception, its text and the user's own line."""

    def fit(seed):
        raise KeyError("the column 'pH'")

    with pytest.raises(TrainingError) as raised:
        run(fit, tmp_path, engine=engine, jobs=2, runs=2)
    assert "KeyError" in str(raised.value)
    assert "the column 'pH'" in str(raised.value)
    assert "test_fit.py" in str(raised.value)


def test_engines_agree(tmp_path):
    """Worker processes take closures, and give the same runs as this process."""
    depth = 2

    def fit(seed):
        return DecisionTreeClassifier(max_features=1, max_depth=depth, random_state=seed).fit(*TRAIN)

    alone = run(fit, tmp_path / "serial")
    together = run(fit, tmp_path / "processes", engine="processes", jobs=2)
    np.testing.assert_array_equal(alone.final(), together.final())
    lambdas = run(lambda seed: fit(seed), tmp_path / "lambda", engine="processes", jobs=2)
    np.testing.assert_array_equal(alone.final(), lambdas.final())


def test_fit_that_cannot_be_sent_to_workers(tmp_path):
    """A closure over something like a lock names the way out."""
    lock = threading.Lock()
    with pytest.raises(reseed.ReseedError, match="serial"):
        run(lambda seed: lock and tree(seed), tmp_path, engine="processes", jobs=2)


def test_study_of_own_training_is_measured(tmp_path):
    """The study of one's own training has the same results as any other."""
    found = reseed.inspect(run(tree, tmp_path, name="my trees"))
    page = found.write()
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["model"], summary["runs"]) == ("my trees", 3)
    assert "my trees" in page.read_text()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, "must return something with predict_proba or predict, or a function; got NoneType"),
        (lambda inputs: np.zeros(3, int), r"with 20 samples, got \(3,\)"),
        (lambda inputs: np.full((20, 3), np.nan), r"holds nan at position \(0, 0\)"),
        (lambda inputs: np.ones((20, 3)), r"sums to 3 at position \(0,\)"),
        (lambda inputs: np.tile([-0.5, 1, 0.5], (20, 1)), "a negative probability"),
        (lambda inputs: np.full((20, 2), 0.5), "2 columns for the 3 classes"),
        (lambda inputs: np.full(20, 9), "holds 9 at position .* none of the 3 classes"),
        (lambda inputs: np.full(20, -1), "holds -1 at position"),
        (lambda inputs: np.full(20, 0.5), "must be class names or integers, got 0.5"),
        (lambda inputs: [None] * 20, "must be class names or integers, got None"),
        (lambda inputs: ["dog"] * 20, "holds 'dog' at position"),
        (lambda inputs: [[0], [1, 2]], "lists of unequal length"),
        (Fixed(np.full(20, 0.5)), r"must give \[sample, class\], got shape \(20,\)"),
        (Fixed(np.full((20, 3), 1 / 3), classes=[0, 1]), "3 columns for 2 classes in classes_"),
        (Fixed(np.full((20, 2), 0.5), classes=["dog", "eel"]), "classes_ holds 'dog'"),
    ],
)
def test_unusable_answers_are_told_once(tmp_path, answer, expected):
    """What fit returns is checked, the message says what is wrong, and trying again is not tried."""
    calls = []

    def fit(seed):
        calls.append(seed)
        return answer

    with pytest.raises(TrainingError, match=expected):
        run(fit, tmp_path, retries=3)
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"runs": 1}, "runs must be 2 or more, got 1"),
        ({"seed": -1}, "seed must be a non-negative integer"),
        ({"engine": "warp"}, "unknown engine 'warp'"),
        ({"jobs": 0}, "jobs must be 1 or more"),
        ({"retries": -1}, "retries must be 0 or more, got -1"),
        ({"level": "all"}, "level must be 'labels', 'scores' or 'full'"),
        ({"train_data": TRAIN}, "train_data is only used with an unfitted estimator"),
        ({"eval_data": X}, r"eval_data must be a pair \(inputs, targets\), got ndarray"),
        ({"eval_data": (iter(X), Y)}, "must have a length"),
        ({"eval_data": (X[40:], Y)}, "targets has 60 entries for 20 samples"),
        ({"eval_data": (X[40:], None)}, "class_names are needed where no targets are given"),
        ({"eval_data": (X[40:], np.zeros(20, int))}, "two or more distinct names"),
        ({"eval_data": (X[40:], ["a", None] * 10)}, "must be class names or integers, got None"),
        ({"eval_data": (X[40:], np.full(20, np.nan))}, "must be class names or integers, got nan"),
        ({"sample_ids": ["a"] * 20}, "sample_ids are not unique: 'a'"),
        ({"sample_ids": ["a"]}, "sample_ids has 1 entries for 20 samples"),
        ({"sample_ids": [f"\ud800{row}" for row in range(20)]}, "cannot be written as UTF-8"),
        ({"texts": ["a"]}, "texts has 1 entries"),
        ({"class_names": ["a", "a", "b"]}, "two or more distinct names"),
        ({"class_names": ["a", "b"]}, "targets holds 2 at position"),
    ],
)
def test_unusable_arguments(tmp_path, options, expected):
    """Arguments are checked before anything is trained or written."""
    with pytest.raises(InputError, match=expected):
        run(lambda seed: pytest.fail("trained"), tmp_path / "study", **options)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("fit", "options", "expected"),
    [
        (3, {}, "fit must be a function of the seed or an unfitted estimator, got int"),
        (DecisionTreeClassifier(), {}, "pass train_data"),
        (GaussianNB(), {"train_data": TRAIN}, "has no random_state"),
        (DecisionTreeClassifier(), {"train_data": X}, "train_data must be a pair"),
    ],
)
def test_unusable_fit(tmp_path, fit, options, expected):
    """What cannot be fitted again and again is refused."""
    with pytest.raises(InputError, match=expected):
        run(fit, tmp_path, **options)


def test_dataset_brings_its_own_names(tmp_path):
    """Names given beside a Dataset are refused instead of ignored."""
    data = reseed.load(reseed.DataConfig("digits", limit=100)).evaluation
    with pytest.raises(InputError, match="class_names is given, but the data set 'digits' brings its own"):
        run(tree, tmp_path, eval_data=data, class_names=list("abcdefghij"))


def test_other_evaluation_data_is_refused(tmp_path):
    """A folder keeps to the data it began with."""
    run(tree, tmp_path)
    with pytest.raises(StudyError, match="already holds another study"):
        run(tree, tmp_path, eval_data=TRAIN)
    with pytest.raises(StudyError, match="base_seed: 0 there, 1 now"):
        run(tree, tmp_path, seed=1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (tree, lambda seed: DecisionTreeClassifier(max_depth=1, random_state=seed).fit(*TRAIN)),
        (DecisionTreeClassifier(max_depth=1), DecisionTreeClassifier(max_depth=2)),
        (DecisionTreeClassifier(), RandomForestClassifier(3)),
    ],
)
def test_a_study_is_not_continued_with_another_fit(tmp_path, one, other):
    """Other code, another estimator or other parameters in the same folder are refused; the same continue."""
    data = {"train_data": TRAIN} if hasattr(one, "get_params") else {}
    run(one, tmp_path, name="mine", runs=2, **data)
    with pytest.raises(StudyError, match=r"already holds another study \(recipe: "):
        run(other, tmp_path, name="mine", **data)
    assert len(run(one, tmp_path, name="mine", runs=3, **data).manifests) == 3


def test_fit_that_ends_the_program_is_a_failed_run(tmp_path):
    """SystemExit inside fit does not end the study."""

    def leaves(seed):
        raise SystemExit(0)

    with pytest.raises(TrainingError, match="SystemExit: 0"):
        run(leaves, tmp_path)


def _forest(threshold):
    from sklearn.datasets import make_classification
    from sklearn.model_selection import FixedThresholdClassifier

    x, y = make_classification(200, 10, weights=[0.9], flip_y=0.1, random_state=0)

    def fit(seed):
        forest = RandomForestClassifier(5, random_state=seed)
        return FixedThresholdClassifier(forest, threshold=threshold).fit(x[:100], y[:100])

    return fit, (x[100:], y[100:])


def test_labels_are_what_predict_answers(tmp_path):
    """A model with a threshold of its own is recorded by what it answers, with its probabilities beside it."""
    fit, data = _forest(0.2)
    study = reseed.run(fit, eval_data=data, runs=3, out=tmp_path, engine="serial", level="full")
    models = [fit(manifest.seeds["fit"]) for manifest in study.manifests]
    answers = np.stack([model.predict(data[0]) for model in models])
    np.testing.assert_array_equal(study.final(), answers)
    np.testing.assert_allclose(study.final("probabilities")[0], models[0].predict_proba(data[0]), rtol=1e-6)
    otherwise = (study.final("probabilities").argmax(-1) != answers).sum()
    assert sum(manifest.answered_otherwise for manifest in study.manifests) == otherwise > 0
    assert f"{otherwise} of 300 answers are not the most probable class" in " ".join(
        reseed.inspect(study).stability.notes
    )


def test_answers_and_classes_are_read_alike(tmp_path):
    """Where classes are called by numbers, answers that only fit the other reading are refused with the reading."""
    with pytest.raises(TrainingError, match=r"holds 1 at position \(3,\).*\(numbers are names of classes\)"):
        reseed.run(
            lambda seed: lambda inputs: [0, 2, 2, 1, 2, 0],
            eval_data=(np.zeros((6, 1)), [0, 2, 2, 3, 2, 0]),
            runs=2,
            out=tmp_path,
            engine="serial",
        )


def test_labels_of_a_dataset_are_positions(tmp_path):
    """A data set says its labels as positions, and so does a model that was trained on them."""
    data = Dataset("d", "test", torch.zeros(4, 1), torch.tensor([0, 1, 1, 0]), tuple("abcd"), ("1", "2"))
    study = reseed.run(
        lambda seed: lambda inputs: np.array([0, 1, 1, 1]), eval_data=data, runs=2, out=tmp_path, engine="serial"
    )
    assert study.manifests[0].accuracy == 0.75
    assert "positions: 0 is '1'" in study.header.notes[0]


@pytest.mark.parametrize("answer", [np.array([["a"], ["b"]]), np.array([[0], [1]])])
def test_columns_of_answers_are_labels(tmp_path, answer):
    """A column [sample, 1], as some libraries give it, is one answer for each sample."""
    study = reseed.run(
        lambda seed: lambda inputs: answer,
        eval_data=(np.zeros((2, 1)), ["a", "b"]),
        class_names=["a", "b"],
        runs=2,
        out=tmp_path,
        engine="serial",
    )
    assert study.final().tolist() == [[0, 1], [0, 1]]
