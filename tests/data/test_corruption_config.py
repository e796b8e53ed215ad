"""Corruption as a part of the data: what configurations refuse, what splits then hold, and labels of annotators."""

import re

import numpy as np
import pyarrow as pa
import pytest
import torch
from pyarrow import parquet

from reseed._errors import DataError
from reseed.data import CORRUPTIONS, CorruptionConfig, DataConfig, load, parse_corruption

CLEAN = load(DataConfig("digits"))
OF_INPUTS = ("shuffled-pixels", "random-pixels", "gaussian", "structured")


def corrupted(text, **options):
    """Digits with a corruption."""
    return load(DataConfig("digits", corruption=parse_corruption(text), **options))


REFUSED = [
    ("label:rate=0.1", "unknown corruption 'label'. Did you mean 'labels'? Known: labels, pair, shuffled-pixels"),
    ("labels", "corruption 'labels' does not say how many labels; write labels:rate=0.1 for one in ten"),
    ("labels:rate=1.5", "corruption.rate is 1.5; give a share of the samples from 0 to 1"),
    ("labels:rate=nan", "corruption.rate is nan"),
    ("labels:rate=half", "corruption 'labels:rate=half': rate must be a share of the samples from 0 to 1, got 'half'"),
    ("labels:0.1", "corruption 'labels:0.1': write options as OPTION=VALUE, got '0.1'"),
    ("labels:share=0.1", "has no option 'share'. There are evaluation, exact, mode, rate, seed, statistics"),
    ("labels:rate=0.1:mode=flip", "corruption.mode is 'flip'; choose one of other, any, permute"),
    ("pair:rate=0.1:mode=any", "corruption.mode is for labels, and the corruption is pair; leave it out"),
    ("labels:rate=0.1:statistics=global", "corruption.statistics is for gaussian, and the corruption is labels"),
    ("gaussian:statistics=row", "corruption.statistics is 'row'; choose one of channel, global, sample"),
    ("labels:rate=0.1:evaluation=true", "labels, and those of the evaluation split are never touched; leave it out"),
    ("gaussian:exact=maybe", "exact must be true or false, got 'maybe'"),
    ("gaussian:seed=x", "seed must be a whole number, got 'x'"),
    ("gaussian:seed=-1", "corruption.seed is -1; give a whole number from 0 to 4294967295"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_texts_that_are_refused(text, message):
    """The message names what is wrong, shows it and says what to write."""
    with pytest.raises(DataError, match=re.escape(message)):
        parse_corruption(text)


def test_texts_name_configurations():
    """Every option can be said, and a rate is a float however it is given."""
    assert parse_corruption("gaussian:statistics=sample:evaluation=no:exact=true:rate=1:seed=3") == CorruptionConfig(
        "gaussian", rate=1.0, statistics="sample", evaluation=False, exact=True, seed=3
    )
    assert isinstance(CorruptionConfig("gaussian", rate=1).rate, float)


@pytest.mark.parametrize("text", ["labels:rate=0.2", "labels:rate=0.3:mode=permute", "pair:rate=0.2:exact=true"])
def test_labels_of_the_training_split_are_corrupted(text):
    """Inputs, ids and the evaluation split are as they were; what is true is known, and a note says what was done."""
    found = corrupted(text)
    told = found.corruption
    assert torch.equal(found.train.inputs, CLEAN.train.inputs)
    assert torch.equal(found.evaluation.labels, CLEAN.evaluation.labels)
    assert told.sample_ids == found.train.sample_ids == CLEAN.train.sample_ids
    assert np.array_equal(told.true_labels, CLEAN.train.labels)
    assert np.array_equal(told.given_labels, found.train.labels)
    assert np.array_equal(told.changed, told.true_labels != told.given_labels)
    assert told.statistics["changed"] == told.changed.sum() > 200
    assert len(told) == 1437
    assert f"{told.changed.sum()} are not the true ones" in found.notes[-1]
    assert found.train.digest != CLEAN.train.digest
    assert np.array_equal(corrupted(text).corruption.given_labels, told.given_labels)


@pytest.mark.parametrize("kind", OF_INPUTS)
@pytest.mark.parametrize("rate", [0.3, 1.0])
def test_inputs_are_corrupted(kind, rate):
    """Labels stay; evaluation inputs are treated likewise where all training inputs are, or where that is asked for."""
    found = corrupted(f"{kind}:rate={rate}")
    assert found.train.digest == CLEAN.train.digest
    differ = (found.train.inputs != CLEAN.train.inputs).flatten(1).any(1).numpy()
    assert np.array_equal(differ, found.corruption.changed)
    assert found.corruption.selected.mean() == pytest.approx(rate, abs=0.05)
    same = torch.equal(found.evaluation.inputs, CLEAN.evaluation.inputs)
    assert same == (rate < 1)
    assert found.corruption.statistics["evaluation"] == (not same)
    other = corrupted(f"{kind}:rate={rate}:evaluation={'true' if same else 'false'}")
    assert torch.equal(other.evaluation.inputs, CLEAN.evaluation.inputs) != same
    assert torch.equal(other.train.inputs, found.train.inputs)
    assert "training inputs were corrupted on purpose" in found.notes[-1]


def test_both_splits_are_shuffled_alike_and_get_noise_of_their_own():
    """One order for both; fresh orders and fresh noise, of the training split's moments, for evaluation."""
    found = corrupted("shuffled-pixels")
    splits = (found.train, found.evaluation), (CLEAN.train, CLEAN.evaluation)
    new, old = (torch.cat([part.inputs for part in parts]).reshape(-1, 64).T.tolist() for parts in splits)
    assert sorted(new) == sorted(old)
    noise = corrupted("gaussian")
    assert not torch.equal(noise.train.inputs[:360], noise.evaluation.inputs)
    assert noise.train.inputs.min() == 0
    assert noise.train.inputs.max() == 1
    assert noise.corruption.statistics["clipped"] > 0.1
    assert "of the values of the noise were clipped to lie in [0, 1]" in noise.notes[-1]


def test_a_sample_fares_alike_in_a_smaller_training_set():
    """What happens to it follows from its id, not from what else is trained on."""
    for text in ("labels:rate=0.4", "random-pixels:rate=0.4"):
        whole, part = corrupted(text), corrupted(text, limit=200)
        places = [whole.train.sample_ids.index(name) for name in part.train.sample_ids]
        assert np.array_equal(whole.corruption.selected[places], part.corruption.selected)
        assert torch.equal(whole.train.labels[places], part.train.labels)
        assert torch.equal(whole.train.inputs[places], part.train.inputs)


def test_held_out_samples_keep_their_labels():
    """Corruption comes after holding out."""
    clean, found = load(DataConfig("digits", holdout=0.2)), corrupted("labels:rate=0.5", holdout=0.2)
    assert torch.equal(found.evaluation.labels, clean.evaluation.labels)
    assert found.corruption.sample_ids == clean.train.sample_ids


def test_texts_have_labels_alone(write):
    """Labels of texts can be corrupted, texts themselves cannot."""
    rows = [f"text {i},{'ab'[i % 2]}" for i in range(40)]
    name = write("texts.csv", "\n".join(["text,label", *rows]))
    assert load(DataConfig(name, corruption=CorruptionConfig("pair", 0.5))).corruption.changed.any()
    for kind in OF_INPUTS:
        with pytest.raises(DataError, match=f"corruption {kind} is for numbers and images, and .* holds texts"):
            load(DataConfig(name, corruption=CorruptionConfig(kind)))


def test_numbers_are_not_turned_and_no_class_is_lost(write):
    """Features are no images; and labels that all become others leave a class that is evaluated without samples."""
    rows = [f"{i},{i % 5},{'ab'[i % 2]}" for i in range(40)]
    name = write("numbers.csv", "\n".join(["x,y,label", *rows]))
    with pytest.raises(DataError, match=r"structured turns square images by 90 degrees, and samples of .* shape \[2\]"):
        load(DataConfig(name, corruption=CorruptionConfig("structured")))
    noise = load(DataConfig(name, corruption=CorruptionConfig("gaussian")))
    assert len(noise.corruption.statistics["mean"]) == 2
    assert "clipped" not in noise.corruption.statistics
    few = write("few.csv", "\n".join(["x,label", *(f"{i},{'abcd'[i % 4]}" for i in range(16))]))
    message = r"corruption labels at rate 1 leaves no training sample of class '[a-d]' of .*; choose a lower rate"
    with pytest.raises(DataError, match=message):
        [
            load(DataConfig(few, eval_fraction=0.5, corruption=CorruptionConfig("labels", 1.0, mode="any", seed=seed)))
            for seed in range(20)
        ]


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    """A folder with forty images of cifar10 and annotations, some of them wrong; the labels by array."""
    from io import BytesIO

    from PIL import Image

    (tmp_path / "cifar10").mkdir()
    picture = BytesIO()
    Image.new("RGB", (32, 32)).save(picture, "PNG")
    labels = np.arange(40) % 10
    for split in ("train", "test"):
        table = pa.table({"image": [picture.getvalue()] * 40, "label": pa.array(labels, pa.int8())})
        parquet.write_table(table, tmp_path / f"cifar10/{split}.parquet")
    arrays = {"clean_label": labels.astype(np.int8)}
    for name in ("worse_label", "aggre_label", "random_label1", "random_label2", "random_label3"):
        arrays[name] = np.where(np.arange(40) % 4 == 3, (labels + 1) % 10, labels).astype(np.int8)
    np.savez(tmp_path / "cifar10/cifar10n_labels.npz", **arrays)
    monkeypatch.setenv("RESEED_DATA", str(tmp_path))
    return arrays, tmp_path / "cifar10/cifar10n_labels.npz"


@pytest.mark.parametrize("name", ["worse", "aggre", "random1", "random2", "random3"])
def test_annotations_are_learned(cifar, name):
    """Each training image gets the label that people gave it, in a part of the images as well."""
    found = load(DataConfig("cifar10", labels=name, limit=30))
    places = [int(row.removeprefix("train-")) for row in found.train.sample_ids]
    assert found.train.labels.tolist() == cifar[0]["worse_label"][places].tolist()
    assert found.corruption.true_labels.tolist() == cifar[0]["clean_label"][places].tolist()
    assert found.corruption.kind == f"annotations-{name}"
    assert found.corruption.rate is None
    assert found.evaluation.labels.tolist() == cifar[0]["clean_label"].tolist()
    assert f"are the annotations {name!r} of CIFAR-10N" in found.notes[-1]


def test_annotations_that_cannot_be_used(cifar, monkeypatch):
    """Without the file, with a damaged one, and with one whose true labels are others."""
    arrays, path = cifar
    config = DataConfig("cifar10", labels="worse")
    for changes, message in [
        ({"clean_label": arrays["clean_label"][::-1]}, "images of cifar10 are not in the original order here"),
        ({"worse_label": arrays["worse_label"][:5]}, "worse_label has 5 labels, clean_label has 40"),
        ({"worse_label": arrays["worse_label"] + 1}, "its array 'worse_label' holds 1 to 10, and not 0 to 9"),
        ({"worse_label": arrays["worse_label"] / 2}, "its array 'worse_label' is float64 of shape (40,)"),
        ({name: values[:9] for name, values in arrays.items()}, "has 9 labels, and none of sample 'train-39'"),
    ]:
        np.savez(path, **(arrays | changes))
        with pytest.raises(DataError, match=re.escape(message)):
            load(config)
    np.savez(path, clean_label=arrays["clean_label"])
    with pytest.raises(DataError, match="it has no array 'worse_label'"):
        load(config)
    path.write_bytes(b"PK\3\4 nothing")
    with pytest.raises(DataError, match=r"the annotations of cifar10 in .* cannot be used"):
        load(config)
    path.unlink()
    with pytest.raises(DataError, match=r"and 'cifar10/cifar10n_labels.npz' is not in it; let it name a folder with"):
        load(config)
    monkeypatch.delenv("RESEED_DATA")
    with pytest.raises(DataError, match=r"which are not on the hub with cifar10, but RESEED_DATA is not set; let it"):
        load(config)


def test_annotations_that_are_refused():
    """Of another data set, unknown, or together with a corruption."""
    with pytest.raises(DataError, match="labels is 'best'; choose one of worse, aggre, random1, random2, random3"):
        DataConfig("cifar10", labels="best")
    with pytest.raises(DataError, match="labels='worse' are annotations of cifar10, and the data is 'digits'"):
        DataConfig("digits", labels="worse")
    with pytest.raises(DataError, match=r"labels='worse' and a corruption \(pair\) are both given; choose one"):
        DataConfig("cifar10", labels="worse", corruption=CorruptionConfig("pair"))


def test_real_annotations_belong_to_the_real_images(real_data):
    """Their true labels are ours, and about two in five of the worst ones are wrong."""
    found = load(DataConfig("cifar10", labels="worse", limit=2000)).corruption
    assert 0.35 < found.changed.mean() < 0.45
    assert "gaussian" in CORRUPTIONS
