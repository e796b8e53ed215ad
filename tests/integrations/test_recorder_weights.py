"""Weights of recorded trainings: `Study.networks` builds what other people's loops trained."""

import json
import random
import sys
from contextlib import suppress
from hashlib import sha256

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import reseed
from reseed import InputError, ModelError, Recorder, Study, StudyError
from reseed.integrations import RecordingWarning
from reseed.studies import Header, RunRecording, Samples
from reseed.studies._recorded_inputs import INPUTS_FILE
from reseed.training import RecordConfig, whole_weights

SOURCE = """
import numpy as np
import torch
from torch import nn

IMPORTED = []
np.random.seed(3)  # whoever imports this must not be disturbed by it


def small(input_shape, num_classes):
    IMPORTED.append((input_shape, num_classes))
    return nn.Sequential(
        nn.Flatten(), nn.Linear(int(np.prod(input_shape)), 8), nn.BatchNorm1d(8), nn.Dropout(0.3),
        nn.ReLU(), nn.Linear(8, num_classes),
    )


def wider(input_shape, num_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 9), nn.BatchNorm1d(9), nn.Linear(9, num_classes))


def lazy(input_shape, num_classes):
    return nn.LazyLinear(num_classes)


class Converting(nn.Sequential):
    def forward(self, x):
        x = x if isinstance(x, torch.Tensor) else torch.tensor(np.array(x))
        return super().forward(x.float())


def converting(input_shape, num_classes):
    return Converting(nn.Linear(4, num_classes))


def raising(input_shape, num_classes):
    raise ZeroDivisionError("division by zero")


not_callable = 3
"""

X = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()
EVAL = X[10:], Y[10:]


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """A module of factories that is found by its name alone."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "their_nets.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "their_nets", raising=False)
    yield "their_nets"
    sys.modules.pop("their_nets", None)


def recorder(out, run=0, **options):
    """A recorder of one of three runs that keeps weights, and raises what fails."""
    defaults = {"runs": 3, "data": EVAL, "weights": True, "factory": "their_nets:small", "on_error": "raise"}
    return Recorder(out, run=run, **defaults | options)


def model_of(run, make="small"):
    """A fresh model."""
    import their_nets

    torch.manual_seed(run)
    return getattr(their_nets, make)((4,), 2)


def train(out, run, epochs=3, model=None, **options):
    """Train a network of batch normalisation in a loop of one's own, recorded after each epoch, and return it."""
    with recorder(out, run, **options) as ours:
        model = model_of(run) if model is None else model
        optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
        for epoch in range(epochs):
            model.train()
            for rows in torch.arange(10).split(5):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(X[rows]), Y[rows]).backward()
                optimizer.step()
            ours.record(model, 2 * (epoch + 1))
    return model


def answers(study, **asked):
    """What the networks of a study say of the inputs that it keeps, [run, sample]."""
    return study.networks(trust_code=True, **asked).predict(study.inputs().inputs).argmax(-1).numpy()


def files(study):
    """The files of weights, by run and step."""
    paths = sorted(study.path.glob("runs/*/weights-*/*.safetensors"))
    return {(int(path.parts[-3][4:]), int(path.stem)): path for path in paths}


@pytest.mark.parametrize(
    ("weights", "every", "kept"),
    [
        (True, "epoch", (6,)),
        ("final", "epoch", (6,)),
        ("checkpoints", "epoch", (2, 4, 6)),
        ("checkpoints", "final", (6,)),
    ],
)
def test_the_networks_answer_as_was_recorded(nets, tmp_path, weights, every, kept):
    """Of all runs and all steps whose weights are kept, without their loop; a file is a state of the module."""
    out = tmp_path / "study"
    models = [train(out, run, weights=weights, every=every) for run in range(3)]
    study = Study.open(out)
    assert study.kept_weights == dict.fromkeys(range(3), kept)
    assert sorted(files(study)) == [(run, step) for run in range(3) for step in kept]
    for mark, step in enumerate(study.labels.coords["checkpoint"].values):
        if step in kept:
            assert np.array_equal(answers(study, checkpoint=int(step)), study.labels[:, mark])
    assert np.array_equal(answers(study), study.final())
    assert len({labels.tobytes() for labels in study.final()}) > 1
    for run, model in enumerate(models):
        state = load_file(files(study)[run, 6])
        assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert [manifest.cost["weights_bytes"] for manifest in study.manifests] == [
        sum(path.stat().st_size for (of, _), path in files(study).items() if of == run) for run in range(3)
    ]


