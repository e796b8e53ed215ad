"""What the networks of a study are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reseed._errors import StudyError
from reseed.models import RawInputs, check_continuous, is_token_ids


@dataclass(frozen=True, eq=False)
class StudyInputs:
    """What the networks of a study take.

    Attributes:
        inputs: As the model takes them, [sample, ...].
        targets: The gold labels, [sample]; -1 where unknown.
        ids: The samples' ids.
        preprocessing: How inputs are made of raw samples, see `reseed.models.Prepared`.
        raw: The samples as the data set holds them: a tuple of texts, or features or images, which are the inputs
            themselves. None where the study does not know them: its runs were recorded.
        prepare: Makes inputs of raw samples as they were made for the training; None where there are no raw samples.
    """

    inputs: Tensor
    targets: NDArray[np.int64]
    ids: tuple[str, ...]
    preprocessing: Mapping[str, object]
    raw: Tensor | tuple[str, ...] | None = None
    prepare: Callable[[RawInputs], Tensor] | None = field(default=None, repr=False)

    @property
    def are_token_ids(self) -> bool:
        """Whether the inputs are token ids, which no continuous attack can change."""
        return is_token_ids(self.preprocessing)

    def check_continuous(self) -> None:
        """Accept inputs that can be changed a little, as continuous attacks and noise do.

        Raises:
            InputError: They are token ids, or other whole numbers.
        """
        check_continuous(self.inputs, self.preprocessing)

    def transform(self, raw: RawInputs) -> Tensor:
        """Return inputs of other raw samples, made exactly as those of the training were.

        A text that is one of ``raw`` has its inputs, bit for bit, and costs nothing. Whatever was fitted on the
        training split stays as it is; an encoder is loaded when it is first needed. Features and images are inputs as
        they are.

        Args:
            raw: Texts, or a tensor [sample, ...], as many as one likes.

        Returns:
            What the networks take, [sample, ...].

        Raises:
            StudyError: The study does not know how inputs are made: its runs were recorded.
            InputError: The raw samples are of another kind or shape.
        """
        if self.prepare is None or self.raw is None:
            raise StudyError(
                "the study's runs were recorded, and how their inputs are made of raw samples is not known; change "
                "`inputs` themselves, or make the inputs of changed samples as you made those, and pass them to the "
                "networks."
            )
        if (
            isinstance(self.raw, Tensor)
            or isinstance(raw, str | Tensor)
            or not all(isinstance(one, str) for one in raw)
        ):
            return self.prepare(raw)
        places = [self._place(number, text) for number, text in enumerate(raw)]
        known = [place for place in places if place is not None]
        if len(known) == len(places):
            return self.inputs[known]
        made = self.prepare([text for text, place in zip(raw, places, strict=True) if place is None])
        is_known = torch.tensor([place is not None for place in places])
        found = made.new_empty(len(places), *self.inputs.shape[1:])
        found[is_known], found[~is_known] = self.inputs[known], made
        return found

    def _place(self, number: int, text: str) -> int | None:
        """Return whose text a text is, rather that of the sample of the same number; None: it is another one."""
        return number if number < len(self._texts) and self._texts[number] == text else self._places.get(text)

    @property
    def _texts(self) -> tuple[str, ...]:
        return self.raw if isinstance(self.raw, tuple) else ()

    @cached_property
    def _places(self) -> dict[str, int]:
        return {text: place for place, text in reversed(list(enumerate(self._texts)))}
