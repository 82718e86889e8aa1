"""From residue states to one vector: of every sequence in a batch, or of one read in chunks.

`POOLINGS` is the one list of poolings; the options, the plan of outputs and the tests read it. Only
the command line's help names them once more, as it is shown without loading torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from bioseq.batch import Layout


class RunningPool:
    """Pools one long sequence from chunks of its states; sums are kept in float64.

    Source: combining means and squared deviations: Chan, Golub & LeVeque 1983.

    Attributes:
        count: States so far.
        mean: Their mean.
        squares: Sum of their squared deviations from it.
        peak: Their maximum.
        last: The last one.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = self.squares = torch.zeros((), dtype=torch.float64)
        self.peak = self.last = torch.zeros(())

    def add(self, states: Float[Tensor, "stretch dim"]) -> None:
        """Takes the next states of those that the pooling reads."""
        if not len(states):
            return
        chunk = states.float()
        center = chunk.mean(dim=0)
        squares = (chunk - center).square().sum(dim=0)
        peak = chunk.amax(dim=0)
        self.peak = torch.maximum(self.peak, peak) if self.count else peak
        self.last = chunk[-1]
        self._join(len(chunk), *(x.cpu().double() for x in (center, squares)))

    def _join(
        self, count: int, mean: Float[Tensor, " dim"], squares: Float[Tensor, " dim"]
    ) -> None:
        total = self.count + count
        shift = mean - self.mean
        self.squares = self.squares + squares + shift**2 * (self.count * count / total)
        self.mean = self.mean + shift * (count / total)
        self.count = total


@dataclass(frozen=True, kw_only=True)
class Pooling:
    """A way from several states to one vector, the same in two forms.

    Attributes:
        batch: Pools sequences of equal length at once.
        running: Pools one sequence that came in chunks.
        reads: Which states: those of the residue tokens, of all tokens, of the first special token,
            or the cell state behind the sequence, which the encoder gives.
    """

    batch: Callable[[Float[Tensor, "segments states dim"]], Float[Tensor, "segments dim"]]
    running: Callable[[RunningPool], Float[Tensor, " dim"]]
    reads: Literal["residues", "tokens", "first", "cells"] = "residues"


def _batch_mean(states: Float[Tensor, "segments states dim"]) -> Float[Tensor, "segments dim"]:
    return states.mean(dim=1)


def _running_mean(pool: RunningPool) -> Float[Tensor, " dim"]:
    return pool.mean


def _batch_max(states: Float[Tensor, "segments states dim"]) -> Float[Tensor, "segments dim"]:
    return states.amax(dim=1)


def _running_max(pool: RunningPool) -> Float[Tensor, " dim"]:
    return pool.peak


def _batch_std(states: Float[Tensor, "segments states dim"]) -> Float[Tensor, "segments dim"]:
    """Of the population."""
    return states.std(dim=1, correction=0)


def _running_std(pool: RunningPool) -> Float[Tensor, " dim"]:
    return (pool.squares / pool.count).sqrt()


def _batch_last(states: Float[Tensor, "segments states dim"]) -> Float[Tensor, "segments dim"]:
    return states[:, -1]


def _running_last(pool: RunningPool) -> Float[Tensor, " dim"]:
    return pool.last


POOLINGS: Mapping[str, Pooling] = {
    "mean": Pooling(batch=_batch_mean, running=_running_mean),
    "max": Pooling(batch=_batch_max, running=_running_max),
    "std": Pooling(batch=_batch_std, running=_running_std),
    "cls": Pooling(batch=_batch_last, running=_running_last, reads="first"),
    "last": Pooling(batch=_batch_last, running=_running_last),
    "mean_tokens": Pooling(batch=_batch_mean, running=_running_mean, reads="tokens"),
    "cell": Pooling(batch=_batch_last, running=_running_last, reads="cells"),
}
"""By name."""


def pool_segments(
    name: str,
    states: Float[Tensor, "tokens dim"],
    layout: Layout,
    *,
    num_prefix: int,
    num_suffix: int,
    cells: Float[Tensor, "segments _"] | None = None,
) -> Float[Tensor, "segments _"]:
    """Pools each sequence of a batch in float32; segments of equal length go together.

    Args:
        name: One of `POOLINGS`.
        states: Token states.
        layout: The segments.
        num_prefix: Special tokens in front of each.
        num_suffix: Special tokens behind each.
        cells: Cell state behind each, where the encoder has them.
    """
    pooling = POOLINGS[name]
    if pooling.reads == "cells":
        assert cells is not None
        return pooling.batch(cells[:, None].float())
    parts = []
    sizes = [group.count * group.length for group in layout.groups]
    for group, part in zip(layout.groups, states.split(sizes), strict=True):
        tokens = rearrange(part, "(n l) d -> n l d", n=group.count)
        start, stop = {
            "residues": (num_prefix, group.length - num_suffix),
            "tokens": (0, group.length),
            "first": (0, 1),
        }[pooling.reads]
        parts.append(pooling.batch(tokens[:, start:stop].float()))
    return torch.cat(parts)
