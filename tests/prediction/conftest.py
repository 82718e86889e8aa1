"""Tiny models of every objective, and scorers for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from bioseq.checkpoints import Model, load_model, save_model
from bioseq.heads import LanguageHead
from bioseq.models import build_encoder
from bioseq.prediction.language.scorer import Scorer
from bioseq.runs import Window
from bioseq.tokenizer import Tokenizer, build_kmer_tokenizer, build_residue_tokenizer

_LSTM = {"architecture": "recurrent", "cell": "lstm", "embedding_dim": 6, "num_layers": 2}
_TRANSFORMER = {
    **{"architecture": "transformer", "dim": 16, "num_layers": 2, "num_heads": 2},
    "feed_forward_dim": 24,
}
# Objective, tokenizer, config.
_KINDS: dict[str, tuple[str, Callable[[], Tokenizer], dict[str, object]]] = {
    "masked": (
        "masked",
        lambda: build_residue_tokenizer("protein"),
        {**_TRANSFORMER, "max_tokens": 42},
    ),
    "cloze": (
        "cloze",
        lambda: build_residue_tokenizer("protein"),
        {**_LSTM, "hidden_dim": 8, "direction": "independent"},
    ),
    "next-token": (
        "next-token",
        lambda: build_residue_tokenizer("protein"),
        {**_LSTM, "hidden_dim": 16, "direction": "forward"},
    ),
    "3-mers": ("masked", lambda: build_kmer_tokenizer("dna", k=3, stride=1), _TRANSFORMER),
    "rna": ("masked", lambda: build_residue_tokenizer("rna"), _TRANSFORMER),
}


@pytest.fixture(scope="session")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Writes a model folder of a kind, with weights large enough that every term shows."""
    folder = tmp_path_factory.mktemp("language-models")

    def save(kind: str) -> Path:
        objective, build_tokenizer, config = _KINDS[kind]
        tokenizer = build_tokenizer()
        size = len(tokenizer.vocabulary)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            encoder = build_encoder({**config, "vocabulary_size": size})
            head = LanguageHead(encoder.dim, size)
            for parameter in (*encoder.parameters(), *head.parameters()):
                parameter.data.add_(torch.randn_like(parameter) * 0.2)
        save_model(
            folder / kind,
            encoder=encoder,
            tokenizer=tokenizer,
            head=head,
            objective=objective,  # pyright: ignore[reportArgumentType]
        )
        return folder / kind

    return save


@pytest.fixture(scope="session")
def scorer_of(language_model: Callable[[str], Path]) -> Callable[..., Scorer]:
    """Builds the scorer of a model of a kind."""

    def build(kind: str, *, tokens_per_batch: int = 100_000) -> Scorer:
        model: Model = load_model(language_model(kind))
        limit = model.encoder.max_tokens
        return Scorer(
            model=model,
            device=torch.device("cpu"),
            tokens_per_batch=tokens_per_batch,
            window=Window(length=limit, overlap=8) if limit else None,
        )

    return build
