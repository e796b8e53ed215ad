"""`reseed report`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Annotated

from tyro.conf import OmitArgPrefixes, arg

import reseed
from reseed.cli._options import Command, Maybe, Open, ReadingOptions, StudyPlace
from reseed.cli._output import open_page, print_notes


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
    open: Open = False
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> None:
        """Write the report, and print where it is."""
        found = reseed.inspect(self.study)
        page = found.write(self.out)
        print(page)
        print_notes(found, sys.stderr)
        if self.open:
            open_page(page)
