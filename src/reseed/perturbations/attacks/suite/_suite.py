"""Several attacks, one after the other, on those whom nobody has fooled yet."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import final
from warnings import catch_warnings, filterwarnings, warn

from reseed._errors import InputError, InputTypeError
from reseed.perturbations.attacks.core._asked import Asked, Model
from reseed.perturbations.attacks.core._attack import AbstractAttack, check_batch_size, rows_at_once
from reseed.perturbations.attacks.core._budget import Norm
from reseed.perturbations.attacks.core._given import Bounds, Numbers, budget_for, given_inputs, labels_of
from reseed.perturbations.attacks.gradients._pgd import Pgd
from reseed.perturbations.attacks.suite._arena import Arena
from reseed.perturbations.attacks.suite._efforts import Effort, attacks_of, check_effort, names_of
from reseed.perturbations.attacks.suite._masking import Masking
from reseed.perturbations.attacks.suite._signs import look_for_masking
from reseed.perturbations.attacks.suite._suite_result import SuiteResult, SuiteStage
from reseed.perturbations.attacks.suite._tally import Tally

Told = Callable[[str, int, int], None]


@final
@dataclass(frozen=True)
class AttackSuite:
    """A cascade of attacks: each is tried on the samples that those before it have not fooled, of each run its own.

    A sample is as robust as the worst attack leaves it, so one attack is never enough to call a network robust. The
    suite reports each attack and the worst case, and warns where gradients seem masked.

    Attributes:
        attacks: Which, in this order; None: those of ``effort``. Put cheap ones first, and those without gradients
            last: then the accuracy under all white-box attacks is known too.
        effort: ``"quick"``: one step, and 20 of projected gradient descent. ``"standard"``: one step, 40 steps on the
            cross-entropy and on the margin, and an attack without gradients. ``"thorough"``: longer, with restarts.
        cascade: Whether samples that were fooled leave; if not, every attack is tried on every sample, which its
            accuracy alone needs.
        looks_for_masking: Whether to look for signs of masked gradients, most of them on a few samples that the seed
            chooses; see `Masking`.

    Examples:
        Which of two numbers is larger, known to a network of two weights:

        >>> import torch
        >>> network = torch.nn.Linear(2, 2, bias=False).eval()
        >>> _ = network.weight.data.copy_(torch.eye(2))
        >>> inputs = torch.tensor([[0.1, 0.8], [0.4, 0.7], [0.55, 0.45], [0.8, 0.3]])
        >>> found = AttackSuite(effort="quick")(network, inputs, [1, 1, 0, 0], epsilon=0.06)
        >>> found
        SuiteResult('inf', epsilon 0.06: clean 100.0%, Fgsm 75.0%, Pgd 75.0%)
        >>> found.first.tolist(), found.masking.names
        ([-1, -1, 0, -1], ())
    """

    attacks: tuple[AbstractAttack, ...] | None = None
    effort: Effort = "standard"
    cascade: bool = True
    looks_for_masking: bool = True

    def __post_init__(self) -> None:
        check_effort(self.effort)
        if self.attacks is None:
            return
        if isinstance(self.attacks, AbstractAttack):
            raise InputTypeError(f"attacks must be a sequence of attacks, got one alone: ({self.attacks.name},).")
        object.__setattr__(self, "attacks", tuple(self.attacks))
        if not self.attacks:
            raise InputError("attacks holds none; pass one or more, or None for those of effort.")
        for attack in self.attacks:
            if not isinstance(attack, AbstractAttack):
                raise InputTypeError(
                    f"attacks holds {attack!r}, which is none; pass objects such as Pgd(steps=20), and functions of "
                    "other libraries as foreign(function)."
                )

    def __call__(
        self,
        model: Model,
        inputs: Numbers,
        targets: Numbers,
        *,
        epsilon: float | Numbers,
        norm: Norm = "inf",
        bounds: Bounds = (0.0, 1.0),
        frozen: Numbers | None = None,
        seed: int = 0,
        batch_size: int | None = None,
        progress: Told | None = None,
    ) -> SuiteResult:
        """Attack; see `pgd` for the arguments. Every attack gets the same seed, and so can be repeated alone.

        Args:
            model: Whom to fool.
            inputs: [sample, ...].
            targets: The right answers, [sample]; with `Networks` also [run, sample].
            epsilon: How far inputs may be changed.
            norm: ``"inf"``, ``"2"`` or ``"1"``.
            bounds: The least and the largest value of inputs.
            frozen: Where true features stay as they are.
            seed: Of what is drawn.
            batch_size: How many samples of each run are attacked at once.
            progress: Called as it goes with the name of an attack, how many items it has done, and how many it has to;
                an item is a sample of a run.

        Returns:
            Each attack, the worst case of each sample, and signs of masked gradients. These are told as a
            RuntimeWarning as well.

        Raises:
            InputError: An argument is out of its range or does not fit the others; the message names it.
            InputTypeError: One is of a wrong type, such as images of whole numbers.
        """
        for attack in self.attacks or (Pgd(),):
            attack.check(norm, seed)
        check_batch_size(batch_size)
        asked = Asked(model)
        given = given_inputs(inputs, asked)
        budget = budget_for(given, epsilon, norm, bounds, frozen, is_minimal=False)
        rows = batch_size or rows_at_once(given.placed, asked)
        arena = Arena(asked, budget, labels_of(targets, "targets", given, asked.runs).flatten(), rows, seed)
        with catch_warnings():
            if self.looks_for_masking:
                filterwarnings("ignore", "model seems to return probabilities")  # which is told as a sign
            tally = Tally(arena)
            attacks = self.attacks or attacks_of(self.effort, norm, tally.logits.shape[1])
            stages = self._fight(tally, attacks, progress)
            masking = Masking(())
            if self.looks_for_masking:
                masking = look_for_masking(tally, attacks, given, bounds, has_frozen=frozen is not None)
        if masking:
            warn(str(masking), RuntimeWarning, stacklevel=2)
        return tally.result(stages, masking, given, is_cascade=self.cascade)

    def _fight(
        self, tally: Tally, attacks: tuple[AbstractAttack, ...], progress: Told | None
    ) -> tuple[SuiteStage, ...]:
        stages = []
        for number, (attack, name) in enumerate(zip(attacks, names_of(attacks), strict=True)):
            places = (~tally.was_wrong & ~(tally.is_fooled & self.cascade)).nonzero().flatten()
            began = time.perf_counter()
            tally.begin(places)
            if len(places):
                told = None if progress is None else partial(_tell, progress, name, len(places))
                for batch, found in tally.arena.search(attack, places, told):
                    tally.take(number, batch, found)
            seconds = time.perf_counter() - began
            stages.append(tally.stage(name, attack, seconds))
        return tuple(stages)


def _tell(progress: Told, name: str, total: int, done: int) -> None:
    progress(name, done, total)
