"""Text through TF-IDF features: nothing to download."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from reseed.data import Splits
from reseed.models._architecture import AbstractArchitecture, Prepared, RawInputs, checked_texts, text_inputs
from reseed.models._mlp import mlp

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_BLANKS = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")  # kana, Chinese characters
_LONG_WORD = 4  # of them, on average over letters


@dataclass(frozen=True)
class TextTfidf(AbstractArchitecture):
    """`text-tfidf`: TF-IDF of words and word pairs, fitted on the training split, then an MLP.

    Where most training texts have no word in common with another, or their language writes no blanks between words, the
    terms are runs of one to three characters.
    """

    def prepare(self, splits: Splits, cache: Path | None, announce: Callable[[str], None]) -> Prepared:
        """Fit the vocabulary on the training texts and transform both splits."""
        train = text_inputs(splits.train, "text-tfidf")
        evaluation = text_inputs(splits.evaluation, "text-tfidf")
        vectorizer, notes = _fitted(train, self.config.vocabulary)
        parts = {"training": vectorizer.transform(train), "evaluation": vectorizer.transform(evaluation)}
        unknown = {name: int((found.getnnz(axis=1) == 0).sum()) for name, found in parts.items()}
        told = [f"{unknown[name]:,} of {parts[name].shape[0]:,} {name} texts" for name in parts if unknown[name]]
        if told:
            notes.append(f"text-tfidf knows no term of {' and '.join(told)}: to the model these are all alike.")
        train_inputs, evaluation_inputs = (_dense(features) for features in parts.values())
        transform = partial(_transformed, vectorizer)
        return Prepared(train_inputs, evaluation_inputs, _described(vectorizer), transform, tuple(notes))

    def build(self, input_shape: tuple[int, ...], num_classes: int) -> nn.Module:
        """Build the MLP on the features."""
        return mlp(input_shape[0], self.config.hidden, num_classes, self.config.dropout)


def _fitted(texts: Sequence[str], vocabulary: int) -> tuple[Any, list[str]]:
    """Return a vectorizer fitted on texts, of words where these share some, else of characters, and what to say."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(
        ngram_range=(1, 2),
        max_features=vocabulary,
        sublinear_tf=True,
        token_pattern=r"\w+",  # noqa: S106 (no password)
    )
    has_blanks = _has_blanks(texts)
    if has_blanks and _share_words(words, texts):
        return words, []
    why = "share no word with another" if has_blanks else "have no blanks between words"
    characters = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), max_features=vocabulary, sublinear_tf=True)
    note = f"Most training texts {why}, so the terms of text-tfidf are runs of one to three characters."
    return characters.fit(texts), [note]


def _described(vectorizer: Any) -> dict[str, object]:
    """Say how texts become features, with everything that was fitted."""
    names = ("analyzer", "token_pattern", "ngram_range", "sublinear_tf")
    return {
        "kind": "tf-idf",
        "steps": [
            "Make features with scikit-learn's TfidfVectorizer(**options, vocabulary=terms) whose idf_ is `idf`, as a "
            "numpy array, with ngram_range as a tuple.",
            "That is: put the text in lower case and count its terms; a term that occurs n times has the value "
            "(1 + ln n) idf, one that does not 0; divide by the square root of the sum of squares.",
            "Take them as 32-bit floats, in the order of `terms`.",
        ],
        "options": {name: getattr(vectorizer, name) for name in names},
        "terms": vectorizer.get_feature_names_out().tolist(),
        "idf": vectorizer.idf_.tolist(),
    }


def _has_blanks(texts: Sequence[str]) -> bool:
    """Whether blanks tell words apart: not in Chinese and Japanese, unless somebody has cut the texts in words."""
    letters = sum(len(word) for text in texts for word in re.findall(r"\w+", text))
    runs = [len(run) for text in texts for run in _NO_BLANKS.findall(text)]
    return 2 * sum(runs) <= letters or sum(run**2 for run in runs) <= _LONG_WORD * sum(runs)


def _share_words(vectorizer: Any, texts: Sequence[str]) -> bool:
    """Fit on texts, and return whether half of them or more have a term that another of them has as well."""
    try:
        terms = vectorizer.fit_transform(texts)
    except ValueError:  # scikit-learn's answer to texts without a single word
        return False
    is_shared = terms.getnnz(axis=0) > 1
    return 2 * int((terms[:, is_shared].getnnz(axis=1) > 0).sum()) >= len(texts)


def _transformed(vectorizer: Any, raw: RawInputs) -> Tensor:
    """Return the features [sample, term] of texts."""
    texts = checked_texts(raw)
    return _dense(vectorizer.transform(texts)) if texts else torch.empty(0, len(vectorizer.vocabulary_))


def _dense(features: Any) -> Tensor:
    return torch.from_numpy(features.toarray().astype(np.float32))
