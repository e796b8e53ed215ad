"""Studies of a few kilobytes that unpack to gigabytes, wait for ever or never end: refused before they do."""

import json
import os
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr
from zarr.codecs import BloscCodec, GzipCodec, ShardingCodec

import reseed
from reseed import Study, StudyError
from reseed.studies._chunks import _zstd_size

TEXTS = [f"say {word} again" for word in "abcde"]


@pytest.fixture
def study(tmp_path):
    """A small study of two runs with probabilities."""
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1], (2, 5))
    return Study.from_predictions(
        probabilities, tmp_path / "study", targets=[0, 1, 2, 0, 1], texts=TEXTS, level="full", dataset="toy"
    )


def _labels_of(study, run=1):
    return study.path / f"runs/run-{run:05d}" / study.manifests[run].predictions / "evaluation/labels"


def _change_metadata(study, **changes):
    path = _labels_of(study) / "zarr.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _grid(*chunks):
    return {"name": "regular", "configuration": {"chunk_shape": list(chunks)}}


def refused(study, match):
    """Every way to the labels is refused with one message."""
    opened = Study.open(study.path)
    for read in (opened.final, lambda: opened.labels.to_numpy(), lambda: reseed.inspect(opened)):
        with pytest.raises(StudyError, match=match):
            read()


@pytest.mark.parametrize(
    ("packed", "held"),
    [
        (pa.compress(bytes(64 << 20), "zstd"), "67,108,864"),
        (pa.compress(bytes(9), "zstd"), "9"),
        (pa.compress(b"", "zstd"), "0"),
        (b"", "an unknown number of"),
        (b"no frame", "an unknown number of"),
        (b"\x50\x2a\x4d\x18\x04\0\0\0skip" + pa.compress(bytes(64 << 20), "zstd"), "an unknown number of"),
    ],
    ids=["much", "little", "nothing", "empty", "other", "skipped"],
)
def test_chunks_that_unpack_to_another_size_are_refused(study, packed, held):
    """A chunk says to how many bytes it unpacks, and these must be a chunk's, before any of them is made."""
    chunk = next((_labels_of(study) / "c").rglob("0/0"))
    chunk.write_bytes(packed)
    refused(study, rf"the chunk '.*labels/c/0/0' is damaged: it holds {held} bytes, and a chunk of this array has 10\.")


def test_a_chunk_that_does_not_say_its_size_is_refused(study, tmp_path):
    """A stream whose size nobody knows before its end is no chunk."""
    with pa.CompressedOutputStream(str(tmp_path / "stream"), "zstd") as stream:
        stream.write(bytes(10))
    shutil.copy(tmp_path / "stream", _labels_of(study) / "c/0/0")
    refused(study, "it holds an unknown number of bytes")


@pytest.mark.parametrize("size", [0, 1, 255, 256, 65_791, 65_792, 1 << 20])
def test_the_size_in_a_frame_is_read_as_it_is_written(size):
    """Every form in which a frame tells its size is understood."""
    packed = pa.compress(bytes(size), "zstd", asbytes=True)
    assert _zstd_size(packed[:18]) == size
    assert all(_zstd_size(packed[:stop]) in (None, size) for stop in range(18))


