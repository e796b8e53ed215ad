"""Commands on a study at a URL."""

import json
from pathlib import Path

import pytest

pytest.importorskip("obstore", reason="needs the extra `cluster`")
pytestmark = pytest.mark.cluster
TINY = ("--runs", "2", "--epochs", "1", "--engine", "serial", "--hidden", "8", "--no-probe")


def test_a_study_at_a_url_from_measure_to_report(cli, s3, url, tmp_path):
    """The URL gets the study, its numbers and its page; the commands that read take it, and it is never a folder."""
    bucket = s3 / url.removeprefix("s3://")
    measured = cli("measure", "digits", *TINY, "--out", url)
    assert measured.status == 0, measured.err
    assert f"study:  {url}\n" in measured.out
    shown = Path(measured.out.split("report: ")[1].strip())
    assert shown.read_bytes() == (bucket / "report.html").read_bytes()
    summary = json.loads((bucket / "summary.json").read_text())
    assert json.loads(cli("inspect", url, "--json").out) == summary
    assert cli("report", url, "--out", tmp_path / "page").status == 0
    assert (tmp_path / "page/report.html").exists()
    refused = cli("report", url, "--out", url)
    assert refused.status == 2
    assert f"'{url}' is a URL; give a folder" in refused.err


def test_predictions_are_imported_to_a_url(cli, s3, url, labels):
    """The command that imports takes a URL as well."""
    assert cli("import", labels, "--out", url).status == 0
    assert (s3 / url.removeprefix("s3://") / "report.html").exists()
    assert cli("inspect", url, "--json").status == 0


def test_a_url_without_a_study_is_bad_input(cli, url):
    """Nothing at the URL is status 2; a store that refuses is status 1."""
    ended = cli("inspect", url)
    assert (ended.status, ended.err) == (2, f"error: '{url}' holds no study: it has no study.json.\n")
    ended = cli("inspect", "s3://none/study")
    assert ended.status in (1, 2)
    assert "s3://none/study" in ended.err


def test_a_cluster_needs_an_address_that_answers(cli, tmp_path, monkeypatch):
    """--address is the cluster's; one where nothing answers is told with status 2."""
    monkeypatch.setattr("ray.is_initialized", lambda: False)  # other tests' cluster
    ended = cli("measure", "digits", "--engine", "cluster", "--address", "127.0.0.1:1", "--out", tmp_path / "study")
    assert ended.status == 2
    assert "no Ray cluster can be used at the address '127.0.0.1:1'" in ended.err
    assert not (tmp_path / "study/study.json").exists()
    ended = cli("measure", "digits", *TINY, "--address", "auto", "--out", tmp_path / "study")
    assert "address is 'auto', but only the engine 'cluster' has one; the engine is 'serial'" in ended.err
