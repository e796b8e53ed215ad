"""A study of a text encoder whose features are computed once."""

import json
import shutil
from dataclasses import replace
from itertools import islice, product
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import reseed
from reseed._errors import InputError, RecipeError
from reseed.data import load
from reseed.mitigations import GradInit, MetaInit, Mixup
from reseed.studies import Study
from reseed.workflows._design import prepare_once
from reseed.workflows._tune import validation_data

pytestmark = pytest.mark.text
transformers = pytest.importorskip("transformers", reason="needs the extra `text`: pip install 'reseed[text]'")


@pytest.fixture
def recipe(texts):
    """A recipe over forty short texts with a tiny encoder that stays frozen, under a hidden layer."""
    return replace(texts, model=replace(texts.model, hidden=(4,), dropout=0.1))


@pytest.mark.parametrize("engine", ["serial", "processes", "stacked"])
def test_features_are_computed_once_for_all_runs(train, recipe, engine):
    """Features are announced once, of a split whose tokens are those of the other, and not again for more runs."""
    said = []
    study = train(recipe=recipe, runs=2, announce=said.append, engine=engine, jobs=2)
    assert len([line for line in said if line.startswith("computing")]) == 1
    study = train(recipe=recipe, runs=3, announce=said.append, engine=engine, jobs=2)
    assert len([line for line in said if line.startswith("computing")]) == 1
    assert len(study.manifests) == 3
    assert study.header.notes == ()
    fine_tuned = replace(recipe, model=replace(recipe.model, fine_tune=True, hidden=()))
    tuned = train("tuned", recipe=fine_tuned, runs=2, engine=engine, jobs=2)
    assert "start from shared pre-trained weights in every run" in tuned.header.notes[0]
    assert tuned.header.parameters["shared"] > tuned.header.parameters["redrawn"] > 0


def test_a_search_computes_features_once(texts, tmp_path):
    """The search's parts of the training set, the whole of it and a limited one ask the encoder for no text twice."""
    words = islice(product(("play", "rain"), repeat=6), 40)
    rows = [f"{' '.join(text)},{'music' if place % 2 else 'weather'}" for place, text in enumerate(words)]
    Path(texts.data.name).write_text("\n".join(["text,label", *rows]))
    said = []
    for data in (validation_data(texts.data), texts.data, replace(texts.data, limit=9)):
        prepare_once(replace(texts, data=data), tmp_path / "search", said.append)
    counts = [int(line.split("features of ")[1].split()[0]) for line in said]
    splits = load(texts.data)
    assert counts == [25, 7, 8]  # what is trained on in the search, what it looks at, and the evaluation split
    assert sum(counts) == len(splits.train.labels) + len(splits.evaluation.labels)


@pytest.mark.parametrize(("method", "does"), [(Mixup(0.5), "mixup blends"), (MetaInit(2), "metainit makes up")])
def test_token_ids_are_not_blended_or_made_up(train, recipe, tmp_path, method, does):
    """Under a fine-tuned encoder such methods are refused before anything is trained or written; on features not."""
    treated = replace(recipe, mitigations=(method,))
    fine_tuned = replace(treated, model=replace(recipe.model, fine_tune=True, hidden=()))
    with pytest.raises(RecipeError, match=f"mitigation {does} inputs, but model 'text-encoder' reads token ids"):
        train("tuned", recipe=fine_tuned, runs=2)
    assert not (tmp_path / "tuned" / "runs").exists()
    assert len(train("features", recipe=treated, runs=2).manifests) == 2


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_scales_are_learned_on_token_ids(train, recipe, optimizer):
    """GradInit sees texts as a fine-tuned encoder reads them; it scales the head, and not the encoder."""
    model = replace(recipe.model, fine_tune=True, hidden=())
    fine_tuned = replace(recipe, model=model, optimizer=replace(recipe.optimizer, name=optimizer, lr=1e-12), steps=1)
    plain, treated = (
        train(name, recipe=replace(fine_tuned, mitigations=methods), runs=2).networks(announce=pytest.fail)[0]
        for name, methods in (("plain", ()), ("treated", (GradInit(2, batch=4, bound=1e-6),)))
    )
    others = dict(treated.named_parameters())
    moved = {name for name, one in plain.named_parameters() if not torch.allclose(one, others[name], atol=1e-6)}
    assert moved
    assert all("head" in name for name in moved)


