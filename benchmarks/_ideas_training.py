"""Training of heads on fixed features with what `ideas.py` tries."""

from __future__ import annotations

import copy
import math
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from typing import Any, Literal, final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.linear_model import Ridge
from torch import Tensor
from torch.nn.functional import linear, one_hot

from reseed import Recipe

HEADS = 4
LATE, LARGER = 2 / 3, 4  # where batches become larger, and by which factor
RIDGE_STRENGTH = 1.0
TAUGHT = 0.5  # a teacher's part of the target
FIXED_SEED, TEACHER_SEED = 99, 50
INIT, COURSE, RESAMPLES = range(3)  # streams of random numbers


@dataclass(frozen=True)
class Idea:
    """How trainings depart from the control's, which all fields are by default.

    Attributes:
        name: The base, and what is added to it.
        base: The recipe that it is added to.
        seed: Of all runs.
        fixed_init: Whether all runs begin with the same weights.
        init_scale: Factor on initial weights.
        decay: Of the exponential average of the weights.
        smoothing: Mass of each label that is spread over all classes.
        order: Whether batches are in an order of the run's own, in one of all runs, or every second epoch mirrored.
        larger_batches: Whether the last batches are larger.
        consistency: Strength of the penalty on the variance of shadow heads.
        teacher: Whose probabilities are half of the target.
        exponent: Power of a teacher's probabilities.
        branches: Networks of each run whose weights are averaged at the end.
        parted: Share of the training after which they part.
        matched: Whether their hidden units are matched before that.
    """

    name: str = field(compare=False)
    base: Idea | None = None
    seed: int = 0
    fixed_init: bool = False
    init_scale: float = 1.0
    decay: float = 0.0
    smoothing: float = 0.0
    order: Literal["own", "shared", "mirrored"] = "own"
    larger_batches: bool = False
    consistency: float = 0.0
    teacher: Literal["ridge", "own", "shared"] | None = None
    exponent: float = 1.0
    branches: int = 1
    parted: float = 0.0
    matched: bool = False

    def plus(self, what: str, **changes: Any) -> Idea:
        """Return this recipe with something added to it."""
        return replace(self, name=f"{self.name}, {what}", base=self, **changes)

    def options(self) -> dict[str, object]:
        """Return the options that are not the control's."""
        told = asdict(self)
        return {each.name: told[each.name] for each in fields(self)[2:] if told[each.name] != each.default}


@dataclass(frozen=True, eq=False)
class Task:
    """What is learned, and how.

    Attributes:
        train: Features [train sample, feature].
        labels: Of these, [train sample].
        evaluation: Features [evaluation sample, feature].
        targets: Labels of these, [evaluation sample].
        classes: How many.
        recipe: The control's.
    """

    train: Tensor
    labels: Tensor
    evaluation: Tensor
    targets: NDArray[np.int64]
    classes: int
    recipe: Recipe


@final
class Training:
    """A network with one hidden layer while it is trained, and the average of its weights.

    Weights are those of the hidden layer and its biases, those of the last layer, and those of all shadow heads.
    """

    def __init__(self, idea: Idea, task: Task, run: int) -> None:
        self.idea, self.task, self.run = idea, task, run
        self.targets = targets_of(idea, task, run)
        self.counts = resampled(idea, task, run) if idea.consistency else None
        self.weights = initial(idea, task, run)
        self.average = [weight.detach().clone() for weight in self.weights]
        self.optimizer = torch.optim.Adam(self.weights, lr=task.recipe.optimizer.lr, fused=True)
        self.number = 0

    def go_on(self, epochs: range, branch: int = 0) -> None:
        """Train for some epochs, with batch orders and dropout of a branch."""
        idea, recipe = self.idea, self.task.recipe
        rng = np.random.default_rng([idea.seed, self.run, COURSE, branch])
        orders = np.random.default_rng(idea.seed) if idea.order == "shared" else rng
        order = np.empty(0, np.int64)
        for epoch in epochs:
            is_mirror = idea.order == "mirrored" and epoch % 2
            order = order[::-1].copy() if is_mirror else orders.permutation(len(self.task.train))
            is_late = epoch >= LATE * recipe.epochs
            size = recipe.batch_size * (LARGER if idea.larger_batches and is_late else 1)
            for rows in torch.from_numpy(order).split(size):
                self._step(rows, rng)

    def _step(self, rows: Tensor, rng: np.random.Generator) -> None:
        keep = 1 - self.task.recipe.model.dropout
        hidden = torch.relu(linear(self.task.train[rows], *self.weights[:2]))
        dropped = torch.from_numpy(rng.random(hidden.shape, np.float32) >= keep)
        hidden = hidden.masked_fill(dropped, 0.0) / keep
        targets = self.targets[rows]
        loss = cross_entropy(linear(hidden, *self.weights[2:4]), targets).mean()
        if self.counts is not None:
            shadows = linear(hidden, *self.weights[4:]).unflatten(1, (HEADS, -1))
            loss = loss + consistency_loss(shadows, targets, self.counts[rows], self.idea.consistency)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.number += 1
        share = 1 - self.idea.decay if self.number > 1 else 1.0
        torch._foreach_lerp_(self.average, [weight.detach() for weight in self.weights], share)


