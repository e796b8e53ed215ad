"""`reseed --completion`: the scripts are valid, and bash completes commands, options and their choices with them."""

import shutil
import subprocess
import sys

import pytest

from reseed.cli._main import COMMANDS
from reseed.cli._parse import SHELLS


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """The script of each shell, written once as users write it."""
    folder = tmp_path_factory.mktemp("completion")
    code = "from reseed.cli import main; import sys; main(sys.argv[1:])"
    for shell in SHELLS:
        with (folder / shell).open("w") as file:
            words = [sys.executable, "-c", code, "--completion", shell]
            subprocess.run(words, check=True, stdout=file)
    return folder


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_are_valid(scripts, shell):
    """Each shell finds no mistake in its script."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run([shell, "-n", scripts / shell], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def completed(scripts, folder, *words):
    """Return what bash offers in place of the last word."""
    asked = (
        'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        "[[ $(complete -p reseed) == *'-F _reseed '* ]] && _reseed; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", asked, scripts / "bash", *words], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("reseed", "mea"), ["measure"]),
        (("reseed", "m"), ["measure", "memorize", "mitigate"]),
        (("reseed", ""), sorted([*COMMANDS, "-h", "--help"])),
        (("reseed", "measure", "--att"), ["--attribute"]),
        (("reseed", "measure", "digits", "--engine", "s"), ["serial", "stacked"]),
        (("reseed", "gate", "old.csv", "new.csv", "--max-"), ["--max-bytes", "--max-churn", "--max-negative-flips"]),
        (("reseed", "inspect", "stu"), []),
    ],
)
def test_bash_completes(scripts, tmp_path, words, offered):
    """Commands, options and choices; and where none fits nothing, so that bash offers files."""
    assert sorted(completed(scripts, tmp_path, *words)) == sorted(offered)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(
    ("line", "offered"),
    [("reseed mea", ["measure"]), ("reseed measure --att", ["--attribute"]), ("reseed inspect stu", ["study/"])],
)
def test_fish_completes(scripts, tmp_path, line, offered):
    """The same in fish, names of files too."""
    (tmp_path / "study").mkdir()
    asked = f"source {scripts / 'fish'}; complete --do-complete '{line}'"
    done = subprocess.run(["fish", "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [found.split("\t")[0] for found in done.stdout.splitlines()] == offered


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--completion",), "--completion takes one shell, bash, zsh, fish; got none."),
        (("--completion", "fsh"), "got fsh. Did you mean 'fish'?"),
        (("--completion", "bash", "zsh"), "got bash zsh."),
    ],
)
def test_unknown_shells_are_refused(cli, words, told):
    """With the known ones, and the nearest."""
    ended = cli(*words)
    assert ended.status == 2
    assert told in ended.err
