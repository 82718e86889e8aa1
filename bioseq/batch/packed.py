"""The packed batch: token ids of several sequences end to end, without padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int64, Integer
from torch import Tensor

from bioseq.batch.layout import Layout, layout_of
from bioseq.tokenizer import Tokens


@dataclass(frozen=True, kw_only=True)
class PackedBatch:
    """Token ids of several sequences, end to end.

    Attributes:
        tokens: Token ids.
        layout: Where each sequence lies.
    """

    tokens: Int64[Tensor, " tokens"]
    layout: Layout

    def to(self, device: torch.device | str) -> PackedBatch:
        """Returns the batch on another device."""
        return PackedBatch(
            tokens=self.tokens.to(device), layout=layout_of(self.layout.lengths, device)
        )

    def padded(
        self, pad: int
    ) -> tuple[Int64[Tensor, "segments length"], Bool[Tensor, "segments length"]]:
        """Returns the padded view and its mask (True = real); only foreign models need it."""
        mask = self.layout.mask
        tokens = torch.full(mask.shape, pad, dtype=torch.int64, device=self.tokens.device)
        tokens[mask] = self.tokens
        return tokens, mask


def pack_parts(
    parts: Sequence[Integer[np.ndarray, " _"]], device: torch.device | str = "cpu"
) -> PackedBatch:
    """Makes a batch of the token ids of some sequences, specials included."""
    ids = np.concatenate(parts).astype(np.int64)
    return PackedBatch(
        tokens=torch.from_numpy(ids).to(device),
        layout=layout_of([len(part) for part in parts], device),
    )


def pack(tokens: Tokens, device: torch.device | str = "cpu") -> PackedBatch:
    """Makes a batch of what a tokenizer gave."""
    return PackedBatch(
        tokens=torch.from_numpy(tokens.ids.astype(np.int64)).to(device),
        layout=layout_of(np.diff(tokens.offsets).tolist(), device),
    )
