"""Reading predictions from files: what is refused, and that nothing is ever unpickled."""

import datetime
import os
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reseed import DataError, InputError, import_predictions
from reseed.studies import ColumnNames

LONG = "run,sample_id,label,target\n" + "".join(
    f"{run},s{row},{'ab'[(run + row) % 2]},a\n" for run in range(3) for row in range(4)
)


class Marker:
    """Unpickling it makes a folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def refused(tmp_path):
    """Writes files, imports them, and gives the message of the error that must come."""

    def read(*files, **options):
        paths = []
        for number, content in enumerate(files):
            extension = options.get("extension", "csv")
            paths.append(tmp_path / f"file{number}.{extension}")
            if isinstance(content, pa.Table):
                paths[-1] = tmp_path / f"file{number}.parquet"
                pq.write_table(content, paths[-1])
            elif isinstance(content, np.ndarray):
                paths[-1] = tmp_path / f"file{number}.npy"
                np.save(paths[-1], content)
            else:
                paths[-1].write_bytes(content if isinstance(content, bytes) else content.encode())
        given = {name: value for name, value in options.items() if name != "extension"}
        with pytest.raises(InputError) as raised:
            import_predictions(paths, tmp_path / "study", **given)
        assert not (tmp_path / "study").exists()
        return str(raised.value)

    return read


def _npy_header(text):
    data = text.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(data).to_bytes(2, "little") + data


@pytest.mark.parametrize("kind", ["npy", "npz", "plain", "targets"])
def test_pickles_are_never_read(tmp_path, kind):
    """A pickle in or instead of an array is refused, and what it would do is not done."""
    marker, path = tmp_path / "marker", tmp_path / "bad.npy"
    if kind == "npz":
        path = tmp_path / "bad.npz"
        np.savez(path, labels=np.array([Marker(marker)], dtype=object))
    elif kind == "plain":
        path.write_bytes(pickle.dumps(Marker(marker)))
    else:
        np.save(path, np.array([[Marker(marker)] * 2] * 2, dtype=object), allow_pickle=True)
    np.save(tmp_path / "good.npy", [[0, 1], [1, 1]])
    predictions, targets = (tmp_path / "good.npy", path) if kind == "targets" else (path, None)
    with pytest.raises(DataError) as raised:
        import_predictions([predictions], tmp_path / "study", targets=targets)
    assert "Traceback" not in str(raised.value)
    if kind in ("npy", "targets"):
        assert "it holds pickled objects, which are never read" in str(raised.value)
    assert not marker.exists()
    pickle.loads(pickle.dumps(Marker(marker)))  # noqa: S301
    assert marker.exists()  # the marker works


@pytest.mark.parametrize(
    "content",
    [
        b"\x93NUMPY",
        b"PK\x03\x04 an archive",
        b"a,b\n1,2\n",
        _npy_header("{'descr': '<i8', 'fortran_order': False, 'shape': (1000000000000, 4)}"),
        _npy_header("{'descr': '<i8', 'fortran_order': False, 'shape': (-3, 4)}"),
        _npy_header("{'descr': '<i8', 'fortran_order': False, 'shape': (99999999999999999999999, 4)}"),
        _npy_header("{'descr': 'nonsense', 'fortran_order': False, 'shape': (3, 4)}"),
        _npy_header("{'descr': '<i8', 'fortran_order': 3, 'shape': 'x'}"),
        _npy_header("{'descr': __import__('os'), 'shape': ("),
        _npy_header("'''"),
        _npy_header("(" * 100),
        _npy_header("not python ' at all"),
    ],
)
def test_damaged_arrays_are_refused(refused, content):
    """Whatever stands in an .npy file, the answer is one message that names the file."""
    assert "file0.npy' as a numpy array: " in refused(content, extension="npy")


def test_extensions_must_agree(refused, tmp_path):
    """Files of unknown or different kinds are refused by name."""
    assert "got file0.txt" in refused("x", extension="txt")
    assert "all of one kind" in refused(np.zeros((2, 2), int), LONG)
    with pytest.raises(DataError, match="no file of predictions"):
        import_predictions([], tmp_path / "study")
    with pytest.raises(DataError, match="no such file"):
        import_predictions([tmp_path / "missing.csv"], tmp_path / "study")


def test_ragged_arrays_are_refused(refused):
    """Arrays of several runs have one shape."""
    assert "predictions are ragged: run 0 has shape (3,), run 1 has (2,)" in refused(np.zeros(3, int), np.zeros(2, int))


def test_one_run_is_refused(refused):
    """A single run has nothing to differ from, whatever the file."""
    expected = "runs must be 2 or more, got 1"
    assert expected in refused(np.zeros((1, 3), int))
    assert expected in refused("sample_id,seed0\nx,a\ny,b\n")
    assert expected in refused("run,sample_id,label\n0,x,a\n0,y,b\n")


def test_ids_must_be_equal_in_all_runs(refused):
    """A sample that some run lacks or adds is named, with the run."""
    assert "run 1 lacks 1 samples of file0.csv, run 0 ('s2' first)" in refused(LONG.replace("1,s2,b,a\n", ""))
    assert "run 2 has 1 samples that file0.csv, run 0 has not" in refused(LONG + "2,s9,a,a\n")
    one, two = "sample_id,label\nx,a\ny,b\n", "sample_id,label\nx,a\nz,b\n"
    assert "file1.csv lacks 1 samples of file0.csv ('y' first) and has 1 samples" in refused(one, two)


def test_ids_must_be_unique_in_a_run(refused):
    """A run predicts each sample once."""
    assert "run 0: a sample id stands more than once" in refused(LONG + "0,s1,b,a\n")
    assert "sample_ids are not unique: 'x'" in refused("sample_id,r0,r1\nx,a,b\nx,b,b\n")


@pytest.mark.parametrize("column", ["run", "sample_id", "label", "target"])
def test_empty_cells_of_csv_are_missing_values(refused, column):
    """An empty cell is no class, no id and no run."""
    place = LONG.splitlines()[0].split(",").index(column)
    lines = LONG.splitlines()
    cells = lines[2].split(",")
    cells[place] = ""
    lines[2] = ",".join(cells)
    assert f"column {column!r} has no value in row " in refused("\n".join(lines) + "\n")


@pytest.mark.parametrize("column", ["run", "sample_id", "label", "target", "p_a"])
def test_nulls_of_parquet_are_missing_values(refused, column):
    """A null is refused wherever it stands."""
    columns = {"run": [0, 0, 1, 1], "sample_id": ["x", "y"] * 2, "target": ["a", "b"] * 2}
    columns |= {"p_a": [0.5] * 4, "p_b": [0.5] * 4} if column == "p_a" else {"label": ["a", "b", "a", "a"]}
    columns[column][1] = None
    assert f"column {column!r} has no value in row 1" in refused(pa.table(columns))


def test_nan_probability_is_a_missing_value(refused):
    """NaN in a table counts as missing."""
    table = pa.table({"run": [0, 1], "sample_id": ["x"] * 2, "p_a": [0.5, np.nan], "p_b": [0.5, 0.5]})
    assert "column 'p_a' has no value" in refused(table)


def test_rows_of_a_table_sum_to_one(refused):
    """Probability columns are probabilities."""
    text = "run,sample_id,p_a,p_b\n0,x,0.5,0.5\n1,x,0.5,0.6\n"
    assert "sums to 1.1 at position (1, 0)" in refused(text)
    assert "column 'p_a' must hold probabilities" in refused(text.replace("0.5,0.6", "half,0.5"))


def test_classes_must_be_equal_in_all_runs(refused):
    """One run with other probability columns is refused by name."""
    one, two = "sample_id,p_a,p_b\nx,0.5,0.5\n", "sample_id,p_a,p_c\nx,0.5,0.5\n"
    assert "file1.csv has the probability columns ('a', 'c'), file0.csv has ('a', 'b')" in refused(one, two)


def test_labels_outside_the_classes_are_refused(refused):
    """Classes that are named are all there is."""
    assert "predictions holds 'b' at position" in refused(LONG, class_names=["a", "c"])


def test_gold_labels_must_agree(refused):
    """A sample whose gold label changes between runs is named."""
    assert "the target of sample 's1' in file0.csv, run 2" in refused(LONG.replace("2,s1,b,a", "2,s1,b,b"))


def test_gold_labels_may_stand_in_one_file(tmp_path):
    """Targets and texts are taken from whichever run has them, in the order of the first run's samples."""
    (tmp_path / "one.csv").write_text("sample_id,label\nx,a\ny,b\n")
    (tmp_path / "two.csv").write_text("sample_id,label,target,text\ny,b,b,why\nx,b,a,ex\n")
    study = import_predictions([tmp_path / "one.csv", tmp_path / "two.csv"], tmp_path / "study")
    assert study.targets.tolist() == [0, 1]
    assert study.samples.texts == ("ex", "why")


