"""`reseed stabilise`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from tyro.conf import OmitArgPrefixes, arg

import reseed
from reseed.cli._options import File, Maybe, Open, ReadingOptions, RecipeOptions, methods, numbers
from reseed.cli._output import open_page, show_design


@dataclass(frozen=True)
class Stabilise(RecipeOptions):
    """Train a recipe at growing learning rates with each of several remedies, and say which rate each remedy buys.

    The control has no normalisation, no warm-up and no clipping, and unless you say otherwise SGD with a constant rate.
    Of each remedy it says up to which rate every run trains, how sharply the loss bent there early on, and what the
    rate does to accuracy and to label entropy. Every remedy at every rate is a study below --out. Finished runs are
    kept whatever happens: the same command continues, and other --remedies and --rates join those that are there.

    Examples:
      reseed stabilise digits
      reseed stabilise mnist --model cnn --limit 5000
      reseed stabilise digits --remedies warmup:share=0.3,gradient-clipping+init-scale --rates 0.1,0.2,0.4,0.8
    """

    runs: int = 5
    """Trainings of each remedy at each rate."""
    out: File = None
    """The folder of all studies. Default: reseed-studies/ and a name made of data, model and recipe."""
    seed: int = 0
    """Base seed from which all seeds derive."""
    json: bool = False
    """Print stabilisation.json instead of tables."""
    open: Open = False
    remedies: Annotated[str, arg(metavar="REMEDY,...")] = "default"
    """What to compare: methods as reseed mitigate takes them, and batch-norm, group-norm and layer-norm, several at
    once with + between them; default stands for those that suit the model among warmup, gradient-clipping, init-scale,
    metainit, gradinit, fixup, batch-norm and layer-norm."""
    rates: Annotated[Maybe[str], arg(metavar="LR,...", help_behavior_hint="")] = None
    """Learning rates to train at. Default: a quarter of the recipe's, and twice as much again until no run trains any
    more."""
    level: float = 0.5
    """The share of the errors of always giving the most frequent answer that a run must be rid of to count as
    trained."""
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> None:
        """Train, and print what was found."""
        recipe = None if self.file.recipe is None else self.whole_recipe()
        found = reseed.stabilise(
            self.dataset or "digits",
            self.model,
            recipe=recipe,
            remedies=methods(self.remedies),
            rates=None if self.rates is None else numbers(self.rates, "--rates", "learning rates such as 0.1,0.2"),
            runs=self.runs,
            level=self.level,
            out=self.out,
            seed=self.seed,
            **({} if recipe else self.changes()),
            **self.execution.arguments(),
        )
        show_design(
            found,
            partial(reseed.report.print_stabilisation, found.test),
            (reseed.workflows.STABILISATION, reseed.workflows.STABILISATION_PAGE),
            as_json=self.json,
        )
        if self.open:
            open_page(found.path / reseed.workflows.STABILISATION_PAGE)
