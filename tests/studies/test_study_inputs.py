"""What the networks of a study are asked, made of raw samples as it was for the training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from reseed import InputError, StudyError
from reseed.data import DataConfig
from reseed.models import ModelConfig
from reseed.studies import StudyInputs
from reseed.training import Recipe, RecordConfig

from .conftest import RECIPE

MODEL = ModelConfig("text-tfidf", hidden=(4,), vocabulary=40)


@pytest.fixture
def texts(tmp_path):
    """A recipe over forty short texts."""
    rows = [f"play song {i % 7} now,music" if i % 2 else f"rain today {i % 5},weather" for i in range(40)]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label", *rows]))
    return Recipe(data=DataConfig(str(tmp_path / "texts.csv")), model=MODEL, epochs=2, batch_size=8)


def test_changed_texts_become_inputs(train, texts):
    """TF-IDF is that of the training split: texts of the study have their inputs, and others those of their words."""
    study = train(recipe=texts)
    for split in ("evaluation", "train"):
        own = study.inputs(split)
        assert torch.equal(own.transform(own.raw), own.inputs)
        assert torch.equal(own.transform(list(own.raw[::-1])), own.inputs.flip(0))
        assert torch.equal(own.prepare(own.raw), own.inputs)
    assert not own.transform(["zebra crossing"]).any()
    mixed = own.transform(["zebra crossing", own.raw[3], "play"])
    assert torch.equal(mixed[1], own.inputs[3])
    assert mixed[2].any()
    assert not mixed[0].any()
    assert own.transform([]).shape == (0, own.inputs.shape[1])
    assert study.networks(announce=pytest.fail).predict(mixed).shape == (3, 3, 2)


def test_images_and_features_are_inputs_as_they_are(train):
    """Of numbers the raw samples are the inputs, and changed ones are taken as they come."""
    own = train(recipe=replace(RECIPE, epochs=1), runs=2).inputs()
    assert torch.equal(own.raw, own.inputs)
    changed = own.raw * 0.5
    assert own.transform(changed) is changed
    with pytest.raises(InputError, match=r"raw samples must be a tensor \[sample, 1, 8, 8\], got 'text'"):
        own.transform("text")
    with pytest.raises(InputError, match="raw samples must be floating-point"):
        own.transform(changed[:, :, :4])


def test_wrong_texts_are_refused(train, texts):
    """A single text and what is no text are told from several."""
    own = train(recipe=replace(texts, epochs=1), runs=2, record=RecordConfig("final")).inputs()
    for wrong in ("play", own.inputs, [["play"]]):
        with pytest.raises(InputError, match="raw samples must be texts, one for each sample"):
            own.transform(wrong)


def test_recorded_runs_have_no_raw_samples():
    """Whoever recorded runs made their inputs, and is asked to make those of changed samples."""
    own = StudyInputs(torch.rand(2, 3), np.zeros(2, np.int64), ("a", "b"), {"kind": "unknown"})
    assert own.raw is None
    with pytest.raises(
        StudyError, match="the study's runs were recorded, and how their inputs are made of raw samples"
    ):
        own.transform(torch.rand(2, 3))
