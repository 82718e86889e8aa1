"""ESMFold: a protein language model, and a folding trunk that reads all of its layers.

Source: Lin et al. 2023, supplement. Unlike the original, one record is folded at a time, so that no
result depends on a batch; and lDDT runs from 0 to 100, as everywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from bioseq.batch import PackedBatch
from bioseq.chemistry import ATOM37
from bioseq.errors import OptionError
from bioseq.heads import DistogramHead, LDDTHead
from bioseq.models.encoding import Encoder
from bioseq.models.folding_trunk import Folded, FoldingTrunk, FoldingTrunkConfig

_NUM_BINS = 64
_EMBEDDED_TYPES = 23  # the 21 residue types, and two that only training uses


@dataclass(frozen=True, kw_only=True)
class ESMFoldConfig:
    """Shape of ESMFold without its language model; the defaults are those of `esmfold_v1`.

    Attributes:
        lddt_dim: Width inside the lDDT head.
        trunk: The folding trunk.
    """

    lddt_dim: int = 128
    trunk: FoldingTrunkConfig = field(default_factory=FoldingTrunkConfig)


@dataclass(frozen=True, kw_only=True)
class ESMFoldOutput:
    """What ESMFold says of one sequence.

    Attributes:
        folded: The trunk's representations and folds.
        distogram_logits: Over bins of the distance between beta carbons.
        error_logits: Over bins of the aligned error.
        lddt_logits: Over bins of the lDDT of each atom name.
        language_logits: Over residue types and the two of training.
    """

    folded: Folded
    distogram_logits: Float[Tensor, "length length 64"]
    error_logits: Float[Tensor, "length length 64"]
    lddt_logits: Float[Tensor, "length 37 50"]
    language_logits: Float[Tensor, "length 23"]


class LayerMixture(nn.Module):
    """A learned average of a language model's layers, transformed to another width."""

    def __init__(self, num_layers: int, language_dim: int, dim: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(num_layers))
        self.norm = nn.LayerNorm(language_dim)
        self.first = nn.Linear(language_dim, dim)
        self.second = nn.Linear(dim, dim)

    def forward(
        self, layers: Float[Tensor, "length layers language_dim"]
    ) -> Float[Tensor, "length dim"]:
        """Averages and transforms each residue's layers."""
        mixed = torch.einsum("lnd,n->ld", layers, self.weights.softmax(dim=0))
        return self.second(functional.relu(self.first(self.norm(mixed))))


class ESMFold(nn.Module):
    """Folds a protein from its sequence alone.

    Args:
        config: Shape of all but the language model.
        language_model: An encoder of the ESM-2 family; not trained along.
    """

    def __init__(self, config: ESMFoldConfig, language_model: Encoder) -> None:
        super().__init__()
        trunk = config.trunk
        self.config = config
        self.language_model = language_model.requires_grad_(False)
        self.mixture = LayerMixture(language_model.num_layers + 1, language_model.dim, trunk.dim)
        self.residue_embedding = nn.Embedding(_EMBEDDED_TYPES, trunk.dim)
        self.trunk = FoldingTrunk(trunk)
        self.distogram = DistogramHead(trunk.pair_dim, num_bins=_NUM_BINS)
        self.aligned_error = nn.Linear(trunk.pair_dim, _NUM_BINS)
        self.language = nn.Linear(trunk.dim, _EMBEDDED_TYPES)
        self.lddt = LDDTHead(
            trunk.structure.single_dim, config.lddt_dim, num_atoms=len(ATOM37), relu=False
        )

    def forward(
        self,
        tokens: PackedBatch,
        residue_types: Int64[Tensor, " length"],
        *,
        positions: Int64[Tensor, " length"] | None = None,
        num_passes: int | None = None,
    ) -> ESMFoldOutput:
        """Folds one sequence.

        Args:
            tokens: The sequence as the language model reads it, with one special token at each end.
            residue_types: Indices into `bioseq.chemistry.RESIDUES`.
            positions: Residue numbers; counted from 0 by default.
            num_passes: Passes through the trunk; the config's by default.

        Raises:
            OptionError: tokens and residues are not of one sequence, or there is no pass to make.
        """
        if positions is None:
            positions = torch.arange(len(residue_types), device=residue_types.device)
        sequence = self.mixture(self._read(tokens, len(residue_types)))
        sequence = sequence + self.residue_embedding(residue_types)
        mask = torch.ones_like(residue_types, dtype=torch.bool)
        folded = self.trunk(sequence, residue_types, positions, mask, num_passes=num_passes)
        return ESMFoldOutput(
            folded=folded,
            distogram_logits=self.distogram(folded.pair),
            error_logits=self.aligned_error(folded.pair),
            lddt_logits=self.lddt(folded.folds[-1].state),
            language_logits=self.language(folded.sequence),
        )

    @torch.no_grad()
    def _read(self, tokens: PackedBatch, length: int) -> Float[Tensor, "length layers dim"]:
        """Returns every layer of the language model, without the special tokens."""
        if tokens.layout.num_segments != 1 or len(tokens.tokens) != length + 2:
            found = f"{len(tokens.tokens)} in {tokens.layout.num_segments} sequences"
            raise OptionError("tokens", found, allowed=f"{length + 2} in 1 sequence")
        layers = range(self.language_model.num_layers + 1)
        states = self.language_model(tokens, layers=tuple(layers)).states
        return torch.stack(states, dim=1)[1:-1].to(self.mixture.weights)
