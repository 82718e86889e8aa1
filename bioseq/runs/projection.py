"""From token states to residue states, where a token covers more than one residue."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from bioseq.tokenizer import ResidueTokenizer, Tokenizer


def is_one_to_one(tokenizer: Tokenizer) -> bool:
    """Returns whether every token stands for one residue."""
    return isinstance(tokenizer, ResidueTokenizer)


def to_residues(
    states: Float[Tensor, "tokens dim"], tokenizer: Tokenizer, sequence: str
) -> Float[Tensor, "residues dim"]:
    """Returns the states of a sequence's residues from those of its tokens, specials left out."""
    if is_one_to_one(tokenizer):
        return states
    spans = torch.from_numpy(tokenizer.spans(sequence))
    return project_to_residues(states.float(), spans, len(sequence))


def project_to_residues(
    states: Float[Tensor, "tokens dim"], spans: Int64[Tensor, "tokens 2"], length: int
) -> Float[Tensor, "residues dim"]:
    """Returns for each residue the mean state of the tokens that cover it.

    Args:
        states: States of a sequence's tokens, specials left out.
        spans: Start and end (0-based, half-open) of each token; together they cover the sequence.
        length: Residues.
    """
    starts, ends = spans[:, 0], spans[:, 1]
    total = states.new_zeros(length, states.shape[1])
    covers = states.new_zeros(length)
    for step in range(int((ends - starts).max())):
        reached = starts + step < ends
        place = (starts + step)[reached]
        total.index_add_(0, place, states[reached])
        covers.index_add_(0, place, torch.ones_like(place, dtype=states.dtype))
    return total / covers[:, None]
