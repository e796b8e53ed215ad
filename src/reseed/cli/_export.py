"""`reseed export`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

import reseed
from reseed.cli._options import Command, Maybe, ReadingOptions, StudyPlace


@dataclass(frozen=True)
class Export(Command):
    """Write a study's table of samples, everything it recorded, or a trained network, for other tools.

    Examples:
      reseed export reseed-studies/digits-mlp-1a2b3c4d profile.parquet
      reseed export my-study profile.csv
      reseed export my-study predictions.zarr
      reseed export my-study profile.hf
      reseed export my-study train.csv --split train
      reseed export my-study model.onnx
      reseed export my-study model.pt2 --run ensemble
      reseed export my-study model.safetensors --run 3
    """

    study: StudyPlace
    """The study: a folder or a URL."""
    out: Annotated[Positional[Path], arg(metavar="OUT")]
    """What to write: a name that ends in .parquet, .csv or .jsonl (one row a sample), .zarr (all recorded predictions,
    for xarray), .hf (the rows as a Hugging Face data set), or .safetensors, .pt2 or .onnx (a trained network that runs
    without reseed, with a card beside it that says how to use it)."""
    split: Literal["evaluation", "train"] = "evaluation"
    """Which samples a table is of: train are those that the runs were trained on, as far as lenses keep scores of
    them."""
    run: Annotated[Maybe[str], arg(metavar="INT|medoid|ensemble", help_behavior_hint="")] = None
    """Which network: that of a run, of the run whose answers agree most with all others (medoid), or all of them, which
    answer with the mean of their probabilities (ensemble). Default: medoid, of fewer than three runs the first."""
    trust_code: bool = False
    """Import the code that the study's recipe names as its model (MODULE:FUNCTION), to export a network of it. Give it
    where you trust whoever made the study."""
    keep_formulas: bool = False
    """In .csv, write texts that begin with =, +, - or @ as they are. Otherwise they get an apostrophe before them, lest
    a spreadsheet runs them as formulas."""
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> None:
        """Write the file, and print where it is."""
        named = self.run
        run = int(named) if named is not None and named.isdecimal() else named
        written = reseed.export(
            self.study,
            self.out,
            keep_formulas=self.keep_formulas,
            split=self.split,
            run=run,
            trust_code=self.trust_code,
        )
        print(written)