@pytest.mark.parametrize(
    "changes",
    [
        {"chunk_grid": _grid(0, 0)},
        {"chunk_grid": _grid(1, 0)},
        {"chunk_grid": _grid(1, 10**9)},
        {"chunk_grid": _grid(10**9, 5)},
        {"chunk_grid": _grid(1, 5, 1)},
        {"chunk_grid": _grid(1, -5)},
        {"chunk_grid": _grid(1, 2.5)},
        {"chunk_grid": _grid("1", "5")},
        {"chunk_grid": _grid()},
        {"chunk_grid": {"name": "rectilinear", "configuration": {"chunk_shape": [1, 5]}}},
        {"chunk_grid": []},
        {"shape": [10**9, 10**9]},
        {"shape": [0, 0]},
        {"shape": [1, -5]},
        {"shape": 5},
        {"shape": []},
        {"shape": [1, 10**7], "chunk_grid": _grid(1, 1)},
        {"shape": [1, 10**400], "chunk_grid": _grid(1, 5)},
        {"data_type": "complex128"},
        {"data_type": {"name": "numpy.datetime64", "configuration": {"unit": "s", "scale_factor": 1}}},
        {"data_type": "r1000000"},
        {"data_type": "string"},
        {"codecs": []},
        {"codecs": [GzipCodec().to_dict()]},
        {"codecs": [{"name": "bytes"}, GzipCodec().to_dict()]},
        {"codecs": [{"name": "bytes"}, BloscCodec().to_dict()]},
        {"codecs": [ShardingCodec(chunk_shape=(1, 1)).to_dict()]},
        {"codecs": [{"name": "numcodecs.pickle"}]},
        {"codecs": [{"name": "bytes"}, {"name": "zstd"}, {"name": "zstd"}]},
        {"codecs": [None]},
        {"chunk_key_encoding": {"name": "v2"}},
        {"chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}}},
        {"chunk_key_encoding": None},
        {"zarr_format": 2},
        {"node_type": "group"},
    ],
    ids=str,
)
def test_arrays_that_declare_what_cannot_be_are_refused(study, changes):
    """Shapes, chunks, types and codecs that no run has are refused before a chunk is looked for."""
    _change_metadata(study, **changes)
    refused(study, r"the predictions '.*labels' are corrupt")


def test_a_chunk_above_the_limit_is_refused_and_can_be_allowed(tmp_path):
    """A chunk of the right shape still has to be as small as the reader wants it, who can say how small that is."""
    study = Study.from_predictions(np.full((2, 10_000, 3), 1 / 3), tmp_path, class_names="abc", level="full")
    with (
        reseed.max_bytes(100_000),
        pytest.raises(StudyError, match=r"takes 117 KiB or more .* with reseed\.max_bytes"),
    ):
        study.final("probabilities")
    with reseed.max_bytes(120_000):
        assert study.final("probabilities").shape == (2, 10_000, 3)


@pytest.mark.parametrize("name", ["zarr.json", "c/0/0", "c"])
def test_links_are_not_followed(study, tmp_path, name):
    """Nothing that an array is made of may lead elsewhere, its metadata included, which is not even read then."""
    path = _labels_of(study) / name
    path.rename(tmp_path / "elsewhere")
    if name == "zarr.json":
        (tmp_path / "elsewhere").write_text("not read")
    path.symlink_to(tmp_path / "elsewhere")
    refused(study, "hold links, which may lead outside the study")


def test_many_files_are_not_walked_through(study):
    """An array of one chunk does not have a thousand files."""
    for name in range(1000):
        (_labels_of(study) / f"{name}").touch()
    refused(study, "files or more for 1 chunks")


def test_a_few_files_of_other_programs_are_left_alone(study):
    """What a file browser or an editor leaves behind does no harm."""
    (_labels_of(study) / ".DS_Store").write_bytes(b"x")
    assert Study.open(study.path).final().shape == (2, 5)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no such files")
@pytest.mark.parametrize(
    "name", ["study.json", "recipe.toml", "evaluation.parquet", "manifest", "metadata", "chunk", "stray"]
)
def test_what_is_no_regular_file_is_not_opened(study, name):
    """A pipe in the place of a file would wait for ever; it is refused by name."""
    special = {
        "manifest": study.path / "runs/run-00001/manifest.json",
        "metadata": _labels_of(study) / "zarr.json",
        "chunk": _labels_of(study) / "c/0/0",
        "stray": _labels_of(study) / "stray",
    }
    path = special.get(name, study.path / name)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    with pytest.raises(StudyError, match="no regular file"):
        reseed.inspect(study.path)


@pytest.mark.parametrize("name", ["study.json", "runs/run-00001/manifest.json"])
@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a":' * 100_000, '{"cost": {"steps": 1' + "0" * 400 + "}}", '{"dataset": "\\ud800"}', "NaN"],
)
def test_json_that_is_none_of_reseeds_is_refused(study, name, text):
    """Nesting without end, numbers beyond all numbers and halves of characters are corrupt, and said in one line."""
    (study.path / name).write_text(text)
    with pytest.raises(StudyError, match="is corrupt"):
        Study.open(study.path)


@pytest.mark.parametrize(
    "changes",
    [
        {"group": [5]},
        {"group": [5, 9]},
        {"group": [0, 10**30]},
        {"group": [0, 1, 2]},
        {"steps": []},
        {"steps": [-1]},
        {"steps": [2**60]},
        {"cost": {"steps": -1}},
        {"cost": {"wall_s": 1e300}},
        {"cost": {"steps": 10**300}},
        {"accuracy": 7},
        {"environment": {"deep": [[[]]]}},
    ],
    ids=str,
)
def test_impossible_manifests_are_corrupt(study, changes):
    """Values of the right type that no run has are found when the study is opened."""
    path = study.path / "runs/run-00001/manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(StudyError, match=r"the manifest '.*' is corrupt: (Value|Type)Error.* Delete the folder"):
        Study.open(study.path)


@pytest.mark.parametrize(
    "changes", [{"class_names": []}, {"class_names": ["a", "a", "b"]}, {"groups": [[0, 10**30]]}, {"groups": [[1, 0]]}]
)
def test_impossible_headers_are_corrupt(study, changes):
    """A header whose values fit no study is found when it is opened."""
    path = study.path / "study.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(StudyError, match=r"study\.json' is corrupt: ValueError"):
        Study.open(study.path)


def test_large_json_is_refused_before_it_is_parsed(study):
    """What a header may take is limited, and the limit can be raised."""
    path = study.path / "study.json"
    path.write_text(path.read_text() + " " * 40_000)
    with reseed.max_bytes(1 << 20), pytest.raises(StudyError, match=r"study\.json' takes .* or more to read"):
        Study.open(study.path)
    assert len(Study.open(study.path).manifests) == 2


