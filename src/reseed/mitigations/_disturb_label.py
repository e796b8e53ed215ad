"""Labels that are wrong now and then, anew at each step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, final

import torch
from torch import Tensor

from reseed._draws import draw_key, draw_uniform
from reseed._errors import InputError, InputTypeError
from reseed._numbers import is_whole
from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation, Batch
from reseed.mitigations._priors import check_labels

_PLACE = 110


def disturb_labels(labels: Tensor, alpha: float, num_classes: int, key: int, ignore_index: int = -100) -> Tensor:
    """Return labels of which each was replaced, with some probability, by one drawn uniformly from all classes.

    With K classes a label survives with probability 1 - alpha + alpha / K. The expected cross-entropy is that of label
    smoothing with epsilon = alpha. Nothing is drawn from torch's generators: the same key gives the same draws.

    Args:
        labels: Class indices of any shape.
        alpha: The probability of a draw, in [0, 1).
        num_classes: K.
        key: Any whole number; another one for each step.
        ignore_index: The label of positions that are left as they are, such as padding.

    Returns:
        A tensor like the labels.

    Raises:
        InputError: alpha or the number of classes is out of range, or a label is no class.
        InputTypeError: Labels are no whole numbers, or the key is none.

    References:
        Xie et al., "DisturbLabel: Regularizing CNN on the Loss Layer", CVPR 2016.

    Examples:
        >>> disturb_labels(torch.zeros(8, dtype=torch.int64), 0.5, 10, key=3)
        tensor([0, 0, 6, 0, 0, 0, 0, 0])
    """
    if not 0 <= alpha < 1:
        raise InputError(f"alpha must be in [0, 1), got {alpha!r}.")
    if not is_whole(num_classes) or num_classes < 2:
        raise InputError(f"num_classes must be 2 or more, got {num_classes!r}.")
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise InputTypeError(f"labels must be whole numbers, got {labels.dtype}; pass class indices.")
    if not is_whole(key):
        raise InputTypeError(f"key must be a whole number, got {key!r}; pass for example the step.")
    counts = labels != ignore_index
    check_labels(labels[counts], num_classes, "labels", ignore_index)
    is_drawn, drawn = _draw(draw_key(key, 0, _PLACE), labels.shape, alpha, num_classes, labels.device)
    return torch.where(is_drawn & counts, drawn.to(labels.dtype), labels)


@final
@dataclass(frozen=True)
class DisturbLabel(AbstractMitigation):
    """DisturbLabel: each label is now and then replaced by a random one, drawn anew at each step.

        q = one-hot(c), c ~ U{1, ..., K}   with probability alpha,   else q0

    q0 is the one-hot label, or what other methods made of it. In expectation the loss is that of label smoothing with
    epsilon = alpha. The draws come from the run's ``augment`` stream.

    Use it when: label smoothing is to be compared with the noise of which it is the mean.
    Cost: one training, one network at inference.
    Beware: the noise adds to the differences between seeds; the training loss is measured on disturbed labels.

    References:
        Xie et al., "DisturbLabel: Regularizing CNN on the Loss Layer", CVPR 2016.
    """

    name: ClassVar[str] = "disturb-label"

    alpha: float = 0.1
    """The probability of a draw, in [0, 1)."""

    def __post_init__(self) -> None:
        check_option(self, "alpha", 0 <= self.alpha < 1, "a share in [0, 1)")

    @property
    def is_active(self) -> bool:
        """Whether any label is ever replaced."""
        return self.alpha > 0

    def targets(self, targets: Tensor | None, batch: Batch) -> Tensor:
        """Return disturbed targets, [run, sample, class]."""
        shape, device = batch.labels.shape[1:], batch.labels.device
        each = [
            _draw(draw_key(word, batch.step, _PLACE), shape, self.alpha, batch.num_classes, device)
            for word in batch.words
        ]
        is_drawn, drawn = (torch.stack(part) for part in zip(*each, strict=True))
        disturbed = replace(batch, labels=torch.where(is_drawn, drawn, batch.labels)).soft(None)
        return disturbed if targets is None else torch.where(is_drawn[..., None], disturbed.to(targets.dtype), targets)


def _draw(key: int, shape: torch.Size, alpha: float, num_classes: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return whether to replace a label, and by what."""
    lot, place = draw_uniform(key, (2, *shape), device).unbind()
    return lot < alpha, (place * num_classes).long().clamp(max=num_classes - 1)
