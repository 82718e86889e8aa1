"""The trunk of AlphaFold 2: from alignment features to MSA, pair and single representations.

Source: Jumper et al. 2021, supplement, algorithms 2 to 5 and 32. One pass; the caller repeats it
with what it recycles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from bioseq.errors import OptionError
from bioseq.models.evoformer import Evoformer, EvoformerConfig
from bioseq.models.template import (
    TemplateAttention,
    TemplateConfig,
    TemplatePairStack,
    TemplateRows,
    Templates,
)
from bioseq.nn.axial import RecyclingEmbedder, RelativePosition, add_updates, block_slices, join


@dataclass(frozen=True, kw_only=True)
class AlphaFoldTrunkConfig:
    """Shape of the trunk; the defaults are those of the released models with templates.

    Attributes:
        target_features: Width of the query's features.
        msa_features: Width of a cell's features in the clustered alignment.
        extra_features: Width of a cell's features in the extra alignment.
        single_dim: Width of the single representation (c_s).
        evoformer: Shape of the main stack.
        extra: Shape of the stack of the extra alignment.
        templates: Shape of the template embedding; None for models without templates.
        max_distance: Largest relative position told apart.
    """

    target_features: int = 22
    msa_features: int = 49
    extra_features: int = 25
    single_dim: int = 384
    evoformer: EvoformerConfig = field(default_factory=EvoformerConfig)
    extra: EvoformerConfig = field(
        default_factory=lambda: EvoformerConfig(
            num_blocks=4, msa_dim=64, head_dim=8, column="global"
        )
    )
    templates: TemplateConfig | None = field(default_factory=TemplateConfig)
    max_distance: int = 32

    def __post_init__(self) -> None:
        if self.extra.pair.dim != self.evoformer.pair.dim:
            allowed = f"{self.evoformer.pair.dim}, the main stack's"
            raise OptionError("extra.pair.dim", self.extra.pair.dim, allowed=allowed)


@dataclass(frozen=True, kw_only=True)
class AlignmentFeatures:
    """What the trunk reads: one query with its alignment.

    Attributes:
        target: Features of the query.
        residue_index: Number of each residue in its chain.
        residue_mask: Which residues are real.
        msa: Features of the clustered alignment, the query first.
        msa_mask: Which of its cells are real.
        extra: Features of the extra alignment.
        extra_mask: Which of its cells are real.
        templates: Template structures; None for none.
    """

    target: Float[Tensor, "length target_features"]
    residue_index: Int[Tensor, " length"]
    residue_mask: Bool[Tensor, " length"]
    msa: Float[Tensor, "rows length msa_features"]
    msa_mask: Bool[Tensor, "rows length"]
    extra: Float[Tensor, "extra_rows length extra_features"]
    extra_mask: Bool[Tensor, "extra_rows length"]
    templates: Templates | None = None


@dataclass(frozen=True, kw_only=True)
class Recycled:
    """What one pass gives the next.

    Attributes:
        msa_row: The first row of the MSA representation.
        pair: The pair representation.
        pseudo_beta: Predicted positions of CB, or CA in glycine, in Ångström.
    """

    msa_row: Float[Tensor, "length msa_dim"]
    pair: Float[Tensor, "length length pair_dim"]
    pseudo_beta: Float[Tensor, "length 3"]


@dataclass(frozen=True, kw_only=True)
class TrunkStates:
    """What the trunk gives.

    Attributes:
        msa: MSA representation of the clustered alignment (m).
        pair: Pair representation (z).
        single: Single representation (s).
    """

    msa: Float[Tensor, "rows length msa_dim"]
    pair: Float[Tensor, "length length pair_dim"]
    single: Float[Tensor, "length single_dim"]


class InputEmbedder(nn.Module):
    """Embeds the query and the clustered alignment."""

    def __init__(self, config: AlphaFoldTrunkConfig) -> None:
        super().__init__()
        msa_dim, pair_dim = config.evoformer.msa_dim, config.evoformer.pair.dim
        self.target = nn.Linear(config.target_features, msa_dim)
        self.msa = nn.Linear(config.msa_features, msa_dim)
        self.left = nn.Linear(config.target_features, pair_dim)
        self.right = nn.Linear(config.target_features, pair_dim)

    def embed_msa(self, features: AlignmentFeatures) -> Float[Tensor, "rows length msa_dim"]:
        """Returns the initial MSA representation."""
        return self.msa(features.msa) + self.target(features.target)

    def embed_pairs(
        self, target: Float[Tensor, "length target_features"]
    ) -> Iterator[Float[Tensor, "block length pair_dim"]]:
        """Yields the initial pair representation in blocks of rows."""
        left, right = self.left(target), self.right(target)
        for rows in block_slices(len(left), 2 * right.nbytes):
            yield left[rows, None] + right[None]


class AlphaFoldTrunk(nn.Module):
    """Embedders, templates, extra MSA stack and Evoformer."""

    def __init__(self, config: AlphaFoldTrunkConfig) -> None:
        super().__init__()
        self.config = config
        msa_dim, pair_dim = config.evoformer.msa_dim, config.evoformer.pair.dim
        self.input = InputEmbedder(config)
        self.recycling = RecyclingEmbedder(msa_dim, pair_dim)
        self.relative_position = RelativePosition(pair_dim, max_distance=config.max_distance)
        if config.templates:
            self.template_pairs = TemplatePairStack(config.templates)
            self.template_attention = TemplateAttention(config.templates, pair_dim)
            self.template_rows = TemplateRows(msa_dim)
        self.extra_input = nn.Linear(config.extra_features, config.extra.msa_dim)
        self.extra = Evoformer(config.extra)
        self.evoformer = Evoformer(config.evoformer)
        self.single = nn.Linear(msa_dim, config.single_dim)

    def forward(self, features: AlignmentFeatures, recycled: Recycled | None = None) -> TrunkStates:
        """Runs one pass.

        Args:
            features: Query and alignment.
            recycled: From the pass before; None in the first.

        Raises:
            OptionError: templates were given to a model without them.
        """
        templates = features.templates
        if templates is not None and self.config.templates is None:
            raise OptionError("templates", len(templates.mask), allowed="none with this model")
        pair_mask = features.residue_mask[:, None] & features.residue_mask
        msa, pair = self._embed(features, recycled or self._nothing(features))
        if templates is not None:
            pair = self._add_template_pairs(pair, templates, pair_mask)
        extra = self.extra_input(features.extra)
        _, pair = self.extra(extra, pair, features.extra_mask, pair_mask, in_place=True)
        msa_mask = features.msa_mask
        if templates is not None:
            rows, rows_mask = self.template_rows(templates)
            msa, msa_mask = torch.cat([msa, rows]), torch.cat([msa_mask, rows_mask])
        msa, pair = self.evoformer(msa, pair, msa_mask, pair_mask, in_place=True)
        return TrunkStates(msa=msa[: len(features.msa)], pair=pair, single=self.single(msa[0]))

    def _embed(
        self, features: AlignmentFeatures, recycled: Recycled
    ) -> tuple[Float[Tensor, "rows length msa_dim"], Float[Tensor, "length length pair_dim"]]:
        msa = self.input.embed_msa(features)
        msa[0] += self.recycling.row_norm(recycled.msa_row)
        pair = join(self.input.embed_pairs(features.target), 0, len(features.target))
        updates = self.recycling.updates(recycled.pair, recycled.pseudo_beta)
        pair = add_updates(pair, updates)
        pair = add_updates(pair, self.relative_position.updates(features.residue_index))
        return msa, pair

    def _add_template_pairs(
        self,
        pair: Float[Tensor, "length length pair_dim"],
        templates: Templates,
        pair_mask: Bool[Tensor, "length length"],
    ) -> Float[Tensor, "length length pair_dim"]:
        embedded = [
            self.template_pairs(templates, index, pair_mask) for index in range(len(templates.mask))
        ]
        updates = self.template_attention.updates(pair, torch.stack(embedded), templates.mask)
        return add_updates(pair, updates)

    def _nothing(self, features: AlignmentFeatures) -> Recycled:
        """Returns what the first pass recycles."""
        length, empty = len(features.target), features.target.new_zeros
        config = self.config.evoformer
        return Recycled(
            msa_row=empty(length, config.msa_dim),
            pair=empty(length, length, config.pair.dim),
            pseudo_beta=empty(length, 3),
        )