@pytest.mark.parametrize("option", ["run", "id", "label", "target", "text"])
def test_columns_named_on_purpose_must_exist(refused, option):
    """A name that the user gives and the table has not is never ignored."""
    expected = "has no column 'nowhere'. It has: run, sample_id, label, target"
    assert expected in refused(LONG, columns=ColumnNames(**{option: "nowhere"}))


def test_gold_column_is_not_taken_for_a_run(refused):
    """A wide table whose gold labels are called `label` is not guessed at."""
    assert "pass target='label'" in refused("sample_id,label,r0,r1\nx,a,a,b\ny,b,b,b\n")
    assert "none called 'run'" in refused(LONG.replace("run,", "seed,"))


def test_fractions_are_not_labels(refused):
    """A column of scores in a wide table is not taken for a run."""
    assert "column 'score' holds fractions" in refused("sample_id,r0,r1,score\nx,a,b,0.93\ny,b,b,0.12\n")
    assert "no column of predictions" in refused("sample_id,target\nx,a\n")


def test_whole_floats_are_labels(tmp_path):
    """Labels that another program wrote as 3.0 are the class 3."""
    (tmp_path / "wide.csv").write_text("sample_id,r0,r1\nx,3.0,5.0\ny,5,5\n")
    study = import_predictions([tmp_path / "wide.csv"], tmp_path / "study")
    assert study.header.class_names == ("3", "5")
    assert study.final().tolist() == [[0, 1], [1, 1]]