def _write_table(study, **columns):
    columns = {"sample_id": list("abcde"), "target": [0, 1, 2, 0, 1]} | columns
    pq.write_table(pa.table(columns), study.path / "evaluation.parquet", compression="zstd")


def test_a_text_that_is_meant_many_times_is_refused(study):
    """A text that is stored once and stands in every row counts as often as it stands there."""
    rows = 3000
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * rows), ["x" * 1_000_000])
    table = pa.table({"sample_id": list(map(str, range(rows))), "target": [0] * rows, "text": texts})
    pq.write_table(table, study.path / "evaluation.parquet", store_schema=False)  # so that it reads as plain texts
    assert (study.path / "evaluation.parquet").stat().st_size < 100_000
    with pytest.raises(
        StudyError, match=r"evaluation\.parquet' takes 2\.79 GiB or more to read, above the limit of 2 GiB"
    ):
        Study.open(study.path)


def test_a_table_above_the_limit_is_refused_and_can_be_allowed(study):
    """What a page unpacks to is known before it is unpacked."""
    _write_table(study, text=[str(row) * 1_000_000 for row in range(5)])
    with reseed.max_bytes(4 << 20), pytest.raises(StudyError, match=r"evaluation\.parquet' takes .* limit of 4 MiB"):
        Study.open(study.path)
    with reseed.max_bytes(64 << 20):
        assert len(Study.open(study.path).samples.texts[4]) == 1_000_000


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": pa.array(range(5))}, "column 'text' is of type int64"),
        ({"text": ["a", None, "c", "d", "e"]}, "column 'text' lacks values"),
        ({"image": TEXTS}, "column 'image' is of type string"),
        ({"target": [0.0, 1.0, 2.0, 0.0, 1.0]}, "column 'target' is of type double"),
        ({"target": pa.array([2**64 - 1] * 5, pa.uint64())}, "Integer value 18446744073709551615 not in range"),
        ({"sample_id": pa.array([b"\xff"] * 5).cast(pa.binary())}, "column 'sample_id' is of type binary"),
        ({"features": [[1.0]] * 5}, "column 'features' is of type list"),
        ({"features": pa.array([[np.nan]] * 5, pa.list_(pa.float32(), 1))}, "column 'features' lacks values"),
        ({"features": pa.array([[1.0]] * 4 + [None], pa.list_(pa.float32(), 1))}, "column 'features' lacks values"),
    ],
    ids=range(9),
)
def test_samples_of_other_types_are_refused(study, columns, message):
    """Every column of the samples has its type and all its values."""
    _write_table(study, **columns)
    with pytest.raises(StudyError, match=rf"cannot read '.*evaluation\.parquet': .*{message}.*not usable without it"):
        Study.open(study.path)


def test_texts_that_build_on_each_other_are_refused(study):
    """An encoding in which texts of a few bytes may grow without bound is not read."""
    table = pa.table({"sample_id": list("abcde"), "target": [0, 1, 2, 0, 1], "text": TEXTS})
    encoding = {"text": "DELTA_BYTE_ARRAY"}
    pq.write_table(table, study.path / "evaluation.parquet", use_dictionary=False, column_encoding=encoding)
    with pytest.raises(StudyError, match="stored as differences of texts, which may grow without bound"):
        Study.open(study.path)


@pytest.mark.parametrize("place", ["runs", "manifest", "header", "split"])
def test_what_may_not_be_read_is_not_called_corrupt(study, monkeypatch, place):
    """Where the system refuses, its reason is told, nobody is told to delete anything, and nothing counts as absent."""
    refusing = {
        "runs": study.path / "runs",
        "manifest": study.path / "runs/run-00001/manifest.json",
        "header": study.path / "study.json",
        "split": _labels_of(study, 0).parent,
    }[place]
    for name in ("iterdir", "read_text"):
        plain = getattr(type(refusing), name)

        def refuse(self, *rest, plain=plain, **options):
            if self == refusing:
                raise PermissionError(13, "Permission denied", str(self))
            return plain(self, *rest, **options)

        monkeypatch.setattr(type(refusing), name, refuse)
    with pytest.raises(StudyError, match=r"cannot be (read|listed): Permission denied\.") as found:
        Study.open(study.path).final()
    assert "corrupt" not in str(found.value)
    assert "elete" not in str(found.value)


def test_what_is_written_is_what_is_read(tmp_path):
    """Arrays of every size that the writer makes are accepted by the reader, in plain zarr as well."""
    rng = np.random.default_rng(0)
    for samples, classes in ((1, 2), (700, 3), (3000, 40)):
        probabilities = rng.dirichlet(np.ones(classes), (2, samples))
        study = Study.from_predictions(probabilities, tmp_path / f"{samples}", class_names=range(classes), level="full")
        np.testing.assert_allclose(study.final("probabilities"), probabilities, rtol=1e-6)
        folder = _labels_of(study)
        np.testing.assert_array_equal(zarr.open_array(folder, mode="r")[0], study.final()[1])
