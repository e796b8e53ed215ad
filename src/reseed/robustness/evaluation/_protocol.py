"""What is asked: the budget of attacks, how much work is done, and on how many samples."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, final

from reseed._arguments import argument
from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.perturbations.attacks import Effort, Norm, check_effort, norm_of
from reseed.robustness.evaluation._subject import Subject

_SAMPLES: dict[Effort, int | None] = {"quick": 500, "standard": 1_000, "thorough": None}
_SEVERITIES: dict[Effort, tuple[int, ...]] = {
    "quick": (3,),
    "standard": (1, 2, 3, 4, 5),
    "thorough": (1, 2, 3, 4, 5),
}
_DRAWS: dict[Effort, int] = {"quick": 10, "standard": 25, "thorough": 100}
_DIRECTIONS: dict[Effort, int] = {"quick": 10, "standard": 25, "thorough": 100}


@final
@dataclass(frozen=True)
class Protocol:
    """What is asked of networks.

    Attributes:
        effort: How much is done.
        norm: Of the budget, and of distances.
        epsilon: The budget, in units of the inputs.
        sigma: The standard deviation of noise, in units of the inputs.
        severities: Of corruptions.
        draws: Of noise, of each sample.
        directions: In which the boundary is looked for at random.
        seed: Of everything that is drawn.
    """

    effort: Effort
    norm: Norm
    epsilon: float
    sigma: float
    severities: tuple[int, ...]
    draws: int
    directions: int
    seed: int

    @property
    def tree(self) -> dict[str, Any]:
        """Everything as JSON can hold it."""
        return asdict(self) | {"severities": list(self.severities)}


def check_asked(effort: str, samples: int | None, seed: int, epsilon: float | None) -> None:
    """Accept what is asked before anything is read.

    Raises:
        InputError: Something is out of its range.
    """
    check_effort(effort)
    if samples is not None:
        check_whole("samples", samples)
    check_whole("seed", seed, 0)
    if epsilon is not None and not 0 < epsilon < math.inf:
        raise InputError(
            f"{argument('epsilon')} must be above 0 and finite, got {epsilon!r}; it is how far inputs may be changed."
        )


def number_of_samples(effort: Effort, samples: int | None, there: int) -> int:
    """Return how many samples are asked about."""
    wanted = samples if samples is not None else _SAMPLES[effort]
    return there if wanted is None else min(wanted, there)


def protocol_for(subject: Subject, effort: Effort, norm: Norm | None, epsilon: float | None, seed: int) -> Protocol:
    """Return the protocol for a subject, with what nobody asked for by the kind of its inputs; see `usual_budget`.

    Raises:
        InputError: A budget is given for token ids, which cannot be changed a little.
    """
    if not subject.is_continuous and (epsilon is not None or norm is not None):
        raise InputError(
            "epsilon and norm are for inputs that can be changed a little, and these networks read token ids; leave "
            "them out, and texts are changed as strings. Attacks in the space of embeddings are made in Python, with "
            "reseed.models.embedding_network."
        )
    used: Norm = norm if norm is not None else "2" if subject.kind == "text features" else "inf"
    budget = usual_budget(subject, used) if epsilon is None else float(epsilon)
    return Protocol(
        effort, used, budget, _sigma(subject), _SEVERITIES[effort], _DRAWS[effort], _DIRECTIONS[effort], seed
    )


def usual_budget(subject: Subject, norm: Norm) -> float:
    """Return the budget that attacks get where nobody says one.

    Images, norm inf: 8/255 for three channels, else 0.1; norm 2: 0.5; norm 1: 10. Features: 0.1 standard deviations of
    each, of D features 0.1 sqrt(D) in the norm 2 and 0.1 D in the norm 1. Features of texts: a tenth of the mean norm
    of the inputs.
    """
    if not subject.is_continuous:
        return 0.0
    if subject.kind == "images":
        return {"inf": 8 / 255 if subject.inputs.shape[1] == 3 else 0.1, "2": 0.5, "1": 10.0}[norm]
    if subject.kind == "features":
        count = subject.inputs[0].numel()
        return 0.1 * {"inf": 1.0, "2": math.sqrt(count), "1": float(count)}[norm]
    return 0.1 * float(norm_of(subject.inputs, norm).mean())


def _sigma(subject: Subject) -> float:
    """Return the standard deviation of noise: 0.1, of texts' features such that it is a fifth of them in length."""
    if subject.kind != "text features":
        return 0.1
    return 0.2 * float(norm_of(subject.inputs, "2").mean()) / math.sqrt(subject.inputs[0].numel())
