"""Triangle multiplication: an edge learns from the two other edges of every triangle."""

from __future__ import annotations

from collections.abc import Iterator

from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from bioseq.nn.axial.blocking import block_slices, join


class TriangleMultiplication(nn.Module):
    """The product of two edges of each triangle, summed over its third node.

    Outgoing, the edge (i, j) gets the sum over k of left(i, k) right(j, k); incoming, that of
    left(k, i) right(k, j). One of the two factors is whole in memory, the other is made for the
    rows (outgoing) or columns (incoming) of a block. The projection gives, in this order, the left
    values and gates, then the right values and gates.

    Args:
        pair_dim: Width of the pair representation (c_z).
        hidden_dim: Width of the two factors (c).
        outgoing: By outgoing edges; else by incoming ones.

    Attributes:
        axis: Axis along which updates are cut.

    Source: Jumper et al. 2021, supplement, algorithms 11 and 12. Their code calls the left side of
        the incoming multiplication right; here left belongs to i in both.
    """

    def __init__(self, pair_dim: int, *, hidden_dim: int, outgoing: bool) -> None:
        super().__init__()
        self.outgoing = outgoing
        self.axis = 0 if outgoing else 1
        self.norm = nn.LayerNorm(pair_dim)
        self.projection = nn.Linear(pair_dim, 4 * hidden_dim)
        self.output_norm = nn.LayerNorm(hidden_dim)
        self.output = nn.Linear(hidden_dim, pair_dim)
        self.output_gate = nn.Linear(pair_dim, pair_dim)
        self._open_gates(hidden_dim)

    def _open_gates(self, hidden_dim: int) -> None:
        """Starts with open gates and a zero output, as the paper says."""
        for gate in (slice(hidden_dim, 2 * hidden_dim), slice(3 * hidden_dim, None)):
            nn.init.zeros_(self.projection.weight.data[gate])
            nn.init.ones_(self.projection.bias.data[gate])
        nn.init.zeros_(self.output_gate.weight)
        nn.init.ones_(self.output_gate.bias)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def updates(
        self, pair: Float[Tensor, "length length pair_dim"], mask: Bool[Tensor, "length length"]
    ) -> Iterator[Float[Tensor, "rows columns pair_dim"]]:
        """Yields the update in blocks along `axis`."""
        block_side, whole_side = (0, 1) if self.outgoing else (1, 0)
        if not self.outgoing:  # incoming edges are outgoing ones of the transposed pairs
            pair, mask = pair.transpose(0, 1), mask.T
        whole = self._factor(pair.transpose(0, 1), mask.T, whole_side)
        factor_bytes = whole[:, :1].nbytes
        for rows in block_slices(len(pair), 2 * factor_bytes, share=0.75):
            product = self._factor(pair[rows], mask[rows], block_side) @ whole
            for part in block_slices(len(pair[rows]), self._bytes_per_row(pair), share=0.25):
                update = self._output(product[:, part], pair[rows][part])
                yield update if self.outgoing else update.transpose(0, 1)

    def forward(
        self, pair: Float[Tensor, "length length pair_dim"], mask: Bool[Tensor, "length length"]
    ) -> Float[Tensor, "length length pair_dim"]:
        """Returns the update, without the residual."""
        return join(self.updates(pair, mask), self.axis, len(pair))

    def _factor(
        self,
        pair: Float[Tensor, "rows length pair_dim"],
        mask: Bool[Tensor, "rows length"],
        side: int,
    ) -> Float[Tensor, "hidden_dim rows length"]:
        """Returns one side's gated values, channels first as the product wants them."""
        weight, bias = self.projection.weight.chunk(2)[side], self.projection.bias.chunk(2)[side]

        def gated_values(rows: slice) -> Float[Tensor, "hidden_dim block length"]:
            edges = rearrange(self.norm(pair[rows]), "i k d -> d (i k)")
            value, gate = (weight @ edges).add_(bias[:, None]).chunk(2)
            gated = rearrange(value * gate.sigmoid(), "c (i k) -> c i k", k=pair.shape[1])
            return gated * mask[rows]

        blocks = block_slices(len(pair), self._bytes_per_row(pair), share=0.25)
        return join((gated_values(rows) for rows in blocks), 1, len(pair))

    def _output(
        self,
        product: Float[Tensor, "hidden_dim rows length"],
        pair: Float[Tensor, "rows length pair_dim"],
    ) -> Float[Tensor, "rows length pair_dim"]:
        gate = self.output_gate(self.norm(pair)).sigmoid()
        return self.output(self.output_norm(rearrange(product, "c i j -> i j c"))) * gate

    def _bytes_per_row(self, pair: Float[Tensor, "rows length pair_dim"]) -> int:
        """Returns the approximate memory of one row beside the factors and their product."""
        floats_per_edge = 4 * self.output.in_features + 2 * self.output.out_features
        return pair.shape[1] * floats_per_edge * pair.element_size()
