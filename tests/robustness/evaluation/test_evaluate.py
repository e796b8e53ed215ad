"""The lens as users meet it: one call on a study or on networks, kept, joined and shown."""

import json
import re

import numpy as np
import pytest
import torch

import reseed
from reseed import InputError, StudyError
from reseed.robustness import evaluate
from reseed.robustness.evaluation import _evaluate
from reseed.scores import kept_scores
from reseed.studies import Study

QUIET = {"announce": lambda line: None}
COLUMNS = {
    "boundary_distance",
    "linear_boundary_distance",
    "noise_distance",
    "attack_steps",
    "attacked_margin",
    "noise_flip_rate",
    "noise_insensitivity",
    "corruption_flip_rate",
    "neuron_sensitivity",
    "outside_training_range",
}


@pytest.fixture(scope="module")
def evaluated(trained, tmp_path_factory):
    """A study of images, and what a quick look at 40 of its samples said."""
    import shutil

    folder = tmp_path_factory.mktemp("evaluated") / "study"
    shutil.copytree(trained("images").path, folder)
    study = Study.open(folder)
    return study, evaluate(study, effort="quick", samples=40, **QUIET)


def test_columns_are_of_the_samples_that_were_asked(evaluated):
    """Every column has values for those alone, of every run, in its range."""
    study, found = evaluated
    assert set(found.by_run) == COLUMNS
    for name, values in found.by_run.items():
        array = np.asarray(values[:])
        assert array.shape == (3, len(study.samples))
        asked = ~np.isnan(array[0])
        assert asked.sum() == 40, name
        assert (np.isnan(array) == ~asked).all(), name
    for name in ("noise_flip_rate", "corruption_flip_rate", "outside_training_range"):
        values = np.asarray(found.by_run[name][:])
        assert np.nanmin(values) >= 0
        assert np.nanmax(values) <= 1
    assert any("40 of 360 samples" in note for note in found.notes)


def test_every_mean_has_its_interval(evaluated):
    """The issue of a summary is its intervals; accuracies fall from clean to worst case."""
    _, found = evaluated
    summary = found.summary
    for name in ("accuracy_clean", "accuracy_worst_case", "corruption_error"):
        low, high = summary[f"{name}_ci95"]
        assert low <= summary[name] <= high
    low, high = summary["boundary_distance_ci95"]
    assert low < summary["boundary_distance_mean"] < high
    assert summary["accuracy_worst_case"] <= summary["accuracy_white_box"] <= summary["accuracy_clean"]
    assert summary["pair_churn_mean"] == pytest.approx(
        2 * summary["pair_rectified_mean"] + summary["pair_wrong_changes_mean"]
    )
    assert set(found.groups) >= {"Task", "Adversaries", "Corruptions", "Boundary", "Neurons", "Pairs of runs"}


def test_distances_and_the_worst_case_agree(evaluated):
    """No answer counts as safe at a budget at which a nearer other answer is known, but for what attacks miss."""
    study, found = evaluated
    right = np.asarray(study.final() == study.targets, float)
    distance = np.asarray(found.by_run["boundary_distance"][:])
    left = np.where(np.isnan(distance), np.nan, right * (distance > found.summary["epsilon"]))
    assert np.nanmean(left) == pytest.approx(found.summary["accuracy_worst_case"], abs=0.05)


def test_it_is_kept_and_not_made_again(evaluated, monkeypatch):
    """The same question is answered from what is kept; another one is asked anew."""
    study, found = evaluated
    assert kept_scores(study, "robustness").summary == dict(found.summary)
    assert not list((study.path / "cache").glob("robustness-*"))

    def fail(*_):
        raise AssertionError("made again")

    monkeypatch.setattr(_evaluate, "_evaluated", fail)
    again = evaluate(study.path, effort="quick", samples=40, **QUIET)
    assert again.summary == found.summary
    with pytest.raises(AssertionError, match="made again"):
        evaluate(study, effort="quick", samples=41, **QUIET)


