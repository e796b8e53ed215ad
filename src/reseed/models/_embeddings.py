"""Networks that read token ids, asked with embeddings in place of them, which can be changed a little."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import final

import torch
from torch import Tensor, nn

from reseed._errors import InputError, ModelError
from reseed.models._fine_tuned import FineTunedEncoder, untrimmed


def is_token_ids(preprocessing: Mapping[str, object]) -> bool:
    """Whether the inputs that are made so are token ids, between which there is nothing.

    Args:
        preprocessing: See `Prepared`.

    Examples:
        >>> is_token_ids({"kind": "token ids"}), is_token_ids({"kind": "tf-idf"})
        (True, False)
    """
    return preprocessing.get("kind") == "token ids"


def check_continuous(inputs: Tensor, preprocessing: Mapping[str, object] | None = None) -> None:
    """Accept inputs that can be changed a little, as continuous attacks and noise do.

    Args:
        inputs: As the model takes them, [sample, ...].
        preprocessing: How they are made, see `Prepared`; None: not known.

    Raises:
        InputError: They are token ids, or other whole numbers.

    Examples:
        >>> check_continuous(torch.rand(4, 8))
    """
    if is_token_ids(preprocessing or {}):
        raise InputError(
            f"inputs are token ids ({_kind(inputs)}), which cannot be changed a little: attack the embeddings that "
            "reseed.models.embedding_network makes of them, or the texts, with "
            "reseed.perturbations.substitute_words or corrupt_texts."
        )
    if not inputs.is_floating_point():
        raise InputError(
            f"inputs must be floating-point numbers, which can be changed a little; got {_kind(inputs)}. Of images "
            "pass values in [0, 1] as `inputs.float() / 255`, of token ids embeddings "
            "(reseed.models.embedding_network)."
        )


def _kind(inputs: Tensor) -> str:
    return f"{str(inputs.dtype).removeprefix('torch.')}{list(inputs.shape)}"


@final
class EmbeddingNetwork(nn.Module):
    """A fine-tuned text encoder that takes the embeddings of tokens [sample, token, feature].

    A position is padding where its embedding is that of the padding token, bit for bit. So whoever changes embeddings
    leaves padding as it is, see `is_padding`: a position that was moved away from it is read as a token. No gradient
    reaches padding.

    Args:
        model: What it asks; its weights are shared, not copied.
    """

    def __init__(self, model: FineTunedEncoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, embeddings: Tensor) -> Tensor:
        """Return logits [sample, class], differentiable in the embeddings."""
        return self.model.answer(~self.is_padding(embeddings), inputs_embeds=embeddings)

    @torch.no_grad()
    def embed(self, token_ids: Tensor) -> Tensor:
        """Return the embeddings [sample, token, feature] of token ids [sample, token]."""
        return self._table(token_ids).detach().clone()

    @torch.no_grad()
    def is_padding(self, embeddings: Tensor) -> Tensor:
        """Return where embeddings are padding, bool [sample, token]."""
        padding = self._table(torch.tensor([self.model.padding_id], device=embeddings.device))
        return (embeddings == padding.to(embeddings.dtype)).all(-1)

    def _table(self, token_ids: Tensor) -> Tensor:
        found: Tensor = self.model.encoder.get_input_embeddings()(token_ids)  # type: ignore[operator]
        return found


def embedding_network(module: nn.Module) -> tuple[Callable[[Tensor], Tensor], EmbeddingNetwork]:
    """Return two functions that together are a network of token ids: to embeddings, and from these to logits.

    Between embeddings there is something, so gradients, noise and attacks of any norm have a meaning there; what an
    attack finds need not be the embeddings of any text. All columns are computed: cut token ids at the longest text
    that is asked before they are embedded. The embeddings are those that the network itself learned, so every run of a
    study has its own::

        pairs = [embedding_network(network) for network in study.networks()]
        embeddings = torch.stack([embed(token_ids) for embed, _ in pairs])
        networks = Networks([network for _, network in pairs])
        logits = networks(embeddings, own=True)

    Args:
        module: A fine-tuned ``text-encoder``, such as `Networks` gives for a run: token ids [sample, token] to logits.

    Returns:
        Token ids [sample, token] to embeddings [sample, token, feature], and embeddings to logits [sample, class].

    Raises:
        ModelError: The network is of another kind.
    """
    inner = untrimmed(module)
    if not isinstance(inner, FineTunedEncoder):
        raise ModelError(
            f"{type(inner).__name__} is no fine-tuned text-encoder, so its embeddings are not known; other networks "
            "take numbers, which are attacked as they are."
        )
    network = EmbeddingNetwork(inner)
    return network.embed, network
