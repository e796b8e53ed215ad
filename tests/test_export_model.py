"""Trained networks as files that run where there is no reseed."""

import csv
import json
import math
import re
import subprocess
import sys
import zipfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import reseed
from reseed import InputError, MissingExtraError, ModelError, RecordConfig, StorageError, StudyError
from reseed.models import ModelConfig
from reseed.studies import Study, train_study
from reseed.training import Recipe

KINDS = (".safetensors", ".pt2", ".onnx")
RECORD = RecordConfig(level="scores")

WITHOUT = "import sys\nsys.modules['reseed'] = None\n"
ONNX = """
import json, numpy as np, onnxruntime
inputs = np.load(sys.argv[1])
for name in sys.argv[2:]:
    session = onnxruntime.InferenceSession(name)
    (given,), (made,) = session.get_inputs(), session.get_outputs()
    card = json.load(open(name + ".json"))
    assert (given.name, given.shape) == (card["input"]["name"], card["input"]["shape"]), (given.name, given.shape)
    assert (made.name, made.shape) == (card["output"]["name"], card["output"]["shape"]), (made.name, made.shape)
    parts = [session.run(["logits"], {"inputs": part})[0] for part in (inputs[:1], inputs[1:])]
    np.save(name + ".npy", np.concatenate(parts))
"""
PROGRAM = """
import numpy as np, torch
inputs = torch.from_numpy(np.load(sys.argv[1]))
for name in sys.argv[2:]:
    module = torch.export.load(name).module()
    np.save(name + ".npy", torch.cat([module(inputs[:1]), module(inputs[1:])]).numpy())
"""
# Modules are built as the card says, by torch's own names; a block is what its line in the card says.
TENSORS = """
import json, numpy as np, torch
from torch import nn
from safetensors.torch import load_file

class Block(nn.Module):
    def forward(self, x):
        return (self.body(x) + self.skip(x)).relu()

def built(modules):
    made = {}
    for name, told in modules.items():
        if told.startswith("torch."):
            made[name] = nn.Sequential()
        elif told.endswith("ResidualBlock: Return relu(body(x) + skip(x))."):
            made[name] = Block()
        else:
            made[name] = eval("nn." + told)
        if name:
            parent, _, own = name.rpartition(".")
            made[parent].add_module(own, made[name])
    return made[""].eval()

inputs = torch.from_numpy(np.load(sys.argv[1]))
for name in sys.argv[2:]:
    card, tensors = json.load(open(name + ".json")), load_file(name)
    prefixes = card["tensors"].partition("one of: ")[2].split() or [""]
    answers = []
    for prefix in prefixes:
        network = built(card["modules"])
        own = {key.removeprefix(prefix): tensors.pop(key) for key in [*tensors] if key.startswith(prefix)}
        network.load_state_dict(own)
        answers.append(network(inputs).detach())
    assert not tensors
    if len(answers) > 1:
        answers = [torch.stack(answers).softmax(-1).mean(0).log()]
    np.save(name + ".npy", answers[0].numpy())
"""
PROGRAMS = dict(zip(KINDS, (TENSORS, PROGRAM, ONNX), strict=True))


def measured(root, data, model=None, runs=2, mitigations=(), **changes):
    """Make a small study."""
    recipe = reseed.recipe_for(data, model, changes={"epochs": 1, **changes}, mitigations=mitigations)
    return reseed.measure(recipe=recipe, runs=runs, out=root, record=RECORD, probe=False, engine="serial").study


def exported(study, path, **options):
    """Export without a line on standard error."""
    return reseed.export(study, path, announce=lambda line: None, **options)


def card_of(path):
    """Read the card of a model file."""
    return json.loads(path.with_name(f"{path.name}.json").read_text(), parse_constant=pytest.fail)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three short trainings of an MLP on digits."""
    return measured(tmp_path_factory.mktemp("mlp") / "study", "digits", runs=3)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Two short trainings of a residual network with batch norm."""
    root = tmp_path_factory.mktemp("resnet") / "study"
    return measured(root, "digits", "resnet", **{"model.width": 4, "data.limit": 200})


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Two runs of two networks each, which answer with their mean."""
    root = tmp_path_factory.mktemp("pairs") / "study"
    return measured(root, "digits", mitigations="prediction-ensemble:members=2", **{"data.limit": 200})


@pytest.fixture(scope="module")
def files(study, images, pairs, tmp_path_factory):
    """Model files of several studies and choices, each with the logits that it must give, on 40 samples."""
    folder = tmp_path_factory.mktemp("files")
    cases = {
        "one": (study, 1, KINDS),
        "all": (study, "ensemble", (".safetensors", ".pt2")),
        "resnet": (images, 0, (".safetensors", ".onnx")),
        "pair": (pairs, 1, (".safetensors",)),
        "pairs": (pairs, "ensemble", (".safetensors",)),
    }
    made = {}
    for name, (own, run, kinds) in cases.items():
        inputs = own.inputs().inputs[:40]
        logits = own.networks(announce=lambda line: None).predict(inputs).double()
        expected = logits.softmax(-1).mean(0).log() if run == "ensemble" else logits[run]
        for kind in kinds:
            made[exported(own, folder / f"{name}{kind}", run=run)] = expected.numpy()
    np.save(folder / "inputs.npy", inputs.numpy())
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_files_answer_where_there_is_no_reseed(files, kind):
    """A fresh process that cannot import reseed gets the networks' logits, of one sample and of many."""
    own = [path for path in files if path.suffix == kind]
    assert len(own) >= 2
    inputs = own[0].with_name("inputs.npy")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT + PROGRAMS[kind], inputs, *own], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for path in own:
        found = np.load(f"{path}.npy")
        assert found.shape == (40, 10)
        np.testing.assert_allclose(found, files[path], rtol=1e-4, atol=1e-4, err_msg=path.name)


