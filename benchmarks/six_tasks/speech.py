"""Spoken numbers into digits: where do label smoothing and the confidence penalty change what is unstable?

    python benchmarks/six_tasks/speech.py --out studies

reads `spoken_digits` from the folder in RESEED_DATA and joins real recordings of one speaker to numbers of three to
five digits. A recurrent attention model writes them down; it is trained several times with each loss and, as the null,
with the control's loss and other seeds. There are two tasks: `takes` tests on other recordings of the same speakers,
`speakers` on speakers that were not heard. Each writes `speech-TASK.json` beside this file: error and instability of
the next character, the character error rate of what is written, and how whole numbers differ between runs. The studies
and the comparison are in `speech-TASK/` of the folder that is named. An interrupted call continues.

A sample is a character of a test number, its end included; its class is one of the characters. What is not the
loss was set with the control's: the rate on takes 5 to 8 after training on later ones, the rest in a few trainings that
were judged on the test numbers.

References:
    Pereyra et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR workshop 2017.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import soundfile
import torch
from _attention import SPECIAL, AttentionTask, Pairs, Settings, possible_tokens
from _sequence import compare_losses, data_folder, losses, scored, whole_outputs, write_task
from torch import Tensor, nn
from torchmetrics.functional.text import char_error_rate

RATE, WINDOW, HOP, BINS, MELS = 8000, 200, 80, 256, 32
"""Samples of a second, of a window (25 ms), between windows (10 ms) and of a Fourier transform; mel bands."""
LOUDNESS = 0.1
"""Root mean square of every recording."""
TOGETHER = 8
"""Windows that the model reads as one."""
DIGITS, PAUSE = (3, 5), (400, 1600)
"""Fewest and most digits of a number, and samples of silence around each digit."""
TRAIN, TEST = 1000, 250
"""Numbers of each split."""
DATA_SEED = 0
"""Seed of the numbers' composition, which all runs share."""
SETTINGS = Settings(size=64, dropout=0.1, rate=3e-3, batch=25, epochs=20)
VOCABULARY = (*SPECIAL, *"0123456789")


@dataclass(frozen=True, eq=False)
class Recording:
    """One digit that somebody said."""

    wave: np.ndarray
    digit: int
    speaker: str
    take: int


IS_TEST: Mapping[str, Callable[[Recording], bool]] = {
    "takes": lambda recording: recording.take in range(5),
    "speakers": lambda recording: recording.speaker in ("theo", "yweweler"),
}
"""Which recordings a task keeps for the test; the takes are those of the data set's own convention."""


@dataclass(frozen=True, eq=False)
class Number:
    """Recordings of one speaker in a row."""

    wave: np.ndarray
    digits: tuple[int, ...]
    speaker: str


def recordings(folder: Path) -> list[Recording]:
    """Return all recordings, each made as loud as the others."""
    found = []
    for row in parquet.read_table(folder / "recordings.parquet").to_pylist():
        wave, _ = soundfile.read(io.BytesIO(row.pop("audio_flac")), dtype="float32")
        found.append(Recording(LOUDNESS * wave / np.sqrt(np.square(wave).mean()), **row))
    return found


def numbers(heard: Sequence[Recording], count: int, seed: int) -> list[Number]:
    """Join recordings to numbers, each by a speaker drawn anew, of digits drawn anew, with pauses."""
    random = np.random.default_rng(seed)
    speakers = sorted({recording.speaker for recording in heard})
    by_speaker = {name: [recording for recording in heard if recording.speaker == name] for name in speakers}
    found = []
    for _ in range(count):
        speaker = speakers[random.integers(len(speakers))]
        length = random.integers(*DIGITS, endpoint=True)
        said = [by_speaker[speaker][each] for each in random.integers(len(by_speaker[speaker]), size=length)]
        pauses = [np.zeros(each, np.float32) for each in random.integers(*PAUSE, size=length + 1, endpoint=True)]
        parts = [part for pause, one in zip(pauses, said, strict=False) for part in (pause, one.wave)]
        wave = np.concatenate([*parts, pauses[-1]])
        found.append(Number(wave, tuple(one.digit for one in said), speaker))
    return found


