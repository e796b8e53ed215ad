"""Weights that a study keeps: which ones, where, of which networks, and that nothing else passes for them."""

import json
import os
import shutil
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import reseed
from reseed import InputError, ModelError, StudyError
from reseed._errors import RecipeError
from reseed.data import DataConfig
from reseed.models import ModelConfig, own_tensors
from reseed.studies import Study, cost_summary
from reseed.studies._manifest import read_manifest
from reseed.studies._store import run_writer
from reseed.training import EvaluatedWeights, OptimizerConfig, Recipe, RecordConfig

from .conftest import RECIPE, without_weights

STEPS = (23, 46, 69)
SILENT = {"announce": pytest.fail}
QUIET = {"announce": lambda line: None}


def _files(study, run=0):
    """The files of weights of a run, by step."""
    return {int(path.stem): path for path in study.path.glob(f"runs/run-{run:05d}/weights-*/*.safetensors")}


def _change_manifest(study, run=0, **changes):
    path = study.path / f"runs/run-{run:05d}/manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _put(study, content):
    """Write other weights of run 0, which its manifest names."""
    (step, path), *_ = _files(study).items()
    path.write_bytes(content)
    _change_manifest(study, weights={str(step): sha256(content).hexdigest()})
    return Study.open(study.path)


def _answered(networks, study):
    return networks.predict(study.inputs().inputs).argmax(-1).numpy()


@pytest.mark.parametrize(
    ("weights", "kept"), [("none", ()), ("final", STEPS[-1:]), ("auto", STEPS[-1:]), ("checkpoints", STEPS)]
)
def test_what_is_kept_is_what_was_asked_for(train, weights, kept):
    """Files are there of those steps, the manifest names them, and the cost counts their bytes."""
    study = train(runs=2, record=RecordConfig(weights=weights))
    assert study.kept_weights == {0: kept, 1: kept}
    for run, manifest in enumerate(study.manifests):
        found = _files(study, run)
        assert tuple(sorted(found)) == kept
        digests = {str(step): sha256(path.read_bytes()).hexdigest() for step, path in found.items()}
        assert manifest.weights == digests
        assert all(
            path.parent.name == manifest.predictions.replace("predictions", "weights") for path in found.values()
        )
        assert manifest.cost["weights_bytes"] == sum(path.stat().st_size for path in found.values())
    assert cost_summary(study)["cost_weights_bytes"] == 2 * study.manifests[0].cost["weights_bytes"]
    assert ("weights" in json.loads((study.path / "study.json").read_text())["record"]) == (weights != "auto")


def test_other_words_are_refused():
    """The message lists those that there are."""
    with pytest.raises(RecipeError, match="weights must be 'auto', 'none', 'final', 'checkpoints', got 'all'"):
        RecordConfig(weights="all")


def test_a_file_is_a_state_of_the_model(train):
    """Any program reads a file: by the model's own names, in its own types."""
    study = train(runs=2)
    state = load_file(_files(study)[STEPS[-1]])
    (network,) = study.networks([0], **SILENT)
    network.load_state_dict(state, strict=True)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_nothing_is_loaded_or_trained(train, monkeypatch):
    """With kept weights the data need not be there, and a study may lie anywhere."""
    study = train()
    inputs, recorded = study.inputs().inputs, study.final()
    moved = Study.open(shutil.move(study.path, study.path.with_name("moved")))
    monkeypatch.setattr("reseed.studies._again.load", pytest.fail)
    networks = moved.networks(**SILENT)
    assert np.array_equal(networks.predict(inputs).argmax(-1).numpy(), recorded)


@pytest.mark.parametrize("options", [{}, {"engine": "stacked"}])
def test_every_checkpoint_has_its_networks(train, options):
    """The networks of a step answer as was recorded after it; kept and trained again they are equal, bit for bit."""
    study = train(record=RecordConfig(weights="checkpoints"), **options)
    final = train("final", **options)
    inputs = study.inputs().inputs
    for mark, step in enumerate(STEPS):
        kept = study.networks(checkpoint=step, **SILENT)
        assert np.array_equal(kept.predict(inputs).argmax(-1).numpy(), study.labels[:, mark])
        said = []
        again = final.networks(checkpoint=step, announce=said.append)
        assert len(said) == (step < STEPS[-1])
        for one, other in zip(kept, again, strict=True):
            assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())
        assert all(line.endswith(f"s of it up to step {step}.") for line in said)


