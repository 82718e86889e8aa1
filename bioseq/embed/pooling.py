"""From residue states to one vector: of every sequence in a batch, or of one read in chunks."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from bioseq.batch import Layout
from bioseq.embed.outputs import Pooling


def pool_segments(
    pooling: Pooling,
    states: Float[Tensor, "tokens dim"],
    layout: Layout,
    content: Int64[Tensor, " residues"],
    counts: Int64[Tensor, " segments"],
) -> Float[Tensor, "segments dim"]:
    """Pools each sequence of a batch in float32.

    Args:
        pooling: `mean`, `max` and `std` (of the population) go over the residue tokens; `cls` is the
            first special token's state, `last` that of the last residue token.
        states: Token states.
        layout: The segments.
        content: Tokens that stand for residues.
        counts: How many of them each segment has.
    """
    if pooling == "cls":
        return states[layout.start_tensor].float()
    if pooling == "last":
        return states[content[counts.cumsum(0) - 1]].float()
    residues = states[content].float()
    if pooling == "max":
        return torch.segment_reduce(residues, "max", lengths=counts)
    mean = _segment_mean(residues, layout, content, counts)
    if pooling == "mean":
        return mean
    deviation = residues - mean[layout.segments[content]]
    return _segment_mean(deviation.square(), layout, content, counts).sqrt()


def _segment_mean(
    values: Float[Tensor, "residues dim"],
    layout: Layout,
    content: Int64[Tensor, " residues"],
    counts: Int64[Tensor, " segments"],
) -> Float[Tensor, "segments dim"]:
    total = values.new_zeros(len(counts), values.shape[1])
    return total.index_add(0, layout.segments[content], values) / counts[:, None]


class RunningPool:
    """Pools one long sequence from chunks of its residue states, in float64.

    Source: combining means and squared deviations: Chan, Golub & LeVeque 1983.
    """

    def __init__(self) -> None:
        self._count = 0
        self._mean: Tensor | float = 0.0
        self._squares: Tensor | float = 0.0
        self._max: Tensor | None = None
        self._last: Tensor | None = None

    def add(self, states: Float[Tensor, "residues dim"]) -> None:
        """Takes the next residues' states."""
        if not len(states):
            return
        chunk = states.double()
        mean, count = chunk.mean(dim=0), len(chunk)
        total = self._count + count
        shift = mean - self._mean
        self._squares += (chunk - mean).square().sum(dim=0) + shift**2 * (
            self._count * count / total
        )
        self._mean = self._mean + shift * (count / total)
        self._count = total
        peak = states.max(dim=0).values
        self._max = peak if self._max is None else torch.maximum(self._max, peak)
        self._last = states[-1]

    def result(self, pooling: Pooling, special: Float[Tensor, " dim"] | None) -> Float[Tensor, " dim"]:
        """Gives the pooled vector in float32.

        Args:
            pooling: See `pool_segments`.
            special: State of the first special token, for `cls`.
        """
        found = {
            "mean": self._mean,
            "std": (torch.as_tensor(self._squares) / self._count).sqrt(),
            "max": self._max,
            "last": self._last,
            "cls": special,
        }[pooling]
        return torch.as_tensor(found).float()
