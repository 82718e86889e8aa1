"""ESMFold's folding trunk: blocks that let one sequence and its pairs inform each other, recycled.

Source: Lin et al. 2023, supplement. The pair part of a block is the Evoformer's, and the sequence
attends as one row of an alignment would.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from bioseq.errors import OptionError
from bioseq.models.structure_module import Fold, StructureModule, StructureModuleConfig
from bioseq.nn.axial import (
    MSARowAttention,
    PairBlock,
    PairConfig,
    Transition,
    add_updates,
    owned,
)
from bioseq.nn.axial.sequence_to_pair import SequenceToPair
from bioseq.nn.geometry import virtual_beta

_RECYCLED_BINS = 15
_FIRST_EDGE, _LAST_EDGE = 3.375, 21.375  # angstrom


@dataclass(frozen=True, kw_only=True)
class FoldingTrunkConfig:
    """Shape of a folding trunk; the defaults are ESMFold's.

    Attributes:
        dim: Width of the sequence representation.
        pair_dim: Width of the pair representation.
        num_blocks: Blocks.
        head_dim: Width of a head of the sequence's attention.
        pair_head_dim: Width of a head of the pairs' attention.
        max_offset: Largest distance along the sequence that has an embedding of its own.
        num_passes: Passes through the blocks and the structure module, each fed with the last.
        dropout: Share of values dropped in training; of rows and columns twice as many.
        structure: The structure module.
    """

    dim: int = 1024
    pair_dim: int = 128
    num_blocks: int = 48
    head_dim: int = 32
    pair_head_dim: int = 32
    max_offset: int = 32
    num_passes: int = 4
    dropout: float = 0.0
    structure: StructureModuleConfig = field(default_factory=StructureModuleConfig)

    def __post_init__(self) -> None:
        for width, head in (("dim", "head_dim"), ("pair_dim", "pair_head_dim")):
            if getattr(self, width) % getattr(self, head):
                allowed = f"multiples of {head} = {getattr(self, head)}"
                raise OptionError(width, getattr(self, width), allowed=allowed)
        if self.num_passes < 1:
            raise OptionError("num_passes", self.num_passes, allowed="1 and more")


class FoldingBlock(nn.Module):
    """One exchange between the sequence and its pairs."""

    def __init__(self, config: FoldingTrunkConfig) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.dropout)
        self.attention = MSARowAttention(
            config.dim,
            config.pair_dim,
            num_heads=config.dim // config.head_dim,
            head_dim=config.head_dim,
        )
        self.transition = Transition(config.dim)
        self.sequence_to_pair = SequenceToPair(config.dim, config.pair_dim)
        self.pairs = PairBlock(
            PairConfig(
                dim=config.pair_dim,
                multiplication_dim=config.pair_dim,
                num_heads=config.pair_dim // config.pair_head_dim,
                head_dim=config.pair_head_dim,
                dropout=2 * config.dropout,
            )
        )

    def forward(
        self,
        sequence: Float[Tensor, "length dim"],
        pair: Float[Tensor, "length length pair_dim"],
        mask: Bool[Tensor, " length"],
        *,
        in_place: bool = False,
    ) -> tuple[Float[Tensor, "length dim"], Float[Tensor, "length length pair_dim"]]:
        """Updates both representations.

        Args:
            sequence: Sequence representation.
            pair: Pair representation.
            mask: Real residues.
            in_place: Overwrite `pair` where no gradient is wanted.
        """
        pair = owned(pair, in_place=in_place)
        row = sequence[None]
        row = row + self.dropout(self.attention(row, pair, mask[None]))
        row = row + self.dropout(self.transition(row))
        pair = add_updates(pair, self.sequence_to_pair.updates(row[0]))
        return row[0], self.pairs(pair, mask[:, None] & mask, in_place=True)


class ResidueOffsets(nn.Module):
    """Embeds how far, and in which direction, one residue is from another along the sequence."""

    def __init__(self, pair_dim: int, max_offset: int) -> None:
        super().__init__()
        self.max_offset = max_offset
        self.offsets = nn.Embedding(2 * max_offset + 2, pair_dim)  # row 0: padding

    def forward(
        self, positions: Int64[Tensor, " length"], mask: Bool[Tensor, " length"]
    ) -> Float[Tensor, "length length pair_dim"]:
        """Returns the embedding of `positions[j] - positions[i]`."""
        offsets = (positions - positions[:, None]).clamp(-self.max_offset, self.max_offset)
        rows = (offsets + self.max_offset + 1) * (mask[:, None] & mask)
        return self.offsets(rows)


@dataclass(frozen=True, kw_only=True)
class Folded:
    """What the trunk gives after the last pass.

    Attributes:
        sequence: Sequence representation.
        pair: Pair representation.
        folds: The structure module's rounds; the last is the prediction.
    """

    sequence: Float[Tensor, "length dim"]
    pair: Float[Tensor, "length length pair_dim"]
    folds: tuple[Fold, ...]


class FoldingTrunk(nn.Module):
    """Blocks and structure module, fed with their own last result."""

    def __init__(self, config: FoldingTrunkConfig) -> None:
        super().__init__()
        self.config = config
        structure = config.structure
        self.relative_position = ResidueOffsets(config.pair_dim, config.max_offset)
        self.blocks = nn.ModuleList(FoldingBlock(config) for _ in range(config.num_blocks))
        self.recycled_sequence_norm = nn.LayerNorm(config.dim)
        self.recycled_pair_norm = nn.LayerNorm(config.pair_dim)
        self.recycled_distances = nn.Embedding(_RECYCLED_BINS, config.pair_dim)
        self.structure_single = nn.Linear(config.dim, structure.single_dim)
        self.structure_pair = nn.Linear(config.pair_dim, structure.pair_dim)
        self.structure_module = StructureModule(structure)

    def forward(
        self,
        sequence: Float[Tensor, "length dim"],
        residue_types: Int64[Tensor, " length"],
        positions: Int64[Tensor, " length"],
        mask: Bool[Tensor, " length"],
        *,
        num_passes: int | None = None,
    ) -> Folded:
        """Folds one sequence.

        Args:
            sequence: What is known of each residue before folding.
            residue_types: Indices into `bioseq.chemistry.RESIDUES`.
            positions: Residue numbers; only their differences count.
            mask: Real residues.
            num_passes: Passes; the config's by default. Gradients reach the last one alone.

        Raises:
            OptionError: there is no pass to make.
        """
        passes = self.config.num_passes if num_passes is None else num_passes
        if passes < 1:
            raise OptionError("num_passes", passes, allowed="1 and more")
        length, pair_dim = len(sequence), self.config.pair_dim
        last = Folded(
            sequence=torch.zeros_like(sequence),
            pair=sequence.new_zeros(length, length, pair_dim),
            folds=(),
        )
        bins = torch.zeros(length, length, dtype=torch.int64, device=sequence.device)
        for number in range(passes):
            is_last = number == passes - 1
            with torch.set_grad_enabled(is_last and torch.is_grad_enabled()):
                last = self._run(last, bins, sequence, residue_types, positions, mask)
            backbone = last.folds[-1].positions[:, :3].detach()
            bins = _distance_bins(virtual_beta(backbone))
        return last

    def _run(
        self,
        last: Folded,
        bins: Int64[Tensor, "length length"],
        sequence: Float[Tensor, "length dim"],
        residue_types: Int64[Tensor, " length"],
        positions: Int64[Tensor, " length"],
        mask: Bool[Tensor, " length"],
    ) -> Folded:
        """Makes one pass."""
        sequence = sequence + self.recycled_sequence_norm(last.sequence)
        pair = self.recycled_pair_norm(last.pair) + self.recycled_distances(bins)
        pair = pair + self.relative_position(positions, mask)
        for block in self.blocks:
            sequence, pair = block(sequence, pair, mask, in_place=True)
        folds = self.structure_module(
            self.structure_single(sequence), self.structure_pair(pair), residue_types, mask
        )
        return Folded(sequence=sequence, pair=pair, folds=folds)


def _distance_bins(points: Float[Tensor, "length 3"]) -> Int64[Tensor, "length length"]:
    """Returns the bin of each pair's distance; the first and the last bin are open."""
    edges = torch.linspace(_FIRST_EDGE, _LAST_EDGE, _RECYCLED_BINS - 1).to(points)
    squares = (points[:, None] - points).square().sum(-1)
    return torch.bucketize(squares, edges.square())