@pytest.mark.parametrize("checkpoint", [-1, 0, 23, 70, 1.5, "24", True])
def test_steps_that_were_not_recorded_are_refused(finished_study, checkpoint):
    """The message lists the steps that there are, not all where they are many."""
    study = Study.open(finished_study)  # after every 12 steps of 69
    known = r"12, 24, 36, 48, 60, 69\. Pass"
    with pytest.raises(InputError, match=rf"checkpoint is .*, and no step that the study recorded; there are {known}"):
        study.networks(checkpoint=checkpoint)


def test_many_steps_are_not_all_listed(train):
    """Seven of them and the last."""
    study = train(runs=2, record=RecordConfig("5"))
    with pytest.raises(InputError, match=r"there are 5, 10, 15, 20, 25, 30, 35, \.\.\., 69\. Pass one of them"):
        study.networks(checkpoint=3)


def test_a_checkpoint_that_does_not_come_out_again_is_refused(train):
    """What is trained again up to a step is held against what was recorded after that step."""
    study = train(record=RecordConfig(weights="none"))
    labels = next(study.path.glob("runs/run-00001/predictions-*/evaluation/confidence"))
    import zarr

    array = zarr.open_array(labels, mode="r+")
    array[1, 7] = 0.5
    opened = Study.open(study.path)
    assert len(opened.networks(checkpoint=STEPS[0], **QUIET)) == 3
    with pytest.raises(StudyError, match=r"run 1 of .* does not come out again: confidence of sample"):
        opened.networks(checkpoint=STEPS[1], **QUIET)


def test_only_what_is_missing_is_trained_again(train):
    """Runs whose files were deleted are trained again, the others read; the order is that which was asked for."""
    study, said = train(), []
    shutil.rmtree(_files(study, 1)[STEPS[-1]].parent)
    networks = Study.open(study.path).networks([2, 1, 0], announce=said.append)
    assert [line.partition(",")[0] for line in said] == ["training 1 runs again for the networks of 1"]
    assert np.array_equal(_answered(networks, study), study.final()[::-1])


def test_large_ones_are_kept_on_request_only(train):
    """Above 16 MiB nothing is kept unless it is asked for, and the user is told so once."""
    large, said = replace(RECIPE, model=ModelConfig("mlp", hidden=(60_000,)), epochs=1, steps=1), []
    study = train(recipe=large, runs=2, announce=said.append)
    assert study.kept_weights == {0: (), 1: ()}
    assert [line for line in said if "weights" in line] == [
        "no weights are kept: those of a run take 17 MiB, and only weights='final' or weights='checkpoints' keeps more "
        "than 16 MiB"
    ]
    said.clear()
    assert train(recipe=large, runs=2, announce=said.append).kept_weights == study.kept_weights
    assert not [line for line in said if "weights" in line]
    study = train(recipe=large, runs=3, record=RecordConfig(weights="final"), announce=said.append)
    assert study.kept_weights == {0: (), 1: (), 2: (1,)}


def test_runs_of_several_networks_are_in_one_file(train):
    """The names of each network's tensors begin with its number."""
    recipe = reseed.recipe_for("digits", "mlp", changes={"epochs": 1}, mitigations="co-distillation")
    for engine in ("serial", "stacked"):
        study = train(engine, recipe=recipe, runs=2, engine=engine)
        (path,) = _files(study).values()
        assert {name.partition(".")[0] for name in load_file(path)} == {"0", "1"}
        assert np.array_equal(_answered(study.networks(**SILENT), study), study.final())


@pytest.mark.parametrize("engine", ["serial", "stacked"])
def test_texts(train, tmp_path, engine):
    """Features of texts need no texts once weights are kept."""
    rows = [f"play song {i},music" if i % 2 else f"rain today {i},weather" for i in range(40)]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label", *rows]))
    recipe = replace(RECIPE, data=DataConfig(str(tmp_path / "texts.csv")), model=ModelConfig("text-tfidf", hidden=(4,)))
    study = train(recipe=recipe, engine=engine)
    inputs = study.inputs().inputs
    (tmp_path / "texts.csv").unlink()
    networks = study.networks(**SILENT)
    assert np.array_equal(networks.predict(inputs).argmax(-1).numpy(), study.final())


FROZEN = """
import torch


def net(shape, classes):
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 32), torch.nn.BatchNorm1d(32),
                                torch.nn.Tanh(), torch.nn.Linear(32, classes))
    model[1].requires_grad_(False)
    return model
"""


