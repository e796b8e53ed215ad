"""Where a design came from: commands that make it again, extend it, or look into its studies."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from reseed.report._data import Step
from reseed.report._next import can_train, command_of, made_of
from reseed.studies import Study

SHOWN = 12
"""Samples behind a design that its page lists."""


def design_command(
    study: Study, words: str, folder: Path, options: Mapping[str, object], seed: int | None = None
) -> str:
    """Return the command that makes a design, or extends it; empty where no command can.

    Args:
        study: A study of the design's recipe.
        words: The command and its flags.
        folder: That of the design.
        options: Its other options by name.
        seed: The base seed; default: the study's.
    """
    if not can_train(study):
        return ""
    return command_of(study, words, {**options, "--out": str(folder)}, seed)


def design_made(folder: Path, command: str) -> dict[str, str]:
    """Return how the page of a design came about, by name."""
    return made_of("folder", str(folder), command)


def look_into(study: Study) -> Step:
    """Return how one looks into a study of a design."""
    return Step(
        "What does one of these studies say?",
        "Each is a study like any other; its report lists every sample that its runs answer differently.",
        f"reseed report {shlex.quote(str(study.path))}",
    )


def title_of(study: Study) -> str:
    """Return of which data and model a design is."""
    return f"{study.header.dataset}, {study.header.model}"