def test_inputs_and_samples(nets, tmp_path):
    """The inputs are kept once, with targets and ids of the study; those of the training are not known."""
    out = tmp_path / "study"
    ids = [f"s{place}" for place in range(20)]
    for run in range(2):
        train(out, run, sample_ids=ids)
    study = Study.open(out)
    found = study.inputs()
    assert torch.equal(found.inputs, EVAL[0])
    assert (found.targets.tolist(), found.ids) == (EVAL[1].tolist(), tuple(ids))
    assert found.preprocessing["kind"] == "unknown"
    with pytest.raises(StudyError, match="was recorded, and what its runs were trained on is not known; it has the in"):
        study.inputs("train")
    with pytest.raises(StudyError, match=r"already holds another study \(its inputs are others\). All runs are asked"):
        train(out, 2, sample_ids=ids, data=(EVAL[0] + 1, EVAL[1]))
    assert Study.open(out).missing == (2,)


@pytest.mark.parametrize(
    ("inputs", "kept"),
    [
        (np.asfortranarray(EVAL[0].double().numpy()), torch.float32),
        (EVAL[0].numpy()[:, ::-1], torch.float32),
        ((EVAL[0] * 9).to(torch.int16), torch.int16),
        ({"x": EVAL[0]}, None),
        (EVAL[0].tolist(), None),
    ],
)
def test_which_inputs_are_kept(nets, tmp_path, inputs, kept):
    """Arrays of numbers are, floats in the type of the module; several arrays and rows are not, and it is said so."""
    out = tmp_path / "study"
    with recorder(out, data=(inputs, EVAL[1]), factory="their_nets:converting") as ours:
        ours.record(model_of(0, "converting"))
    study = Study.open(out)
    if kept is None:
        assert not (out / INPUTS_FILE).exists()
        with pytest.raises(StudyError, match="keeps no inputs: they were several arrays, rows or texts, or took more"):
            study.inputs()
        found = study.networks(trust_code=True).predict(EVAL[0]).argmax(-1).numpy()
        assert np.array_equal(found, study.final())
    else:
        assert study.inputs().inputs.dtype == kept
        assert np.array_equal(answers(study), study.final())


def test_large_inputs_are_not_kept(nets, tmp_path, monkeypatch):
    """Beyond the limit there is no file, and networks are asked with inputs of one's own."""
    monkeypatch.setattr("reseed.studies._recorded_inputs.MOST_INPUT_BYTES", EVAL[0].nbytes - 1)
    train(tmp_path / "study", 0)
    study = Study.open(tmp_path / "study")
    assert not (study.path / INPUTS_FILE).exists()
    assert np.array_equal(study.networks(trust_code=True).predict(EVAL[0]).argmax(-1).numpy(), study.final())


def test_trainings_are_the_same_whatever_is_kept(nets, tmp_path):
    """With dropout, keeping weights changes no bit; importing and calling the factory leaves generators alone."""
    sys.modules.pop("their_nets", None)
    states = []
    for options in ({}, {"weights": False, "factory": None}):
        torch.manual_seed(1)
        np.random.seed(1)  # noqa: NPY002
        random.seed(1)
        ours = recorder(tmp_path / str(len(states)), **options)
        ours.begin()
        states.append((torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random()))  # noqa: NPY002, S311
        ours.discard()
    assert states[0] == states[1]
    recorded = train(tmp_path / "kept", 0, weights="checkpoints").state_dict()
    plain = train(tmp_path / "not", 0, weights=False, factory=None).state_dict()
    assert all(torch.equal(recorded[name], plain[name]) for name in plain)