@pytest.mark.parametrize("engine", ["serial", "stacked"])
def test_what_is_frozen_is_drawn_again(train, tmp_path, monkeypatch, engine):
    """Files hold what training changes; where code draws other frozen weights now, the networks are refused."""
    name = f"frozen_net_{engine}"
    (tmp_path / f"{name}.py").write_text(FROZEN)
    monkeypatch.syspath_prepend(str(tmp_path))
    study = train(recipe=Recipe(model=ModelConfig(f"{name}:net"), epochs=1, batch_size=64), engine=engine)
    tensors = load_file(_files(study)[23])
    assert sorted(tensors) == [
        *("2.bias", "2.num_batches_tracked", "2.running_mean", "2.running_var", "2.weight", "4.bias", "4.weight")
    ]
    with pytest.raises(ModelError, match="pass trust_code=True"):
        Study.open(study.path).networks()
    networks = Study.open(study.path).networks(trust_code=True, **SILENT)
    inputs = study.inputs(trust_code=True).inputs
    assert np.array_equal(networks.predict(inputs).argmax(-1).numpy(), study.final())
    again = without_weights(study).networks(trust_code=True, **QUIET)
    torch.testing.assert_close(again.predict(inputs), networks.predict(inputs), rtol=0, atol=0)


def test_changed_frozen_weights_are_refused(train, tmp_path, monkeypatch):
    """A factory that freezes other values than it did gives no network of the study."""
    (tmp_path / "changing_net.py").write_text(FROZEN)
    monkeypatch.syspath_prepend(str(tmp_path))
    study = train(recipe=Recipe(model=ModelConfig("changing_net:net"), epochs=1, batch_size=64), runs=2)
    import changing_net

    drawn = changing_net.net

    def other(shape, classes):
        model = drawn(shape, classes)
        model[1].weight.data.mul_(2)
        return model

    monkeypatch.setattr(changing_net, "net", other)
    with pytest.raises(StudyError, match=r"belong to frozen ones that model 'changing_net:net' does not have any more"):
        study.networks(trust_code=True)


def test_diverged_runs_keep_none(train):
    """Not even the weights of checkpoints before they diverged."""
    recipe = replace(RECIPE, optimizer=OptimizerConfig("sgd", lr=1e30))
    study = train(recipe=recipe, record=RecordConfig("1", weights="checkpoints"))
    assert len(study.diverged) == 3
    assert not list(study.path.glob("runs/*/weights-*"))
    assert all(not manifest.weights and manifest.cost["weights_bytes"] == 0 for manifest in study.diverged)


def test_what_a_killed_writer_left_is_removed(train):
    """Weights that no manifest names go when their run is done again, and of a run that is given up nothing stays."""
    study = train(runs=2)
    (path,) = _files(study).values()
    left = path.parent.with_name("weights-00000000")
    shutil.copytree(path.parent, left)
    (study.path / "runs/run-00000/manifest.json").unlink()
    again = train(runs=2)
    assert not left.exists()
    assert not path.parent.exists()
    assert len(_files(again)) == 1
    with run_writer(study.path, 5, 1, 10, {"recipe": ""}) as writer:
        writer.write_weights(1, [EvaluatedWeights(own_tensors(torch.nn.Linear(2, 2)), {})])
        assert _files(study, 5)
    assert not _files(study, 5)


def test_weights_that_were_removed_are_noticed(train):
    """A worker that was taken for dead, whose files are gone, finishes no run."""
    study = train(runs=2)
    with run_writer(study.path, 1, 1, 10, {"recipe": ""}) as writer:
        writer.write_weights(1, [EvaluatedWeights(own_tensors(torch.nn.Linear(2, 2)), {})])
        shutil.rmtree(study.path / "runs/run-00001" / writer.name.replace("predictions", "weights"))
        with pytest.raises(StudyError, match="were removed while they were written"):
            writer.finish(study.manifests[1])


def test_studies_go_on_with_other_weights(train):
    """A study that began before weights were kept opens, reports and grows; later runs keep what is asked for then."""
    study = without_weights(train(runs=2))
    for run in range(2):
        path = study.path / f"runs/run-{run:05d}/manifest.json"
        tree = json.loads(path.read_text())
        del tree["weights"], tree["cost"]["weights_bytes"]
        path.write_text(json.dumps(tree))
    old = Study.open(study.path)
    assert old.kept_weights == {0: (), 1: ()}
    summary = reseed.inspect(old).summary
    assert "cost_weights_bytes" not in summary
    grown = train(runs=3)
    assert grown.kept_weights == {0: (), 1: (), 2: STEPS[-1:]}
    said = []
    networks = grown.networks(announce=said.append)
    assert said[0].startswith("training 2 runs again for the networks of 2")
    assert np.array_equal(_answered(networks, grown), grown.final())
    for weights, kept in (("checkpoints", STEPS), ("none", ())):
        grown = train(runs=grown.header.runs + 1, record=RecordConfig(weights=weights))
        assert grown.kept_weights[grown.header.runs - 1] == kept
        assert grown.header.record.weights == weights


