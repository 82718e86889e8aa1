"""Contacts from the row attention of an MSA Transformer."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from bioseq.heads import ContactHead
from bioseq.models import MSATransformer, Padding


@torch.inference_mode()
def row_attention_contacts(
    encoder: MSATransformer,
    head: ContactHead,
    tokens: Int64[Tensor, "rows tokens"],
    *,
    padding: Padding | None = None,
) -> Float[Tensor, "length length"]:
    """Returns the contact probabilities of one alignment; one layer's maps exist at a time.

    Args:
        encoder: The MSA Transformer.
        head: Its contact head.
        tokens: The alignment, the query first, with the start token in each row.
        padding: The batch whose arithmetic of the original to follow; None for none. The result
            then has the length of the batch.

    Raises:
        OptionError: the alignment is larger than the model reads.
    """
    logits: Tensor = head.regression.bias
    first = 0
    for output in encoder.outputs(tokens, padding=padding):
        if output.attention is not None:
            maps = output.attention if padding is None else padding.pad(output.attention)
            logits = logits + head.score(maps[:, 1:, 1:], first=first)
            first += len(maps)
    return logits.sigmoid()
