"""`reseed randomize`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from tyro.conf import OmitArgPrefixes, arg

import reseed
from reseed.cli._options import File, Open, ReadingOptions, RecipeOptions, numbers
from reseed.cli._output import open_page, show_design


@dataclass(frozen=True)
class Randomize(RecipeOptions):
    """Train one recipe on true labels, random labels and destroyed inputs, and say how fast and how well it fits each.

    A network that fits random labels in little more time than true ones could have learned anything by heart; that it
    generalises is then not for want of room. Unless you say otherwise it trains an MLP with two layers of 256 nodes, on
    images too, and six times as long as measure does, at least 60 epochs. Every version is a study below --out, trained
    with the same hyperparameters; augmentation, weight decay and dropout are off, and --grid adds each alone. Finished
    runs are kept whatever happens: the same command continues.

    Examples:
      reseed randomize digits
      reseed randomize mnist --limit 2000 --runs 3
      reseed randomize cifar10 --model cnn --limit 2000 --epochs 60 --grid
    """

    runs: int = 3
    """Trainings of each version."""
    out: File = None
    """The folder of all studies. Default: reseed-studies/ and a name made of data, model and recipe."""
    seed: int = 0
    """Base seed from which all seeds derive."""
    json: bool = False
    """Print randomization.json instead of tables."""
    open: Open = False
    levels: Annotated[str, arg(metavar="SHARE,...")] = "0.2,0.4,0.6,0.8"
    """Shares of the labels that are drawn anew, uniformly over all classes; none of them (true) and all of them
    (random labels) are there anyway."""
    grid: bool = False
    """Also train with weight decay, dropout and augmentation, each alone, and without normalisation, on true and on
    random labels."""
    draws: int = 3
    """Draws of random labels for the Rademacher complexity; each but the first is one more training."""
    level: float = 1.0
    """The training accuracy that counts as fitted."""
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> None:
        """Train, and print what was found."""
        recipe = None if self.file.recipe is None else self.whole_recipe()
        found = reseed.randomize(
            self.dataset or "digits",
            self.model,
            recipe=recipe,
            runs=self.runs,
            levels=numbers(self.levels, "--levels", "shares such as 0.2,0.5"),
            grid=self.grid,
            draws=self.draws,
            level=self.level,
            out=self.out,
            seed=self.seed,
            **({} if recipe else self.changes()),
            **self.execution.arguments(),
        )
        show_design(
            found,
            partial(reseed.report.print_randomization, found.test),
            (reseed.workflows.RANDOMIZATION, reseed.workflows.RANDOMIZATION_PAGE),
            as_json=self.json,
        )
        if self.open:
            open_page(found.path / reseed.workflows.RANDOMIZATION_PAGE)
