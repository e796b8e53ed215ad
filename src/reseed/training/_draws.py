"""Dropout from counter-based draws, for one run or several, in own and in foreign models."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from reseed._draws import draw_key, keep_mask

_BLOCK_POSITIONS = 1 << 16


class Masks:
    """Dropout masks of several runs, step by step, place by place.

    Masks of coming steps are drawn along: many small tensors at once cost little more than one.

    Args:
        words: The dropout word of each run.
    """

    def __init__(self, words: Sequence[int]) -> None:
        self._words = words
        self._step, self._place = 0, 0
        self._blocks: dict[int, _Block] = {}

    @property
    def runs(self) -> int:
        """How many runs the masks are for."""
        return len(self._words)

    def begin(self, step: int) -> None:
        """Start counting the places of a step."""
        self._step, self._place = step, 0

    def next(self, p: float, shape: Sequence[int], device: torch.device) -> Tensor:
        """Return what the next place of this step multiplies with, [run, *shape]; see `keep_mask`.

        Axes up to two, such as [sample, feature], are one axis to the draws: only the first may vary in extent.
        """
        self._place += 1
        shape = tuple(shape)
        extents = shape if len(shape) > 2 else (math.prod(shape),)
        block = self._blocks.get(self._place)
        if block is None or not block.holds(self._step, extents, p, device):
            ahead = max(1, _BLOCK_POSITIONS // max(1, math.prod(extents) * self.runs))
            steps = range(self._step, self._step + ahead)
            keys = [draw_key(word, step, self._place) for step in steps for word in self._words]
            masks = keep_mask(keys, extents, p, device).view(ahead, self.runs, *extents)
            block = _Block(self._step, p, masks)
            if ahead > 1:
                self._blocks[self._place] = block
        masks = block.masks[self._step - block.start]
        return masks[(slice(None), *map(slice, extents))].view(self.runs, *shape)


@dataclass(frozen=True)
class _Block:
    """Masks of one place for consecutive steps, [step, run, ...]."""

    start: int
    p: float
    masks: Tensor

    def holds(self, step: int, extents: tuple[int, ...], p: float, device: torch.device) -> bool:
        steps, _, *held = self.masks.shape
        return (
            self.start <= step < self.start + steps
            and len(extents) == len(held)
            and all(extent <= most for extent, most in zip(extents, held, strict=True))
            and p == self.p
            and device == self.masks.device
        )


class DrawnDropout(nn.Module):
    """Dropout that takes its masks from the streams of the runs whose samples it sees, run by run."""

    def __init__(self, p: float, masks: Masks) -> None:
        super().__init__()
        self.p, self._masks = p, masks

    def forward(self, x: Tensor) -> Tensor:
        """Drop in training mode; ``x`` is [sample, ...] of one run, or [run, sample, ...]."""
        if not self.training or self.p == 0.0:
            return x
        return x * self._masks.next(self.p, (x.numel() // self._masks.runs,), x.device).view(x.shape).to(x.dtype)


class DropoutDraws(TorchFunctionMode):
    """Gives every dropout inside a forward pass its draws from the run's own stream.

    While active, torch's dropout functions (and so every dropout module, also in foreign models) and the dropout
    of scaled dot product attention take their masks from `draw_bits`; places are counted in the order of the
    calls within a step. Nothing else is touched.

    Args:
        word: The run's dropout word; or the masks of several runs, see `of_run`.
    """

    def __init__(self, word: int | Masks) -> None:
        super().__init__()
        self._masks = word if isinstance(word, Masks) else Masks([word])
        self._run: Tensor | None = None

    @contextmanager
    def at_step(self, step: int) -> Iterator[None]:
        """Activate the mode for the forward pass of one training step."""
        self.begin(step)
        with self:
            yield

    @contextmanager
    def of_run(self, run: Tensor) -> Iterator[None]:
        """Activate the mode inside a function that is mapped over runs; ``run``, [1], is that of the mapped one."""
        self._run = run
        try:
            with self:
                yield
        finally:
            self._run = None

    def begin(self, step: int) -> None:
        """Start counting the places of a step, for models whose dropout modules were replaced."""
        self._masks.begin(step)

    def replace_modules(self, model: nn.Module) -> None:
        """Put these draws in place of every plain dropout module of a model, which then needs no mode.

        For models all of whose dropout is known to be in such modules: a mode looks at every function call, and
        small models feel that.
        """
        for parent in list(model.modules()):
            for name, module in parent.named_children():
                if type(module) is nn.Dropout:
                    setattr(parent, name, DrawnDropout(module.p, self._masks))

    def dropped(self, x: Tensor, p: float, shape: Sequence[int]) -> Tensor:
        """Return ``x`` with the next place's draws of this step applied: a mask of ``shape``, along the first axes."""
        masks = self._masks.next(p, shape, x.device)
        mask = masks[0] if self._run is None else masks.index_select(0, self._run)[0]
        return x * mask.view(*shape, *(1,) * (x.ndim - len(shape))).to(x.dtype)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        replacement = _REPLACED.get(func)
        if replacement is None:
            return func(*args, **(kwargs or {}))
        return replacement(self, *args, **(kwargs or {}))

    def _elementwise(self, x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        return _dropped(x, p, training, inplace, self, x.shape)

    def _channelwise(self, x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        return _dropped(x, p, training, inplace, self, x.shape[:2])

    def _multi_head(self, *args: Any, **kwargs: Any) -> Any:
        with self:  # a mode is off while it handles a call, and the dropout is further inside
            return _MULTI_HEAD(*args, **kwargs)

    def _attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        function = torch.nn.functional.scaled_dot_product_attention
        if dropout_p == 0.0:
            return function(query, key, value, attn_mask, 0.0, is_causal, scale=scale, enable_gqa=enable_gqa)
        # The fused kernels draw their own masks, so attention with dropout is spelt out.
        if enable_gqa:
            key = key.repeat_interleave(query.size(-3) // key.size(-3), -3)
            value = value.repeat_interleave(query.size(-3) // value.size(-3), -3)
        scores = query @ key.transpose(-2, -1) * (query.size(-1) ** -0.5 if scale is None else scale)
        if is_causal:
            allowed = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
            scores = scores.masked_fill(~allowed, -torch.inf)
        if attn_mask is not None:
            is_boolean = attn_mask.dtype == torch.bool
            scores = scores.masked_fill(~attn_mask, -torch.inf) if is_boolean else scores + attn_mask
        weights = scores.softmax(-1)
        return self.dropped(weights, dropout_p, weights.shape) @ value


def _dropped(x: Tensor, p: float, training: bool, inplace: bool, draws: DropoutDraws, shape: Sequence[int]) -> Tensor:
    if not training or p == 0.0:
        return x
    dropped = draws.dropped(x, p, shape)
    return x.copy_(dropped) if inplace else dropped


# Torch's own function, but for its first question: whether a mode wants to handle the whole of it.
_MULTI_HEAD = FunctionType(
    torch.nn.functional.multi_head_attention_forward.__code__,
    {**vars(torch.nn.functional), "has_torch_function": lambda _: False},
    argdefs=torch.nn.functional.multi_head_attention_forward.__defaults__,
)

_REPLACED: dict[Any, Callable[..., Any]] = {
    torch.nn.functional.dropout: DropoutDraws._elementwise,
    torch.nn.functional.dropout1d: DropoutDraws._channelwise,
    torch.nn.functional.dropout2d: DropoutDraws._channelwise,
    torch.nn.functional.dropout3d: DropoutDraws._channelwise,
    torch.nn.functional.scaled_dot_product_attention: DropoutDraws._attention,
    torch.nn.functional.multi_head_attention_forward: DropoutDraws._multi_head,
}