def test_fine_tuned_encoders_are_stacked(train, recipe):
    """A stacked study of a fine-tuned encoder is the serial one up to rounding, and resumes with its grouping."""
    fine_tuned = replace(recipe, model=replace(recipe.model, fine_tune=True, hidden=(), dropout=0.1))
    stacked = train("stacked", recipe=fine_tuned, runs=4, engine="stacked", group=2)
    serial = train("serial", recipe=fine_tuned, runs=4)
    assert stacked.header.groups == ((0, 2), (2, 4))
    assert [manifest.seeds for manifest in stacked.manifests] == [manifest.seeds for manifest in serial.manifests]
    before = stacked.final("confidence")
    np.testing.assert_allclose(before, serial.final("confidence"), atol=1e-4)
    (stacked.path / "runs/run-00002/manifest.json").unlink()
    again = train("stacked", recipe=fine_tuned, runs=4, engine="stacked")
    assert again.header.groups == stacked.header.groups
    np.testing.assert_array_equal(again.final("confidence"), before)


@pytest.mark.parametrize("engine", ["serial", "stacked"])
def test_networks_of_an_encoder_answer_as_recorded(train, recipe, tmp_path, engine):
    """A fine-tuned encoder's own weights are kept; of a frozen one only the head, which needs no encoder."""
    for fine_tune in (True, False):
        own = replace(recipe, model=replace(recipe.model, fine_tune=fine_tune))
        study = train(f"tuned {fine_tune}", recipe=own, runs=2, engine=engine)
        inputs, recorded = study.inputs().inputs, study.final()
        if not fine_tune:
            shutil.rmtree(tmp_path / "encoder")
        networks = study.networks(announce=pytest.fail)
        assert np.array_equal(networks.predict(inputs).argmax(-1).numpy(), recorded)
        (path,) = study.path.glob("runs/run-00000/weights-*/*.safetensors")
        assert any("encoder" in name for name in load_file(path)) == fine_tune


@pytest.mark.parametrize("fine_tune", [False, True])
def test_changed_texts_become_inputs_of_the_study(train, recipe, fine_tune):
    """Texts of the study have its inputs, bit for bit, beside texts that are others; token ids are known as such."""
    study = train(recipe=replace(recipe, epochs=1, model=replace(recipe.model, fine_tune=fine_tune)), runs=2)
    own = study.inputs()
    assert len(own.raw) == 8
    assert np.array_equal(own.transform(own.raw), own.inputs)
    changed = (own.raw[0], "play rain", *own.raw[2:])
    found = own.transform(changed)
    assert np.array_equal(found[[0, *range(2, 8)]], own.inputs[[0, *range(2, 8)]])
    assert np.array_equal(own.transform(["play rain"]), found[1:2])
    assert study.networks(announce=pytest.fail).predict(found).shape == (2, 8, 2)
    assert own.are_token_ids == fine_tune
    if fine_tune:
        with pytest.raises(InputError, match="inputs are token ids"):
            own.check_continuous()
    else:
        own.check_continuous()


def test_a_study_survives_without_its_encoder(train, recipe, tmp_path):
    """Opening and measuring a study needs neither encoder nor data."""
    study = train(recipe=recipe, runs=2)
    shutil.rmtree(tmp_path / "encoder")
    (tmp_path / "texts.csv").unlink()
    assert Study.open(study.path).final("labels").shape == (2, 8)


def test_a_fine_tuned_encoder_is_exported(train, recipe, tmp_path):
    """Encoder and head run without reseed and without transformers, on texts of any length."""
    fine_tuned = replace(recipe, model=replace(recipe.model, fine_tune=True, hidden=()), epochs=1)
    study = train(recipe=fine_tuned, runs=2, engine="serial")
    reseed.export(study, tmp_path / "m.onnx", run=1, announce=lambda line: None)
    card = json.loads((tmp_path / "m.onnx.json").read_text())
    assert card["input"] == {"name": "inputs", "shape": ["sample", 8], "dtype": "int64"}
    assert card["check"]["samples"] == len(study.inputs().ids) == 8
    assert card["preprocessing"]["kind"] == "token ids"
