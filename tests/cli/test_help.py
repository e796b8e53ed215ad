"""The help of commands: what everybody needs first, the rest under headings, readable in 80 columns."""

import re
from itertools import pairwise

import pytest

from reseed.cli._main import COMMANDS

BASIC = ["--help", "--model", "--runs", "--out", "--seed", "--json", "--open"]


@pytest.fixture
def helped(cli, monkeypatch):
    """Gives the lines of a command's help, as a terminal of 80 columns without Unicode shows them."""
    monkeypatch.setenv("COLUMNS", "80")

    def lines(command):
        return cli(command, "--help").out.splitlines()

    return lines


def groups(lines):
    """Return the options under each heading, in their order."""
    found = {}
    for line in lines:
        if heading := re.fullmatch(r" ([a-z ]*options|positional arguments) *", line):
            found[heading[1]] = []
        elif option := re.match(r"  (?:-\w, )?(--[a-z][\w-]*)", line):
            found[list(found)[-1]].append(option[1])
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_fits_80_columns(helped, command):
    """No line is longer than the terminal is wide, but for usage and examples, which can be copied whole."""
    wide = [line for line in helped(command) if len(line) > 80 and not line.startswith(("usage: ", "  reseed "))]
    assert wide == []


@pytest.mark.parametrize("command", COMMANDS)
def test_json_and_open_come_before_what_is_special(helped, command):
    """Of the basic options those that a command has come first, in one order for all commands."""
    first = groups(helped(command))["options"]
    basic = [option for option in BASIC if option in first]
    special = {
        "inspect": ["--top"],
        "robustness": ["--data"],
        "curvature": ["--data"],
        "gate": ["--max-churn", "--max-negative-flips", "--beyond-reseeding"],
    }
    begun = [option for option in first if option not in special.get(command, [])]
    assert begun[: len(basic)] == basic


def test_headings_of_measure(helped):
    """Whoever trains finds data, model, training, corruption, execution and recording under their own headings."""
    found = groups(helped("measure"))
    assert found["options"][: len(BASIC)] == BASIC
    assert list(found)[:1] == ["positional arguments"]
    named = ["data", "model", "training", "corruption", "execution", "recording", "reading"]
    there = [heading.removesuffix(" options") for heading in found if heading.removesuffix(" options") in named]
    assert there == named
    assert "--label" in found["data options"]
    assert "--epochs" in found["training options"]
    assert "--engine" in found["execution options"]
    assert "--level" in found["recording options"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(helped, command):
    """Behind or below each option there is text."""
    lines = helped(command)
    alone = [place for place, line in enumerate(lines) if re.fullmatch(r"  --[a-z][\w-]*( [^ ]+( \.\.\.)?)? *", line)]
    assert [lines[place] for place in alone if not re.match(r" {8,}\S", lines[place + 1])] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_running_text_flows(helped, command):
    """Ends of lines in the source are none on the screen: no line has room for the first word of the next."""
    lines = helped(command)
    for one, two in pairwise(lines):
        if re.match(r" {8,}\S", one) and re.match(r" {8,}\S", two):
            assert len(one.rstrip()) + 1 + len(two.split()[0]) > 79, (one, two)
