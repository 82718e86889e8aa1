"""A small axial network from the coevolution of an alignment's columns to distances of residues.

The input is what mean-field direct coupling analysis finds (Morcos et al. 2011), which a network
of dilated convolutions reads as in Jones and Kandathil 2018, and attention along the rows and
columns of the map with a bias of the pair, as triangle attention (Jumper et al. 2021, algorithms
13 and 14). One alignment at a time, whole maps: nothing is padded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import torch
from einops import rearrange
from jaxtyping import Float, Float32
from torch import Tensor, nn
from torch.nn import functional

from bioseq.batch import layout_of
from bioseq.errors import OptionError
from bioseq.nn.attention import attend

NUM_STATES = 21
NUM_SCORES = 2
DISTANCE_BOUNDS = (4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 20.0)
"""Bounds of the distance bins, in angstrom, between C-beta atoms."""

_CONTACT_BINS = DISTANCE_BOUNDS.index(8.0) + 1
_SEPARATIONS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96)
_COUPLING_SCALE = 10.0  # makes the couplings of common alignments about one
_ROWS_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class AxialContactConfig:
    """Shape of the network.

    Attributes:
        column_features: Numbers that describe one column.
        dim: Width of the pair representation.
        num_blocks: Blocks of two convolutions.
        attention_every: Every so many blocks end with attention along both axes.
        num_heads: Attention heads.
        dilations: Of the second convolution of each block in turn.
    """

    column_features: int
    dim: int = 32
    num_blocks: int = 6
    attention_every: int = 3
    num_heads: int = 2
    dilations: tuple[int, ...] = (1, 2, 4)

    def __post_init__(self) -> None:
        if self.dim % self.num_heads:
            raise OptionError("dim", self.dim, allowed=f"multiples of num_heads = {self.num_heads}")


@dataclass(frozen=True, kw_only=True)
class ContactInputs:
    """What the network reads of one alignment.

    Attributes:
        factor: The mean-field couplings: those of columns i and j are `factor[i] @ factor[j].T`.
        scores: Scores of each pair.
        columns: Features of each column.
        positions: Place of each column in the sequence.
    """

    factor: Float32[Tensor, "length 21 rank"]
    scores: Float32[Tensor, "length length 2"]
    columns: Float32[Tensor, "length features"]
    positions: Float32[Tensor, " length"]


class PairEmbedding(nn.Module):
    """Couplings, scores, columns and separation of each pair."""

    def __init__(self, config: AxialContactConfig) -> None:
        super().__init__()
        self.couplings = nn.Linear(NUM_STATES**2, config.dim)
        self.scores = nn.Linear(NUM_SCORES, config.dim, bias=False)
        self.left = nn.Linear(config.column_features, config.dim, bias=False)
        self.right = nn.Linear(config.column_features, config.dim, bias=False)
        self.separation = nn.Embedding(2 * len(_SEPARATIONS) + 1, config.dim)
        self.register_buffer("bounds", torch.tensor(_SEPARATIONS), persistent=False)

    def forward(self, inputs: ContactInputs) -> Float[Tensor, "length length dim"]:
        """Embeds some rows of the map at a time: all couplings are 441 times the map."""
        rows = range(0, len(inputs.columns), _ROWS_AT_ONCE)
        couplings = torch.cat([self._couplings(inputs.factor, start) for start in rows])
        columns = self.left(inputs.columns)[:, None] + self.right(inputs.columns)
        steps = inputs.positions - inputs.positions[:, None]
        bins = torch.bucketize(steps.abs(), cast("Tensor", self.bounds), right=True)
        separation = self.separation((steps.sign().long() * bins) + len(_SEPARATIONS))
        return couplings + self.scores(inputs.scores) + columns + separation

    def _couplings(
        self, factor: Float[Tensor, "length 21 rank"], start: int
    ) -> Float[Tensor, "rows length dim"]:
        some = factor[start : start + _ROWS_AT_ONCE]
        pairs = torch.einsum("iar,jbr->ijab", some, factor)
        return self.couplings(_COUPLING_SCALE * pairs.flatten(2))


class MapConvolution(nn.Module):
    """Two convolutions over the map, the second dilated."""

    def __init__(self, dim: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.first = nn.Conv2d(dim, dim, 3, padding=1)
        self.second = nn.Conv2d(dim, dim, 3, padding=dilation, dilation=dilation)

    def forward(self, x: Float[Tensor, "length length dim"]) -> Float[Tensor, "length length dim"]:
        """Mixes neighbouring pairs."""
        image = rearrange(self.norm(x), "i j c -> 1 c i j")
        image = self.second(functional.gelu(self.first(image)))
        return rearrange(functional.gelu(image), "1 c i j -> i j c")


class MapAttention(nn.Module):
    """Attention of each pair to the pairs of the same row, with a bias from the third pair."""

    def __init__(self, config: AxialContactConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.norm = nn.LayerNorm(config.dim)
        self.query_key_value = nn.Linear(config.dim, 3 * config.dim)
        self.bias = nn.Linear(config.dim, config.num_heads, bias=False)
        self.output = nn.Linear(config.dim, config.dim)

    def forward(self, x: Float[Tensor, "length length dim"]) -> Float[Tensor, "length length dim"]:
        """Attends along the second axis."""
        length = len(x)
        x = self.norm(x)
        q, k, v = rearrange(
            self.query_key_value(x), "i j (n h d) -> n (i j) h d", n=3, h=self.num_heads
        )
        bias = rearrange(self.bias(x), "j k h -> h j k")
        rows = layout_of([length] * length, x.device)
        return self.output(attend(q, k, v, rows, bias=bias).reshape(x.shape))


class AxialAttention(nn.Module):
    """Attention along rows, then along columns, each with a residual."""

    def __init__(self, config: AxialContactConfig) -> None:
        super().__init__()
        self.rows = MapAttention(config)
        self.columns = MapAttention(config)

    def forward(self, x: Float[Tensor, "length length dim"]) -> Float[Tensor, "length length dim"]:
        """Lets each pair see the pairs that share a residue with it."""
        x = x + self.rows(x)
        return x + self.columns(x.transpose(0, 1)).transpose(0, 1)


class AxialContactBlock(nn.Module):
    """Convolutions with a residual, and in some blocks attention along both axes."""

    def __init__(self, config: AxialContactConfig, number: int) -> None:
        super().__init__()
        dilation = config.dilations[number % len(config.dilations)]
        self.convolution = MapConvolution(config.dim, dilation)
        ends = (number + 1) % config.attention_every == 0
        self.attention = AxialAttention(config) if ends else nn.Identity()

    def forward(self, x: Float[Tensor, "length length dim"]) -> Float[Tensor, "length length dim"]:
        """Transforms the pair representation."""
        return self.attention(x + self.convolution(x))


class AxialContactModel(nn.Module):
    """Pair embedding, blocks, and logits of distance bins.

    Attributes:
        config: What it was built from.
    """

    def __init__(self, config: AxialContactConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = PairEmbedding(config)
        self.blocks = nn.ModuleList(AxialContactBlock(config, i) for i in range(config.num_blocks))
        self.norm = nn.LayerNorm(config.dim)
        self.output = nn.Linear(config.dim, len(DISTANCE_BOUNDS) + 1)

    def forward(self, inputs: ContactInputs) -> Float[Tensor, "length length bins"]:
        """Returns the logits of the distance bins, symmetric in the pair."""
        x = self.embedding(inputs)
        for block in cast("Iterable[AxialContactBlock]", self.blocks):
            x = block(x)
        logits = self.output(self.norm(x))
        return (logits + logits.transpose(0, 1)) / 2

    def contacts(self, inputs: ContactInputs) -> Float[Tensor, "length length"]:
        """Returns the probability that the distance is below 8 angstrom."""
        return self(inputs).softmax(dim=-1)[..., :_CONTACT_BINS].sum(dim=-1)
