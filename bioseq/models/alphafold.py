"""AlphaFold 2: the trunk, the structure module and the heads, recycled.

Source: Jumper et al. 2021, supplement, algorithms 1, 2 and 30. Monomers, with or without templates.
Unlike the original, TM-scores count real residues only whatever the padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from bioseq.errors import OptionError
from bioseq.heads import DistogramHead, LDDTHead, MaskedMSAHead, ResolvedHead
from bioseq.models.alphafold_trunk import (
    AlignmentFeatures,
    AlphaFoldTrunk,
    AlphaFoldTrunkConfig,
    Recycled,
    TrunkStates,
)
from bioseq.models.structure_module import Fold, StructureModule, StructureModuleConfig
from bioseq.nn.axial import pseudo_beta

_ERROR_BINS = 64


@dataclass(frozen=True, kw_only=True)
class AlphaFoldConfig:
    """Shape of AlphaFold 2; the defaults are those of `model_1_ptm`.

    Attributes:
        trunk: Embedders, extra MSA stack and Evoformer.
        structure: The structure module.
        lddt_dim: Width inside the lDDT head.
        has_aligned_error: Whether the model predicts aligned errors, as the pTM models do.
    """

    trunk: AlphaFoldTrunkConfig = field(default_factory=AlphaFoldTrunkConfig)
    structure: StructureModuleConfig = field(default_factory=StructureModuleConfig)
    lddt_dim: int = 128
    has_aligned_error: bool = True

    def __post_init__(self) -> None:
        widths = (self.trunk.single_dim, self.trunk.evoformer.pair.dim)
        found = (self.structure.single_dim, self.structure.pair_dim)
        if found != widths:
            raise OptionError("structure widths", found, allowed=f"{widths}, the trunk's")


@dataclass(frozen=True, kw_only=True)
class AlphaFoldOutput:
    """What AlphaFold 2 says of one query after the last pass.

    Attributes:
        states: MSA, pair and single representations.
        folds: The structure module's rounds; the last is the prediction.
        recycled: What a further pass would be fed with.
        distogram_logits: Over bins of the distance between beta carbons.
        masked_msa_logits: Over residue types, for each cell of the alignment.
        resolved_logits: That each atom would be seen in an experiment.
        lddt_logits: Over bins of the lDDT.
        error_logits: Over bins of the aligned error; None for models without.
    """

    states: TrunkStates
    folds: tuple[Fold, ...]
    recycled: Recycled
    distogram_logits: Float[Tensor, "length length bins"]
    masked_msa_logits: Float[Tensor, "rows length 23"]
    resolved_logits: Float[Tensor, "length 37"]
    lddt_logits: Float[Tensor, "length 1 50"]
    error_logits: Float[Tensor, "length length 64"] | None


class AlphaFoldHeads(nn.Module):
    """What is read off the representations."""

    def __init__(self, config: AlphaFoldConfig) -> None:
        super().__init__()
        trunk, pair_dim = config.trunk, config.trunk.evoformer.pair.dim
        self.distogram = DistogramHead(pair_dim)
        self.masked_msa = MaskedMSAHead(trunk.evoformer.msa_dim)
        self.resolved = ResolvedHead(trunk.single_dim)
        self.lddt = LDDTHead(trunk.single_dim, config.lddt_dim)
        self.aligned_error = nn.Linear(pair_dim, _ERROR_BINS) if config.has_aligned_error else None


class AlphaFold(nn.Module):
    """Folds a protein from an alignment of its relatives."""

    def __init__(self, config: AlphaFoldConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = AlphaFoldTrunk(config.trunk)
        self.structure_module = StructureModule(config.structure)
        self.heads = AlphaFoldHeads(config)

    def forward(
        self,
        features: Sequence[AlignmentFeatures],
        residue_types: Int64[Tensor, " length"],
        recycled: Recycled | None = None,
    ) -> AlphaFoldOutput:
        """Folds one query.

        Args:
            features: For each pass, the query with rows drawn from its alignment; gradients reach
                the last pass alone.
            residue_types: Indices into `bioseq.chemistry.RESIDUES`.
            recycled: What to start from; nothing by default.

        Raises:
            OptionError: there is no pass to make, or the model does not read templates.
        """
        if not features:
            raise OptionError("passes", 0, allowed="1 and more")
        for earlier in features[:-1]:
            with torch.no_grad():
                states = self.trunk(earlier, recycled)
                folds = self._fold(states, earlier, residue_types)
                recycled = self._recycle(states, folds, residue_types)
        states = self.trunk(features[-1], recycled)
        folds = self._fold(states, features[-1], residue_types)
        heads = self.heads
        return AlphaFoldOutput(
            states=states,
            folds=folds,
            recycled=self._recycle(states, folds, residue_types),
            distogram_logits=heads.distogram(states.pair),
            masked_msa_logits=heads.masked_msa(states.msa),
            resolved_logits=heads.resolved(states.single),
            lddt_logits=heads.lddt(folds[-1].state),
            error_logits=heads.aligned_error(states.pair) if heads.aligned_error else None,
        )

    def _fold(
        self,
        states: TrunkStates,
        features: AlignmentFeatures,
        residue_types: Int64[Tensor, " length"],
    ) -> tuple[Fold, ...]:
        mask = features.residue_mask
        return self.structure_module(states.single, states.pair, residue_types, mask)

    def _recycle(
        self,
        states: TrunkStates,
        folds: tuple[Fold, ...],
        residue_types: Int64[Tensor, " length"],
    ) -> Recycled:
        positions, _ = self.structure_module.atoms.to_atom37(folds[-1].positions, residue_types)
        return Recycled(
            msa_row=states.msa[0],
            pair=states.pair,
            pseudo_beta=pseudo_beta(residue_types, positions),
        )
