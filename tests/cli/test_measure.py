"""`reseed measure`: what it writes, that its numbers are right, and which setting wins."""

import json
import os
import tomllib

import numpy as np
import pyarrow.parquet as pq
import pytest
import scipy.stats
import xarray as xr
import zarr

from reseed.training import Recipe

from_text = Recipe.from_toml
TINY = ("--runs", "2", "--epochs", "1", "--engine", "serial", "--hidden", "4", "--no-probe")
SUMMARY = {
    "dataset",
    "model",
    "runs",
    "accuracy_mean",
    "accuracy_std",
    "label_entropy_mean",
    "label_entropy_ci95",
    "unstable_fraction",
    "jitter",
}
SAMPLES = {
    "sample_id",
    "target",
    "label_entropy",
    "mode_label",
    "mode_share",
    "jitter",
    "confidence_mean",
    "confidence_std",
}


def test_columns_that_were_used_are_said_everywhere(cli, tmp_path):
    """Features, columns that are not used and the index of pandas stand in the terminal, the page and the study."""
    data = tmp_path / "data.csv"
    data.write_text(",a,city,label\n" + "".join(f"{row},{row % 5},here,{'xy'[row % 2]}\n" for row in range(40)))
    ended = cli("measure", data, *TINY, "--out", tmp_path / "study")
    assert ended.status == 0
    notes = (
        "data.csv: left out as the row index that pandas writes along: the unnamed first column.",
        "The features are a; not used: city (text).",
    )
    header = json.loads((tmp_path / "study" / "study.json").read_text())
    assert tuple(header["notes"]) == notes
    page = (tmp_path / "study" / "report.html").read_text()
    for note in notes:
        assert f"note: {note}" in " ".join(ended.out.split())
        assert note in page
    again = cli("measure", data, *TINY, "--runs", "3", "--out", tmp_path / "study")
    assert again.status == 0


def _stored(folder, name="labels"):
    """The last checkpoint of every run, [run, sample], read with zarr alone."""
    found = []
    for run in sorted((folder / "runs").iterdir()):
        manifest = json.loads((run / "manifest.json").read_text())
        found.append(zarr.open_array(run / manifest["predictions"] / "evaluation" / name, mode="r")[-1])
    return np.stack(found)


def _entropies(labels):
    """Label entropy of each sample in nats, the slow way."""
    counts = [np.unique(column, return_counts=True)[1] for column in labels.T]
    return np.array([scipy.stats.entropy(count) for count in counts])


def test_three_files_are_written(measured):
    """A study ends with a summary of flat keys, a table of samples and a report."""
    summary = json.loads((measured / "summary.json").read_text())
    assert summary.keys() >= SUMMARY
    assert not any(isinstance(value, dict) for name, value in summary.items() if name in SUMMARY)
    assert (summary["dataset"], summary["model"], summary["runs"]) == ("digits", "mlp", 3)
    low, high = summary["label_entropy_ci95"]
    assert low <= summary["label_entropy_mean"] <= high
    table = pq.read_table(measured / "samples.parquet")
    assert set(table.column_names) >= SAMPLES
    assert table.num_rows == 360
    assert (measured / "report.html").read_text().lower().startswith("<!doctype html>")


def test_label_entropies_follow_from_the_stored_labels(measured):
    """The table and the mean are those of scipy over the labels that plain zarr reads."""
    labels = _stored(measured)
    expected = _entropies(labels)
    assert expected.max() > 0  # else nothing is compared
    table = pq.read_table(measured / "samples.parquet")
    np.testing.assert_allclose(table["label_entropy"].to_numpy(), expected, atol=1e-12)
    summary = json.loads((measured / "summary.json").read_text())
    assert summary["label_entropy_mean"] == pytest.approx(expected.mean(), abs=1e-12)
    assert summary["unstable_fraction"] == pytest.approx((expected > 0).mean())
    pairs = [(labels[a] != labels[b]).mean() for a, b in ((0, 1), (0, 2), (1, 2))]
    assert summary["jitter"] == pytest.approx(np.mean(pairs))


def test_accuracy_follows_from_the_stored_labels(measured):
    """Mean and standard deviation over runs are those of the stored labels against the table's targets."""
    targets = pq.read_table(measured / "samples.parquet")["target"].to_numpy()
    accuracies = (_stored(measured) == targets).mean(axis=1)
    summary = json.loads((measured / "summary.json").read_text())
    assert summary["accuracy_mean"] == pytest.approx(accuracies.mean())
    assert summary["accuracy_std"] == pytest.approx(accuracies.std(ddof=1))