def test_it_is_in_profile_export_page_and_foretelling(evaluated, tmp_path):
    """By the contract alone: nothing else knows of the lens."""
    study, _ = evaluated
    table = reseed.profile(study)
    assert set(table.column_names) >= COLUMNS
    assert table.field("boundary_distance").metadata[b"direction"] == b"lower_is_worse"
    written = reseed.export(study, tmp_path / "profile.csv")
    assert "corruption_flip_rate" in written.read_text().splitlines()[0]
    rows = {row.name for row in reseed.foretell(study).rows}
    assert rows >= COLUMNS - {"outside_training_range"}
    page = reseed.inspect(study).write().read_text()
    section = re.search(r'<section id="scores-robustness".*?</section>', page, re.DOTALL)[0]
    for words in ("Accuracy against the budget", "Wrong answers by corruption", "Clean and attacked", "Pairs of runs"):
        assert words in section


def test_what_was_interrupted_goes_on(study, monkeypatch):
    """Ctrl-C keeps the parts that are done; the same call makes the rest, and says the same."""
    images = study("images")
    whole = evaluate(images, effort="quick", samples=10, seed=1, **QUIET).summary
    made, broken = [], {"noise": True}
    original = _evaluate._parts

    def parts(subject, protocol):
        def watched(name, maker):
            def make(*arguments):
                if broken.get(name):
                    raise KeyboardInterrupt
                made.append(name)
                return maker(*arguments)

            return make

        return {name: watched(name, maker) for name, maker in original(subject, protocol).items()}

    monkeypatch.setattr(_evaluate, "_parts", parts)
    (images.path / "scores" / "robustness" / "evaluation.json").unlink()
    with pytest.raises(KeyboardInterrupt):
        evaluate(images, effort="quick", samples=10, seed=1, **QUIET)
    assert made == ["attacks", "boundary"]
    broken.clear()
    (damaged,) = (images.path / "cache").glob("robustness-*/boundary.npz")
    damaged.write_bytes(b"nothing")
    again = evaluate(images, effort="quick", samples=10, seed=1, **QUIET).summary
    assert made == ["attacks", "boundary", "boundary", "noise", "corruptions", "neurons", "pairs"]
    assert again == whole


def test_linear_networks_have_their_exact_values(linear):
    """Of networks whose boundary is a plane everything is known: distances, and accuracy at a budget."""
    networks, inputs, modules = linear
    targets = networks.predict(inputs).argmax(-1)[0]
    found = evaluate(networks, inputs, targets, epsilon=0.2, effort="quick", bounds=None, **QUIET)
    flat = inputs.flatten(1)
    exact = []
    for module in modules:
        normal, offset = module.weight[0] - module.weight[1], module.bias[0] - module.bias[1]
        exact.append(((flat @ normal + offset).abs() / normal.abs().sum()).detach().numpy())
    exact = np.stack(exact)
    np.testing.assert_allclose(found.by_run["linear_boundary_distance"], exact, rtol=1e-9)
    np.testing.assert_allclose(found.by_run["boundary_distance"], exact, rtol=0.01)
    right = (networks.predict(inputs).argmax(-1) == targets).numpy()
    assert found.summary["accuracy_worst_case"] == pytest.approx((right & (exact > 0.2)).mean(), abs=1 / right.size)
    steps = np.floor(exact / 0.02) + 1
    assert (np.asarray(found.by_run["attack_steps"]) == np.minimum(steps, 101)).mean() > 0.99


def test_texts_are_changed_as_strings(study):
    """A study of texts has errors in writing, and its page shows the texts with what was changed."""
    texts = study("texts")
    found = evaluate(texts, effort="quick", **QUIET)
    flips = np.asarray(found.by_run["corruption_flip_rate"][:])
    assert np.isfinite(flips).all()
    assert found.summary["norm"] == "2"
    kinds = [chart.kind for chart in found.charts]
    assert "images" not in kinds
    assert ("texts" in kinds) == bool(flips.any())
    assert found.charts[2].rows[0].replace(" ", "_") in reseed.perturbations.TEXT_CORRUPTIONS


