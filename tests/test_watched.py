"""The watch over what is opened sees what it is there to see."""

import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from tests.watched import unopened, watched


def test_what_is_opened_elsewhere_is_seen(tmp_path):
    """Files, folders and programs outside are noted, those inside are not, and nothing is after the end."""
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a").write_text("")
    with watched(inside) as broken:
        (inside / "a").read_text()
        list(inside.iterdir())
        assert broken == []
        (outside / "a").read_text()
        list(outside.iterdir())
        subprocess.run([sys.executable, "-c", ""], check=True)
        seen = [item.partition(" ")[0] for item in broken]
    assert {"open", "os.listdir", "subprocess.Popen"} <= set(seen)
    (outside / "a").read_text()
    assert [item.partition(" ")[0] for item in broken] == seen


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux what was opened")
def test_what_a_library_opens_is_seen(tmp_path):
    """A file that a library in C opens, of which Python knows nothing, is noted."""
    for name in ("a", "b"):
        (tmp_path / name).write_text("")
    with unopened([tmp_path / "a", tmp_path / "b"]) as opened, pytest.raises(ValueError, match="Parquet"):
        pq.ParquetFile(tmp_path / "a")
    assert set(opened) == {str(tmp_path / "a")}
