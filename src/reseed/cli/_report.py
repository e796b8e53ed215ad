"""`reseed report`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg

import reseed
from reseed.cli._options import Command, Maybe, StudyPlace
from reseed.cli._output import print_notes


@dataclass(frozen=True)
class Report(Command):
    """Write summary.json, samples.parquet and report.html of a study anew.

    Examples:
      reseed report my-study
      reseed report my-study --out elsewhere
    """

    study: StudyPlace
    """The study's folder or URL."""
    out: Annotated[Maybe[str], arg(metavar="PATH", help_behavior_hint="")] = None
    """The folder to write to. Default: the study's own, and its URL."""

    def execute(self) -> None:
        """Write the report, and print where it is."""
        found = reseed.inspect(self.study)
        print(found.write(self.out))
        print_notes(found, sys.stderr)
