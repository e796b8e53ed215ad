"""What a mitigation is: hooks at the seams of a training step, each of which sees tensors with a run axis."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

Penalty = Callable[[Tensor], Tensor]
"""Turns logits [run, sample, class] into what is added to each sample's loss, [run, sample], in nats."""


@dataclass(frozen=True, eq=False)
class Batch:
    """One training step's batch of one or several runs.

    Attributes:
        step: The step, from 0.
        total: Steps of the whole training.
        labels: Hard labels, [run, sample].
        num_classes: How many classes there are.
        words: Each run's word for random draws, see `reseed.training.Seeds`; draw with
            ``draw_uniform(draw_key(word, step, place), ...)`` and a place of the method's own.
        taught: What the method's stage learned of these samples, [run, sample, class]; empty for methods
            without one.
        frequencies: How often each class occurs in the training set, [class], summing to one.
        precision: Type of soft targets: double where the training is.
    """

    step: int
    total: int
    labels: Tensor
    num_classes: int
    words: Sequence[int]
    taught: Tensor = field(default_factory=lambda: torch.empty(0))
    frequencies: Tensor = field(default_factory=lambda: torch.empty(0))
    precision: torch.dtype = torch.float32

    def soft(self, targets: Tensor | None) -> Tensor:
        """Return soft targets [run, sample, class]: those given, or one-hot labels."""
        if targets is not None:
            return targets
        return nn.functional.one_hot(self.labels, self.num_classes).to(self.precision)


