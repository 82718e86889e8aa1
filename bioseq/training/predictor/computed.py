"""States of an encoder that is being trained, computed anew in every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from bioseq.batch import pack_parts
from bioseq.errors import OptionError
from bioseq.models import Encoder
from bioseq.tokenizer import Tokenizer
from bioseq.training.predictor.states import States
from bioseq.training.predictor.table import LabelTable


class ComputedStates(States):
    """States that an encoder gives for packed batches; gradients go through it.

    Args:
        encoder: What is trained, on its device.
        tokenizer: Makes its tokens, one for each residue.
        layers: Layers to join, as numbers from 0.
        table: Whose states are wanted, by index.
        mask_rate: Share of the residues that training hides behind the mask token.

    Raises:
        OptionError: a sequence to train on is longer than the encoder can read, or residues are to
            be masked and the vocabulary has no mask token.
    """

    groups_lengths = True

    def __init__(
        self,
        encoder: Encoder,
        tokenizer: Tokenizer,
        layers: Sequence[int],
        table: LabelTable,
        *,
        mask_rate: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.layers = tuple(layers)
        self.dim = sum(encoder.layer_dim(layer) for layer in layers)
        self._mask_rate = mask_rate
        self._mask_token = tokenizer.vocabulary.mask_id if mask_rate else -1
        self._num_specials = len(tokenizer.prefix), len(tokenizer.suffix)
        # Those of the test part are never read.
        read = [s if p != "test" else "" for s, p in zip(table.sequences, table.parts, strict=True)]
        self._tokens = tokenizer.encode(read)
        longest = int(np.diff(self._tokens.offsets).max())
        if encoder.max_tokens is not None and longest > encoder.max_tokens:
            found = f"{longest:,} tokens in the longest sequence"
            raise OptionError("table", found, allowed=f"to {encoder.max_tokens:,}, by the encoder")

    def forward(self, members: Int64[np.ndarray, " members"]) -> Float[Tensor, "residues dim"]:
        """Encodes some sequences."""
        bounds, device = self._tokens.offsets, next(self.encoder.parameters()).device
        parts = [self._tokens.ids[bounds[i] : bounds[i + 1]] for i in members]
        batch = pack_parts(parts, device)
        places, _ = batch.layout.without_specials(*self._num_specials)
        if self.training and self._mask_rate:
            hidden = places[torch.rand(len(places), device=device) < self._mask_rate]
            tokens = batch.tokens.index_fill(0, hidden, self._mask_token)
            batch = replace(batch, tokens=tokens)
        encoding = self.encoder(batch, layers=self.layers)
        return torch.cat([states[places] for states in encoding.states], dim=-1).float()
