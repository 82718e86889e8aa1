"""The Evoformer: an MSA and a pair representation that update each other.

Source: Jumper et al. 2021, supplement, algorithms 6 and 18. The same stack serves the extra MSA,
with global column attention. Unlike the original, an alignment comes by itself, not in a batch, and
no tensor of rows by length by length is ever whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from bioseq.errors import OptionError
from bioseq.nn.axial import (
    MSAColumnAttention,
    MSAGlobalColumnAttention,
    MSARowAttention,
    OuterProductMean,
    PairBlock,
    PairConfig,
    Transition,
    add_updates,
    owned,
)


@dataclass(frozen=True, kw_only=True)
class EvoformerConfig:
    """Shape of an Evoformer stack.

    Attributes:
        num_blocks: Blocks.
        msa_dim: Width of the MSA representation (c_m).
        num_heads: Heads of row and column attention.
        head_dim: Width of a head.
        column: Column attention of every row, or `global` with one query for a column.
        outer_dim: Width of the factors of the outer product mean.
        transition_factor: How many times wider the MSA transition's hidden layer is.
        dropout: Probability to drop a column of a row attention's update, in training.
        pair: Shape of the pair part.
        recompute: In training, keep only what blocks exchange and compute the rest again for the
            gradients.
    """

    num_blocks: int = 48
    msa_dim: int = 256
    num_heads: int = 8
    head_dim: int = 32
    column: Literal["full", "global"] = "full"
    outer_dim: int = 32
    transition_factor: int = 4
    dropout: float = 0.15
    pair: PairConfig = field(default_factory=PairConfig)
    recompute: bool = True

    def __post_init__(self) -> None:
        if self.num_blocks < 1:
            raise OptionError("num_blocks", self.num_blocks, allowed="1 or more")


class EvoformerBlock(nn.Module):
    """Row and column attention, transition, outer product mean, and the pair part."""

    def __init__(self, config: EvoformerConfig) -> None:
        super().__init__()
        self.config = config
        msa_dim, pair_dim = config.msa_dim, config.pair.dim
        heads = {"num_heads": config.num_heads, "head_dim": config.head_dim}
        column = MSAColumnAttention if config.column == "full" else MSAGlobalColumnAttention
        self.row_attention = MSARowAttention(msa_dim, pair_dim, **heads)
        self.column_attention = column(msa_dim, **heads)
        self.msa_transition = Transition(msa_dim, factor=config.transition_factor)
        self.outer_product = OuterProductMean(msa_dim, pair_dim, outer_dim=config.outer_dim)
        self.pair_block = PairBlock(config.pair)

    def forward(
        self,
        msa: Float[Tensor, "rows length msa_dim"],
        pair: Float[Tensor, "length length pair_dim"],
        msa_mask: Bool[Tensor, "rows length"],
        pair_mask: Bool[Tensor, "length length"],
        *,
        in_place: bool = False,
    ) -> tuple[Float[Tensor, "rows length msa_dim"], Float[Tensor, "length length pair_dim"]]:
        """Updates both representations.

        Args:
            msa: MSA representation (m).
            pair: Pair representation (z).
            msa_mask: Which cells are real.
            pair_mask: Which pairs are real.
            in_place: Overwrite `msa` and `pair` where no gradient is wanted.
        """
        msa, pair = owned(msa, in_place=in_place), owned(pair, in_place=in_place)
        dropout = self.config.dropout if self.training else 0.0
        msa = add_updates(msa, self.row_attention.updates(msa, pair, msa_mask), dropout=dropout)
        msa = add_updates(msa, self.column_attention.updates(msa, msa_mask), axis=1)
        msa = add_updates(msa, self.msa_transition.updates(msa))
        pair = add_updates(pair, self.outer_product.updates(msa, msa_mask))
        return msa, self.pair_block(pair, pair_mask, in_place=True)


class Evoformer(nn.Module):
    """A stack of Evoformer blocks."""

    def __init__(self, config: EvoformerConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList(EvoformerBlock(config) for _ in range(config.num_blocks))

    def forward(
        self,
        msa: Float[Tensor, "rows length msa_dim"],
        pair: Float[Tensor, "length length pair_dim"],
        msa_mask: Bool[Tensor, "rows length"],
        pair_mask: Bool[Tensor, "length length"],
        *,
        in_place: bool = False,
    ) -> tuple[Float[Tensor, "rows length msa_dim"], Float[Tensor, "length length pair_dim"]]:
        """Updates both representations in every block; see `EvoformerBlock.forward`."""
        msa, pair = owned(msa, in_place=in_place), owned(pair, in_place=in_place)
        recompute = self.config.recompute and torch.is_grad_enabled()
        for block in cast("Iterable[EvoformerBlock]", self.blocks):
            if recompute:
                states = checkpoint(block, msa, pair, msa_mask, pair_mask, use_reentrant=False)
                msa, pair = cast("tuple[Tensor, Tensor]", states)
            else:
                msa, pair = block(msa, pair, msa_mask, pair_mask, in_place=True)
        return msa, pair