def test_confidences_follow_from_the_stored_probabilities(measured):
    """The mean confidence of a sample is the mean over runs of its largest stored probability."""
    largest = _stored(measured, "probabilities").max(axis=-1)
    table = pq.read_table(measured / "samples.parquet")
    np.testing.assert_allclose(table["confidence_mean"].to_numpy(), largest.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(table["confidence_std"].to_numpy(), largest.std(axis=0), atol=1e-6)


def test_xarray_opens_the_store(measured):
    """Each run is a zarr group that xarray opens by itself, with named axes."""
    run = next((measured / "runs").iterdir())
    manifest = json.loads((run / "manifest.json").read_text())
    with xr.open_zarr(run / manifest["predictions"] / "evaluation", consolidated=False) as opened:
        assert opened["labels"].dims == ("checkpoint", "sample")
        assert opened["probabilities"].dims == ("checkpoint", "sample", "class")
        assert opened["labels"].shape == (2, 360)


def test_json_is_all_that_stdout_holds(cli, tmp_path):
    """With --json, standard output is one JSON document, equal to summary.json."""
    ended = cli("measure", "digits", *TINY, "--json", "--out", tmp_path / "study")
    assert ended.status == 0
    assert json.loads(ended.out) == json.loads((tmp_path / "study/summary.json").read_text())


def test_more_runs_extend_a_study(cli, tmp_path):
    """The same command with more runs keeps those that are there and adds the others."""
    out = tmp_path / "study"
    assert cli("measure", "digits", *TINY, "--out", out).status == 0
    kept = {path: path.stat().st_mtime_ns for path in (out / "runs").glob("*/manifest.json")}
    before = _stored(out)
    ended = cli("measure", "digits", *TINY, "--runs", "3", "--json", "--out", out)
    assert json.loads(ended.out)["runs"] == 3
    assert kept == {path: path.stat().st_mtime_ns for path in kept}
    np.testing.assert_array_equal(_stored(out)[:2], before)


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (("measure", "digits", *TINY), 1),
        (("measure", "digits", *TINY, "--weights", "none"), 0),
        (("measure", "digits", *TINY, "--every", "10", "--weights", "checkpoints"), 5),
        (("measure", "digits", *TINY, "--weights", "none", "--attribute", "--vary", "init,order"), 0),
        (("measure", "digits", *TINY, "--weights", "none", "--bootstrap"), 0),
        (("measure", "digits", *TINY, "--weights", "final", "--nested", "2"), 1),
        (("mitigate", "digits", *TINY, "--weights", "none", "--methods", "swa"), 0),
        (("mitigate", "digits", *TINY, "--methods", "swa"), 1),
    ],
)
def test_weights_are_kept_as_asked(cli, tmp_path, words, kept):
    """Every command that trains studies to look at keeps so many files of weights a run; 45 steps are recorded."""
    assert cli(*words, "--out", tmp_path / "out").status == 0
    runs = list((tmp_path / "out").rglob("manifest.json"))
    assert runs
    assert {len(list(run.parent.glob("weights-*/*.safetensors"))) for run in runs} == {kept}


def test_default_folder_is_named_after_data_model_and_recipe(cli, tmp_path, monkeypatch):
    """Without --out the study lies below reseed-studies/."""
    monkeypatch.chdir(tmp_path)
    ended = cli("measure", "digits", *TINY)
    (folder,) = (tmp_path / "reseed-studies").iterdir()
    assert folder.name.startswith("digits-mlp-")
    assert str(folder.relative_to(tmp_path)) in ended.out


def test_csv_of_texts(cli, tmp_path):
    """A table of texts is measured with the columns that are named, and the report shows the texts."""
    rows = [f"{'pay the bill' if row % 2 else 'call my mother'} {row},{'ab'[row % 2]}" for row in range(40)]
    (tmp_path / "data.csv").write_text("\n".join(["utterance,intent", *rows]))
    out = tmp_path / "study"
    words = ("measure", tmp_path / "data.csv", "--text", "utterance", "--label", "intent", *TINY, "--out", out)
    assert cli(*words).status == 0
    texts = pq.read_table(out / "samples.parquet")["text"].to_pylist()
    assert len(texts) == 8
    assert set(texts) <= {row.partition(",")[0] for row in rows}


def test_own_model(cli, here):
    """MODULE:FUNCTION in the current folder is called for each run."""
    (here / "own_model.py").write_text(
        "from torch import nn\n"
        "def small(input_shape, num_classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))\n"
    )
    ended = cli("measure", "digits", "--model", "own_model:small", *TINY, "--json", "--out", "study")
    assert json.loads(ended.out)["model"] == "own_model:small"