def test_an_mlp_is_a_sequential_of_layers(study, tmp_path):
    """The tensors of an MLP go into layers that anybody writes down; raw pixels are what the card says."""
    from safetensors import safe_open
    from safetensors.torch import load_file

    path = exported(study, tmp_path / "m.safetensors", run=2)
    nn = torch.nn
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    network.load_state_dict(load_file(path))
    card, evaluation = card_of(path), study.inputs()
    assert card["preprocessing"]["kind"] == "images"
    assert card["preprocessing"]["steps"][1] == "Divide its values by 16, so that they are in [0, 1]."
    raw = load_digits().images[np.array(evaluation.ids, int)]
    inputs = torch.from_numpy(raw / card["preprocessing"]["divide_by"]).float()[:, None]
    answers = network(inputs).argmax(-1).numpy()
    assert np.array_equal(answers, study.final()[2])
    assert card["accuracy"] == pytest.approx((answers == study.targets).mean())
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    assert metadata["recipe"] == study.header.recipe == card["recipe"]
    assert json.loads(metadata["runs"]) == card["runs"] == [2]
    assert json.loads(metadata["class_names"]) == card["class_names"] == list("0123456789")


def test_a_card_says_all_that_is_needed(files, study, images, pairs):
    """What goes in, what comes out, from which runs, and how well what was written was checked."""
    cards = {path.name: card_of(path) for path in files}
    one, together = cards["one.onnx"], cards["all.pt2"]
    assert one["input"] == {"name": "inputs", "shape": ["sample", 1, 8, 8], "dtype": "float32"}
    assert one["output"]["shape"] == ["sample", 10]
    assert one["output"]["meaning"].startswith("logits: their softmax")
    assert one["chosen_by"], one["runs"] == ("number", [1])
    assert one["check"]["samples"] == 17
    assert one["check"]["with"].startswith("onnxruntime")
    assert one["check"]["largest_difference_of_logits"] < 1e-4
    assert one["dataset"], one["model"] == ("digits", "mlp")
    assert {"reseed", "torch", "onnx"} <= set(one["versions"])
    assert together["runs"] == [0, 1, 2]
    assert together["chosen_by"] == "ensemble"
    assert together["output"]["meaning"].startswith(
        "log-probabilities: the log of the mean of the probabilities that 3"
    )
    votes = study.networks(announce=lambda line: None).predict(study.inputs().inputs).softmax(-1).mean(0).argmax(-1)
    assert together["accuracy"] == pytest.approx((votes.numpy() == study.targets).mean())
    assert cards["resnet.onnx"]["accuracy"] == pytest.approx((images.final()[0] == images.targets).mean())
    assert cards["pair.safetensors"]["accuracy"] == pytest.approx((pairs.final()[1] == pairs.targets).mean())
    assert cards["pairs.safetensors"]["tensors"].endswith("one of: 0.0. 0.1. 1.0. 1.1.")
    assert cards["pair.safetensors"]["tensors"].endswith("one of: 0. 1.")


def test_files_say_nothing_of_this_machine_and_its_samples(files):
    """No path of a source file is in a model file, and no sample of the data set."""
    for path in files:
        parts = [path.read_bytes()]
        if path.suffix == ".pt2":
            with zipfile.ZipFile(path) as archive:
                parts = [archive.read(name) for name in archive.namelist()]
        text = b"".join(parts)
        for place in (Path(reseed.__file__).parent, Path(torch.__file__).parent, Path.cwd()):
            assert str(place).encode() not in text, path.name
        assert np.load(path.with_name("inputs.npy"))[0].tobytes() not in text, path.name