def mel_bands() -> Tensor:
    """Return how much of each frequency is in each band, [frequency, band]: triangles, equally wide in mels."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = torch.from_numpy(700 * (10 ** (np.linspace(0, top, MELS + 2) / 2595) - 1))
    frequency = torch.linspace(0, RATE / 2, BINS // 2 + 1, dtype=torch.float64)[:, None]
    rising = (frequency - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequency) / (edges[2:] - edges[1:-1])
    return torch.minimum(rising, falling).clamp(min=0).float()


def log_mels(wave: np.ndarray) -> Tensor:
    """Return the logarithm of the energy in each band, [window, band]."""
    spectrum = torch.stft(torch.from_numpy(wave), BINS, HOP, WINDOW, torch.hann_window(WINDOW), return_complex=True)
    return (spectrum.abs().square().T @ mel_bands() + 1e-5).log()


def pairs(said: Sequence[Number], mean: Tensor, deviation: Tensor) -> Pairs:
    """Return features, several windows side by side, and the digits' tokens."""
    features = []
    for number in said:
        normal = (log_mels(number.wave) - mean) / deviation
        whole = len(normal) // TOGETHER * TOGETHER
        features.append(normal[:whole].reshape(-1, TOGETHER * MELS).numpy())
    return Pairs.of(features, [[digit + len(SPECIAL) for digit in number.digits] for number in said])


def front(size: int) -> nn.Module:
    """Return what makes features of windows."""
    return nn.Sequential(nn.Linear(TOGETHER * MELS, size), nn.ReLU())


def main() -> None:
    """Train, compare and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the studies")
    parser.add_argument("--runs", type=int, default=5, help="trainings with each loss (default: 5)")
    parser.add_argument("--tasks", nargs="+", choices=IS_TEST, default=list(IS_TEST), help="default: both")
    given = parser.parse_args()
    heard = recordings(data_folder("spoken_digits"))
    for name in given.tasks:
        compare_task(name, heard, given.out, given.runs)


def compare_task(name: str, heard: Sequence[Recording], out: Path, runs: int) -> None:
    """Compare the losses on one task, and write its numbers."""
    is_test = IS_TEST[name]
    train = numbers([recording for recording in heard if not is_test(recording)], TRAIN, DATA_SEED)
    test = numbers([recording for recording in heard if is_test(recording)], TEST, DATA_SEED + 1)
    windows = torch.cat([log_mels(number.wave) for number in train])
    mean, deviation = windows.mean(0), windows.std(0)
    task = AttentionTask(
        pairs(train, mean, deviation), pairs(test, mean, deviation), TEST, VOCABULARY, front, SETTINGS, between=""
    )
    possible = possible_tokens(len(VOCABULARY))
    choices = losses(torch.from_numpy(task.train.tokens), len(VOCABULARY), class_mask=possible)
    references = ["".join(map(str, number.digits)) for number in test]
    shown = [f"{number.speaker}: {digits}" for number, digits in zip(test, references, strict=True)]
    data = task.dataset(f"spoken numbers, by {name}", shown)
    comparison, outputs = compare_losses(task.fit, choices, data, out / f"speech-{name}", runs=runs)
    rates = scored(outputs, lambda run: float(char_error_rate(run, references)))
    setting = {
        "task": f"spoken numbers, tested on other {name}",
        "train": TRAIN,
        "studied numbers": TEST,
        "tokens": len(data),
        "vocabulary": len(VOCABULARY),
        **asdict(SETTINGS),
    }
    write_task(f"speech-{name}", comparison, setting, character_error_rate=rates, whole_outputs=whole_outputs(outputs))


if __name__ == "__main__":
    main()
