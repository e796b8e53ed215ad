"""The documentation's promises: its Python runs, its commands parse, its numbers are those of its scripts."""

import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tyro

import reseed
from reseed.cli import main
from reseed.cli._main import COMMANDS as NAMES
from reseed.cli._main import command_class
from reseed.cli._parse import SHELLS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("howto/*.md"))]
RUN = [
    ROOT / "README.md",
    *(DOCS / f"{name}.md" for name in ("executors", "guide", "install", "memorization", "models", "networks")),
    *(DOCS / f"{name}.md" for name in ("curvature", "other-tools", "python", "recording")),
]
OPTIONS = {name: command_class(name) for name in NAMES}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(rf"`(reseed (?:{'|'.join(OPTIONS)}) [^`\n]+)`")


def blocks(page: Path, language: str) -> list[str]:
    """Returns the fenced blocks of a page in one language."""
    return [body for name, body in FENCE.findall(page.read_text(encoding="utf-8")) if name == language]


def commands(page: Path) -> list[list[str]]:
    """Returns the words behind `reseed` of every command that a page shows, without comments."""
    lines = "".join(blocks(page, "bash")).splitlines() + INLINE.findall(page.read_text(encoding="utf-8"))
    words = [shlex.split(line, comments=True) for line in lines]
    return [line[1:] for line in words if line[:1] == ["reseed"] and line[1] != "--completion"]


COMMANDS = [(page.relative_to(ROOT).as_posix(), words) for page in PAGES for words in commands(page)]


def write_files(folder: Path, page: Path) -> None:
    """Writes what a page's examples find beside them: its named files, and a table of reviews."""
    for body in [*blocks(page, "python"), *blocks(page, "toml")]:
        if named := re.match(r"# ([\w.]+\.(?:py|toml))\n", body):
            (folder / named[1]).write_text(body)
    said = {"good": "a fine and pleasant thing", "bad": "a dull and broken thing"}
    rows = [f"{stars}{row},{text} number {row},{stars}" for row in range(20) for stars, text in said.items()]
    (folder / "reviews.csv").write_text("\n".join(["id,review,stars", *rows]) + "\n")


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_python_of_a_page_runs_from_top_to_bottom(page: Path, tmp_path: Path) -> None:
    """A reader who copies a page's Python into a file gets no error and no warning: what is trained is told."""
    write_files(tmp_path, page)
    named = re.compile(r"# [\w.]+\.py\n")
    script = tmp_path / "page.py"
    script.write_text("\n".join(body for body in blocks(page, "python") if not named.match(body)))
    done = subprocess.run(
        [sys.executable, "-W", "error", script.name], cwd=tmp_path, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    told = re.compile(
        r".+, .+: \d+ runs of \d+ (epochs|steps), recorded every epoch, engine \w+, in '.+'"
        r"|runs \d+/\d+.*"  # how far it is, where a machine is slow
    )
    assert not [line for line in done.stderr.splitlines() if not told.fullmatch(line)], done.stderr


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=[" ".join([page, *words]) for page, words in COMMANDS])
def test_command_parses(page: str, words: list[str]) -> None:
    """Every `reseed` command in README and documentation names a command and options that exist."""
    name, *arguments = words
    tyro.cli(OPTIONS[name], args=arguments, config=(tyro.conf.FlagCreatePairsOff,))


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_is_taught_by_one_line(shell: str) -> None:
    """The page on installing has it."""
    assert f"\nreseed --completion {shell} > " in (DOCS / "install.md").read_text(encoding="utf-8")


def test_the_first_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's measure, extend and inspect work in that order, here with one epoch and fewer runs."""
    monkeypatch.chdir(tmp_path)
    shown = [words for words in commands(ROOT / "README.md") if "my-study" in words]
    assert [words[0] for words in shown[:3]] == ["measure", "measure", "inspect"]
    runs = {"10": "3", "20": "4"}
    for words in shown[:3]:
        quick = [runs.get(word, word) for word in words]
        quick += ["--epochs", "1", "--engine", "serial"] if words[0] == "measure" else []
        with pytest.raises(SystemExit) as ended:
            main(quick)
        assert ended.value.code == 0
    assert len(reseed.Study.open("my-study").manifests) == 4
    assert (tmp_path / "my-study" / "report.html").exists()


def test_bias_table_is_what_the_script_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """The table of expected label entropies in `numbers.md` is the script's output, line by line."""
    runpy.run_path(str(DOCS / "_scripts" / "bias_table.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert printed.count("\n") == 8
    assert printed in (DOCS / "numbers.md").read_text(encoding="utf-8")


def test_scripts_on_studies_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The other scripts behind `numbers.md` print their tables for any two studies of the same samples."""
    generator = np.random.default_rng(0)
    for name in ("first", "second"):
        labels = generator.integers(0, 3, (6, 30)) * (generator.random((6, 30)) < 0.6)
        reseed.Study.from_predictions(labels, tmp_path / name, class_names=["a", "b", "c"])
    curve = runpy.run_path(str(DOCS / "_scripts" / "how_many_runs.py"))
    curve["main"](str(tmp_path / "first"))
    assert capsys.readouterr().out.splitlines()[2].startswith("| 2 | ")
    bias = runpy.run_path(str(DOCS / "_scripts" / "selection_bias.py"))
    bias["main"](str(tmp_path / "first"), str(tmp_path / "second"))
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["all", "high"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    """Every relative link in README and documentation names a file that is there."""
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