@dataclass(frozen=True)
class Beginning:
    """Where a network of a run begins, for methods that change its weights before the first step.

    Attributes:
        word: The word that its weights are drawn from; draw with ``draw_key(word, step, place)`` and a place of the
            method's own. It is one for all runs where the recipe has them begin at the same weights.
        drawn: Names of the parameters that are freshly drawn and trained.
        input_shape: Shape of one sample, as the network takes it.
        num_classes: How many classes there are.
        model: What the recipe calls the network.
        optimizer: What the recipe calls its optimiser: ``sgd``, ``sgdw``, ``adam`` or ``adamw``.
        lr: The recipe's peak learning rate.
        draw: Draws training samples, of those that the run trains on: of a number from 0, such as the method's step,
            and of how many, makes inputs [sample, ...], in double precision unless they are token ids, and labels
            [sample]. They are a function of ``word``, of both and of what the run trains on.
    """

    word: int
    drawn: tuple[str, ...]
    input_shape: tuple[int, ...]
    num_classes: int
    model: str
    optimizer: str
    lr: float
    draw: Callable[[int, int], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Stage:
    """Earlier trainings of the same recipe whose predictions on the training set a method learns from.

    A teacher trains on hard labels, without any mitigation. Its probabilities after the steps named here are averaged:
    after every ``every``-th step beyond the transient, or after the last step only.

    Attributes:
        teachers: Trainings whose probabilities are averaged.
        shared: Whether all runs of a study learn from the same teachers; else each run has its own.
        transient: Share of the steps before the first prediction that counts.
        every: Steps between predictions of the whole training set; None for the last step alone.
        source: ``full``: predict the whole training set in evaluation mode; ``in_batch``: keep the predictions that
            training makes anyway, one a sample and epoch, with dropout on, and predict at the end what was in none.
        output: ``probabilities`` or ``logits`` of the teachers.
        find_transient: Whether the transient is found by a pilot training, in place of the one that is given.
        cycle_ends: Whether predictions are taken at the ends of the schedule's cycles, in place of every so many steps.
        branch_at: Share of the steps that all of a run's teachers have in common; None for none.
        anchor: A study whose recorded predictions of the training set are learned from, in place of training.
        settings: Recipe fields, by dotted name, in which the teachers' recipe differs.
    """

    teachers: int = 1
    shared: bool = False
    transient: float = 0.0
    every: int | None = None
    source: Literal["full", "in_batch"] = "full"
    output: Literal["probabilities", "logits"] = "probabilities"
    find_transient: bool = False
    cycle_ends: bool = False
    branch_at: float | None = None
    anchor: str = ""
    settings: tuple[tuple[str, Any], ...] = ()

    def steps(self, total: int) -> tuple[int, ...]:
        """Return the steps, counted from 1, after which teachers' predictions are taken.

        Examples:
            >>> Stage(transient=0.5, every=2).steps(10)
            (6, 8, 10)
            >>> Stage().steps(10)
            (10,)
        """
        if self.every is None:
            return (total,)
        first = min(round(self.transient * total), total - 1)
        return tuple(reversed(range(total, first, -self.every)))


@dataclass(frozen=True)
class Peers:
    """Networks that are trained together as one run.

    Attributes:
        count: Networks in a run.
        serve: What the run predicts: its first network, or the mean of all networks' probabilities.
        fresh: The seed streams that each network draws for itself; the others it shares with the first.
    """

    count: int
    serve: Literal["first", "mean"]
    fresh: tuple[str, ...] = ("init", "order", "dropout", "augment")


@dataclass(frozen=True)
class AbstractMitigation(ABC):
    """A method that keeps predictions in place when a network is trained again.

    Subclasses are frozen dataclasses of numbers, words and flags, so that a recipe can name them; their docstrings are
    their cards: formula, paper, when to use them, what they cost and where they harm. They override the hooks they
    need, and every hook works on tensors with a run axis, so that a method runs under every engine.
    """

    name: ClassVar[str]
    """What the command line and recipes call it."""
    place: ClassVar[int] = 1
    """Where it stands among the methods of a recipe: 0 replaces labels, 1 changes what is there, 2 blends samples."""
    blends: ClassVar[bool] = False
    """Whether it blends inputs, so that they must be numbers."""
    tells_samples_apart: ClassVar[bool] = False
    """Whether its penalty depends on which sample a row is, so that rows must not be blended."""
    prepares: ClassVar[bool] = False
    """Whether it changes initial weights before the first step; see `prepare`."""
    makes_inputs: ClassVar[bool] = False
    """Whether it makes up inputs, so that they must be numbers."""
    may_abstain: ClassVar[bool] = False
    """Whether its runs give no answer at times; see `abstains`."""

    @property
    @abstractmethod
    def is_active(self) -> bool:
        """Whether it changes anything: False at strength zero, where training is bit for bit the control's."""

    def check_classes(self, num_classes: int) -> None:  # noqa: B027 (most methods go with any number)
        """Accept the number of classes of the training set.

        Raises:
            RecipeError: The method's options do not go with it.
        """

    def check_recipe(self, recipe: Mapping[str, Any]) -> None:  # noqa: B027 (most methods go with any recipe)
        """Accept the other fields of the recipe.

        Args:
            recipe: Its fields, by dotted name.

        Raises:
            RecipeError: The method does not go with one of them, such as the model.
        """

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the recipe fields that the method sets, by dotted name; empty for methods that hook into training.

        Args:
            recipe: All fields of the control's recipe, by dotted name.
        """
        return {}

    @property
    def stage(self) -> Stage | None:
        """The earlier trainings it needs."""
        return None

    @property
    def least_samples(self) -> int:
        """Training samples that it cannot do without."""
        return 1

    def learn(self, output: Tensor, labels: Tensor) -> Tensor:
        """Turn what the stage's teachers say of the training set into what `Batch.taught` holds; empty for nothing.

        Args:
            output: The teachers' mean probabilities, or logits, [run, sample, class]; one run if they are shared.
            labels: Hard labels of the training set, [sample].
        """
        return output

    @property
    def peers(self) -> Peers | None:
        """The networks that make up a run, if there are several."""
        return None

    def abstains(self, answers: Tensor, members: Tensor) -> Tensor:
        """Return where a run of several networks gives no answer, [run, sample].

        Args:
            answers: Labels of the runs, [run, sample], on the CPU.
            members: Labels of their networks, [run, network, sample].
        """
        return torch.zeros_like(answers, dtype=torch.bool)

    def prepare(self, network: nn.Module, beginning: Beginning) -> None:  # noqa: B027 (most leave it as it is drawn)
        """Change the initial weights of a network, in place, before its first step; see `prepares`.

        Every network is prepared by itself, by one thread of a CPU, so that its weights are the same bits whatever the
        engine.

        Args:
            network: A copy in double precision and evaluation mode, of which the parameters count.
            beginning: What is known of it.
        """

    @property
    def samples_before(self) -> int:
        """Samples that `prepare` takes forward and backward, or what comes to as much; they are in a run's cost."""
        return 0

    @property
    def passes(self) -> int:
        """Forward and backward passes over the batch in one step."""
        return 1

    def inputs(self, inputs: Tensor, batch: Batch) -> Tensor:
        """Return what the model sees in place of inputs [run, sample, ...]."""
        return inputs

    def targets(self, targets: Tensor | None, batch: Batch) -> Tensor | None:
        """Return soft targets [run, sample, class], or None for hard labels; see `Batch.soft`."""
        return targets

    def penalty(self, batch: Batch) -> Penalty | None:
        """Return what is added to the loss, or None."""
        return None

    def ascent(self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], runs: int) -> list[Tensor]:
        """Return how far to move each parameter before a second pass, whose gradients count; see `passes`.

        Args:
            parameters: Each with a first axis divisible by ``runs``, run by run.
            gradients: Theirs, from the first pass.
            runs: How many runs they hold.
        """
        return [torch.zeros_like(gradient) for gradient in gradients]
