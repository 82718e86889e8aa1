"""Readouts: from mixed residue states to the rows of outputs of one level."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from bioseq.batch import Layout
from bioseq.heads.config import HeadConfig
from bioseq.heads.crf import ConditionalRandomField
from bioseq.heads.pairs import PairReadout
from bioseq.heads.pooling import LightAttention, MeanPooling
from bioseq.labels.grammar import Grammar
from bioseq.typing import Level


class RowReadout(nn.Module):
    """A row for each residue, or one for each sequence.

    Args:
        config: Of the head.
        width: Of the mixed states.
        level: `residue` or `sequence`.
    """

    def __init__(self, config: HeadConfig, width: int, level: Level) -> None:
        super().__init__()
        self.pooling = _build_pooling(config, width) if level == "sequence" else None
        width = width if self.pooling is None else self.pooling.output_dim
        self.output = nn.Linear(width, config.outputs[level])
        if config.kind != "linear":
            self.output = nn.Sequential(
                nn.LayerNorm(width), nn.GELU(), nn.Dropout(config.dropout), self.output
            )
        shortest = config.shortest if level == "residue" else None
        self.chain = ConditionalRandomField(Grammar(shortest=shortest)) if shortest else None

    def forward(
        self, x: Float[Tensor, "residues width"], layout: Layout
    ) -> Float[Tensor, "rows output"]:
        """Returns the logits or values; with a random field logarithms of probabilities."""
        outputs = self.output(x if self.pooling is None else self.pooling(x, layout))
        return outputs if self.chain is None else self.chain(outputs, layout)


def build_readout(config: HeadConfig, width: int, level: Level) -> RowReadout | PairReadout:
    """Builds the readout of one level of a head, for states of some width."""
    if level == "pair":
        return PairReadout(width, config.pair_dim, config.outputs[level], dropout=config.dropout)
    return RowReadout(config, width, level)


def _build_pooling(config: HeadConfig, width: int) -> LightAttention | MeanPooling:
    if config.kind == "light-attention":
        return LightAttention(width, kernel=config.kernel)
    return MeanPooling(width, with_max=config.kind != "linear")
