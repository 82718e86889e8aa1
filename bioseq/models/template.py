"""Templates: known structures of related sequences, as pairs and as extra rows of the MSA.

Source: Jumper et al. 2021, supplement, algorithms 2 (lines 7 to 13), 16 and 17. As in the released
monomer models, the unit vectors between backbone frames are left zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from bioseq.nn.attention import attend_dense
from bioseq.nn.axial import (
    PairBlock,
    PairConfig,
    block_slices,
    distance_bins,
    join,
    mask_bias,
)

_NUM_TYPES = 22  # twenty residues, unknown, gap
_NUM_BINS, _FIRST_BIN, _LAST_BIN = 39, 3.25, 50.75
_UNIT_VECTOR = 3
_PAIR_FEATURES = _NUM_BINS + 1 + 2 * _NUM_TYPES + _UNIT_VECTOR + 1
_TORSIONS = 7
_ROW_FEATURES = _NUM_TYPES + 2 * 2 * _TORSIONS + _TORSIONS
_CHI1 = 2  # of the torsions; a row of the MSA is real where the side chain has one


@dataclass(frozen=True, kw_only=True)
class TemplateConfig:
    """Shape of the template embedding.

    Attributes:
        num_blocks: Blocks of the pair stack.
        pair: Shape of these blocks.
        num_heads: Heads with which the pair representation attends to the templates.
        head_dim: Width of such a head.
    """

    num_blocks: int = 2
    pair: PairConfig = field(
        default_factory=lambda: PairConfig(
            dim=64, multiplication_dim=64, head_dim=16, transition_factor=2, attention_first=True
        )
    )
    num_heads: int = 4
    head_dim: int = 16


@dataclass(frozen=True, kw_only=True)
class Templates:
    """Template structures, aligned to the query.

    Attributes:
        mask: Which templates are real.
        residue_types: 0 to 21 in AlphaFold's order.
        pseudo_beta: Position of CB, or CA in glycine, in Ångström.
        pseudo_beta_mask: Where that is known.
        backbone_mask: Where N, CA and C are known.
        torsions: Sine and cosine of omega, phi, psi and chi 1 to 4.
        alternative_torsions: The same after renaming symmetric atoms.
        torsion_mask: Which torsions are known.
    """

    mask: Bool[Tensor, " templates"]
    residue_types: Int[Tensor, "templates length"]
    pseudo_beta: Float[Tensor, "templates length 3"]
    pseudo_beta_mask: Bool[Tensor, "templates length"]
    backbone_mask: Bool[Tensor, "templates length"]
    torsions: Float[Tensor, "templates length 7 2"]
    alternative_torsions: Float[Tensor, "templates length 7 2"]
    torsion_mask: Bool[Tensor, "templates length 7"]


class TemplatePairStack(nn.Module):
    """Embeds the pairs of one template."""

    def __init__(self, config: TemplateConfig) -> None:
        super().__init__()
        self.linear = nn.Linear(_PAIR_FEATURES, config.pair.dim)
        self.blocks = nn.ModuleList(PairBlock(config.pair) for _ in range(config.num_blocks))
        self.norm = nn.LayerNorm(config.pair.dim)

    def forward(
        self, templates: Templates, index: int, pair_mask: Bool[Tensor, "length length"]
    ) -> Float[Tensor, "length length template_dim"]:
        """Returns the pair representation of one template."""
        length = pair_mask.shape[0]
        bytes_per_row = length * _PAIR_FEATURES * 2 * self.linear.weight.element_size()
        blocks = (
            self.linear(_pair_features(templates, index, rows))
            for rows in block_slices(length, bytes_per_row)
        )
        pair = join(blocks, 0, length)
        for block in cast("Iterable[PairBlock]", self.blocks):
            pair = block(pair, pair_mask, in_place=True)
        return self.norm(pair)


def _pair_features(
    templates: Templates, index: int, rows: slice
) -> Float[Tensor, "rows length features"]:
    positions = templates.pseudo_beta[index]
    bins = distance_bins(
        positions[rows], positions, first=_FIRST_BIN, last=_LAST_BIN, num_bins=_NUM_BINS
    )
    types = functional.one_hot(templates.residue_types[index], _NUM_TYPES)
    shape = (*bins.shape[:2], -1)
    beta, backbone = templates.pseudo_beta_mask[index], templates.backbone_mask[index]
    both_known = (backbone[rows, None] & backbone)[..., None].to(positions)
    features = [
        bins,
        (beta[rows, None] & beta)[..., None],
        types[None].expand(shape),
        types[rows, None].expand(shape),
        positions.new_zeros(*bins.shape[:2], _UNIT_VECTOR),
        both_known,
    ]
    return torch.cat([feature.to(positions) for feature in features], dim=-1) * both_known


class TemplateAttention(nn.Module):
    """Each pair attends to the same pair in all templates."""

    def __init__(self, config: TemplateConfig, pair_dim: int) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        inner_dim = config.num_heads * config.head_dim
        self.query = nn.Linear(pair_dim, inner_dim, bias=False)
        self.key_value = nn.Linear(config.pair.dim, 2 * inner_dim, bias=False)
        self.output = nn.Linear(inner_dim, pair_dim)

    def updates(
        self,
        pair: Float[Tensor, "length length pair_dim"],
        templates: Float[Tensor, "templates length length template_dim"],
        mask: Bool[Tensor, " templates"],
    ) -> Iterator[Float[Tensor, "block length pair_dim"]]:
        """Gives the update of the pair representation in blocks of rows; zero without templates."""
        bias = mask_bias(mask[None], pair.dtype)
        floats_per_pair = 4 * len(templates) * self.key_value.out_features
        bytes_per_row = len(pair) * floats_per_pair * pair.element_size()
        for rows in block_slices(len(pair), bytes_per_row):
            q = rearrange(self.query(pair[rows]), "i j (h d) -> (i j) 1 h d", h=self.num_heads)
            k, v = rearrange(
                self.key_value(templates[:, rows]),
                "t i j (two h d) -> two (i j) t h d",
                two=2,
                h=self.num_heads,
            )
            attended = rearrange(
                attend_dense(q, k, v, bias=bias), "(i j) 1 h d -> i j (h d)", j=len(pair)
            )
            yield self.output(attended) * mask.any()


class TemplateRows(nn.Module):
    """Embeds the torsions of each template as a row of the MSA."""

    def __init__(self, msa_dim: int) -> None:
        super().__init__()
        self.up = nn.Linear(_ROW_FEATURES, msa_dim)
        self.output = nn.Linear(msa_dim, msa_dim)

    def forward(
        self, templates: Templates
    ) -> tuple[Float[Tensor, "templates length msa_dim"], Bool[Tensor, "templates length"]]:
        """Returns the rows and where they are real."""
        torsions = templates.torsions
        features = [
            functional.one_hot(templates.residue_types, _NUM_TYPES).to(torsions),
            rearrange(torsions, "t l a two -> t l (a two)"),
            rearrange(templates.alternative_torsions, "t l a two -> t l (a two)"),
            templates.torsion_mask.to(torsions),
        ]
        rows = self.output(functional.relu(self.up(torch.cat(features, dim=-1))))
        return rows, templates.torsion_mask[..., _CHI1]
