"""What the pair representation starts from: relative positions and an earlier pass."""

from __future__ import annotations

from collections.abc import Iterator

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from bioseq.nn.axial.blocking import block_slices, join
from bioseq.nn.axial.distance import distance_bins


class RelativePosition(nn.Module):
    """Embeds how far apart two residues are in the sequence, up to a distance.

    Args:
        pair_dim: Width of the pair representation (c_z).
        max_distance: Distance from which on all are alike.

    Source: Jumper et al. 2021, supplement, algorithms 4 and 5.
    """

    def __init__(self, pair_dim: int, *, max_distance: int = 32) -> None:
        super().__init__()
        self.max_distance = max_distance
        self.linear = nn.Linear(2 * max_distance + 1, pair_dim)

    def updates(
        self, residue_index: Int[Tensor, " length"]
    ) -> Iterator[Float[Tensor, "block length pair_dim"]]:
        """Yields the embedding of `i - j` in blocks of rows."""
        table = self.linear.weight.T
        length, dim = len(residue_index), self.linear.out_features
        for rows in block_slices(length, 2 * length * dim * table.element_size()):
            offset = residue_index[rows, None] - residue_index[None]
            bins = offset.clamp(-self.max_distance, self.max_distance) + self.max_distance
            yield functional.embedding(bins, table) + self.linear.bias

    def forward(
        self, residue_index: Int[Tensor, " length"]
    ) -> Float[Tensor, "length length pair_dim"]:
        """Returns the embedding of `i - j`."""
        return join(self.updates(residue_index), 0, len(residue_index))


class RecyclingEmbedder(nn.Module):
    """Embeds what the pass before found: the first MSA row, the pairs and the positions.

    Args:
        msa_dim: Width of the MSA representation (c_m).
        pair_dim: Width of the pair representation (c_z).

    Source: Jumper et al. 2021, supplement, algorithm 32.
    """

    num_bins = 15
    first_bin = 3.25
    last_bin = 20.75

    def __init__(self, msa_dim: int, pair_dim: int) -> None:
        super().__init__()
        self.row_norm = nn.LayerNorm(msa_dim)
        self.pair_norm = nn.LayerNorm(pair_dim)
        self.distance = nn.Linear(self.num_bins, pair_dim)

    def updates(
        self,
        pair: Float[Tensor, "length length pair_dim"],
        pseudo_beta: Float[Tensor, "length 3"],
    ) -> Iterator[Float[Tensor, "block length pair_dim"]]:
        """Yields what the pair representation gains, in blocks of rows.

        Args:
            pair: Of the pass before.
            pseudo_beta: Predicted positions of CB, or CA in glycine, in Ångström.
        """
        for rows in block_slices(len(pair), 4 * pair[:1].nbytes):
            bins = distance_bins(
                pseudo_beta[rows],
                pseudo_beta,
                first=self.first_bin,
                last=self.last_bin,
                num_bins=self.num_bins,
            )
            yield self.distance(bins.to(pair)) + self.pair_norm(pair[rows])

    def forward(
        self,
        pair: Float[Tensor, "length length pair_dim"],
        pseudo_beta: Float[Tensor, "length 3"],
    ) -> Float[Tensor, "length length pair_dim"]:
        """Returns what the pair representation gains; `row_norm` is for the MSA's first row."""
        return join(self.updates(pair, pseudo_beta), 0, len(pair))
