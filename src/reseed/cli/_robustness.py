"""`reseed robustness`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import OmitArgPrefixes, arg

import reseed
from reseed.cli._lens import LensModel, LensThreads, TrustCode, evaluated
from reseed.cli._options import Command, Count, DataOptions, Maybe, Name, Number, Open, ReadingOptions

if TYPE_CHECKING:
    from reseed.data import Splits
    from reseed.models import Networks
    from reseed.scores import Scores


@dataclass(frozen=True)
class Robustness(Command):
    """Say how far answers are from changing with their inputs: by attacks, corruptions and noise.

    Of a study the scores are kept with it: reseed inspect, reseed export, the report and --foretell show them. What is
    done is kept whatever happens: the same command continues.

    Examples:
      reseed robustness my-study
      reseed robustness my-study --effort quick
      reseed robustness my-study --epsilon 0.03 --norm inf
      reseed robustness my-study --effort thorough --samples 200 --json
      reseed robustness my_models:trained --data mnist
    """

    model: LensModel
    """A study's folder or URL; or, with --data, a function without arguments that returns a trained network, or a list
    of networks of one architecture."""
    data: Name = None
    """For MODULE:FUNCTION: a data set as reseed measure takes it, on whose evaluation samples the network is asked."""
    seed: int = 0
    """Seed of everything that is drawn."""
    json: bool = False
    """Print JSON instead of tables."""
    open: Open = False
    epsilon: Number = None
    """How far attacks may change inputs. Default: images 8/255 with three channels, else 0.1; features 0.1 standard
    deviations; features of texts a tenth of their mean norm."""
    norm: Annotated[Maybe[Literal["inf", "2", "1"]], arg(metavar="{inf,2,1}", help_behavior_hint="")] = None
    """In which norm that is, and distances are. Default: inf; for features of texts 2."""
    effort: Literal["quick", "standard", "thorough"] = "standard"
    """How much is done: attacks, severities and draws, on 500, 1000 or all samples."""
    samples: Count = None
    """On how many samples, drawn with --seed. Default: by --effort."""
    threads: LensThreads = None
    trust_code: TrustCode = False
    columns: Annotated[OmitArgPrefixes[DataOptions], arg(name="data")] = field(default_factory=DataOptions)
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> None:
        """Evaluate, and print what was found."""
        names = ("epsilon", "norm", "effort", "samples", "seed", "threads")
        asked: dict[str, Any] = {name: getattr(self, name) for name in names}

        def of_networks(networks: Networks, splits: Splits) -> Scores:
            train, evaluation = splits.train, splits.evaluation
            return reseed.robustness.evaluate(
                networks, evaluation.inputs, evaluation.labels, train_inputs=train.inputs, **asked
            )

        evaluated(self, "robustness", asked, of_networks, _cost)


def _cost(cost: Mapping[str, float]) -> str:
    return f"{cost.get('forward_passes', 0):,.0f} forward passes of a sample"
