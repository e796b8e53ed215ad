"""`reseed curvature`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes, arg

import reseed
from reseed.cli._lens import LensModel, LensThreads, TrustCode, evaluated
from reseed.cli._options import Command, DataOptions, Name, Open, ReadingOptions

if TYPE_CHECKING:
    from reseed.data import Splits
    from reseed.models import Networks
    from reseed.scores import Scores


@dataclass(frozen=True)
class Curvature(Command):
    """Say how sharply the loss bends where each run ended: eigenvalues, spectrum, trace, gradients, single samples.

    Of a study the scores are kept with it: reseed inspect, reseed export, the report and --foretell show them. Each run
    is kept when it is done: the same command continues.

    Examples:
      reseed curvature my-study
      reseed curvature my-study --samples 5000 --json
      reseed curvature my_models:trained --data mnist
    """

    model: LensModel
    """A study's folder or URL; or, with --data, a function without arguments that returns a trained network, or a list
    of networks of one architecture."""
    data: Name = None
    """For MODULE:FUNCTION: the data set that it learned, as reseed measure takes it; its evaluation samples are asked
    about themselves."""
    seed: int = 0
    """Seed of everything that is drawn."""
    json: bool = False
    """Print JSON instead of tables."""
    open: Open = False
    samples: int = 1000
    """How many training samples the loss is a mean over, and how many evaluation samples are asked, drawn with
    --seed."""
    eigenvalues: int = 5
    """How many to look for at each end of the spectrum."""
    probes: int = 10
    """Random vectors of the spectrum, the trace and the norm: more are more exact."""
    steps: int = 40
    """Lanczos steps of each: more show more of the spectrum."""
    threads: LensThreads = None
    trust_code: TrustCode = False
    columns: Annotated[OmitArgPrefixes[DataOptions], arg(name="data")] = field(default_factory=DataOptions)
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> None:
        """Evaluate, and print what was found."""
        names = ("samples", "eigenvalues", "probes", "steps", "seed", "threads")
        asked: dict[str, Any] = {name: getattr(self, name) for name in names}

        def of_networks(networks: Networks, splits: Splits) -> Scores:
            train, evaluation = splits.train, splits.evaluation
            learned: dict[str, Any] = {"train_inputs": train.inputs, "train_targets": train.labels}
            return reseed.curvature.evaluate(networks, evaluation.inputs, evaluation.labels, **learned, **asked)

        evaluated(self, "curvature", asked, of_networks, _cost)


def _cost(cost: Mapping[str, float]) -> str:
    return f"{cost.get('hessian_products', 0):,.0f} Hessian products"
