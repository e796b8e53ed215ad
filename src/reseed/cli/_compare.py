"""`reseed compare`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

import reseed
from reseed.cli._options import Command, File, Maybe, Open, ReadingOptions, words
from reseed.cli._output import open_page, show_comparison


@dataclass(frozen=True)
class Compare(Command):
    """Compare studies of the same evaluation data with the first of them, the control; nothing is trained.

    Prints, for each study at equal numbers of runs and with 95 % intervals: by how much label entropy is lower than the
    control's, accuracy and its difference, negative flips, calibration, what training and inference cost, and what to
    use. Writes comparison.json, comparison.parquet (a row for each method and sample) and comparison.html.

    Examples:
      reseed compare control-study swa-study tgtss-study --null second-control-study
      reseed compare a b --names control,mine --out comparison
      reseed compare control swa --fresh control-90 swa-90 --margin 0.3
    """

    studies: Annotated[Positional[tuple[str, ...]], arg(metavar="STUDY", help_behavior_hint="")]
    """Folders or URLs of studies, the control first."""
    out: File = None
    """The folder to write to. Default: reseed-studies/ and a name made of the data and the studies."""
    json: bool = False
    """Print comparison.json instead of tables."""
    open: Open = False
    null: Annotated[Maybe[str], arg(metavar="STUDY", help_behavior_hint="")] = None
    """A second control: the control's recipe with other seeds. What it seems to change is chance."""
    names: Annotated[Maybe[str], arg(metavar="NAME,...", help_behavior_hint="")] = None
    """What to call the studies. Default: the methods of their recipes, else their folders."""
    details: bool = False
    """Print every measure of every method as well."""
    interval: Literal["two-way", "jackknife", "samples"] = "two-way"
    """What 95 % intervals cover: other runs and other samples, other runs on these samples
    (jackknife), or other samples."""
    margin: float = 0.5
    """How many percentage points of accuracy a recommended method may lose: the lower end of the 95 % interval of its
    difference must be above minus the margin."""
    fresh: Annotated[tuple[str, ...], arg(metavar="STUDY ...", help_behavior_hint="")] = ()
    """Studies of the same methods, in the same order, each run of which trained on other data. What is recommended
    helps in both comparisons. Default: none."""
    fresh_null: Annotated[Maybe[str], arg(metavar="STUDY", help_behavior_hint="")] = None
    """Their second control."""
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> None:
        """Compare, and print what was found."""
        names = None if self.names is None else words(self.names)
        found = reseed.compare(
            self.studies,
            null=self.null,
            names=names,
            interval=self.interval,
            margin=self.margin,
            fresh=self.fresh,
            fresh_null=self.fresh_null,
        )
        folder = self.out or reseed.workflows.comparison_folder(found)
        reseed.workflows.write_comparison(found, folder)
        show_comparison(found, folder, as_json=self.json, details=self.details)
        if self.open:
            open_page(folder / reseed.workflows.PAGE)