def test_the_factory_is_called_once_and_before_the_run(nets, tmp_path):
    """However much is recorded; with the shape of a sample and the number of classes."""
    import their_nets

    with recorder(tmp_path / "study", weights="checkpoints") as ours:
        model = model_of(0)
        ours.check(model)
        for _ in range(3):
            ours.record(model)
    assert their_nets.IMPORTED == [((4,), 2)] * 2  # one of them is this test's own


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "all"}, "weights must be True, False, 'none', 'final' or 'checkpoints', got 'all'"),
        ({"weights": None}, "weights must be True, False, .* got None"),
        ({"weights": 1.5}, "weights must be True, False, .* got 1.5"),
        (
            {"factory": None},
            r"weights=True needs factory, .* MODULE:FUNCTION, as in my_models:small_net, which is call",
        ),
        (
            {"factory": "their_nets.small"},
            "factory must be the name of a function, MODULE:FUNCTION.* 'their_nets.small'",
        ),
        ({"factory": len}, "factory must be the name of a function, MODULE:FUNCTION.* got <built-in function len>"),
        (
            {"factory": "__main__:small"},
            "is '__main__:small', which no other program can import; put the function into",
        ),
        ({"data": (None, EVAL[1])}, "weights=True keeps those of a module that is asked, and data has no inputs"),
        ({"factory": "no_such:small"}, "cannot import the model factory 'no_such:small': ModuleNotFoundError"),
        ({"factory": "their_nets:not_callable"}, "'their_nets:not_callable' is a int, not a function"),
        ({"factory": "their_nets:raising"}, "raised ZeroDivisionError: division by zero"),
        (
            {"factory": "their_nets:lazy"},
            "whose tensor 'weight' takes shape when it is first called; call the module once",
        ),
    ],
)
def test_what_cannot_be_kept_is_known_before_the_training(nets, tmp_path, options, message):
    """Each message says what to do, and nothing is written."""
    with pytest.raises(InputError, match=message), recorder(tmp_path / "study", **options):
        pytest.fail("the training began")
    assert not (tmp_path / "study").exists()


def test_other_modules_are_refused(nets, tmp_path):
    """The first tensor that differs is named: by `check` before the training, else when it is recorded."""
    other = model_of(0, "wider")
    message = (
        r"factory 'their_nets:small', called with input_shape=\(4,\) and num_classes=2, makes another module than the "
        r"one that is recorded: tensor '1.bias' is float32 \[9\] in that, and float32 \[8\] in what"
    )
    with pytest.raises(InputError, match=message), recorder(tmp_path / "study") as ours:
        ours.check(other)
    with pytest.raises(InputError, match=r"tensor '1.bias' is float64"), recorder(tmp_path / "study") as ours:
        ours.check(model_of(0).double())
    with pytest.warns(RecordingWarning, match=f"recorded no longer, .* since step 2: {message}"):
        train(tmp_path / "study", 0, model=other, on_error="report")
    assert Study.open(tmp_path / "study").missing == (0, 1, 2)
    assert not list(tmp_path.rglob("weights-*"))


@pytest.mark.parametrize("recorded", [torch.zeros(20, 2).numpy(), lambda batch: torch.randn(len(batch), 2)])
def test_predictions_have_no_weights(nets, tmp_path, recorded):
    """Arrays, and functions whose module nobody knows, are refused in words."""
    with pytest.raises(
        InputError, match=r"weights are kept of a module, and what is recorded is none: pass the torch.nn"
    ):
        recorder(tmp_path / "study").check(recorded)
    ours = recorder(tmp_path / "study", on_error="report")
    ours.begin()
    with pytest.warns(RecordingWarning, match="weights are kept of a module"):
        ours.record(recorded)
    ours.finish()
    assert Study.open(tmp_path / "study").missing == (0, 1, 2)


def test_methods_wrappers_and_lazy_modules(nets, tmp_path):
    """The module is that of a method, within what wraps it, and a lazy one once it has its shape."""
    out = tmp_path / "study"
    lazy = nn.Sequential(
        nn.Flatten(), nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.Dropout(), nn.ReLU(), nn.LazyLinear(2)
    )
    wrapped = nn.DataParallel(model_of(1))
    for run, recorded in enumerate((model_of(0).eval().forward, wrapped, lazy)):
        with recorder(out, run) as ours:
            ours.check(recorded)
            ours.record(recorded)
    study = Study.open(out)
    assert np.array_equal(answers(study), study.final())
    assert all("1.weight" in load_file(path) for path in files(study).values())


