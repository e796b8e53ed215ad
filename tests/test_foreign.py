"""Small files of strangers: what they may hold, and what is said of those that hold something else."""

import io
import os
import zipfile

import numpy as np
import pytest

import reseed
from reseed import DataError, StudyError
from reseed._foreign import check_regular, parse_json, parse_toml, read_array, read_arrays, read_text, reason


@pytest.mark.parametrize("text", ['{"a": [1, 2.5, null, true]}', '"\\ud83d\\ude00"', '"\\\\ud800"', "1" * 300, "[]"])
def test_ordinary_json_is_read(text):
    """Whatever can be computed with and written down again is taken as it is."""
    import json

    assert parse_json(text) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("1" * 401, r"111111111111\.\.\. of 401 characters is no number"),
        ("-1e999", "-1e999 is no number"),
        ("[NaN]", "NaN is no number"),
        ("[-Infinity]", "-Infinity is no number"),
        ('"\\ud800"', "half a surrogate pair"),
        ('{"\\uDFFF": 1}', "half a surrogate pair"),
        ("{", "Expecting property name"),
    ],
)
def test_other_json_is_refused(text, message):
    """What no file of reseed's holds is a ValueError that says what it is."""
    with pytest.raises(ValueError, match=message):
        parse_json(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=" + "[" * 100_000, "nested too deeply"),
        ("a=" + "{a=" * 100_000, "nested too deeply"),
        ("a." * 64 + "a=1", "a name of 64 parts or more"),
        ("[" + '"a" . ' * 64 + "a]", "a name of 64 parts or more"),
        ("x={" + "a." * 64 + "a=1}", "a name of 64 parts or more"),
        ("a=[1, [0x" + "f" * 256 + "]]", "a whole number of 1024 bits"),
        ("a=", "Invalid value"),
    ],
)
def test_other_toml_is_refused(text, message):
    """What would keep the parser busy, or could not be computed with, is a ValueError that says what it is."""
    with pytest.raises(ValueError, match=message):
        parse_toml(text)


def test_ordinary_toml_is_read():
    """Names of a few parts, long texts and large numbers are taken as they are."""
    text = f'a.b.c = 1\nd = "{"x" * 100_000}"\ne = "{"1.2 " * 50}"\nf = 0x{"f" * 255}\n'
    assert parse_toml(text) == {"a": {"b": {"c": 1}}, "d": "x" * 100_000, "e": "1.2 " * 50, "f": 16**255 - 1}


@pytest.mark.parametrize(
    ("name", "message"), [("folder", "it is a folder"), ("pipe", "no regular file"), ("a\0b", "NUL")]
)
def test_only_regular_files_are_opened(tmp_path, name, message):
    """A folder, a pipe and a name that cannot be are told apart, as errors of the operating system are."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for read in (check_regular, read_text, read_array, read_arrays):
        with pytest.raises(OSError, match=message) as found:
            read(tmp_path / name)
        assert str(tmp_path) not in reason(found.value)


def test_a_link_to_a_file_is_a_file(tmp_path):
    """A user may reach his files through links."""
    (tmp_path / "file").write_text("é", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_text(tmp_path / "link") == "é"


def test_sizes_are_looked_at_first(tmp_path):
    """A file that may take more than the limit is not read, and the caller says which error that is."""
    (tmp_path / "text").write_text("x" * 1000)
    np.save(tmp_path / "a.npy", np.zeros(1000))
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros(100_000))
    for read, name in ((read_text, "text"), (read_array, "a.npy"), (read_arrays, "a.npz")):
        with reseed.max_bytes(5000), pytest.raises(StudyError, match=f"{name}' takes .* limit of 4.88 KiB"):
            read(tmp_path / name, error=StudyError)
    with pytest.raises(DataError, match="takes"), reseed.max_bytes(1):
        read_text(tmp_path / "text")
    assert read_arrays(tmp_path / "a.npz")["a"].sum() == 0


def _npy(header):
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no array",
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"),
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"),
        _npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"),
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}") + bytes(16),
        _npy("__import__('os').abort()"),
        _npy("(" * 5000),
    ],
)
def test_arrays_that_are_none(tmp_path, content):
    """A file that holds no array, or less than it says, or Python objects, is a ValueError, in an archive as well."""
    (tmp_path / "a.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", content)
    for read, name in ((read_array, "a.npy"), (read_arrays, "a.npz")):
        if content.startswith(b"\x93NUMPY") or read is read_array:
            with pytest.raises(ValueError, match=r"\w"):
                read(tmp_path / name)


def test_archives_that_are_none(tmp_path):
    """What is no zip file, or a damaged one, is a ValueError."""
    file = io.BytesIO()
    np.savez_compressed(file, a=np.arange(1000))
    whole = file.getvalue()
    for content in (b"", whole[:-40], whole[:60] + b"\0" * 40 + whole[100:]):
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(ValueError, match="it is damaged"):
            read_arrays(tmp_path / "a.npz")


@pytest.mark.parametrize("order", "<>")
def test_texts_of_no_characters_are_refused(tmp_path, order):
    """Numbers in the place of characters that are none's end no program; texts of any size are read, empty ones too."""
    path = tmp_path / "a.npy"
    for text in ("", "a", "\U0010ffff", "\udcff"):
        np.save(path, np.array([[text]], f"{order}U{len(text)}"))
        assert read_array(path).tolist() == [[text]]
    np.save(path, np.array([0x110000], f"{order}u4").view(f"{order}U1"))
    with pytest.raises(ValueError, match="it holds texts of what is no character"):
        read_array(path)
    with pytest.raises(DataError, match=r"cannot read '.*a\.npy' as a numpy array: it holds texts of what is no char"):
        reseed.studies.import_predictions([path], tmp_path / "out")
