"""Heads for labels: from token states to rows of outputs per residue, per sequence or per pair.

Every head normalises the states, narrows them, mixes residues as its kind says, and reads out each
level by itself.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from bioseq.batch import Layout
from bioseq.errors import OptionError
from bioseq.heads.config import HeadConfig
from bioseq.heads.pairs import PairReadout
from bioseq.heads.readout import build_readout
from bioseq.nn.convolution import ConvolutionStack
from bioseq.nn.recurrence import Recurrence
from bioseq.typing import Level


class Head(nn.Module):
    """One trunk for all levels, and a readout for each; it reads residues, without special tokens.

    Attributes:
        config: What it was built from.
        reach: Residues on either side that an output per residue depends on; None for all.
    """

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.config = config
        width = config.input_dim if config.kind == "linear" else config.dim
        self.norm = nn.LayerNorm(config.input_dim)
        self.dropout = nn.Dropout(config.dropout)
        self.narrow = (
            nn.Identity() if config.kind == "linear" else nn.Linear(config.input_dim, width)
        )
        self.mixing = _build_mixing(config)
        self.readouts = nn.ModuleDict(
            {level: build_readout(config, width, level) for level in config.outputs}
        )

    @property
    def reach(self) -> int | None:
        """Residues on either side that an output per residue depends on; None for all."""
        config = self.config
        if [*config.outputs] != ["residue"] or config.shortest or "bilstm" in config.kind:
            return None
        return self.mixing.reach if isinstance(self.mixing, ConvolutionStack) else 0

    @property
    def pairs(self) -> PairReadout | None:
        """What reads pairs; None if nothing does."""
        return next((r for r in self.readouts.values() if isinstance(r, PairReadout)), None)

    def forward(
        self, states: Float[Tensor, "residues input"], layout: Layout
    ) -> dict[Level, Float[Tensor, "_ _"]]:
        """Returns the logits or values: a row per residue, per sequence, or per pair of residues.

        With a random field those per residue are logarithms of probabilities. The pairs are those
        of each sequence in turn, in the order of `pairs_of`.

        Args:
            states: States of the residues of all sequences, special tokens left out.
            layout: Where each sequence lies.
        """
        return self.read(self.mix(states, layout), layout, self.config.outputs)

    def mix(
        self, states: Float[Tensor, "residues input"], layout: Layout
    ) -> Float[Tensor, "residues width"]:
        """Returns what the readouts read."""
        x = self.dropout(self.narrow(self.norm(states)))
        if isinstance(self.mixing, ConvolutionStack):
            return self.mixing(x, layout)[-1]
        return x if self.mixing is None else self.mixing(x, layout)

    def read(
        self, x: Float[Tensor, "residues width"], layout: Layout, levels: Iterable[Level]
    ) -> dict[Level, Float[Tensor, "_ _"]]:
        """Returns the outputs of some levels from mixed states."""
        return {level: self.readouts[level](x, layout) for level in levels}


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