def test_predictions_do_not_depend_on_it(train):
    """What is recorded is the same, bit for bit, whatever is kept."""
    one = train("none", record=RecordConfig(weights="none"))
    other = train("all", record=RecordConfig(weights="checkpoints"))
    assert np.array_equal(one.recorded("confidence"), other.recorded("confidence"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda content: content[:-1] + bytes([content[-1] ^ 1]),
            "not those that the run's manifest names: the file was cut",
        ),
        (lambda content: content[:-9], "not those that the run's manifest names: the file was cut off or changed"),
        (lambda content: b"", "not those that the run's manifest names"),
    ],
    ids=["tampered", "truncated", "empty"],
)
def test_damage_is_noticed(train, damage, message):
    """Files that are not what the manifest says are named, with what to do."""
    study = train(runs=2)
    (path,) = _files(study).values()
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(StudyError, match=rf"the weights '.*safetensors' are {message}.*Delete the file") as raised:
        study.networks()
    assert str(path) in str(raised.value)
    path.unlink()  # as it says
    assert np.array_equal(_answered(study.networks(**QUIET), study), study.final())


def _header_of(**tensors):
    text = json.dumps(tensors).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 64,
        b"\x80\x04cos\nsystem\n",
        (1 << 62).to_bytes(8, "little") + b"{}",
        _header_of(x={"dtype": "F32", "shape": [1 << 62, 1 << 62], "data_offsets": [0, 4]}) + b"1234",
        _header_of(x={"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 4 << 40]}),
        _header_of(x={"dtype": "F32", "shape": [0, 1 << 62, 1 << 62], "data_offsets": [0, 0]}),
        _header_of(x={"dtype": "F4", "shape": [2], "data_offsets": [0, 1]}) + b"1",
        _header_of(x={"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}) + b"1234",
        _header_of(__metadata__={"reseed": "[]"}),
        _header_of(__metadata__={"reseed": "[" * 100_000}),
        _header_of(__metadata__={"other": ""}),
        b"\x00" * 7 + b"\x10" + b"[" * 100_000,
    ],
)
def test_hostile_files_are_refused(train, content):
    """Whatever a file claims of itself, it is a typed error, and nothing is allocated for it."""
    study = _put(train(runs=2), content)
    with pytest.raises(StudyError, match=r"the weights '.*' (cannot be read|are those of another)"):
        study.networks(**QUIET)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": "0" * 16}, "are those of another recipe: '0000000000000000', not '"),
        ({"run": 1}, "are those of another run: 1, not 0"),
        ({"step": 23}, "are those of another step: 23, not 69"),
        ({"networks": 0}, "cannot be read: ValueError: networks is 0"),
        ({"networks": 10**9}, "cannot be read: ValueError: networks is 1000000000"),
        ({"networks": True}, "cannot be read: ValueError: networks is True"),
        ({"networks": 2}, "cannot be read: KeyError"),
        ({"input_shape": []}, r"cannot be read: ValueError: input_shape is \[\]"),
        ({"input_shape": [-1]}, "cannot be read: ValueError: input_shape"),
        ({"input_shape": 3}, "cannot be read: TypeError"),
        ({"input_shape": [65]}, r"tensor '1.weight' is float32 \[16, 64\] there, and float32 \[16, 65\] in the model"),
        ({"input_shape": [1 << 30, 1 << 30]}, r"are for inputs of shape .* of which model 'mlp' cannot be built"),
        ({"input_shape": [1 << 20, 1 << 20]}, r"but this machine has .* GiB"),
        ({"dtype": "float64"}, r"tensor '1.bias' is float32 \[16\] there, and float64 \[16\] in the model"),
        ({"dtype": "object"}, "cannot be read: KeyError"),
        ({"dtype": []}, None),
        ({"frozen": "x"}, "belong to frozen ones"),
    ],
)
def test_what_a_file_says_of_itself_is_checked(train, changes, message):
    """Weights of another recipe, run, step or architecture are refused, however the manifest names them."""
    study = train(runs=2)
    (path,) = _files(study).values()
    assert study.networks(**SILENT)
    about = json.loads(_metadata(path)) | changes
    save_file(load_file(path), path, {"reseed": json.dumps(about)})
    study = _put(study, path.read_bytes())
    if message is None:
        assert study.networks(**SILENT)
        return
    with pytest.raises((StudyError, ModelError), match=message):
        study.networks(**QUIET)


