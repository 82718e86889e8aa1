"""Reference models at random weights, and their padded output in the shape of ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from bioseq.batch import PackedBatch, pack
from bioseq.tokenizer import Tokenizer

PROTEINS = (
    "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ",
    "M",
    "XBZUOJ*.-ACDEFGHIKLMNPQRSTVWY",
    "GAVLIMXXXXXXXXXXGAVLIMGAVLIMGAVLIMGAVLIMGAVLIMGAVLIMGAVLIMGAVLIMGAVLIMGAVLIM" * 3,
    "KQRQISFVKSHFSRQLEERLGLIEVQMKTAYIA",
)


def perturb(model: nn.Module, *, scale: float = 0.1) -> nn.Module:
    """Moves every parameter off its start, so that each term of the arithmetic shows."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * scale)
    return model.eval()


def mixed_batch(
    tokenizer: Tokenizer, sequences: Sequence[str] = PROTEINS, *, mask: str | None = None
) -> PackedBatch:
    """Packs sequences of mixed length; the first one with four residues masked, where asked."""
    batch = pack(tokenizer.encode(sequences))
    if mask is not None:
        batch.tokens[5:9] = tokenizer.vocabulary.id(mask)
    return batch


def real_rows(states: Iterable[Tensor], mask: Tensor) -> tuple[Tensor, ...]:
    """Gives the rows of padded states `[batch, length, dim]` that stand for a token."""
    return tuple(state[mask] for state in states)


def real_maps(maps: Iterable[Tensor], lengths: Sequence[int]) -> tuple[tuple[Tensor, ...], ...]:
    """Cuts each layer's padded maps `[batch, heads, length, length]` to the sequences."""
    return tuple(
        tuple(m[:, :length, :length] for m, length in zip(layer, lengths, strict=True))
        for layer in maps
    )


def real_contacts(contacts: Tensor, lengths: Sequence[int]) -> tuple[Tensor, ...]:
    """Cuts padded contacts `[batch, length, length]` to the sequences; two specials each."""
    return tuple(c[: n - 2, : n - 2] for c, n in zip(contacts, lengths, strict=True))