def test_the_medoid_is_the_default(study, images, tmp_path):
    """Of three runs or more it is the medoid, of fewer the first; medoids of two runs are refused."""
    found = reseed.instability.medoid(study.final(), study.targets).medoid.run
    for options in ({}, {"run": "medoid"}):
        card = card_of(exported(study, tmp_path / "m.safetensors", **options))
        assert (card["runs"], card["chosen_by"]) == ([found], "medoid")
    card = card_of(exported(images, tmp_path / "m.safetensors"))
    assert (card["runs"], card["chosen_by"]) == ([0], "number")
    with pytest.raises(
        InputError, match=r"run is 'medoid', .* has 2 complete runs of 3 that this takes; name one of 0"
    ):
        exported(images, tmp_path / "m.safetensors", run="medoid")


def test_a_card_names_the_temperature_of_a_run(study, tmp_path):
    """Logits over it are what the study recorded; of several runs together it is not known, nor of studies without."""
    options = {"runs": 2, "engine": "serial", "threads": 1, "announce": lambda line: None}
    record = RecordConfig("final", temperature=True)
    scaled = train_study(
        Recipe(model=ModelConfig("mlp", hidden=(8,)), epochs=1), tmp_path / "s", record=record, **options
    )
    output = card_of(exported(scaled, tmp_path / "m.safetensors", run=1))["output"]
    logits = scaled.networks([1]).predict(scaled.inputs().inputs)[0]
    found = (logits / output["temperature"]).softmax(-1).amax(-1).numpy()
    np.testing.assert_allclose(found, scaled.final("tempered_confidence")[1], atol=1e-5)
    assert "divided by the temperature" in output["calibrated"]
    assert "temperature" not in card_of(exported(scaled, tmp_path / "m.safetensors", run="ensemble"))["output"]
    assert "temperature" not in card_of(exported(study, tmp_path / "m.safetensors"))["output"]


@pytest.mark.parametrize("run", [7, -1, True, "best", "1"])
def test_a_run_that_is_not_there(study, tmp_path, run):
    """It is refused with those that are, before anything is trained."""
    with pytest.raises(InputError, match=rf"run is {run!r}, which is no complete run .*; choose one of 0, 1, 2, 'med"):
        reseed.export(study, tmp_path / "m.pt2", run=run, announce=pytest.fail)


def test_a_table_is_of_all_runs(study, tmp_path):
    """A choice of a run is refused where it would mean nothing."""
    with pytest.raises(InputError, match=r"run says which network .*a\.csv.* leave it out, or choose one of \.safet"):
        reseed.export(study, tmp_path / "a.csv", run=1)
    with pytest.raises(InputError, match=r"ends in one of .*\.hf, \.zarr, \.safetensors, \.pt2, \.onnx"):
        reseed.export(study, tmp_path / "a.pth")


def test_imported_studies_have_no_networks(tmp_path):
    """Predictions alone are no network."""
    imported = Study.from_predictions([[0, 1, 1], [0, 1, 0]], tmp_path / "study")
    with pytest.raises(StudyError, match="was not trained by reseed"):
        exported(imported, tmp_path / "m.pt2")


def test_nothing_is_printed(study, tmp_path, capfd):
    """What exporters print, log and warn of is not the user's business; what reseed says goes where it is told."""
    for kind in KINDS:
        exported(study, tmp_path / f"m{kind}", run=0)
    assert capfd.readouterr() == ("", "")


def test_missing_packages(study, tmp_path, monkeypatch):
    """Without onnx the extra is named before anything is trained; without onnxruntime the card says what was done."""
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "onnxruntime", None)
        check = card_of(exported(study, tmp_path / "m.onnx", run=0))["check"]
        assert check["with"].startswith("onnx.checker")
        assert "its answers were not compared, as onnxruntime is not installed" in check["what"]
    for package in ("onnx", "onnxscript"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, package, None)
            with pytest.raises(MissingExtraError, match=rf"'n.onnx' .* package {package};.* 'reseed\[onnx\]'"):
                reseed.export(study, tmp_path / "n.onnx", run=0, announce=pytest.fail)
    assert not (tmp_path / "n.onnx").exists()


def test_places_that_cannot_be_written(study, tmp_path):
    """A folder in the place of the model or its card is refused before anything is trained."""
    for name in ("m.pt2", "m.onnx.json"):
        (tmp_path / name).mkdir()
        with pytest.raises(StorageError, match=rf"cannot write '.*{name}'"):
            reseed.export(study, tmp_path / name.removesuffix(".json"), announce=pytest.fail)


