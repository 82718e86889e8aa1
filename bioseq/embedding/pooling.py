"""From residue states to one vector: of every sequence in a batch, or of one read in chunks."""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from bioseq.batch import Layout
from bioseq.typing import Pooling


def pool_segments(
    pooling: Pooling,
    states: Float[Tensor, "tokens dim"],
    layout: Layout,
    *,
    num_prefix: int,
    num_suffix: int,
) -> Float[Tensor, "segments dim"]:
    """Pools each sequence of a batch in float32; segments of equal length go together.

    Args:
        pooling: `mean`, `max` and `std` (of the population) go over the residue tokens; `cls` is
            the first special token's state, `last` that of the last residue token; `mean_tokens`
            goes over all tokens. `cell` is no pooling of token states; the encoder gives it.
        states: Token states.
        layout: The segments.
        num_prefix: Special tokens in front of each.
        num_suffix: Special tokens behind each.
    """
    parts = []
    sizes = [group.count * group.length for group in layout.groups]
    for group, part in zip(layout.groups, states.split(sizes), strict=True):
        tokens = rearrange(part, "(n l) d -> n l d", n=group.count)
        content = tokens[:, num_prefix : group.length - num_suffix]
        parts.append(_pool(pooling, tokens.float(), content.float()))
    return torch.cat(parts)


def _pool(
    pooling: Pooling,
    tokens: Float[Tensor, "segments tokens dim"],
    residues: Float[Tensor, "segments residues dim"],
) -> Float[Tensor, "segments dim"]:
    match pooling:
        case "cls":
            return tokens[:, 0]
        case "mean_tokens":
            return tokens.mean(dim=1)
        case "max":
            return residues.amax(dim=1)
        case "std":
            return residues.std(dim=1, correction=0)
        case "last":
            return residues[:, -1]
        case _:
            return residues.mean(dim=1)


class RunningPool:
    """Pools one long sequence from chunks of its states; sums are kept in float64.

    Source: combining means and squared deviations: Chan, Golub & LeVeque 1983.
    """

    def __init__(self) -> None:
        self._count = 0
        self._mean = self._squares = torch.zeros((), dtype=torch.float64)
        self._max: Tensor | None = None
        self._last: Tensor | None = None

    def add(self, states: Float[Tensor, "stretch dim"]) -> None:
        """Takes the next states: the residues', or all tokens' for `mean_tokens`."""
        if not len(states):
            return
        chunk = states.float()
        center = chunk.mean(dim=0)
        squares = (chunk - center).square().sum(dim=0)
        self._join(len(chunk), *(x.cpu().double() for x in (center, squares)))
        peak = chunk.amax(dim=0)
        self._max = peak if self._max is None else torch.maximum(self._max, peak)
        self._last = chunk[-1]

    def _join(
        self, count: int, mean: Float[Tensor, " dim"], squares: Float[Tensor, " dim"]
    ) -> None:
        total = self._count + count
        shift = mean - self._mean
        self._squares = self._squares + squares + shift**2 * (self._count * count / total)
        self._mean = self._mean + shift * (count / total)
        self._count = total

    def result(
        self, pooling: Pooling, given: Float[Tensor, " dim"] | None
    ) -> Float[Tensor, " dim"]:
        """Gives the pooled vector in float32.

        Args:
            pooling: See `pool_segments`.
            given: What is no pool of several states: that of the first special token for `cls`, the
                last cell state for `cell`.
        """
        found = {
            "mean": self._mean,
            "mean_tokens": self._mean,
            "std": (self._squares / self._count).sqrt(),
            "max": self._max,
            "last": self._last,
            "cls": given,
            "cell": given,
        }[pooling]
        return torch.as_tensor(found).float()