def test_frozen_tensors_are_kept_too(nets, tmp_path):
    """What a foreign factory loads or draws for them is not known."""
    model = model_of(7)
    model[1].requires_grad_(False)
    train(tmp_path / "study", 0, model=model)
    study = Study.open(tmp_path / "study")
    assert torch.equal(load_file(files(study)[0, 6])["1.weight"], model[1].weight)
    assert np.array_equal(answers(study), study.final())


def test_a_failure_does_not_end_the_loop(nets, tmp_path, monkeypatch):
    """A full disk leaves no run, and the training goes on."""

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("reseed.studies._store.write_weights", full)
        with pytest.warns(RecordingWarning, match="No space left on device"):
            train(tmp_path / "study", 0, on_error="report")
    assert Study.open(tmp_path / "study").missing == (0, 1, 2)
    assert not list(tmp_path.rglob("weights-*"))
    assert not list(tmp_path.rglob("predictions-*"))
    train(tmp_path / "study", 0)
    assert Study.open(tmp_path / "study").kept_weights == {0: (6,)}


def test_an_interrupted_run_leaves_none(nets, tmp_path):
    """Neither predictions nor weights."""
    with suppress(KeyboardInterrupt), recorder(tmp_path / "study", weights="checkpoints") as ours:
        ours.record(model_of(0))
        assert list(tmp_path.rglob("weights-*"))
        raise KeyboardInterrupt
    assert not list(tmp_path.rglob("weights-*"))


@pytest.mark.parametrize("weights", ["final", "checkpoints"])
@pytest.mark.parametrize("resumable", [True, False])
def test_runs_that_diverged_keep_none(nets, tmp_path, weights, resumable):
    """What was kept before the predictions were NaN is removed."""
    out = tmp_path / "study"
    ours, model = recorder(out, weights=weights), model_of(0)
    ours.begin(resumable=resumable)
    ours.record(model)
    nn.init.constant_(model[5].bias, float("nan"))
    with pytest.warns(RecordingWarning, match="counts as diverged"):
        ours.record(model)
    ours.finish()
    study = Study.open(out)
    assert [manifest.weights for manifest in study.diverged] == [{}]
    assert not list(out.rglob("*/*.safetensors"))
    assert not list(out.rglob("weights-*"))


@pytest.mark.parametrize(("weights", "kept"), [("final", (3,)), ("checkpoints", (1, 2, 3))])
def test_resumed_trainings_keep_their_weights(nets, tmp_path, weights, kept):
    """What was kept up to the step of resuming counts, what came after it is dropped."""
    out, models = tmp_path / "study", [model_of(seed) for seed in range(5)]
    ours = recorder(out, weights=weights)
    ours.begin(resumable=True)
    for model in (models[0], models[1], models[4]):
        ours.record(model)
    ours.discard()
    assert len(list(out.rglob("unfinished/*.safetensors"))) == (1 if weights == "final" else 3)
    ours = recorder(out, weights=weights)
    ours.begin(resumable=True, resume_from=2)
    ours.record(models[2])
    ours.finish()
    study = Study.open(out)
    assert study.kept_weights == {0: kept}
    for step in kept:
        assert torch.equal(load_file(files(study)[0, step])["1.weight"], models[step - 1][1].weight)
        assert np.array_equal(answers(study, checkpoint=step), study.labels[:, step - 1])
    assert not list(out.rglob("unfinished"))


def test_a_resumed_training_that_does_not_go_on(nets, tmp_path):
    """Its last weights are there if the last record was that of its step; else it is said that they are not."""
    for resume_from in (2, 1):
        out = tmp_path / str(resume_from)
        ours = recorder(out)
        ours.begin(resumable=True)
        ours.record(model_of(0))
        ours.record(model_of(1))
        ours.discard()
        ours = recorder(out)
        ours.begin(resumable=True, resume_from=resume_from)
        if resume_from == 2:
            ours.finish()
            assert np.array_equal(answers(Study.open(out)), Study.open(out).final())
        else:
            with pytest.raises(
                StudyError, match="run 0 has no weights after step 1: it went on from there, and what was"
            ):
                ours.finish()
            assert not list(out.rglob("runs/run-00000/weights-*"))


