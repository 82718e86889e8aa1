"""Packed batches from a tokenizer's output."""

from __future__ import annotations

import torch

from bioseq.batch import pack
from bioseq.tokenizer import build_residue_tokenizer


def test_a_batch_holds_the_tokens_of_each_sequence() -> None:
    tokenizer = build_residue_tokenizer("protein")
    sequences = ["MKV", "A", "WWWWW"]
    batch = pack(tokenizer.encode(sequences))
    assert batch.layout.lengths == (5, 3, 7)
    assert batch.tokens.dtype == torch.int64
    for sequence, tokens in zip(sequences, batch.layout.split(batch.tokens), strict=True):
        names = [tokenizer.vocabulary.tokens[t] for t in tokens.tolist()]
        assert names == ["<cls>", *sequence, "<eos>"]


def test_the_padded_view_puts_padding_behind() -> None:
    batch = pack(build_residue_tokenizer("dna").encode(["AC", "ACGTA"]))
    tokens, mask = batch.padded(99)
    assert mask.tolist() == [[True] * 4 + [False] * 3, [True] * 7]
    assert tokens[0, 4:].tolist() == [99] * 3
    assert torch.equal(tokens[mask], batch.tokens)


def test_a_batch_moves_with_its_layout() -> None:
    batch = pack(build_residue_tokenizer("dna").encode(["AC"])).to("meta")
    assert batch.tokens.device.type == "meta"
    assert batch.layout.segments.device.type == "meta"
