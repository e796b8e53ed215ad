"""`reseed report`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Annotated

from tyro.conf import OmitArgPrefixes, arg

import reseed
from reseed._errors import InputError
from reseed.cli._options import Command, Maybe, Open, ReadingOptions, StudyPlace
from reseed.cli._output import open_page, print_notes


@dataclass(frozen=True)
class Report(Command):
    """Write summary.json, samples.parquet and report.html of a study anew.

    Of a folder of several studies, as measure --attribute, --nested and --bootstrap, randomize, tune and mitigate make
    them, the numbers and the page; nothing is trained.

    Examples:
      reseed report my-study
      reseed report my-study --out elsewhere
      reseed report tuning
    """

    study: StudyPlace
    """The study's folder or URL, or a folder of several studies."""
    out: Annotated[Maybe[str], arg(metavar="PATH", help_behavior_hint="")] = None
    """The folder to write to. Default: the study's own, and its URL."""
    open: Open = False
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> None:
        """Write the report, and print where it is."""
        opened = reseed.workflows.open_study_or_design(self.study)
        if isinstance(opened, reseed.workflows.OpenedDesign):
            if self.out is not None:
                raise InputError(
                    f"--out is for the report of one study; {self.study!r} holds {opened.design.name}, and its page "
                    "leads to the studies beside it. Leave --out out."
                )
            page = opened.result.write()
            print(page)
        else:
            found = reseed.inspect(opened)
            page = found.write(self.out)
            print(page)
            beside = reseed.workflows.design_of_study(opened) if self.out is None else None
            if beside is not None:
                print(beside.result.write())
            print_notes(found, sys.stderr)
        if self.open:
            open_page(page)