def test_trainings_that_stop_early(nets, tmp_path):
    """With `every='final'` each run has its own last step, and its networks are those of it."""
    out = tmp_path / "study"
    train(out, 0, epochs=3, every="final")
    train(out, 1, epochs=1, every="final")
    study = Study.open(out)
    assert study.kept_weights == {0: (6,), 1: (2,)}
    assert np.array_equal(answers(study), study.final())


def test_code_is_imported_only_where_it_is_trusted(nets, tmp_path):
    """Reading a study imports nothing, and its networks need leave; so does the command line."""
    out = tmp_path / "study"
    train(out, 0)
    del sys.modules["their_nets"]
    study = Study.open(out)
    study.inputs()
    message = r"names code to run as its model, 'their_nets:small'\. If you trust .* trust_code=True .* asked for"
    with pytest.raises(ModelError, match=message):
        study.networks()
    with pytest.raises(ModelError, match=message):
        reseed.export(study, tmp_path / "model.pt2")
    assert "their_nets" not in sys.modules
    reseed.export(study, tmp_path / "model.safetensors", trust_code=True, announce=pytest.fail)
    assert "their_nets" in sys.modules
    card = json.loads((tmp_path / "model.safetensors.json").read_text())
    assert card["accuracy"] == study.manifests[0].accuracy
    assert card["preprocessing"]["steps"] == [
        "How inputs are made of raw samples is not known: whoever recorded the training made them."
    ]


def test_weights_that_are_not_there(nets, tmp_path):
    """Other steps than those that are kept, deleted files and runs without weights are named, with what to do."""
    out = tmp_path / "study"
    train(out, 0)
    train(out, 1, weights=False)
    train(out, 2)
    study = Study.open(out)
    message = r"run {} of .* was recorded, and its weights after step {} are not kept \({}\)\. Name .* weights=True"
    with pytest.raises(StudyError, match=message.format(1, 6, "none are")):
        study.networks(trust_code=True)
    assert np.array_equal(answers(study, runs=[2, 0]), study.final()[[2, 0]])
    with pytest.raises(StudyError, match=message.format(0, 4, "those after step 6 are")):
        study.networks([0], 4, trust_code=True)
    with pytest.raises(InputError, match="checkpoint is 5, and no step that the study recorded; there are 2, 4, 6"):
        study.networks([0], 5, trust_code=True)
    files(study)[0, 6].unlink()
    with pytest.raises(StudyError, match=message.format(0, 6, "those after step 6 are")):
        study.networks([0], trust_code=True)


def test_studies_without_a_factory_are_as_before(nets, tmp_path):
    """Their header has no new word, and how to have networks is said; a study does not change its factory."""
    out = tmp_path / "study"
    train(out, 0, weights=False, factory=None)
    header = json.loads((out / "study.json").read_text())
    assert "factory" not in header
    assert "weights" not in header["record"]
    assert not (out / INPUTS_FILE).exists()
    for ask in (Study.open(out).networks, Study.open(out).inputs):
        with pytest.raises(
            StudyError, match=r"was not trained by reseed.* or record your runs with weights=True and a"
        ):
            ask()
    with pytest.raises(StudyError, match=r"another study \(factory: '' there, 'their_nets:small' now\)"):
        train(out, 1)


def test_another_factory_later(nets, tmp_path, monkeypatch):
    """Code that makes other tensors by now is told from damaged files."""
    out = tmp_path / "study"
    train(out, 0)
    import their_nets

    monkeypatch.setattr(their_nets, "small", their_nets.wider)
    with pytest.raises(
        StudyError,
        match=r"not those of the study's model: tensor '1.bias' is float32 \[8\] there, and float32 \[9\] in",
    ):
        Study.open(out).networks(trust_code=True)


