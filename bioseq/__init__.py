"""Vectors and predictions for protein and nucleotide sequences."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bioseq.checkpoints import load_model
    from bioseq.embedding import EmbedOptions, embed_files
    from bioseq.io import open_records
    from bioseq.store import open_store

__version__ = "0.1.0"
__all__ = ["EmbedOptions", "embed_files", "load_model", "open_records", "open_store"]

# Loaded when first asked for: torch takes seconds.
_HOME = {
    "EmbedOptions": "bioseq.embedding",
    "embed_files": "bioseq.embedding",
    "load_model": "bioseq.checkpoints",
    "open_records": "bioseq.io",
    "open_store": "bioseq.store",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
