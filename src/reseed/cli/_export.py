"""`reseed export`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

import reseed
from reseed.cli._options import Command, StudyPlace


@dataclass(frozen=True)
class Export(Command):
    """Write a study's table of samples, or everything it recorded, for other tools.

    Examples:
      reseed export reseed-studies/digits-mlp-1a2b3c4d profile.parquet
      reseed export my-study profile.csv
      reseed export my-study predictions.zarr
      reseed export my-study profile.hf
    """

    study: StudyPlace
    """The study: a folder or a URL."""
    out: Annotated[Positional[Path], arg(metavar="OUT")]
    """What to write: a name that ends in .parquet, .csv or .jsonl (one row a sample), .zarr (all recorded predictions,
    for xarray), or .hf (the rows as a Hugging Face data set)."""
    keep_formulas: bool = False
    """In .csv, write texts that begin with =, +, - or @ as they are. Otherwise they get an apostrophe before them, lest
    a spreadsheet runs them as formulas."""

    def execute(self) -> None:
        """Write the file, and print where it is."""
        print(reseed.export(self.study, self.out, keep_formulas=self.keep_formulas))
