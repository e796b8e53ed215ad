"""Confident outputs and retraining of a language model: the losses of Pereyra et al. 2017 on characters, in small.

    python benchmarks/six_tasks/language_model.py --out studies

trains, for each loss, an LSTM to tell the next character of Shakespeare's plays (`tinyshakespeare/input.txt.gz` of the
folder in RESEED_DATA), beside a second control with other seeds (the null), and writes `language_model.json` beside
this file: the environment, the setting, the comparison, and each method's perplexity per character with its paired
difference from the control's. An interrupted call continues.

The first 90 % of the text are learned. The next 5 % are the validation text, on which rate and batch were chosen with
the control's loss; nothing here reads it, but for the characters just before the test text. Of the last 5 %, the test
text, the first 10,000 characters are what is predicted, each from the true ones before it.

Back-propagation is truncated: the text is cut into parallel streams, whose state is carried from one window to the
next, but not its gradient. A seed decides the initial weights and, epoch by epoch, at which character the streams
begin.

References:
    Pereyra et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR workshop 2017.
"""

import argparse
import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from _sequence import Fitted, Loss, compare_losses, data_folder, losses, scored, write_task
from torch import Tensor, nn

import reseed

DATA = "tinyshakespeare"
CONTEXT, PREDICTED = 40, 10_000
EMBEDDED, UNITS = 64, 128
STREAMS, WINDOW, EPOCHS = 32, 64, 4
RATE, CLIP = 1.6e-2, 1.0


@dataclass(frozen=True)
class Text:
    """The characters, and where the parts end.

    Attributes:
        alphabet: All characters of the text, sorted.
        train: Their numbers in the part that is learned.
        test: Those of the characters that are predicted, with ``CONTEXT`` characters before them.
    """

    alphabet: str
    train: Tensor
    test: Tensor


class Reader(nn.Module):
    """One LSTM layer on embedded characters."""

    def __init__(self, characters: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, EMBEDDED)
        self.lstm = nn.LSTM(EMBEDDED, UNITS, batch_first=True)
        self.output = nn.Linear(UNITS, characters)

    def forward(
        self, tokens: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return logits [stream, position, character] of what follows each of the tokens, and the state after them."""
        found, state = self.lstm(self.embedding(tokens), state)
        return self.output(found), state


def read_text() -> Text:
    """Read the text from the folder in RESEED_DATA."""
    text = gzip.decompress((data_folder(DATA) / "input.txt.gz").read_bytes()).decode()
    alphabet = "".join(sorted(set(text)))
    numbers = {character: number for number, character in enumerate(alphabet)}
    tokens = torch.tensor([numbers[character] for character in text])
    begin = len(text) * 95 // 100
    return Text(alphabet, tokens[: len(text) * 90 // 100], tokens[begin - CONTEXT : begin + PREDICTED])


def characters_to_predict(text: Text) -> reseed.Dataset:
    """Return the characters to predict, the ones before each as its input."""
    characters = "".join(text.alphabet[token] for token in text.test)
    return reseed.Dataset(
        name="shakespeare",
        split="test",
        inputs=tuple(characters[place : place + CONTEXT] for place in range(PREDICTED)),
        labels=text.test[CONTEXT:],
        sample_ids=tuple(map(str, range(PREDICTED))),
        class_names=tuple(map(repr, text.alphabet)),
    )


def train(seed: int, loss: Loss) -> Fitted:
    """Train a reader and return the probabilities of the test text's characters."""
    torch.manual_seed(seed)
    text = read_text()
    model = Reader(len(text.alphabet))
    steps = len(text.train) // STREAMS // WINDOW
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * steps)
    for _ in range(EPOCHS):
        begin = int(torch.randint(len(text.train), ()))
        tokens = text.train.roll(-begin)[: STREAMS * steps * WINDOW + 1]
        inputs, targets = (part.view(STREAMS, steps, WINDOW) for part in (tokens[:-1], tokens[1:]))
        state = None
        for step in range(steps):
            logits, (hidden, cell) = model(inputs[:, step], state)
            state = hidden.detach(), cell.detach()
            optimizer.zero_grad()
            loss(logits, targets[:, step]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            schedule.step()
    with torch.inference_mode():
        logits, _ = model(text.test[None, :-1])
    return Fitted(logits[0, CONTEXT - 1 :].softmax(-1).numpy())


def perplexity(probabilities: np.ndarray) -> float:
    """Return the perplexity per character of a run, from its probabilities [character] of the true ones."""
    return float(np.exp(-np.log(probabilities, dtype=np.float64).mean()))


def main() -> None:
    """Trains and compares all losses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the folder of all studies")
    parser.add_argument("--runs", type=int, default=5, help="trainings of each loss")
    given = parser.parse_args()
    text = read_text()
    choices = losses(text.train, len(text.alphabet))
    comparison, _ = compare_losses(
        train, choices, characters_to_predict(text), given.out / "language_model", runs=given.runs
    )
    own = {row.name: row.study.final("own_probability")[: comparison.runs] for row in comparison.rows}
    setting = {
        "data": DATA,
        "characters": {"learned": len(text.train), "predicted": PREDICTED},
        "model": f"LSTM, {UNITS} units on {EMBEDDED} embedded",
        "optimizer": f"Adam at {RATE:g}, cosine to 0, gradient norm clipped at {CLIP:g}",
        "streams": STREAMS,
        "window": WINDOW,
        "epochs": EPOCHS,
    }
    write_task("language_model", comparison, setting, perplexity=scored(own, perplexity))


if __name__ == "__main__":
    main()
