"""The recurrent attention model that translates and listens: its training, and what it predicts.

A bidirectional GRU reads the input; a GRU writes tokens one by one, each after a look at the input through dot-product
attention. Padding and the start of a sentence are tokens that cannot be predicted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from _sequence import Fitted, Loss
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

import reseed

PAD, BOS, EOS = range(3)
SPECIAL = ("<pad>", "<bos>", "<eos>")
IGNORED = -100
CHUNK = 100
"""Test pairs that are predicted at once."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Inputs and the tokens that they should give, padded.

    Attributes:
        inputs: Token indices [pair, time] or features [pair, time, feature].
        lengths: How much of each input is no padding, [pair].
        tokens: [pair, position], `EOS` at the end and -100 after it.
    """

    inputs: np.ndarray
    lengths: np.ndarray
    tokens: np.ndarray

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.lengths)

    @classmethod
    def of(cls, inputs: Sequence[np.ndarray], tokens: Sequence[Sequence[int]]) -> Pairs:
        """Pad inputs, and end and pad tokens."""
        ended = [torch.tensor([*each, EOS]) for each in tokens]
        return cls(
            pad_sequence([torch.from_numpy(each) for each in inputs], batch_first=True).numpy(),
            np.array([len(each) for each in inputs]),
            pad_sequence(ended, batch_first=True, padding_value=IGNORED).numpy(),
        )

    def batch(self, rows: np.ndarray | slice) -> tuple[Tensor, Tensor, Tensor]:
        """Return inputs, lengths and tokens of some pairs, no longer than the longest of them."""
        lengths, tokens = self.lengths[rows], self.tokens[rows]
        inputs = torch.from_numpy(self.inputs[rows, : lengths.max()])
        return inputs, torch.from_numpy(lengths), torch.from_numpy(tokens[:, : (tokens != IGNORED).sum(1).max()])


class Memory(NamedTuple):
    """What was read: values [sample, time, feature], keys of the attention to them, and where there is something."""

    values: Tensor
    keys: Tensor
    exists: Tensor


class AttentionModel(nn.Module):
    """Reads a sequence and writes tokens.

    Args:
        front: Makes features [sample, time, size] of a batch of inputs.
        num_tokens: Size of the vocabulary that is written.
        size: Width of every layer; the two directions of reading have as much each.
        dropout: Of the input's features, of the tokens written so far, and before the vocabulary.
    """

    def __init__(self, front: nn.Module, num_tokens: int, size: int, dropout: float) -> None:
        super().__init__()
        self.front = front
        self.reader = nn.GRU(size, size, batch_first=True, bidirectional=True)
        self.first = nn.Linear(2 * size, size)
        self.key = nn.Linear(2 * size, size)
        self.query = nn.Linear(size, size, bias=False)
        self.embedding = nn.Embedding(num_tokens, size)
        self.writer = nn.GRUCell(3 * size, size)
        self.summary = nn.Linear(4 * size, size)
        self.output = nn.Linear(size, num_tokens)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor, lengths: Tensor, tokens: Tensor) -> Tensor:
        """Return logits [sample, position, token], each position's from the true tokens before it."""
        memory, state = self.read(inputs, lengths)
        before = torch.cat([torch.full_like(tokens[:, :1], BOS), tokens[:, :-1].clamp(min=PAD)], 1)
        embedded = self.dropout(self.embedding(before))
        steps = []
        for token in embedded.unbind(1):
            state, context = self.step(token, state, memory)
            steps.append(torch.cat([token, state, context], 1))
        return self.logits(torch.stack(steps, 1))

    @torch.no_grad()
    def write(self, inputs: Tensor, lengths: Tensor, longest: int) -> Tensor:
        """Return the tokens [sample, position] of which each is the likeliest after those before it."""
        memory, state = self.read(inputs, lengths)
        token, written = torch.full((len(inputs),), BOS), []
        for _ in range(longest):
            embedded = self.embedding(token)
            state, context = self.step(embedded, state, memory)
            logits = self.logits(torch.cat([embedded, state, context], 1))
            token = possible_probabilities(logits).argmax(-1)
            written.append(token)
        return torch.stack(written, 1)

    def read(self, inputs: Tensor, lengths: Tensor) -> tuple[Memory, Tensor]:
        """Return what was read and the writer's first state."""
        features = self.dropout(self.front(inputs))
        packed = pack_padded_sequence(features, lengths, batch_first=True, enforce_sorted=False)
        packed, last = self.reader(packed)
        values, _ = pad_packed_sequence(packed, batch_first=True)
        exists = torch.arange(values.shape[1]) < lengths[:, None]
        return Memory(values, self.key(values), exists), torch.tanh(self.first(torch.cat([*last], 1)))

    def step(self, token: Tensor, state: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Return the writer's next state and the context that led to it."""
        energy = (memory.keys @ self.query(state)[..., None]).squeeze(-1) / state.shape[-1] ** 0.5
        weights = energy.masked_fill(~memory.exists, -torch.inf).softmax(-1)
        context = (weights[:, None] @ memory.values).squeeze(1)
        return self.writer(torch.cat([token, context], 1), state), context

    def logits(self, steps: Tensor) -> Tensor:
        """Return logits [..., token] of embedded token, state and context."""
        return self.output(self.dropout(torch.tanh(self.summary(steps))))


@dataclass(frozen=True)
class Settings:
    """How the model is trained: Adam, its rate falling to zero in a straight line.

    Attributes:
        size: Width of the layers.
        dropout: Share of features that dropout hides.
        rate: Adam's first learning rate.
        batch: Pairs of a step.
        epochs: Passes over the training pairs.
        norm: Norm that gradients are clipped to.
    """

    size: int
    dropout: float
    rate: float
    batch: int
    epochs: int
    norm: float = 1.0


@dataclass(frozen=True, eq=False)
class AttentionTask:
    """Pairs of inputs and tokens to learn from and to be tested on.

    Attributes:
        train: The training pairs.
        test: The test pairs; all of them are written.
        studied: How many of them, from the first, the study's samples are the tokens of.
        vocabulary: The tokens, `SPECIAL` first.
        front: Makes the model's front of its width.
        settings: How to train.
        between: What stands between written tokens.
    """

    train: Pairs
    test: Pairs
    studied: int
    vocabulary: tuple[str, ...]
    front: Callable[[int], nn.Module]
    settings: Settings
    between: str

    def fit(self, seed: int, loss: Loss) -> Fitted:
        """Train with a seed and a loss, and return the studied tokens' probabilities and all test outputs."""
        torch.manual_seed(seed)
        settings = self.settings
        model = AttentionModel(self.front(settings.size), len(self.vocabulary), settings.size, settings.dropout)
        fit_model(model, self.train, loss, settings)
        model.eval()
        probabilities, outputs = [], []
        for start in range(0, len(self.test), CHUNK):
            inputs, lengths, tokens = self.test.batch(slice(start, start + CHUNK))
            written = model.write(inputs, lengths, self.train.tokens.shape[1])
            outputs += [self._text(row) for row in written.tolist()]
            if start < self.studied:
                kept = tokens != IGNORED
                kept[self.studied - start :] = False
                with torch.no_grad():
                    probabilities.append(possible_probabilities(model(inputs, lengths, tokens)[kept]).numpy())
        return Fitted(np.concatenate(probabilities), outputs)

    def dataset(self, name: str, shown: Sequence[str]) -> reseed.Dataset:
        """Return the studied tokens, each with what is shown of its input and the tokens before it."""
        texts, labels, ids = [], [], []
        for pair in range(self.studied):
            row = self.test.tokens[pair]
            row = row[row != IGNORED]
            for position, token in enumerate(row.tolist()):
                before = self.between.join(self.vocabulary[each] for each in row[:position])
                texts.append(f"{shown[pair]} | {before}")
                labels.append(token)
                ids.append(f"{pair}-{position}")
        return reseed.Dataset(name, "test", tuple(texts), torch.tensor(labels), tuple(ids), self.vocabulary)

    def _text(self, tokens: list[int]) -> str:
        end = tokens.index(EOS) if EOS in tokens else len(tokens)
        return self.between.join(self.vocabulary[token] for token in tokens[:end])


def fit_model(model: AttentionModel, pairs: Pairs, loss: Loss, settings: Settings) -> None:
    """Train on batches of outputs of about equal length; randomness comes from torch's global generator."""
    optimizer = torch.optim.Adam(model.parameters(), settings.rate, fused=True)
    lengths = torch.from_numpy((pairs.tokens != IGNORED).sum(1))
    steps = settings.epochs * -(-len(pairs) // settings.batch)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    for _ in range(settings.epochs):
        order = torch.randperm(len(pairs))
        batches = order[lengths[order].argsort(stable=True)].split(settings.batch)
        for number in torch.randperm(len(batches)).tolist():
            inputs, read, tokens = pairs.batch(batches[number].numpy())
            optimizer.zero_grad()
            loss(model(inputs, read, tokens), tokens).backward()
            nn.utils.clip_grad_norm_(model.parameters(), settings.norm)
            optimizer.step()
            schedule.step()


def possible_tokens(num_tokens: int) -> Tensor:
    """Return which tokens can be predicted, booleans [token]."""
    return torch.arange(num_tokens) >= EOS


def possible_probabilities(logits: Tensor) -> Tensor:
    """Return probabilities [..., token] that are zero for what cannot be predicted."""
    return logits.masked_fill(~possible_tokens(logits.shape[-1]), -torch.inf).softmax(-1)
