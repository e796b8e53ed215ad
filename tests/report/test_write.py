"""Writing the page in one step, and refusing data whose columns do not fit."""

import dataclasses
from pathlib import Path

import pytest

from reseed._errors import InputError, StorageError
from reseed.report import write


def test_write_makes_folders_and_leaves_no_temporary_file(make_report, tmp_path):
    """`write` makes missing folders, replaces an existing file and returns its path."""
    target = tmp_path / "new" / "report.html"
    assert write(make_report(samples=5), target) == target
    first = target.read_text(encoding="utf-8")
    write(make_report(samples=6), str(target))
    assert target.read_text(encoding="utf-8") != first
    assert [entry.name for entry in target.parent.iterdir()] == ["report.html"]


def test_failed_write_keeps_the_old_file(make_report, tmp_path, monkeypatch):
    """When the last step fails the earlier report is untouched and nothing is left behind."""
    target = tmp_path / "report.html"
    target.write_text("old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(StorageError, match="disk full"):
        write(make_report(samples=5), target)
    assert target.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_write_to_a_folder_is_refused(make_report, tmp_path):
    """A folder is refused with the name of a file that would do."""
    with pytest.raises(InputError, match=r"is a folder: pass the name of a file, such as .*report\.html"):
        write(make_report(samples=5), tmp_path)


@pytest.mark.parametrize("name", ["answers", "texts", "images"])
def test_columns_of_another_length_are_refused(make_report, name):
    """A column that does not fit the sample ids is named with both lengths."""
    data = make_report()
    with pytest.raises(InputError, match=f"{name} has 0 entries for 120 sample_ids: pass one entry per sample"):
        dataclasses.replace(data, **{name: ()})


def test_sample_ids_of_another_length_are_refused(make_report):
    """Too few sample ids are refused, too: the first column that does not fit is named."""
    data = make_report()
    with pytest.raises(InputError, match="targets has 120 entries for 5 sample_ids"):
        dataclasses.replace(data, sample_ids=data.sample_ids[:5])


def test_rarefaction_of_two_lengths_is_refused(make_report):
    """Sizes and shares of the rarefaction curve must pair up."""
    with pytest.raises(InputError, match="rarefaction has 2 sizes and 1 shares"):
        make_report(rarefaction=((1, 2), (0.0,)))
