"""English captions into German, Multi30k: where do label smoothing and the confidence penalty change what is unstable?

    python benchmarks/six_tasks/translation.py --out studies

reads `multi30k` from the folder in RESEED_DATA, trains a recurrent attention model several times with each loss and,
as the null, with the control's loss and other seeds, and writes `translation.json` beside this file: error and
instability of the next token, BLEU of greedy translations, and how whole translations differ between runs. The studies
and the comparison are in `translation/` of the folder that is named. An interrupted call continues.

A sample is a token of the first test captions, its class one of the German vocabulary; words outside it are `<unk>`.
BLEU is sacrebleu's on lower-cased words and punctuation marks, outputs and references split alike, so it compares
losses and is no figure to set beside published ones. The rate was chosen on the validation captions with the control's
loss, what else there is by what a training costs.

References:
    Pereyra et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR workshop 2017.
"""

from __future__ import annotations

import argparse
import gzip
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch
from _attention import SPECIAL, AttentionTask, Pairs, Settings, possible_tokens
from _sequence import compare_losses, data_folder, losses, scored, whole_outputs, write_task
from sacrebleu.metrics import BLEU
from torch import nn

WORDS = 2000
"""Words of each language that have a token of their own."""
TRAIN, STUDIED = 14_000, 250
"""Training pairs, from the first, and test captions whose tokens are the study's samples."""
SETTINGS = Settings(size=128, dropout=0.2, rate=4e-3, batch=80, epochs=2)
UNKNOWN = "<unk>"


def captions(folder: Path, split: str, language: str) -> list[list[str]]:
    """Return the words and punctuation marks of every caption, lower-cased."""
    with gzip.open(folder / f"{split}.{language}.gz", "rt", encoding="utf-8") as lines:
        return [re.findall(r"\w+|[^\w\s]", line.lower()) for line in lines]


def vocabulary(texts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the special tokens and the most frequent words, of equally frequent ones the first that occurs."""
    counts = Counter(word for text in texts for word in text)
    return (*SPECIAL, UNKNOWN, *(word for word, _ in counts.most_common(WORDS)))


def indexed(texts: Sequence[Sequence[str]], words: tuple[str, ...]) -> list[np.ndarray]:
    """Return each text's tokens."""
    index = {word: token for token, word in enumerate(words)}
    return [np.array([index.get(word, index[UNKNOWN]) for word in text]) for text in texts]


def main() -> None:
    """Train, compare and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the studies")
    parser.add_argument("--runs", type=int, default=5, help="trainings with each loss (default: 5)")
    given = parser.parse_args()
    folder = data_folder("multi30k")
    read = {
        (split, language): captions(folder, split, language)[:most]
        for split, most in (("train", TRAIN), ("test_2016_flickr", None))
        for language in ("en", "de")
    }
    english, german = (vocabulary(read["train", language]) for language in ("en", "de"))
    train, test = (
        Pairs.of(indexed(read[split, "en"], english), indexed(read[split, "de"], german))
        for split in ("train", "test_2016_flickr")
    )
    front = partial(nn.Embedding, len(english))
    task = AttentionTask(train, test, STUDIED, german, front, SETTINGS, between=" ")
    choices = losses(torch.from_numpy(train.tokens), len(german), class_mask=possible_tokens(len(german)))
    shown, references = ([" ".join(text) for text in read["test_2016_flickr", language]] for language in ("en", "de"))
    data = task.dataset("multi30k", shown)
    comparison, outputs = compare_losses(task.fit, choices, data, given.out / "translation", runs=given.runs)
    bleu = BLEU(tokenize="none", force=True)
    scores = scored(outputs, lambda run: bleu.corpus_score(run, [references]).score)
    setting = {
        "task": "Multi30k, English to German",
        "train": len(train),
        "studied captions": STUDIED,
        "tokens": len(data),
        "vocabulary": len(german),
        **asdict(SETTINGS),
        "BLEU": str(bleu.get_signature()),
    }
    write_task("translation", comparison, setting, bleu=scores, whole_outputs=whole_outputs(outputs))


if __name__ == "__main__":
    main()
