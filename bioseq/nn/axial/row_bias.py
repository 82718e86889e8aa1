"""What is added to the logits of axial attention: masks and the pair bias."""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from bioseq.nn.axial.blocking import block_slices, join

# AlphaFold's: finite, so that a row with nothing real attends to everything alike.
_MASKED = -1e9


def mask_bias(
    mask: Bool[Tensor, "rows length"], dtype: torch.dtype
) -> Float[Tensor, "rows length"]:
    """Returns what a mask adds to the logits: nothing where real, a large negative elsewhere."""
    masked = max(_MASKED, torch.finfo(dtype).min / 2)
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(~mask, masked)


class RowBias:
    """The bias of each row's logits: one term for all rows, and each row's own mask.

    Where all rows have the same mask, as without padding, one sum serves them all; else the sum
    is made for the rows of a block only.

    Args:
        shared: The pair bias, the same for every row.
        mask: Which cells are real.
    """

    def __init__(
        self, shared: Float[Tensor, "heads length length"], mask: Bool[Tensor, "rows length"]
    ) -> None:
        self._shared = shared[None]
        self._mask = mask
        self._alike = bool((mask == mask[:1]).all())
        if self._alike and not bool(mask[:1].all()):
            self._shared = self._sum(mask[:1])

    def of(self, rows: slice) -> Float[Tensor, "#rows heads length length"]:
        """Returns the bias of some rows, or one that fits all."""
        return self._shared if self._alike else self._sum(self._mask[rows])

    @property
    def bytes_per_row(self) -> int:
        """What a row of its own needs."""
        return 0 if self._alike else self._shared.nbytes

    def _sum(self, mask: Bool[Tensor, "rows length"]) -> Float[Tensor, "rows heads length length"]:
        own = mask_bias(mask, self._shared.dtype)
        return self._shared + rearrange(own, "r k -> r 1 1 k")


def pair_bias(
    pair: Float[Tensor, "length length pair_dim"], norm: nn.LayerNorm, linear: nn.Linear
) -> Float[Tensor, "heads length length"]:
    """Projects the normalised pair representation to one number for each head."""
    blocks = (
        rearrange(linear(norm(pair[rows])), "q k h -> h q k")
        for rows in block_slices(len(pair), 2 * pair[:1].nbytes)
    )
    return join(blocks, 1, len(pair))
