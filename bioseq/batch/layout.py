"""Where each sequence lies in a packed batch, and the views that encoders ask of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

_LONGEST_OVER_SHORTEST = 1.15
_FREE_STEPS = 8


@dataclass(frozen=True)
class Group:
    """Neighbouring segments of one length: their tokens view as `[count, length]` without a copy.

    Attributes:
        count: Number of segments.
        length: Tokens in each of them.
    """

    count: int
    length: int


@dataclass(frozen=True)
class TimeMajorBlock:
    """Segments of similar length, time-major: entry (t, n) is what segment n reads at step t.

    Past its end a segment repeats its last token read; `mask` tells which entries are real. What
    comes before an end does not depend on what comes after, so the repeats change nothing.

    Attributes:
        forward: Token indices, each segment from its start.
        backward: Token indices, each segment from its end.
        mask: True where an entry is real.
        members: The segments' places in the batch.
    """

    forward: Int64[Tensor, "steps segments"]
    backward: Int64[Tensor, "steps segments"]
    mask: Bool[Tensor, "steps segments"]
    members: Int64[Tensor, " segments"]


@dataclass(frozen=True)
class Layout:
    """The segments of a packed batch: segment b holds the next `lengths[b]` tokens.

    Args:
        lengths: Tokens in each segment, specials included; at least 1 each.
        device: Where index tensors are made.
    """

    lengths: tuple[int, ...]
    device: torch.device = torch.device("cpu")

    @property
    def num_tokens(self) -> int:
        """Tokens in the batch."""
        return sum(self.lengths)

    @property
    def num_segments(self) -> int:
        """Sequences in the batch."""
        return len(self.lengths)

    @property
    def max_length(self) -> int:
        """Tokens in the longest segment."""
        return max(self.lengths, default=0)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """First token of each segment."""
        starts, total = [], 0
        for length in self.lengths:
            starts.append(total)
            total += length
        return tuple(starts)

    @cached_property
    def length_tensor(self) -> Int64[Tensor, " segments"]:
        """The lengths as a tensor."""
        return torch.tensor(self.lengths, dtype=torch.int64, device=self.device)

    @cached_property
    def start_tensor(self) -> Int64[Tensor, " segments"]:
        """The starts as a tensor."""
        return torch.tensor(self.starts, dtype=torch.int64, device=self.device)

    @cached_property
    def segments(self) -> Int64[Tensor, " tokens"]:
        """The segment each token belongs to."""
        index = torch.arange(self.num_segments, device=self.device)
        return index.repeat_interleave(self.length_tensor, output_size=self.num_tokens)

    @cached_property
    def positions(self) -> Int64[Tensor, " tokens"]:
        """Each token's place in its segment, from 0."""
        index = torch.arange(self.num_tokens, device=self.device)
        return index - self.start_tensor[self.segments]

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Runs of neighbouring segments of one length; few where segments are sorted by length."""
        runs = itertools.groupby(self.lengths)
        return tuple(Group(len(list(run)), length) for length, run in runs)

    @cached_property
    def mask(self) -> Bool[Tensor, "segments length"]:
        """The padded view's mask: True where a token is real."""
        place = torch.arange(self.max_length, device=self.device)
        return place < self.length_tensor[:, None]

    @cached_property
    def blocks(self) -> tuple[TimeMajorBlock, ...]:
        """The segments in dense blocks of similar length, for encoders that go step by step."""
        order = sorted(range(self.num_segments), key=lambda b: self.lengths[b])
        blocks: list[TimeMajorBlock] = []
        while order:
            shortest = self.lengths[order[0]]
            bound = max(shortest + _FREE_STEPS, int(shortest * _LONGEST_OVER_SHORTEST))
            count = next((i for i, b in enumerate(order) if self.lengths[b] > bound), len(order))
            blocks.append(self._block(order[:count]))
            order = order[count:]
        return tuple(blocks)

    def _block(self, members: list[int]) -> TimeMajorBlock:
        rows = torch.tensor(members, device=self.device)
        starts, lengths = self.start_tensor[rows], self.length_tensor[rows]
        place = torch.arange(self.lengths[members[-1]], device=self.device)[:, None]
        mask = place < lengths
        forward = starts + place.clamp(max=lengths - 1)
        backward = starts + (lengths - 1 - place).clamp(min=0)
        return TimeMajorBlock(forward=forward, backward=backward, mask=mask, members=rows)

    def without_specials(
        self, num_prefix: int, num_suffix: int
    ) -> tuple[Int64[Tensor, " residues"], Layout]:
        """Returns the places of what is between special tokens, and its own layout."""
        ends = self.length_tensor[self.segments] - num_suffix
        places = ((self.positions >= num_prefix) & (self.positions < ends)).nonzero()[:, 0]
        lengths = [length - num_prefix - num_suffix for length in self.lengths]
        return places, layout_of(lengths, self.device)

    def split(self, values: Tensor) -> Iterator[Tensor]:
        """Yields each segment's rows of a packed tensor."""
        yield from values.split(list(self.lengths))


def layout_of(lengths: Sequence[int], device: torch.device | str = "cpu") -> Layout:
    """Builds the layout of segments of the given lengths."""
    return Layout(tuple(int(length) for length in lengths), torch.device(device))
