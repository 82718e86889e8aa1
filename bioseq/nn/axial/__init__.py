"""Axial layers: attention and products along one axis of an alignment or of the pairs.

One alignment at a time: `msa` is `[rows, length, msa_dim]`, `pair` is `[length, length, pair_dim]`.
A layer's `forward` gives its update without the residual, its `updates` the same in blocks.
"""

from bioseq.nn.axial.blocking import add_updates, block_memory, block_slices, join, owned
from bioseq.nn.axial.column_attention import ColumnAttention
from bioseq.nn.axial.distance import distance_bins, pseudo_beta
from bioseq.nn.axial.gated_attention import GatedAttention
from bioseq.nn.axial.global_attention import MSAGlobalColumnAttention
from bioseq.nn.axial.msa_attention import MSAColumnAttention, MSARowAttention
from bioseq.nn.axial.outer_product_mean import OuterProductMean
from bioseq.nn.axial.pair_block import PairBlock, PairConfig
from bioseq.nn.axial.pair_embedding import RecyclingEmbedder, RelativePosition
from bioseq.nn.axial.row_bias import RowBias, mask_bias, pair_bias
from bioseq.nn.axial.tied_row_attention import TiedRowAttention
from bioseq.nn.axial.transition import Transition
from bioseq.nn.axial.triangle_attention import TriangleAttention
from bioseq.nn.axial.triangle_multiplication import TriangleMultiplication

__all__ = [
    "ColumnAttention",
    "GatedAttention",
    "MSAColumnAttention",
    "MSAGlobalColumnAttention",
    "MSARowAttention",
    "OuterProductMean",
    "PairBlock",
    "PairConfig",
    "RecyclingEmbedder",
    "RelativePosition",
    "RowBias",
    "TiedRowAttention",
    "Transition",
    "TriangleAttention",
    "TriangleMultiplication",
    "add_updates",
    "block_memory",
    "block_slices",
    "distance_bins",
    "join",
    "mask_bias",
    "owned",
    "pair_bias",
    "pseudo_beta",
]
