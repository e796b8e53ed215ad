"""`reseed import`: predictions in files of every shape become studies."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from reseed import Study

LABELS = np.array([[0, 1, 2, 0], [0, 1, 1, 0], [0, 2, 2, 1]])
TARGETS = np.array([0, 1, 2, 1])
NAMES = np.array(["ape", "bee", "cat"])


@pytest.fixture
def probabilities():
    """Probabilities [run, sample, class] whose largest entries are the labels."""
    found = np.full((3, 4, 3), 0.2)
    np.put_along_axis(found, LABELS[..., None], 0.6, axis=-1)
    return found


@pytest.fixture
def table(probabilities):
    """The same predictions as a long table, its rows and class columns in no order."""
    order = np.random.default_rng(1).permutation(12)
    run, sample = np.divmod(np.arange(12), 4)
    columns = {
        "run": run,
        "sample_id": np.array(["s0", "s1", "s2", "s3"])[sample],
        "label": NAMES[LABELS].ravel(),
        "target": NAMES[TARGETS[sample]],
        "text": np.array(["zero", "one", "two", "three"])[sample],
        **{f"p_{NAMES[label]}": probabilities[..., label].ravel() for label in (2, 0, 1)},
    }
    return pa.table({name: values[order] for name, values in columns.items()})


def _check(ended, out):
    """All three results are there, and the numbers are those of LABELS and TARGETS."""
    assert (ended.status, ended.err) == (0, "")
    study = Study.open(out)
    found = np.array(study.header.class_names)[study.final()]
    order = np.argsort(study.samples.ids)
    names = np.array(study.header.class_names)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["accuracy_mean"] == pytest.approx((LABELS == TARGETS).mean())
    assert summary["unstable_fraction"] == 0.75
    assert pq.read_table(out / "samples.parquet").num_rows == 4
    assert (out / "report.html").stat().st_size > 1000
    runs = sorted("".join(name[0] for name in run[order]) for run in found)
    return runs, names[study.targets][order].tolist(), study


EXPECTED = sorted("".join(name[0] for name in NAMES[run]) for run in LABELS)


@pytest.mark.parametrize("several", [False, True])
def test_array_of_labels(cli, tmp_path, several):
    """[run, sample] in one file, or [sample] in each of several, with targets in another."""
    np.save(tmp_path / "targets.npy", TARGETS)
    if several:
        files = [tmp_path / f"run{run}.npy" for run in range(3)]
        for path, labels in zip(files, LABELS, strict=True):
            np.save(path, labels)
    else:
        files = [tmp_path / "all.npy"]
        np.save(files[0], LABELS)
    out = tmp_path / "study"
    words = ("import", *files, "--targets", tmp_path / "targets.npy", "--classes", *NAMES, "--out", out)
    runs, targets, _ = _check(cli(*words), out)
    assert runs == EXPECTED
    assert targets == NAMES[TARGETS].tolist()


@pytest.mark.parametrize("several", [False, True])
def test_array_of_probabilities(cli, tmp_path, probabilities, several):
    """[run, sample, class] in one file, or [sample, class] in each of several; --level full keeps them."""
    np.save(tmp_path / "targets.npy", TARGETS)
    files = [tmp_path / f"run{run}.npy" for run in range(3 if several else 1)]
    for path, part in zip(files, probabilities if several else [probabilities], strict=True):
        np.save(path, part)
    out = tmp_path / "study"
    words = ("import", *files, "--targets", tmp_path / "targets.npy", "--level", "full", "--out", out)
    _, targets, study = _check(cli(*words), out)
    assert targets == ["0", "1", "2", "1"]
    np.testing.assert_allclose(study.final("probabilities"), probabilities, atol=1e-7)
    np.testing.assert_array_equal(study.final(), LABELS)


@pytest.mark.parametrize("extension", ["csv", "tsv", "parquet", "jsonl"])
def test_long_table_of_labels(cli, tmp_path, table, extension):
    """A row for each run and sample, in any order, is aligned by run and sample id."""
    path, out = tmp_path / f"long.{extension}", tmp_path / "study"
    _write(table.drop_columns(["p_ape", "p_bee", "p_cat"]), path)
    runs, targets, study = _check(cli("import", path, "--out", out), out)
    assert runs == EXPECTED
    assert targets == NAMES[TARGETS].tolist()
    assert dict(zip(study.samples.ids, study.samples.texts, strict=True))["s2"] == "two"


def test_long_table_of_probabilities_aligns_classes_by_name(cli, tmp_path, table):
    """Columns p_CLASS are matched by name, whatever their order in the file."""
    path, out = tmp_path / "long.parquet", tmp_path / "study"
    pq.write_table(table, path)
    runs, targets, study = _check(cli("import", path, "--out", out), out)
    assert runs == EXPECTED
    assert targets == NAMES[TARGETS].tolist()
    assert study.header.class_names == ("ape", "bee", "cat")


def test_one_table_for_each_run_aligns_samples_and_classes(cli, tmp_path, table):
    """Several tables, one a run, may differ in the order of rows and class columns."""
    files, out = [], tmp_path / "study"
    for run in range(3):
        part = table.filter(pa.compute.equal(table["run"], run)).drop_columns(["run", "label"])
        names = part.column_names
        files.append(tmp_path / f"seed{run}.csv")
        pa.csv.write_csv(part.select(names[run:] + names[:run]), files[-1])
    runs, targets, _ = _check(cli("import", *files, "--out", out), out)
    assert runs == EXPECTED
    assert targets == NAMES[TARGETS].tolist()


@pytest.mark.parametrize("extension", ["csv", "parquet"])
def test_wide_table(cli, tmp_path, extension):
    """A row for each sample and a column for each run; a note says which columns were read as runs."""
    path, out = tmp_path / f"wide.{extension}", tmp_path / "study"
    columns = {"id": list("wxyz"), "gold": NAMES[TARGETS]}
    columns |= {f"seed{run}": NAMES[labels] for run, labels in enumerate(LABELS)}
    _write(pa.table(columns), path)
    ended = cli("import", path, "--id", "id", "--target", "gold", "--out", out)
    runs, targets, study = _check(ended, out)
    assert runs == EXPECTED
    assert targets == NAMES[TARGETS].tolist()
    assert study.samples.ids == ("w", "x", "y", "z")
    assert "seed0, seed1, seed2" in " ".join(ended.out.split())


def test_columns_by_other_names(cli, tmp_path, table):
    """Every column can have a name of the user's own."""
    names = {"run": "seed", "sample_id": "key", "label": "said", "target": "gold", "text": "words"}
    kept = table.select(list(names)).rename_columns(list(names.values()))
    path, out = tmp_path / "long.csv", tmp_path / "study"
    pa.csv.write_csv(kept, path)
    words = [word for option, name in names.items() for word in (f"--{option.removeprefix('sample_')}", name)]
    runs, _, _ = _check(cli("import", path, *words, "--out", out), out)
    assert runs == EXPECTED


def test_json_is_all_that_stdout_holds(cli, labels, tmp_path):
    """With --json, standard output is the summary and nothing else; unknown numbers are null."""
    found = json.loads(cli("import", labels, "--json", "--out", tmp_path / "study").out)
    assert found["dataset"] == "labels"
    assert found["accuracy_mean"] is None
    assert found["runs"] == 3


def _write(table, path):
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    else:
        delimiter = "\t" if path.suffix == ".tsv" else ","
        pa.csv.write_csv(table, path, pa.csv.WriteOptions(delimiter=delimiter))
