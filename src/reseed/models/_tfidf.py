"""Text through TF-IDF features: nothing to download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from reseed._errors import ModelError
from reseed.data import Splits
from reseed.models._architecture import AbstractArchitecture, Prepared, text_inputs
from reseed.models._mlp import mlp

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class TextTfidf(AbstractArchitecture):
    """`text-tfidf`: TF-IDF of words and word pairs, fitted on the training split, then an MLP."""

    def prepare(self, splits: Splits, cache: Path | None, announce: Callable[[str], None]) -> Prepared:
        """Fit the vocabulary on the training texts and transform both splits."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        train = text_inputs(splits.train, "text-tfidf")
        evaluation = text_inputs(splits.evaluation, "text-tfidf")
        vectorizer = TfidfVectorizer(
            ngram_range=(1, 2),
            max_features=self.config.vocabulary,
            sublinear_tf=True,
            token_pattern=r"\w+",  # noqa: S106 (no password)
        )
        try:
            vectorizer.fit(train)
        except ValueError as error:  # scikit-learn's own words for texts without a single word
            raise ModelError(
                f"model 'text-tfidf' found no words in the training texts of {splits.train.name!r}: {error}."
            ) from error

        def features(texts: Sequence[str]) -> Tensor:
            return torch.from_numpy(vectorizer.transform(texts).toarray().astype(np.float32))

        return Prepared(features(train), features(evaluation))

    def build(self, input_shape: tuple[int, ...], num_classes: int) -> nn.Module:
        """Build the MLP on the features."""
        return mlp(input_shape[0], self.config.hidden, num_classes, self.config.dropout)