def test_defaults_give_way_to_the_recipe_and_the_recipe_to_the_command_line(cli, tmp_path):
    """A field comes from the command line, else from --recipe, else from the model's defaults."""
    (tmp_path / "recipe.toml").write_text("epochs = 7\nbatch_size = 9\n[optimizer]\nlr = 0.25\n")
    plain = from_text(cli("measure", "digits", "--print-config").out)
    mixed = from_text(
        cli("measure", "digits", "--recipe", tmp_path / "recipe.toml", "--batch-size", 5, "--print-config").out
    )
    assert plain.epochs != 7
    assert (mixed.epochs, mixed.batch_size, mixed.optimizer.lr) == (7, 5, 0.25)
    assert mixed.optimizer.momentum == plain.optimizer.momentum


def test_data_and_model_follow_the_same_precedence(cli, tmp_path):
    """The names of data set and model in --recipe are used, and give way to those in the command."""
    (tmp_path / "data.csv").write_text("a,b,label\n" + "".join(f"{row},{-row},{row % 2}\n" for row in range(20)))
    (tmp_path / "recipe.toml").write_text('[data]\nname = "digits"\nsplit_seed = 3\n[model]\nname = "cnn"\n')
    kept = from_text(cli("measure", "--recipe", tmp_path / "recipe.toml", "--print-config").out)
    assert (kept.data.name, kept.data.split_seed, kept.model.name) == ("digits", 3, "cnn")
    words = ("measure", tmp_path / "data.csv", "--model", "mlp", "--recipe", tmp_path / "recipe.toml")
    changed = from_text(cli(*words, "--print-config").out)
    assert (changed.data.name, changed.model.name) == (str(tmp_path / "data.csv"), "mlp")
    assert changed.data.split_seed == 3


def test_epochs_of_the_command_line_win_over_steps_of_the_recipe(cli, tmp_path):
    """--epochs asks for epochs, though a recipe's steps would otherwise stand in their place."""
    (tmp_path / "recipe.toml").write_text("steps = 50\n")
    words = ("measure", "digits", "--recipe", tmp_path / "recipe.toml", "--print-config")
    assert from_text(cli(*words).out).steps == 50
    asked = from_text(cli(*words, "--epochs", 2).out)
    assert (asked.epochs, asked.steps) == (2, None)


@pytest.mark.parametrize(
    "words",
    [
        ("digits",),
        ("digits", "--model", "cnn", "--lr", "0.01", "--augment", "crop"),
        ("digits", "--steps", "12", "--clip-norm", "1.5", "--hidden", "3", "4", "--limit", "100"),
        ("digits", "--optimizer", "adamw", "--schedule", "cosine", "--warmup", "0.1", "--split-seed", "5"),
        ("digits", "--schedule", "exponential", "--gamma", "0.9"),
    ],
)
def test_printed_recipe_comes_back_the_same(cli, tmp_path, words):
    """What --print-config prints is TOML, and through --recipe gives the recipe with the same digest."""
    first = cli("measure", *words, "--print-config").out
    assert tomllib.loads(first)["data"]["name"] == "digits"
    (tmp_path / "printed.toml").write_text(first)
    again = cli("measure", "--recipe", tmp_path / "printed.toml", "--print-config").out
    assert from_text(again).digest == from_text(first).digest


def test_printed_recipe_of_a_study_is_the_one_it_keeps(cli, tmp_path):
    """The recipe that --print-config announces is the one in the study's folder."""
    out = tmp_path / "study"
    printed = cli("measure", "digits", *TINY, "--print-config").out
    assert cli("measure", "digits", *TINY, "--out", out).status == 0
    assert from_text((out / "recipe.toml").read_text()).digest == from_text(printed).digest


def test_real_texts(cli, tmp_path):
    """A named data set of texts is measured with the model that suits it."""
    if not os.environ.get("RESEED_DATA"):
        pytest.skip("RESEED_DATA is not set: it names a folder with massive/")
    words = ("measure", "massive", *TINY, "--limit", "200", "--vocabulary", "50", "--every", "final", "--json")
    ended = cli(*words, "--out", tmp_path / "study")
    assert ended.status == 0
    found = json.loads(ended.out)
    assert (found["dataset"], found["model"]) == ("massive", "text-tfidf")
    assert found["label_entropy_mean"] == pytest.approx(_entropies(_stored(tmp_path / "study")).mean())
