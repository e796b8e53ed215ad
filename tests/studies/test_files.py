"""Files that are put in place together, or not at all."""

import pytest

from reseed import StorageError
from reseed.studies import json_writer, replace_files, text_writer


def test_files_are_put_in_place_in_the_order_given(tmp_path, monkeypatch):
    """All are made before the first is put in place; what is given last comes last."""
    order = []
    rename = type(tmp_path).replace

    def watched(self, target):
        order.append((target.name, sorted(path.suffixes[0] for path in tmp_path.glob(".*"))))
        return rename(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", watched)
    replace_files({tmp_path / "b.json": json_writer({"value": float("nan")}), tmp_path / "a.html": text_writer("page")})
    assert order == [("b.json", [".html", ".json"]), ("a.html", [".html"])]
    assert (tmp_path / "b.json").read_text() == '{\n  "value": null\n}\n'
    assert {path.name for path in tmp_path.iterdir()} == {"a.html", "b.json"}


@pytest.mark.parametrize("case", ["fails", "folder", "no folder"])
def test_none_is_replaced_where_one_cannot_be_made(tmp_path, case):
    """A writer that fails, or a place that is taken, leaves the other files as they were, and nothing beside them."""

    def fail(path):
        path.write_text("half")
        raise OSError("disk full")

    (tmp_path / "a").write_text("old")
    (tmp_path / "b").mkdir()
    bad = {"fails": ("c", fail), "folder": ("b", text_writer("")), "no folder": ("a/c", text_writer(""))}[case]
    reason = {"fails": "disk full", "folder": "Is a directory", "no folder": "(Not a directory|File exists)"}[case]
    with pytest.raises(StorageError, match=rf"cannot write '.*{bad[0]}': {reason}"):
        replace_files({tmp_path / "a": text_writer("new"), tmp_path / bad[0]: bad[1]})
    assert (tmp_path / "a").read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}
