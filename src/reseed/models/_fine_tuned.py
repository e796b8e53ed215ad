"""An encoder under a head, trained end to end on padded token ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn


class Trimmed(nn.Module):
    """A model of padded token ids that is given no more columns than the longest text needs.

    Args:
        model: Takes token ids [sample, token], or [run, sample, token] of several runs.
        padding_id: The token id that marks padding, behind each text.
    """

    def __init__(self, model: nn.Module, padding_id: int) -> None:
        super().__init__()
        self.model, self.padding_id = model, padding_id

    def forward(self, token_ids: Tensor) -> Tensor:
        """Return what the model makes of the columns that hold more than padding."""
        longest = int((token_ids != self.padding_id).sum(-1).max())
        logits: Tensor = self.model(token_ids[..., :longest])
        return logits


def untrimmed(model: nn.Module) -> nn.Module:
    """Return a model of padded token ids that takes all columns, with the same answers up to rounding; others as is."""
    return model.model if isinstance(model, Trimmed) else model


class FineTunedEncoder(nn.Module):
    """An encoder, the mean over its tokens, and a head; takes token ids of shape [sample, token].

    Args:
        encoder: The pre-trained encoder; its weights are where every run starts.
        head: Takes the mean hidden state, returns logits.
        padding_id: The token id that marks padding.
    """

    def __init__(self, encoder: nn.Module, head: nn.Module, padding_id: int) -> None:
        super().__init__()
        self.encoder, self.head, self.padding_id = encoder, head, padding_id

    def forward(self, token_ids: Tensor) -> Tensor:
        """Return the head's logits [sample, class] of the mean hidden state over tokens that are not padding."""
        return self.answer(token_ids != self.padding_id, input_ids=token_ids)

    def answer(self, mask: Tensor, **asked: Tensor) -> Tensor:
        """Return logits [sample, class] of what the encoder is asked, where ``mask`` [sample, token] is true."""
        with _masks_built_unseen():
            hidden = self.encoder(**asked, attention_mask=mask.long()).last_hidden_state
        logits: Tensor = self.head(_mean_over_tokens(hidden, mask))
        return logits


def _mean_over_tokens(hidden: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the hidden states [sample, token, feature] over the tokens that are not padding."""
    weights = mask.to(hidden.dtype)[..., None]
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1.0)


@contextmanager
def _masks_built_unseen() -> Iterator[None]:
    """Have transformers build attention masks without a look at whether any token is padding.

    That look is control flow that depends on data, which nothing can map over runs.
    """
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS as interface  # noqa: N811

    before = {name: interface[name] for name in ("sdpa", "eager")}
    for name, build in before.items():
        interface[name] = partial(_unskipped, build)
    try:
        yield
    finally:
        interface.update(before)


def _unskipped(build: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return build(*args, **(kwargs | {"allow_is_causal_skip": False, "allow_is_bidirectional_skip": False}))