def test_features_are_changed_in_their_own_units(study):
    """A feature a thousand times as large counts the same, and one that never differs is not changed."""
    features = study("features")
    found = evaluate(features, effort="quick", **QUIET)
    assert any("standard deviation" in note for note in found.notes)
    assert any("1 features never differ" in note for note in found.notes)
    assert 0 < found.summary["boundary_distance_mean"] < 10
    with pytest.raises(InputError, match="bounds cannot be given for features"):
        evaluate(features, effort="quick", bounds=(0.0, 1.0), **QUIET)


def test_images_that_were_normalised_are_told():
    """Budgets are in the units that there are, and nothing is corrupted that is no image."""
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3)).eval()
    inputs = torch.randn(20, 1, 8, 8)
    found = evaluate(network, inputs, torch.zeros(20, dtype=torch.int64), effort="quick", **QUIET)
    assert any("normalised outside the network" in note for note in found.notes)
    assert "corruption_flip_rate" not in found.by_run
    assert "accuracy_clean_ci95_samples" in found.summary


def test_token_ids_are_not_attacked():
    """Networks that read token ids have no distances; a budget for them is refused."""
    network = torch.nn.Sequential(torch.nn.EmbeddingBag(30, 8), torch.nn.Linear(8, 3)).eval()
    ids = torch.randint(30, (12, 5))
    targets = torch.randint(3, (12,))
    with pytest.raises(InputError, match="these networks read token ids; leave them out"):
        evaluate([network, network], ids, targets, epsilon=0.1, effort="quick", **QUIET)
    found = evaluate([network, network], ids, targets, effort="quick", **QUIET)
    assert "pair_churn_mean" in found.summary
    assert not found.by_run
    assert any("token ids" in note for note in found.notes)


def test_labels_need_not_be_known(linear):
    """Where no label is known there are no accuracies, and distances all the same."""
    networks, inputs, _ = linear
    found = evaluate(networks, inputs[:20], np.full(20, -1), epsilon=0.2, effort="quick", bounds=None, **QUIET)
    assert found.summary["accuracy_clean"] is None
    assert np.isfinite(np.asarray(found.by_run["boundary_distance"])).all()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"effort": "much"}, "effort must be one of 'quick', 'standard', 'thorough', got 'much'"),
        ({"samples": 0}, "samples must be a whole number of 1 or more, got 0"),
        ({"seed": -1}, "seed must be a whole number of 0 or more, got -1"),
        ({"epsilon": 0.0}, "epsilon must be above 0 and finite, got 0.0"),
        ({"inputs": None}, "inputs and targets are missing"),
        ({"targets": [0, 1]}, "pass a whole number for each"),
    ],
)
def test_what_cannot_be_asked_is_told(linear, asked, message):
    """Before anything long begins."""
    networks, inputs, _ = linear
    parts = {"inputs": inputs, "targets": torch.zeros(200, dtype=torch.int64), "effort": "quick"} | asked
    given, targets = parts.pop("inputs"), parts.pop("targets")
    with pytest.raises(InputError, match=re.escape(message)):
        evaluate(networks, given, targets, **parts, **QUIET)


def test_predictions_alone_have_no_networks(tmp_path):
    """A study of predictions says that its networks are not known."""
    study = Study.from_predictions([[0, 1, 1], [0, 1, 0]], tmp_path / "study")
    with pytest.raises(StudyError, match="not trained by reseed"):
        evaluate(study, **QUIET)
    with pytest.raises(InputError, match="a study knows its own"):
        evaluate(study, np.zeros((3, 2)), np.zeros(3, int), **QUIET)


def test_networks_are_trained_again_where_no_weights_are_kept(study):
    """And it is said how long that takes, before it begins."""
    images, said = study("images"), []
    for kept in images.path.glob("runs/*/weights-*"):
        for file in kept.iterdir():
            file.unlink()
        kept.rmdir()
    for manifest in images.path.glob("runs/*/manifest.json"):
        tree = json.loads(manifest.read_text())
        tree["weights"] = {}
        manifest.write_text(json.dumps(tree))
    evaluate(Study.open(images.path), effort="quick", samples=5, announce=said.append)
    assert any("training 3 runs again" in line for line in said)