def initial(idea: Idea, task: Task, run: int) -> list[Tensor]:
    """Return initial weights as torch draws them; biases are not scaled."""
    rng = np.random.default_rng([FIXED_SEED] if idea.fixed_init else [idea.seed, run, INIT])
    (hidden,) = task.recipe.model.hidden
    weights = []
    shadows = [(hidden, HEADS * task.classes)] if idea.consistency else []
    for inputs, outputs in ((task.train.shape[1], hidden), (hidden, task.classes), *shadows):
        bound = 1 / math.sqrt(inputs)
        weights.append(idea.init_scale * rng.uniform(-bound, bound, (outputs, inputs)))
        weights.append(rng.uniform(-bound, bound, outputs))
    return [torch.from_numpy(weight).float().requires_grad_() for weight in weights]


def logits(weights: list[Tensor], inputs: Tensor) -> Tensor:
    """Return what a trained network says of samples [sample, feature]: [sample, class]."""
    return linear(torch.relu(linear(inputs, *weights[:2])), *weights[2:4])


def targets_of(idea: Idea, task: Task, run: int) -> Tensor:
    """Return what a run learns, [train sample, class]."""
    labels = one_hot(task.labels, task.classes).float()
    soft = (1 - idea.smoothing) * labels + idea.smoothing / task.classes
    if idea.teacher is None:
        return soft
    if idea.teacher == "ridge":
        said = ridge_of(task)
    else:
        assert idea.base is not None
        teacher = replace(idea.base, seed=TEACHER_SEED)
        said = logits(trained(teacher, task, run if idea.teacher == "own" else 0), task.train)
    return (1 - TAUGHT) * soft + TAUGHT * torch.softmax(idea.exponent * said, -1)


@cache
def ridge_of(task: Task) -> Tensor:
    """Return what a ridge regression of one-hot labels on the features says of the training samples."""
    inputs, labels = task.train.double().numpy(), one_hot(task.labels, task.classes).double().numpy()
    return torch.from_numpy(Ridge(RIDGE_STRENGTH).fit(inputs, labels).predict(inputs)).float()


def resampled(idea: Idea, task: Task, run: int) -> Tensor:
    """Return how often each sample is in the bootstrap of each shadow head, [train sample, head]."""
    rng, count = np.random.default_rng([idea.seed, run, RESAMPLES]), len(task.train)
    return torch.from_numpy(rng.multinomial(count, np.full(count, 1 / count), HEADS).T).float()


def cross_entropy(said: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of logits, [..., class], as soft targets have it."""
    return -(targets * torch.log_softmax(said, -1)).sum(-1)


def consistency_loss(shadows: Tensor, targets: Tensor, counts: Tensor, strength: float) -> Tensor:
    """Return the mean loss of shadow heads, with logits [sample, head, class], and the penalty on their variance."""
    learned = (counts * cross_entropy(shadows, targets[:, None])).mean()
    return learned + strength * torch.softmax(shadows, -1).var(1).sum(-1).mean()


@cache
def branches_of(idea: Idea, task: Task, run: int) -> list[list[Tensor]]:
    """Return the averaged weights of each branch of a run; of one where it has no others."""
    trunk, epochs = Training(idea, task, run), task.recipe.epochs
    if idea.branches == 1:
        trunk.go_on(range(epochs))
        return [trunk.average]
    parted = round(idea.parted * epochs)
    trunk.go_on(range(parted))
    endings = [copy.deepcopy(trunk) for _ in range(idea.branches)]
    for branch, ending in enumerate(endings, 1):
        ending.go_on(range(parted, epochs), branch)
    return [ending.average for ending in endings]


def trained(idea: Idea, task: Task, run: int) -> list[Tensor]:
    """Return the averaged weights of a run, or the means of those of its branches."""
    return merged(branches_of(replace(idea, matched=False), task, run), matched=idea.matched)


def merged(branches: list[list[Tensor]], *, matched: bool) -> list[Tensor]:
    """Return the mean weights of several networks.

    Matched, the hidden units of each are first put in the order in which their weights, incoming and outgoing, have the
    largest products with those of the first.
    """
    if matched:
        branches = [aligned(branch, branches[0]) for branch in branches]
    return [torch.stack(same).mean(0) for same in zip(*branches, strict=True)]


def aligned(weights: list[Tensor], first: list[Tensor]) -> list[Tensor]:
    """Return weights with hidden units in the order in which they are most like those of another network."""
    units, wanted = (torch.cat([into, bias[:, None], out.T], 1) for into, bias, out, _ in (weights, first))
    order = torch.from_numpy(linear_sum_assignment(wanted @ units.T, maximize=True)[1])
    into, bias, out, last = weights
    return [into[order], bias[order], out[:, order], last]


def cost(idea: Idea, task: Task) -> float:
    """Return the passes over the training set of one training, as multiples of the control's."""
    own = idea.parted + idea.branches * (1 - idea.parted) if idea.branches > 1 else 1.0
    shadows = HEADS * task.classes / (task.train.shape[1] + task.classes) if idea.consistency else 0.0
    return own + shadows + (idea.teacher in ("own", "shared"))