@pytest.mark.parametrize(
    "values", [[["a"], ["b"]], [b"a", b"\xff"], [{"x": 1}, {"x": 2}]], ids=["list", "bytes", "struct"]
)
def test_columns_that_are_no_text_are_refused(refused, values):
    """Lists, bytes and nested values are no labels."""
    assert "it must hold text or numbers" in refused(pa.table({"sample_id": ["x", "y"], "r0": values, "r1": values}))


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["a", "b"]).dictionary_encode(),
        pa.array(["a", "b"], pa.large_string()),
        pa.array([True, False]),
        pa.array([1, 2], pa.int8()),
        pa.array([datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)]),
    ],
    ids=["dictionary", "large", "bool", "int8", "date"],
)
def test_parquet_types_are_understood(tmp_path, values):
    """Labels of Parquet's scalar types are two classes."""
    pq.write_table(pa.table({"sample_id": [7, 8], "r0": values, "r1": values}), tmp_path / "wide.parquet")
    study = import_predictions([tmp_path / "wide.parquet"], tmp_path / "study")
    assert study.samples.ids == ("7", "8")
    assert sorted(study.final()[0]) == [0, 1]


def test_ids_are_kept_as_written(tmp_path):
    """Ids and labels in CSV are text: 007 is not 7, NA is a name."""
    (tmp_path / "long.csv").write_text("run,sample_id,label\n0,007,NA\n0,7,1e5\n1,7,NA\n1,007,NA\n")
    study = import_predictions([tmp_path / "long.csv"], tmp_path / "study")
    assert study.samples.ids == ("007", "7")
    assert study.header.class_names == ("1e5", "NA")


def test_empty_prefix_is_refused(refused):
    """Without a prefix every column would be a class."""
    assert "prefix of probability columns is empty" in refused(LONG, columns=ColumnNames(probability_prefix=""))


def test_pipes_are_not_waited_for(tmp_path):
    """A named pipe, to which nobody writes, is refused at once, whatever it is called."""
    for name in ("pipe.npy", "pipe.csv"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(DataError, match="is no regular file but a pipe or a device"):
            import_predictions([tmp_path / name], tmp_path / "study")


@pytest.mark.parametrize("extension", ["npy", "csv", "jsonl", "parquet"])
def test_empty_files_are_refused(refused, extension):
    """A file of no bytes is named as such, whatever it should be."""
    assert refused(b"", extension=extension) == f"file0.{extension} is empty (0 bytes)."