MODELS = """
import torch
from torch import nn


class Fickle(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.out = nn.Linear(8, classes)

    def forward(self, x):
        y = self.out(x)
        return y if y.sum() > 0 else 2 * y


class Special(nn.Module):
    def forward(self, x):
        return torch.special.bessel_j0(x)


class Liar(nn.Module):
    def forward(self, x):
        return x + 1 if torch.compiler.is_exporting() else x


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(8, 8)
        self.two = nn.Linear(8, 8)
        self.two.weight = self.one.weight

    def forward(self, x):
        return self.two(self.one(x))


def made(*layers):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), *layers)


def fickle(shape, classes):
    return made(nn.Sequential(nn.ReLU(), Fickle(classes)))


def special(shape, classes):
    return made(Special(), nn.Linear(8, classes))


def liar(shape, classes):
    return made(nn.Linear(8, classes), Liar())


def tied(shape, classes):
    return made(Tied(), nn.Linear(8, classes))
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Makes a study of one of the models above."""
    (tmp_path / "own_nets.py").write_text(MODELS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_nets", raising=False)

    def make(name):
        return Study.open(measured(tmp_path / name, "digits", f"own_nets:{name}", **{"data.limit": 100}).path)

    return make


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("fickle", ".pt2", r"cannot be written as \.pt2, for its layer '2\.1' \(Fickle\): Could not guard on data-dep"),
        ("special", ".onnx", r"cannot be written as \.onnx, for its layer '2' \(Special\): No ONNX function found for"),
        (
            "liar",
            ".onnx",
            r"as \.onnx answers otherwise than the network: logits .* differ by up to .* nothing was kept",
        ),
    ],
)
def test_what_a_format_cannot_take(own, tmp_path, capfd, name, kind, message):
    """The message names the layer; what was there before is there still, and nothing is printed."""
    found = own(name)
    capfd.readouterr()
    path = tmp_path / "out" / f"m{kind}"
    path.parent.mkdir()
    path.write_text("old")
    with pytest.raises(ModelError, match=message):
        exported(found, path, trust_code=True)
    assert [file.read_text() for file in path.parent.iterdir()] == ["old"]
    assert capfd.readouterr() == ("", "")
    weights = exported(found, path.with_suffix(".safetensors"), trust_code=True)
    assert card_of(weights)["model"] == f"own_nets:{name}"


def test_code_of_a_stranger_is_not_imported(own, tmp_path):
    """A study whose model is somebody's code is exported by who trusts it; weights that are tied are whole."""
    from safetensors.torch import load_file

    found = own("tied")
    with pytest.raises(ModelError, match="pass trust_code=True"):
        exported(found, tmp_path / "m.safetensors")
    tensors = load_file(exported(found, tmp_path / "m.safetensors", trust_code=True))
    assert torch.equal(tensors["2.one.weight"], tensors["2.two.weight"])
    assert card_of(exported(found, tmp_path / "m.pt2", trust_code=True))["check"]["samples"] == 17


def test_text_features_are_made_from_the_card(tmp_path):
    """The card of a text model holds all terms and weights: features come out of it without reseed or scikit-learn."""
    rows = [(f"{'good' if row % 2 else 'bad'} film number {row % 7}, the the end", row % 2) for row in range(60)]
    with (tmp_path / "texts.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    found = measured(tmp_path / "study", str(tmp_path / "texts.csv"), "text-tfidf", **{"model.vocabulary": 12})
    told = card_of(exported(found, tmp_path / "m.pt2"))["preprocessing"]
    assert told["kind"] == "tf-idf"
    assert told["options"] == {
        "analyzer": "word",
        "token_pattern": r"\w+",
        "ngram_range": [1, 2],
        "sublinear_tf": True,
    }
    evaluation = found.inputs()
    for place, sample in enumerate(evaluation.ids):
        words = re.findall(told["options"]["token_pattern"], rows[int(sample)][0].lower())
        counts = Counter([*words, *(f"{one} {two}" for one, two in pairwise(words))])
        values = [
            (1 + math.log(counts[term])) * idf if counts[term] else 0.0
            for term, idf in zip(told["terms"], told["idf"], strict=True)
        ]
        values = np.array(values) / np.linalg.norm(values)
        np.testing.assert_allclose(evaluation.inputs[place].numpy(), values, rtol=1e-5)


def test_features_of_a_table_are_named_in_their_order(tmp_path):
    """The card of a table's model names the columns; nothing is done to their values."""
    rng = np.random.default_rng(0)
    rows = [(*rng.normal(size=3).round(3), row % 2) for row in range(60)]
    with (tmp_path / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("a", "b", "c", "label"), *rows])
    found = measured(tmp_path / "study", str(tmp_path / "table.csv"), **{"data.features": ("c", "a")})
    card = card_of(exported(found, tmp_path / "m.safetensors"))
    assert card["preprocessing"]["kind"] == "features"
    assert card["preprocessing"]["features"] == ["c", "a"]
    assert card["input"]["shape"] == ["sample", 2]
    evaluation = found.inputs()
    expected = [[rows[int(sample)][2], rows[int(sample)][0]] for sample in evaluation.ids]
    np.testing.assert_allclose(evaluation.inputs.numpy(), expected, rtol=1e-6)
