"""Which files are opened at all."""

import os
import re

import pytest

from reseed._errors import DataError
from reseed.data import DataConfig, load, read_table

GOOD = "text,label\na,x\nb,y\nc,x\nd,y\n"


@pytest.fixture(params=["measure", "table", "evaluation"])
def door(request, tmp_path):
    """Every way in which a user's table is read."""
    train = tmp_path / "train.csv"
    train.write_text(GOOD)
    return {
        "measure": lambda path: load(DataConfig(str(path), eval_fraction=0.5)),
        "table": lambda path: read_table(path, None),
        "evaluation": lambda path: load(DataConfig(str(train), eval_file=str(path))),
    }[request.param]


def refused(door, path, message):
    """Checks that nothing is read, nothing is waited for, and why."""
    with pytest.raises(DataError, match=re.escape(message)):
        door(path)


def test_pipes_and_devices_are_not_waited_for(door, tmp_path):
    """What might never end is refused at once, behind a link as well."""
    pipe, link, device = tmp_path / "pipe.csv", tmp_path / "link.csv", tmp_path / "zero.csv"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    device.symlink_to("/dev/zero")
    for path in (pipe, link, device):
        refused(door, path, f"{path} is no regular file but a pipe or a device; save what it gives in a file first.")


def test_folders_and_what_is_not_there_are_named(door, tmp_path):
    """Folders, missing files, loops of links and names that no file can have are each answered."""
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    refused(door, tmp_path / "folder.csv", "folder.csv is a folder; name a file in it.")
    refused(door, tmp_path / "none.csv", f"no such file: {tmp_path / 'none.csv'}")
    refused(door, tmp_path / "train.csv" / "none.csv", "no such file: ")
    refused(door, tmp_path / "loop.csv", "loop.csv cannot be opened: ")
    refused(door, tmp_path / ("n" * 300 + ".csv"), ".csv cannot be opened: File name too long.")
    refused(door, tmp_path / "a\0b.csv", "a\\x00b.csv' is no name of a file that reseed can read; rename it.")
    refused(door, tmp_path / "a\udcffb.csv", "a\\udcffb.csv' is no name of a file that reseed can read; rename it.")


def test_links_to_files_are_followed(door, tmp_path):
    """A link to a regular file is that file."""
    (tmp_path / "data.csv").write_text(GOOD)
    (tmp_path / "link.csv").symlink_to(tmp_path / "data.csv")
    door(tmp_path / "link.csv")


def test_names_that_are_no_path_are_answered():
    """A name of any length or kind that is no data set is said to be unknown, or to be no home."""
    for name in ("n" * 300, "a\0b"):
        with pytest.raises(DataError, match="unknown data set"):
            load(DataConfig(name))
    with pytest.raises(DataError, match=r"'~nobody-of-reseed/x\.csv' is the home folder of nobody on this machine"):
        load(DataConfig("~nobody-of-reseed/x.csv"))


def test_what_does_not_fit_in_memory_is_said(tmp_path, monkeypatch):
    """Where memory does not suffice, the file is named."""
    path = tmp_path / "data.csv"
    path.write_text(GOOD)

    def full(*_):
        raise MemoryError

    monkeypatch.setattr("reseed.data._tables.content_of", full)
    refused(lambda path: read_table(path, None), path, "data.csv cannot be read as csv: it does not fit in memory.")


def test_tables_only_are_read_as_tables(tmp_path):
    """A file of another kind is no table, whatever is in it."""
    refused(lambda path: read_table(path, None), tmp_path / "x.npz", "x.npz is no table; files of tables end in .csv, ")
