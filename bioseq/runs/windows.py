"""A sequence beyond an attention encoder's length limit, read through overlapping windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from bioseq.batch import PackedBatch, layout_of
from bioseq.errors import OptionError
from bioseq.models import Chunk, Encoder


@dataclass(frozen=True, kw_only=True)
class Window:
    """How long sequences are cut.

    Attributes:
        length: Tokens in a window, specials included.
        overlap: Tokens that a window shares with the next.
    """

    length: int
    overlap: int

    def check(self, num_specials: int) -> None:
        """Checks that windows get somewhere.

        Raises:
            OptionError: no window would hold a residue, or reach beyond its overlaps.
        """
        size = self.length - num_specials
        if size < 1:
            allowed = f"more than the model's {num_specials} special tokens"
            raise OptionError("window", self.length, allowed=allowed)
        if not 0 <= 2 * self.overlap <= size:
            allowed = f"0 to {size // 2}, half of the window"
            raise OptionError("overlap", self.overlap, allowed=allowed)

    def stretches(self, count: int, num_specials: int) -> list[tuple[int, int]]:
        """Returns the first and last content token of each window; the last window is full, too."""
        size = self.length - num_specials
        step = size - self.overlap
        starts = [*range(0, max(1, count - size), step), max(0, count - size)]
        return [(start, min(start + size, count)) for start in dict.fromkeys(starts)]


def encode_windows(
    encoder: Encoder,
    tokens: Int64[Tensor, " tokens"],
    window: Window,
    *,
    num_prefix: int,
    num_suffix: int,
    layers: Sequence[int],
) -> Iterator[Chunk]:
    """Encodes one sequence window by window and blends the overlaps with linear ramps.

    Every window carries the specials. Where windows overlap, their states are averaged with weights
    that fall off linearly towards each window's cut edges; a special's state is the mean over the
    windows. The chunks of the content come in order; those of the specials come last.

    Args:
        encoder: The encoder.
        tokens: The whole sequence, specials included.
        window: Length and overlap.
        num_prefix: Specials in front.
        num_suffix: Specials behind.
        layers: Layers whose states to give.
    """
    num_specials = num_prefix + num_suffix
    content = tokens[num_prefix : len(tokens) - num_suffix]
    front, back = tokens[:num_prefix], tokens[len(tokens) - num_suffix :]
    stretches = window.stretches(len(content), num_specials)
    specials: list[tuple[Tensor, ...]] = []
    open_sums: list[Tensor] = []
    open_weights = torch.zeros(0, device=tokens.device)
    for number, (start, stop) in enumerate(stretches):
        seen = torch.cat([front, content[start:stop], back])
        batch = PackedBatch(tokens=seen, layout=layout_of([len(seen)], tokens.device))
        states = [s.float() for s in encoder(batch, layers=layers).states]
        specials.append(
            tuple(torch.cat([s[:num_prefix], s[len(s) - num_suffix :]]) for s in states)
        )
        inner = [s[num_prefix : len(s) - num_suffix] for s in states]
        is_last = number == len(stretches) - 1
        weights = _ramp(
            stop - start, window.overlap, rise=number > 0, fall=not is_last, like=inner[0]
        )
        sums = [s * weights[:, None] for s in inner]
        shared = len(open_weights)
        if shared:
            weights[:shared] += open_weights
            for total, before in zip(sums, open_sums, strict=True):
                total[:shared] += before
        kept = stop - start if is_last else stretches[number + 1][0] - start
        yield Chunk(
            start=num_prefix + start,
            states=tuple((s[:kept] / weights[:kept, None]) for s in sums),
        )
        open_sums, open_weights = [s[kept:] for s in sums], weights[kept:]
    means = [torch.stack(parts).mean(dim=0) for parts in zip(*specials, strict=True)]
    yield Chunk(start=0, states=tuple(m[:num_prefix] for m in means))
    yield Chunk(start=len(tokens) - num_suffix, states=tuple(m[num_prefix:] for m in means))


def _ramp(
    length: int, overlap: int, *, rise: bool, fall: bool, like: Float[Tensor, "tokens dim"]
) -> Float[Tensor, " tokens"]:
    """Weights of a window's tokens: 1 inside, falling towards the edges that cut the sequence."""
    place = torch.arange(1, length + 1, device=like.device, dtype=torch.float32)
    weights = torch.ones_like(place)
    if rise:
        weights = torch.minimum(weights, place / (overlap + 1))
    if fall:
        weights = torch.minimum(weights, place.flip(0) / (overlap + 1))
    return weights
