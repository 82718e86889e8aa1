"""A collector that hands on the states of one whole sequence after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from bioseq.models import Chunk, Encoding

Take = Callable[[int, Float[Tensor, "tokens dim"]], None]


@dataclass(frozen=True)
class LastStates:
    """Takes the states of one layer from a `EncoderRunner`; a long sequence's chunks are joined.

    Attributes:
        hand_on: Is given each sequence's index and states, specials included; in no order.
    """

    hand_on: Take

    def take(self, members: Int64[np.ndarray, " batch"], encoding: Encoding) -> None:
        """See `Collector.take`."""
        indices: list[int] = members.tolist()
        for index, states in zip(indices, encoding.layout.split(encoding.states[0]), strict=True):
            self.hand_on(index, states)

    def begin_long(self, index: int, num_tokens: int) -> _LongStates:
        """See `Collector.begin_long`."""
        return _LongStates(self.hand_on, index)


@dataclass(frozen=True)
class _LongStates:
    hand_on: Take
    index: int
    chunks: list[Chunk] = field(default_factory=list)

    def add(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)

    def finish(self) -> None:
        ordered = sorted(self.chunks, key=lambda chunk: chunk.start)
        self.hand_on(self.index, torch.cat([chunk.states[0] for chunk in ordered]))
