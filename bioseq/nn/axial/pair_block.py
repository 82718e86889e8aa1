"""The pair part of a block: triangle multiplications, triangle attentions, transition."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor, nn

from bioseq.nn.axial.blocking import add_updates, owned
from bioseq.nn.axial.transition import Transition
from bioseq.nn.axial.triangle_attention import TriangleAttention
from bioseq.nn.axial.triangle_multiplication import TriangleMultiplication


@dataclass(frozen=True, kw_only=True)
class PairConfig:
    """Shape of a block's pair part.

    Attributes:
        dim: Width of the pair representation (c_z).
        multiplication_dim: Width of the triangle multiplications' factors.
        num_heads: Heads of the triangle attentions.
        head_dim: Width of a head.
        transition_factor: How many times wider the transition's hidden layer is.
        dropout: Probability to drop a row or column of an update, in training.
        attention_first: Attend before multiplying, as the template stack does.
    """

    dim: int = 128
    multiplication_dim: int = 128
    num_heads: int = 4
    head_dim: int = 32
    transition_factor: int = 4
    dropout: float = 0.25
    attention_first: bool = False


class PairBlock(nn.Module):
    """Five updates of the pair representation, each added to it.

    Source: Jumper et al. 2021, supplement, algorithms 6 and 16.
    """

    def __init__(self, config: PairConfig) -> None:
        super().__init__()
        self.config = config
        dim, hidden_dim = config.dim, config.multiplication_dim
        heads = {"num_heads": config.num_heads, "head_dim": config.head_dim}
        self.multiplication_outgoing = TriangleMultiplication(
            dim, hidden_dim=hidden_dim, outgoing=True
        )
        self.multiplication_incoming = TriangleMultiplication(
            dim, hidden_dim=hidden_dim, outgoing=False
        )
        self.attention_starting = TriangleAttention(dim, starting=True, **heads)
        self.attention_ending = TriangleAttention(dim, starting=False, **heads)
        self.transition = Transition(dim, factor=config.transition_factor)

    def forward(
        self,
        pair: Float[Tensor, "length length pair_dim"],
        mask: Bool[Tensor, "length length"],
        *,
        in_place: bool = False,
    ) -> Float[Tensor, "length length pair_dim"]:
        """Updates the pair representation.

        Args:
            pair: Pair representation (z).
            mask: Which pairs are real.
            in_place: Overwrite `pair` where no gradient is wanted.
        """
        pair = owned(pair, in_place=in_place)
        dropout = self.config.dropout if self.training else 0.0
        for layer, shared_axis in self._triangle_layers():
            updates = layer.updates(pair, mask)
            pair = add_updates(
                pair, updates, axis=layer.axis, dropout=dropout, shared_axis=shared_axis
            )
        return add_updates(pair, self.transition.updates(pair))

    def _triangle_layers(self) -> list[tuple[TriangleMultiplication | TriangleAttention, int]]:
        """Returns the layers in their order, each with the axis along which dropout is shared."""
        multiplications = [(self.multiplication_outgoing, 0), (self.multiplication_incoming, 0)]
        attentions = [(self.attention_starting, 0), (self.attention_ending, 1)]
        if self.config.attention_first:
            return [*attentions, *multiplications]
        return [*multiplications, *attentions]
