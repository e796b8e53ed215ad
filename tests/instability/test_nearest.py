"""Samples that are most like a sample, against brute force."""

from dataclasses import replace

import numpy as np

from reseed import Study
from reseed.instability import nearest_samples


def _study(folder, samples, **held):
    return Study.from_predictions(np.zeros((2, samples), int), folder, class_names=("a", "b"), **held)


def test_texts_are_near_by_their_words(tmp_path):
    """A text that shares words is nearest; one that shares none is nobody's neighbour."""
    texts = ["play loud music", "play music", "set an alarm", "set the alarm now", "unheard"]
    found = nearest_samples(_study(tmp_path / "s", 5, texts=texts), [0, 2, 4])
    assert found[0] == (1,)
    assert found[2] == (3,)
    assert found[4] == ()


def test_numbers_are_near_by_scaled_distance(tmp_path):
    """Neighbours are those of the Euclidean distance of columns over their standard deviations, nearest first."""
    features = np.random.default_rng(0).normal(size=(30, 3)) * [1, 100, 0.01]
    study = _study(tmp_path / "s", 30)
    study = replace(study, samples=replace(study.samples, features=features))
    scaled = features / features.std(0)
    found = nearest_samples(study, range(30), count=4)
    for sample, near in found.items():
        away = np.sqrt(((scaled - scaled[sample]) ** 2).sum(1))
        away[sample] = np.inf
        assert near == tuple(np.argsort(away, kind="stable")[:4].tolist())


def test_samples_of_nothing_have_no_neighbours(tmp_path):
    """Where the study holds neither texts nor images nor numbers, or nobody is asked for, nothing is returned."""
    study = _study(tmp_path / "s", 4)
    assert nearest_samples(study, [0]) == {}
    assert nearest_samples(_study(tmp_path / "t", 4, texts=["a b"] * 4), []) == {}
