"""Contacts from the attention of a protein language model."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from bioseq.batch import PackedBatch
from bioseq.checkpoints import Model
from bioseq.errors import OptionError
from bioseq.models import TransformerEncoder


@torch.inference_mode()
def attention_contacts(
    model: Model, batch: PackedBatch
) -> tuple[Float[Tensor, "length length"], ...]:
    """Returns the contact probabilities of each sequence; one layer's maps exist at a time.

    Args:
        model: A model with a contact head.
        batch: Tokens of the model's tokenizer, one token for each residue.

    Raises:
        OptionError: the model has no contact head, or a sequence exceeds its length limit.
    """
    head, encoder = model.contacts, model.encoder
    if head is None or not isinstance(encoder, TransformerEncoder):
        raise OptionError("model", model.name, allowed="models with a contact head (ESM-1b, ESM-2)")
    before, behind = len(model.tokenizer.prefix), len(model.tokenizer.suffix)
    logits: list[Tensor] = [head.regression.bias for _ in batch.layout.lengths]
    first = 0
    for layer in encoder.maps(batch):
        for place, maps in enumerate(layer):
            end = maps.shape[-1] - behind
            residues = maps[:, before:end, before:end]
            logits[place] = logits[place] + head.score(residues, first=first)
        first += encoder.config.num_heads
    return tuple(value.sigmoid() for value in logits)
