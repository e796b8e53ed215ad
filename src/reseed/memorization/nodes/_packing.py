"""Bits of nodes and samples, eight samples to a byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reseed._errors import InputError

_BITS = 8


@final
class Packer:
    """Puts eight samples into a byte, of batches of any size."""

    def __init__(self) -> None:
        self.samples = 0
        self._rest: dict[str, Tensor] = {}
        self._bytes: dict[str, list[Tensor]] = {}

    def add(self, states: Mapping[str, Tensor]) -> None:
        """Take the states of a batch, [sample, node] by layer."""
        if self._bytes and states.keys() != self._bytes.keys():
            raise InputError(f"a batch has the layers {list(states)} but the first one had {list(self._bytes)}.")
        self.samples += len(next(iter(states.values())))
        for name, own in states.items():
            rows = own.view(torch.uint8)
            if name in self._rest:
                rows = torch.cat([self._rest[name], rows])
            whole = len(rows) // _BITS * _BITS
            self._bytes.setdefault(name, []).append(_in_bytes(rows[:whole]))
            self._rest[name] = rows[whole:].clone()

    def packed(self) -> dict[str, NDArray[np.uint8]]:
        """Return the bits of all batches, [node, sample / 8] by layer."""
        return {name: np.ascontiguousarray(torch.cat(list(self._last(name))).cpu().numpy().T) for name in self._bytes}

    def _last(self, name: str) -> Iterator[Tensor]:
        yield from self._bytes[name]
        rest = self._rest[name]
        if len(rest):
            yield _in_bytes(torch.cat([rest, rest.new_zeros(_BITS - len(rest), rest.shape[1])]))


def _in_bytes(rows: Tensor) -> Tensor:
    """Return bits [sample, node], 0 and 1, as bytes [sample / 8, node], the first sample in the highest bit."""
    eights = rows.reshape(len(rows) // _BITS, _BITS, rows.shape[1])
    weights = torch.tensor([1 << (_BITS - 1 - bit) for bit in range(_BITS)], dtype=torch.uint8, device=rows.device)
    return (eights * weights[:, None]).sum(1, dtype=torch.uint8)
