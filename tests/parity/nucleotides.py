"""Nucleotide sequences for the parity tests, and the text that a reference must read them as."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bioseq.batch import PackedBatch
from bioseq.checkpoints import Model
from tests.parity.record import ParityRecord
from tests.parity.reference import real_maps, real_rows

# Whole blocks of six, remainders, runs of N, ambiguity codes, one base, and one of many tokens.
SEQUENCES = (
    "ACGTACGGTCATTACGGATCCATAGCATTGCATG",
    "A",
    "ACGTNNNNNNNNNNACGTTGCANNACGTRYACGTTAGCA",
    "GATTACAGATTACCAGGATAC" * 12,
    "CATTACGGATCCATAGCATTGCATGACGTACGGT",
    "NNNNNNNN",
)
RARE = "NRYSWKMBDHV*-."


def as_upper_dna(sequence: str) -> str:
    """Lower case as upper case, U as T."""
    return sequence.upper().replace("U", "T")


def record_all(
    record: ParityRecord,
    family: str,
    compared_with: str,
    model: Model,
    batch: PackedBatch,
    *,
    states: Sequence[Tensor],
    maps: Sequence[Tensor],
    logits: Tensor,
) -> None:
    """Compares the states of all layers, the attention maps and the logits of a batch.

    Args:
        record: Keeps how close they are.
        family: Name in the table.
        compared_with: Name of the reference in the table.
        model: Ours.
        batch: What both read.
        states: The reference's padded states, embedded input first.
        maps: Its padded attention maps.
        logits: Its padded logits.
    """
    mask = batch.layout.mask
    with torch.no_grad():
        ours = model.encoder(batch, layers=range(len(states)), attentions=True)
        assert model.head is not None
        our_logits = model.head(ours.states[-1])
    record(family, compared_with, "states of all layers", ours.states, real_rows(states, mask))
    theirs = real_maps(maps, batch.layout.lengths)
    record(family, compared_with, "attention maps", ours.attentions, theirs)
    record(family, compared_with, "logits", our_logits, logits[mask])