def _metadata(path):
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return file.metadata()["reseed"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("1.bias"), r"tensor '1.bias' is missing there, and float32 \[16\] in the model"),
        (lambda state: state.update(more=torch.zeros(1)), r"tensor 'more' is float32 \[1\] there, and missing in the"),
        (
            lambda state: state.update({"1.bias": torch.zeros(16, dtype=torch.float64)}),
            r"tensor '1.bias' is float64 \[16\] there, and float32 \[16\] in the model",
        ),
        (lambda state: state.update({"1.bias": torch.zeros(4, 4)}), r"tensor '1.bias' is float32 \[4, 4\] there"),
    ],
)
def test_weights_of_another_architecture_are_refused(train, change, message):
    """The first tensor that differs in name, shape or type is named."""
    study = train(runs=2)
    (path,) = _files(study).values()
    state, about = load_file(path), _metadata(path)
    change(state)
    save_file(state, path, {"reseed": about})
    with pytest.raises(StudyError, match=rf"are not those of the study's model: {message}"):
        _put(study, path.read_bytes()).networks(**QUIET)


def test_a_recipe_that_was_exchanged_is_refused(train):
    """Weights are read with the recipe that the study began with, and no other."""
    study = train(runs=2)
    other = replace(RECIPE, model=ModelConfig("mlp", hidden=(16,), dropout=0.1))
    (study.path / "recipe.toml").write_text(other.to_toml())
    with pytest.raises(StudyError, match=r"are those of recipe .*, and its recipe.toml is another one"):
        study.networks()


def test_inputs_that_no_model_takes(train):
    """A shape that the model cannot be built for is a typed error."""
    study = train(recipe=replace(RECIPE, model=ModelConfig("cnn", width=4, hidden=(8,)), steps=2), runs=2)
    (path,) = _files(study).values()
    about = json.loads(_metadata(path)) | {"input_shape": [3]}
    save_file(load_file(path), path, {"reseed": json.dumps(about)})
    with pytest.raises((StudyError, ModelError), match=r"inputs of shape \[3\]|takes images|cannot"):
        _put(study, path.read_bytes()).networks(**QUIET)


def test_links_and_pipes_are_refused(train, tmp_path):
    """A file of weights is a regular one within the study."""
    study = train(runs=2)
    (path,) = _files(study).values()
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    with pytest.raises(StudyError, match="leads outside the study"):
        study.networks()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(StudyError, match=r"the weights .* cannot be read: it is no regular file"):
        study.networks()
    path.unlink()
    elsewhere.rename(path)
    folder = path.parent
    folder.rename(tmp_path / "folder")
    folder.symlink_to(tmp_path / "folder")
    with pytest.raises(StudyError, match="leads outside the study"):
        study.networks()


def test_sizes_are_checked_before_reading(train):
    """A file above the limit is not read; nor is a header that would take more than it once parsed."""
    study = train(recipe=replace(RECIPE, model=ModelConfig("mlp", hidden=(5000,)), steps=1), runs=2)
    with reseed.max_bytes(1 << 20), pytest.raises(StudyError, match=r"the file of weights .* takes 1\.\d+ MiB or more"):
        study.networks()
    text = json.dumps({"__metadata__": {"reseed": "x" * 60_000}}).encode()
    study = _put(study, len(text).to_bytes(8, "little") + text)
    with reseed.max_bytes(1 << 20), pytest.raises(StudyError, match=r"takes 1\.\d+ MiB or more to read"):
        study.networks()


@pytest.mark.parametrize(
    "weights",
    [{"69": "x"}, {"70": "0" * 64}, {"../69": "0" * 64}, {"69": 3}, ["69"], {"069": "0" * 64}, "69", None],
)
def test_manifests_name_files_of_their_steps(train, weights):
    """What a manifest says of weights is steps and digests, or it is corrupt."""
    study = train(runs=2)
    _change_manifest(study, weights=weights)
    with pytest.raises(StudyError, match=r"run-00000/manifest.json' is corrupt"):
        Study.open(study.path)
    _change_manifest(study, weights={"69": "0" * 64}, status="diverged")
    with pytest.raises(StudyError, match="weights are kept, but the run diverged"):
        read_manifest(study.path, 0)


def test_a_device_that_is_not_here(train):
    """Networks that were trained elsewhere are put on the CPU, with a word; only training again needs the device."""
    study, said = train(runs=2), []
    path = study.path / "study.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"device": "cuda:77"}))
    opened = Study.open(study.path)
    assert np.array_equal(_answered(opened.networks(announce=said.append), study), study.final())
    assert said == ["this machine has no device 'cuda:77', where the networks were trained: they are on the CPU"]
    with pytest.raises(InputError, match="device 'cuda:77' cannot be used here"):
        without_weights(opened).networks(**QUIET)