def test_damage(nets, tmp_path):
    """Files of weights and inputs that are damaged, exchanged or of another size are refused, with what to do."""
    out = tmp_path / "study"
    train(out, 0)
    study = Study.open(out)
    inputs, path = (out / INPUTS_FILE).read_bytes(), files(study)[0, 6]
    for content, message in [
        (inputs[:-8], "SafetensorError"),
        (b"", "cannot be read"),
        (inputs.replace(b'"inputs"', b'"outputs'[:-1] + b'"', 1), "cannot be read"),
    ]:
        (out / INPUTS_FILE).write_bytes(content)
        with pytest.raises(StudyError, match=f"{message}.* Pass inputs of your own to the networks"):
            study.inputs()
    for held in ({"inputs": EVAL[0][:5]}, {"other": EVAL[0]}, {"inputs": torch.tensor(3.0)}, {"inputs": EVAL[0] + 0j}):
        save_file(held, out / INPUTS_FILE, {"reseed": "{}"})
        with pytest.raises(StudyError, match=r"it holds .*, not the numbers of 20 samples. Pass inputs of your own to"):
            study.inputs()
    (out / INPUTS_FILE).write_bytes(inputs)
    with reseed.max_bytes(100), pytest.raises(StudyError, match=r"the file of inputs .* takes .* above the limit"):
        study.inputs()
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(StudyError, match=r"was cut off or changed. Delete the run's folder and record the run again"):
        study.networks(trust_code=True)
    content = path.read_bytes()[:400]
    path.write_bytes(content)
    manifest = study.path / "runs/run-00000/manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"weights": {"6": sha256(content).hexdigest()}}))
    with pytest.raises(
        StudyError, match=r"cannot be read: SafetensorError.* Delete the run's folder and record the run"
    ):
        Study.open(out).networks(trust_code=True)


@pytest.mark.parametrize("factory", ["mlp", ":small", "their_nets:", "../x:y z", ".their:nets"])
def test_a_header_names_a_function_or_nothing(nets, tmp_path, factory):
    """Other words are corruption: they could name a model of reseed's own."""
    train(tmp_path / "study", 0)
    header = tmp_path / "study/study.json"
    header.write_text(json.dumps(json.loads(header.read_text()) | {"factory": factory}))
    with pytest.raises(StudyError, match=r"is corrupt: ValueError: factory is .*, not of the form MODULE:FUNCTION"):
        Study.open(tmp_path / "study")


def test_a_recording_that_keeps_weights_needs_them(tmp_path):
    """`RunRecording` of a header that keeps weights takes no checkpoint without."""
    samples = Samples(("0", "1"), np.array([0, 1]), ("0", "1"))
    record = RecordConfig(level="labels", weights="final")
    header = Header("fit", "data", "model", 2, samples.class_names, samples.digest, record=record, factory="a:b")
    recording = RunRecording(tmp_path, 0, header, samples, input_shape=(3,))
    with pytest.raises(InputError, match=r"step 1 has no weights, and record.weights='final' keeps them; pass those"):
        recording.write({"labels": np.zeros(2, int)}, 1)
    recording.write({"labels": np.zeros(2, int)}, 1, whole_weights(nn.Linear(3, 2)))
    assert set(recording.finish().weights) == {"1"}


@pytest.mark.cluster
def test_at_a_url(nets, url, s3, tmp_path, monkeypatch):
    """Weights are copied before the manifest, inputs with the header; another machine fetches weights when asked."""
    pytest.importorskip("obstore", reason="needs the extra `cluster`")
    for run in range(2):
        train(url, run)
    monkeypatch.setenv("RESEED_CACHE", str(tmp_path / "another machine"))
    study, said = Study.open(url), []
    assert torch.equal(study.inputs().inputs, EVAL[0])
    assert not files(study)
    networks = study.networks(trust_code=True, announce=said.append)
    assert np.array_equal(networks.predict(EVAL[0]).argmax(-1).numpy(), study.final())
    assert said == [f"fetching the weights of 2 runs from {url!r}"]
    train(url, 2)
    assert np.array_equal(answers(Study.open(url)), Study.open(url).final())
