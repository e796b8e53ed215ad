"""Networks that read token ids, asked with embeddings in place of them, which can be changed a little."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import final

import torch
from torch import Tensor, nn

from reseed._errors import InputError, ModelError
from reseed.models._fine_tuned import FineTunedEncoder, untrimmed

_MARK = 8.0  # times the largest number of any embedding; enough to be told from tokens, and no loss of digits


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

    Padding is marked by numbers that are far larger than those of any token. So it stays padding whatever an attack or
    noise adds to it, nothing that is added there has an effect, and no gradient reaches it.

    Args:
        model: What it asks; its weights are shared, not copied.
    """

    largest: Tensor

    def __init__(self, model: FineTunedEncoder) -> None:
        super().__init__()
        self.model, self.training = model, model.training
        weight = self._table().weight.detach()
        self.register_buffer("largest", weight.abs().max().clamp_min(torch.finfo(weight.dtype).tiny))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Return logits [sample, class], differentiable in the embeddings."""
        is_padding = self.is_padding(embeddings)
        return self.model.answer(~is_padding, inputs_embeds=embeddings.masked_fill(is_padding[..., None], 0.0))

    @torch.no_grad()
    def embed(self, token_ids: Tensor) -> Tensor:
        """Return the embeddings [sample, token, feature] of token ids [sample, token], with padding marked."""
        found: Tensor = self._table()(token_ids)
        return torch.where((token_ids == self.model.padding_id)[..., None], _MARK * self.largest, found)

    def is_padding(self, embeddings: Tensor) -> Tensor:
        """Return where embeddings are padding, bool [sample, token]."""
        return embeddings.detach().mean(-1) > _MARK / 2 * self.largest

    def _table(self) -> nn.Embedding:
        found: nn.Embedding = self.model.encoder.get_input_embeddings()  # type: ignore[operator]
        return found


def embedding_network(module: nn.Module) -> tuple[Callable[[Tensor], Tensor], EmbeddingNetwork]:
    """Return two functions that together are a network of token ids: to embeddings, and from these to logits.

    Between embeddings there is something, so gradients, noise and attacks of any norm have a meaning there; what an
    attack finds need not be the embeddings of any text. All columns are computed: cut token ids at the longest text
    that is asked before they are embedded. An attack of one run::

        embed, network = embedding_network(study.networks()[0])
        found = pgd(network, embed(token_ids), targets, epsilon=0.01, bounds=None)

    The embeddings are those that the network itself learned, so every run of a study has its own. Asked together::

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
