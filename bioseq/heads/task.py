"""Heads for labels: from token states to one row of outputs per residue or per sequence.

Every head normalises the states, narrows them, mixes residues as its kind says, and reads out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from bioseq.batch import Layout
from bioseq.errors import OptionError
from bioseq.heads.crf import ConditionalRandomField
from bioseq.heads.grammar import Grammar
from bioseq.heads.pooling import LightAttention, MeanPooling
from bioseq.nn.convolution import ConvolutionStack
from bioseq.nn.recurrence import Recurrence

HeadKind = Literal[
    "linear", "mlp", "convolution", "bilstm", "convolution-bilstm", "light-attention"
]
Level = Literal["residue", "sequence"]


@dataclass(frozen=True, kw_only=True)
class HeadConfig:
    """Shape of a head.

    Attributes:
        kind: `linear`; `mlp`, one hidden layer; `convolution`, dilated residual convolutions;
            `bilstm`, one layer in either direction; `convolution-bilstm`, the one on top of the
            other; `light-attention`, learned weights over the residues (per sequence only).
        level: One row of outputs for each `residue`, or for each `sequence`.
        input_dim: Width of the token states.
        output_dim: Numbers in a row.
        dim: Width between; unused by `linear`.
        kernel: Taps of the convolutions; odd.
        dilations: Distance between taps, one convolution for each.
        dropout: Share of the narrowed states and of the hidden numbers that training hides.
        shortest: For each class the fewest neighbouring residues that have it; a conditional random
            field then judges all labels of a sequence together. None for no such field.

    Raises:
        OptionError: a value is not allowed.
    """

    kind: HeadKind
    level: Level
    input_dim: int
    output_dim: int
    dim: int = 128
    kernel: int = 5
    dilations: tuple[int, ...] = (1, 2, 4, 8)
    dropout: float = 0.2
    shortest: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for name, allowed in (("kind", get_args(HeadKind)), ("level", get_args(Level))):
            if getattr(self, name) not in allowed:
                raise OptionError(name, getattr(self, name), allowed=allowed)
        if self.kind == "light-attention" and self.level == "residue":
            raise OptionError("kind", self.kind, allowed="with level 'sequence' only")
        if self.shortest and (self.level != "residue" or len(self.shortest) != self.output_dim):
            allowed = f"{self.output_dim} numbers, one for each class, with targets per residue"
            raise OptionError("shortest", self.shortest, allowed=allowed)
        if self.kernel % 2 == 0:
            raise OptionError("kernel", self.kernel, allowed="odd numbers")
        for name in ("input_dim", "output_dim", "dim"):
            if getattr(self, name) < 1:
                raise OptionError(name, getattr(self, name), allowed="1 or more")
        if not 0 <= self.dropout < 1:
            raise OptionError("dropout", self.dropout, allowed="0 to below 1")


class Head(nn.Module):
    """A head of any kind; it reads the states of residues, without special tokens.

    Attributes:
        config: What it was built from.
        reach: Residues on either side that an output per residue depends on; None for all.
    """

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.config = config
        is_linear = config.kind == "linear"
        width = config.input_dim if is_linear else config.dim
        self.norm = nn.LayerNorm(config.input_dim)
        self.dropout = nn.Dropout(config.dropout)
        self.narrow = (
            nn.Identity() if config.kind == "linear" else nn.Linear(config.input_dim, width)
        )
        self.mixing = _build_mixing(config)
        self.pooling = _build_pooling(config, width)
        width = width if self.pooling is None else self.pooling.output_dim
        self.output = nn.Linear(width, config.output_dim)
        if not is_linear:
            self.output = nn.Sequential(
                nn.LayerNorm(width), nn.GELU(), nn.Dropout(config.dropout), self.output
            )
        self.chain = (
            ConditionalRandomField(Grammar(shortest=config.shortest)) if config.shortest else None
        )

    @property
    def reach(self) -> int | None:
        """Residues on either side that an output per residue depends on; None for all."""
        config = self.config
        if config.level == "sequence" or config.shortest or "bilstm" in config.kind:
            return None
        return self.mixing.reach if isinstance(self.mixing, ConvolutionStack) else 0

    def forward(
        self, states: Float[Tensor, "residues input"], layout: Layout
    ) -> Float[Tensor, "rows output"]:
        """Gives the logits or values: a row per residue, or a row per sequence.

        With a random field the logits are logarithms of probabilities.

        Args:
            states: States of the residues of all sequences, special tokens left out.
            layout: Where each sequence lies.
        """
        x = self.dropout(self.narrow(self.norm(states)))
        if isinstance(self.mixing, ConvolutionStack):
            x = self.mixing(x, layout)[-1]
        elif self.mixing is not None:
            x = self.mixing(x, layout)
        outputs = self.output(x if self.pooling is None else self.pooling(x, layout))
        return outputs if self.chain is None else self.chain(outputs, layout)


class BidirectionalLSTM(nn.Module):
    """One LSTM from either end, each half as wide as the input, added to the input."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        if dim % 2:
            raise OptionError("dim", dim, allowed="even numbers for a bilstm")
        self.directions = nn.ModuleList(
            Recurrence("lstm", dim, dim // 2, backward=backward) for backward in (False, True)
        )

    def forward(
        self, x: Float[Tensor, "tokens dim"], layout: Layout
    ) -> Float[Tensor, "tokens dim"]:
        """Reads every segment in both directions."""
        hidden = functional.gelu(x)
        return x + torch.cat([direction(hidden, layout) for direction in self.directions], dim=-1)


class ConvolutionLSTM(nn.Module):
    """Dilated convolutions for what is near, then an LSTM from either end for what is far.

    Args:
        dim: Width in and out.
        kernel: Taps of the convolutions; odd.
        dilations: Distance between taps, one convolution for each.

    Source: Klausen et al. 2019 (NetSurfP-2.0), Materials and methods, with residual connections.
    """

    def __init__(self, dim: int, *, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.near = ConvolutionStack(dim, kernel=kernel, dilations=dilations)
        self.far = BidirectionalLSTM(dim)

    def forward(
        self, x: Float[Tensor, "tokens dim"], layout: Layout
    ) -> Float[Tensor, "tokens dim"]:
        """Mixes the tokens of every segment."""
        return self.far(self.near(x, layout)[-1], layout)


def build_head(config: HeadConfig) -> Head:
    """Builds a head with random weights."""
    return Head(config)


def _build_mixing(config: HeadConfig) -> nn.Module | None:
    if config.kind == "convolution":
        return ConvolutionStack(config.dim, kernel=config.kernel, dilations=config.dilations)
    if config.kind == "convolution-bilstm":
        return ConvolutionLSTM(config.dim, kernel=config.kernel, dilations=config.dilations)
    return BidirectionalLSTM(config.dim) if config.kind == "bilstm" else None


def _build_pooling(config: HeadConfig, width: int) -> LightAttention | MeanPooling | None:
    if config.level == "residue":
        return None
    if config.kind == "light-attention":
        return LightAttention(width, kernel=config.kernel)
    return MeanPooling(width, with_max=config.kind != "linear")
