"""Tiny models of every kind of encoder and tokenizer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer as HuggingFaceTokenizer
from tokenizers import models

from bioseq.checkpoints import load_model
from bioseq.embedding import EmbedOptions
from bioseq.embedding.engine import Engine
from bioseq.embedding.job import build_job
from bioseq.embedding.pooling import POOLINGS
from bioseq.store import Ragged, Values
from bioseq.tokenizer import (
    BpeTokenizer,
    ResidueTokenizer,
    Tokenizer,
    Vocabulary,
    build_codon_tokenizer,
    build_kmer_tokenizer,
    build_residue_tokenizer,
)

SIZES = {
    "recurrent": {"embedding_dim": 6, "hidden_dim": 5, "num_layers": 2},
    "transformer": {"dim": 8, "num_layers": 2, "num_heads": 2, "feed_forward_dim": 12},
}


def _bpe() -> BpeTokenizer:
    tokens = ("[UNK]", "[CLS]", "[SEP]", *"ACGTN", "AC", "ACG", "TT")
    model = models.BPE(
        vocab={token: i for i, token in enumerate(tokens)},
        merges=[("A", "C"), ("AC", "G"), ("T", "T")],
        unk_token="[UNK]",
    )
    definition = HuggingFaceTokenizer(model).to_str()
    return BpeTokenizer(molecule="dna", definition=definition, prefix=("[CLS]",), suffix=("[SEP]",))


def _bare() -> ResidueTokenizer:
    """No specials, and few tokens: the other symbols are unknown."""
    vocabulary = Vocabulary(("?", *"ACDEFG"))
    return ResidueTokenizer(molecule="protein", vocabulary=vocabulary, unknown="?")


def _wordy() -> ResidueTokenizer:
    """Two specials on either side."""
    specials = ("<a>", "<b>", "<c>", "<d>")
    vocabulary = Vocabulary((*specials, *build_residue_tokenizer("protein").alphabet.symbols))
    return ResidueTokenizer(
        molecule="protein", vocabulary=vocabulary, prefix=specials[:2], suffix=specials[2:]
    )


TOKENIZERS: dict[str, Callable[[], Tokenizer]] = {
    "protein": lambda: build_residue_tokenizer("protein"),
    "3-mers": lambda: build_kmer_tokenizer("dna", k=3, stride=1),
    "blocks": lambda: build_kmer_tokenizer("dna", k=3, stride=3),
    "codons": lambda: build_codon_tokenizer("dna"),
    "bpe": _bpe,
    "bare": _bare,
    "wordy": _wordy,
}

# Name of the model: architecture, tokenizer, config.
KINDS: dict[str, tuple[str, str, dict[str, object]]] = {
    "convolutional": (
        "convolutional",
        "protein",
        {"dim": 6, "kernel": 3, "dilations": (1, 2, 4)},
    ),
    "convolutional-codons": (
        "convolutional",
        "codons",
        {"dim": 6, "kernel": 5, "dilations": (1, 2)},
    ),
    **{
        f"{cell}-{direction}": ("recurrent", tokenizer, {"cell": cell, "direction": direction})
        for cell, direction, tokenizer in (
            ("rnn", "forward", "protein"),
            ("lstm", "bidirectional", "protein"),
            ("lstm", "independent", "bare"),
            ("gru", "bidirectional", "blocks"),
            ("mlstm", "independent", "wordy"),
            ("mlstm", "forward", "protein"),
        )
    },
    "convolution-lstm": (
        "recurrent",
        "protein",
        {"cell": "lstm", "direction": "bidirectional", "kernel": 3, "dilations": (1, 2)},
    ),
    **{
        f"transformer-{position}": (
            "transformer",
            tokenizer,
            {"position": position, "norm": norm, "max_tokens": 32},
        )
        for position, norm, tokenizer in (
            ("rotary", "pre", "protein"),
            ("learned", "post", "wordy"),
            ("sinusoidal", "pre", "3-mers"),
            ("alibi", "pre", "bpe"),
            ("relative", "post", "bare"),
        )
    },
}


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest, save_tiny: Callable[..., Path]) -> Path:
    """A model folder of each kind."""
    architecture, tokenizer, config = KINDS[request.param]
    sizes = SIZES.get(architecture, {})
    tokenizer = TOKENIZERS[tokenizer]()
    return save_tiny(request.param, tokenizer, architecture=architecture, **sizes, **config)


@pytest.fixture(scope="session")
def symbols_of() -> Callable[[Path], str]:
    """Gives symbols that a model's sequences may hold."""

    def symbols(folder: Path) -> str:
        return "ACDEFGacMKWX*-" if load_model(folder).molecule == "protein" else "ACGTacgtNRU"

    return symbols


@pytest.fixture(scope="session")
def engine_of() -> Callable[..., Engine]:
    """Builds the engine of a model for all layers and all poolings of states that it has."""

    def build(folder: Path, *, tokens_per_batch: int = 100_000, **options: object) -> Engine:
        model = load_model(folder)
        lacking = {"first": not model.tokenizer.prefix, "cells": True}
        poolings = [p for p, form in POOLINGS.items() if not lacking.get(form.reads)]
        chosen = {
            "pool": poolings,
            "per_residue": True,
            "layers": range(model.encoder.num_layers + 1),
            **options,
        }
        job = build_job(EmbedOptions(model=folder, tokens_per_batch=tokens_per_batch, **chosen))  # pyright: ignore[reportArgumentType]
        return job.engine(job.block_sizes())

    return build


@pytest.fixture(scope="session")
def values_of() -> Callable[..., dict[str, list[np.ndarray]]]:
    """Runs an engine and gives, for each output, one array for each sequence."""

    def as_list(values: Values) -> list[np.ndarray]:
        return list(values) if isinstance(values, Ragged) else [row[None] for row in values]

    def run(engine: Engine, sequences: list[str]) -> dict[str, list[np.ndarray]]:
        found = engine.run(sequences, lambda _: None)
        assert found.finite.all()
        return {name: as_list(values) for name, values in found.values.items()}

    return run


@pytest.fixture
def small_blocks(monkeypatch):
    """Cuts the work into many parts."""

    def cut(records):
        monkeypatch.setattr("bioseq.embedding.job.BLOCK_RECORDS", records)

    return cut
