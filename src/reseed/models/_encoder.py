"""Any `transformers` encoder: frozen features under a head, or fine-tuned end to end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reseed._arguments import argument
from reseed._errors import MissingExtraError, ModelError
from reseed.data import Dataset, Splits
from reseed.models._architecture import AbstractArchitecture, Prepared, RawInputs, checked_texts, text_inputs
from reseed.models._features import kept_features, text_marks
from reseed.models._fine_tuned import FineTunedEncoder, Trimmed
from reseed.models._mlp import mlp

_FEATURE_BATCH = 64


def _transformers() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError(
            "model 'text-encoder' needs the package transformers; install it with: pip install 'reseed[text]'."
        ) from error
    return transformers


def _from_pretrained(kind: str, name: str) -> Any:
    transformers = _transformers()
    logging = transformers.utils.logging
    shows_bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # only the parent process draws, and only one bar
    try:
        return getattr(transformers, kind).from_pretrained(name, trust_remote_code=False)  # nor is it asked for
    except (OSError, ValueError) as error:
        raise ModelError(
            f"cannot load the encoder {name!r}: {str(error).splitlines()[0]} "
            "Pass a hub name or a local folder that holds config, weights and tokenizer."
        ) from error
    finally:
        if shows_bars:
            logging.enable_progress_bar()


@dataclass(frozen=True)
class TextEncoder(AbstractArchitecture):
    """`text-encoder`: mean-pooled hidden states of a pre-trained encoder under an MLP head."""

    def __post_init__(self) -> None:
        if self.config.encoder is None:
            raise ModelError(
                f"model 'text-encoder' needs an encoder: pass {argument('encoder')} with a hub name such as "
                "sentence-transformers/all-MiniLM-L6-v2 or with a local folder."
            )

    @property
    def is_native(self) -> bool:
        """A fine-tuned encoder is foreign code; a head on frozen features is not."""
        return not self.config.fine_tune

    def prepare(self, splits: Splits, cache: Path | None, announce: Callable[[str], None]) -> Prepared:
        """Tokenise, and unless fine-tuning compute each text's features once."""
        parts = []
        tokenizer = _from_pretrained("AutoTokenizer", self._name)
        frozen = _Frozen(self._name, _padding_id(tokenizer))
        for dataset in (splits.train, splits.evaluation):
            token_ids = _tokens(tokenizer, text_inputs(dataset, "text-encoder"), self.config.max_length)
            parts.append(
                token_ids if self.config.fine_tune else self._features(frozen, token_ids, dataset, cache, announce)
            )
        # An encoder of its own: the one that was used here shall not stay in memory while runs are trained.
        own = None if self.config.fine_tune else _Frozen(self._name, frozen.padding_id)
        transform = _Transform(tokenizer, self.config.max_length, own)
        return Prepared(parts[0], parts[1], self._described(frozen.padding_id), transform)

    def build(self, input_shape: tuple[int, ...], num_classes: int) -> nn.Module:
        """Build the head, and below it the encoder when it is fine-tuned."""
        if not self.config.fine_tune:
            return mlp(input_shape[0], self.config.hidden, num_classes, self.config.dropout)
        encoder = _from_pretrained("AutoModel", self._name)
        head = mlp(encoder.config.hidden_size, self.config.hidden, num_classes, self.config.dropout)
        padding_id = _padding_id(_from_pretrained("AutoTokenizer", self._name))
        return Trimmed(FineTunedEncoder(encoder, head, padding_id), padding_id)

    @property
    def _name(self) -> str:
        return str(self.config.encoder)

    def _described(self, padding_id: int) -> dict[str, object]:
        """Say how texts become inputs."""
        steps = [
            "Make token ids with the tokenizer of `encoder` (transformers.AutoTokenizer), cut at `max_length` tokens; "
            f"shorter texts are filled up with the token {padding_id} behind them.",
        ]
        if not self.config.fine_tune:
            steps += [
                "Run `encoder` (transformers.AutoModel, as it was published, in evaluation mode) on them, with an "
                f"attention mask that is 1 where the token is not {padding_id}.",
                "Take the mean of its last_hidden_state over the tokens where the mask is 1.",
            ]
        return {
            "kind": "token ids" if self.config.fine_tune else "encoder features",
            "steps": steps,
            "encoder": self._name,
            "max_length": self.config.max_length,
            "padding_id": padding_id,
        }

    def _features(
        self,
        frozen: _Frozen,
        token_ids: Tensor,
        dataset: Dataset,
        cache: Path | None,
        announce: Callable[[str], None],
    ) -> Tensor:
        """Return mean hidden states [sample, feature], of texts that are in the cache from there."""
        key = hashlib.sha256(f"{self._name}\0{dataset.digest}".encode() + token_ids.numpy().tobytes()).hexdigest()[:16]

        def compute(rows: NDArray[np.int64]) -> Tensor:
            announce(f"computing {self._name} features of {len(rows)} texts ({dataset.split}), once")
            return frozen(token_ids[torch.from_numpy(rows)])

        return kept_features(cache, key, text_marks(self._name, token_ids, frozen.padding_id), compute)


@final
@dataclass(frozen=True, eq=False)
class _Frozen:
    """An encoder as it was published, loaded when it is first asked: token ids to mean hidden states."""

    name: str
    padding_id: int

    @cached_property
    def _encoder(self) -> Any:
        return _from_pretrained("AutoModel", self.name).eval()

    def __call__(self, token_ids: Tensor) -> Tensor:
        """Return mean hidden states [sample, feature]."""
        features = torch.empty(len(token_ids), self._encoder.config.hidden_size)
        # Texts of like length share a batch, so that little padding is computed.
        order = (token_ids != self.padding_id).sum(1).argsort(stable=True)
        model = Trimmed(FineTunedEncoder(self._encoder, nn.Identity(), self.padding_id), self.padding_id).eval()
        with torch.inference_mode():
            for rows in torch.split(order, _FEATURE_BATCH):
                if len(rows):
                    features[rows] = model(token_ids[rows])
        return features


@final
@dataclass(frozen=True, eq=False)
class _Transform:
    """Makes inputs of texts: token ids, or features where there is a frozen encoder."""

    tokenizer: Any = field(repr=False)
    max_length: int
    frozen: _Frozen | None

    def __call__(self, raw: RawInputs) -> Tensor:
        """Return token ids [sample, token] or features [sample, feature]."""
        token_ids = _tokens(self.tokenizer, checked_texts(raw), self.max_length)
        return token_ids if self.frozen is None else self.frozen(token_ids)


def _tokens(tokenizer: Any, texts: Sequence[str], max_length: int) -> Tensor:
    """Return token ids [sample, token], padded to ``max_length``."""
    if not texts:
        return torch.empty(0, max_length, dtype=torch.int64)
    encoded = tokenizer(list(texts), truncation=True, padding="max_length", max_length=max_length, return_tensors="np")
    return torch.from_numpy(np.asarray(encoded["input_ids"], dtype=np.int64))


def _padding_id(tokenizer: Any) -> int:
    if tokenizer.pad_token_id is None:
        raise ModelError(
            f"the tokenizer of {tokenizer.name_or_path!r} has no padding token; choose an encoder that has one."
        )
    return int(tokenizer.pad_token_id)
