"""`reseed calibrate`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

import reseed
from reseed.cli._options import Command, ReadingOptions


@dataclass(frozen=True)
class Calibrate(Command):
    """Learn the weights of the one-run estimate from studies of several runs, and write them as JSON.

    Of three data sets or more the interval of the share to expect is learnt as well.

    Examples:
      reseed calibrate study-a study-b --out weights.json
    """

    studies: Annotated[Positional[tuple[str, ...]], arg(metavar="STUDY", help_behavior_hint="")]
    """Folders or URLs of studies with margins at several checkpoints."""
    out: Annotated[Path, arg(metavar="PATH")]
    """The file to write."""
    burn_in: float = 0.5
    """Share of each run's checkpoints, from the first one, that is left out."""
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> None:
        """Learn the weights, write them, and print where they are."""
        model = reseed.instability.calibrate([reseed.Study.open(study) for study in self.studies], burn_in=self.burn_in)
        model.write(self.out)
        print(self.out)
        if model.share is None:
            print(
                "These weights give no interval of the share to expect: that takes studies of three data sets or more.",
                file=sys.stderr,
            )
