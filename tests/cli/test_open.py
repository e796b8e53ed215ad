"""`--open`: the page that a command writes is opened in the user's browser, once it is there."""

import sys
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import pytest

from reseed.cli._main import COMMANDS, command_class
from reseed.cli._parse import options_of

LENSES = {"robustness", "curvature", "memorize"}
WITH_PAGES = {"measure", "import", "randomize", "stabilise", "report", "mitigate", "tune", "compare", *LENSES}
TINY = ("--runs", "2", "--epochs", "1", "--engine", "serial", "--hidden", "4", "--no-probe")


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """A browser that writes down what it is asked for; gives the files that it opened."""
    log, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nfor page; do echo "$page" >> "{log}"; done\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    _forget_browsers(monkeypatch)
    return lambda: [Path(url2pathname(urlparse(line).path)) for line in log.read_text().splitlines()]


@pytest.fixture
def no_browser(monkeypatch, tmp_path):
    """A machine on which there is no browser at all."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    _forget_browsers(monkeypatch)


def _forget_browsers(monkeypatch):
    """Python finds browsers once in a process; it shall look again."""
    monkeypatch.delitem(sys.modules, "webbrowser", raising=False)


def test_commands_that_write_a_page_have_the_option():
    """Each of them, and no other."""
    found = {name for name in COMMANDS if any(option.called == "--open" for option in options_of(command_class(name)))}
    assert found == WITH_PAGES


def test_report_of_a_study_is_opened(cli, labels, opened, tmp_path):
    """The page is the one that was written, and it is complete when the browser is asked."""
    study = tmp_path / "a study"
    assert cli("import", labels, "--out", study, "--open").status == 0
    assert cli("report", study, "--open", "--out", tmp_path / "elsewhere").status == 0
    pages = [study / "report.html", tmp_path / "elsewhere" / "report.html"]
    assert opened() == pages
    assert all(page.read_text().rstrip().endswith("</html>") for page in pages)


def test_measure_and_compare_open_theirs(cli, opened, tmp_path):
    """The page of a study, and that of a comparison; --json leaves standard output to JSON."""
    for seed in ("0", "1"):
        assert cli("measure", "digits", *TINY, "--seed", seed, "--out", tmp_path / seed, "--open").status == 0
    ended = cli("compare", tmp_path / "0", tmp_path / "1", "--out", tmp_path / "both", "--json", "--open")
    assert ended.status == 0
    assert ended.out.startswith("{")
    places = [tmp_path / "0/report.html", tmp_path / "1/report.html", tmp_path / "both/comparison.html"]
    assert opened() == places


def test_without_a_browser_a_line_says_where_the_page_is(cli, labels, no_browser, tmp_path):
    """The command has done what it should, so it ends well."""
    ended = cli("import", labels, "--out", tmp_path / "study", "--open")
    assert ended.status == 0
    assert ended.err == f"note: no browser can be opened here; the page is {tmp_path / 'study/report.html'}\n"


def test_networks_of_ones_own_have_no_page(cli):
    """Refused before anything is asked."""
    ended = cli("robustness", "none:net", "--data", "digits", "--open")
    assert ended.status == 2
    assert ended.err == ("error: --open is for studies: networks that --data asks get numbers alone, and no page.\n")


def test_what_else_is_measured_has_a_page_of_its_own(cli, opened, tmp_path):
    """That of --attribute, and when it is made again."""
    assert cli("measure", "digits", *TINY, "--attribute", "--out", tmp_path / "study", "--open").status == 0
    assert cli("report", tmp_path / "study", "--open").status == 0
    assert opened() == [tmp_path / "study" / "attribution.html"] * 2
