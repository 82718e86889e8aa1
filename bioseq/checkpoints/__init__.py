"""Checkpoints: from files or names to models, the only door to an encoder with weights."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bioseq.checkpoints.bundled import DEFAULT_MODEL, bundled_models
    from bioseq.checkpoints.load import load_model
    from bioseq.checkpoints.model import Model, Objective
    from bioseq.checkpoints.native import save_model
    from bioseq.checkpoints.verify import verify_model

__all__ = [
    "DEFAULT_MODEL",
    "Model",
    "Objective",
    "bundled_models",
    "load_model",
    "save_model",
    "verify_model",
]

# Loaded when first asked for: torch takes seconds, and a list of models needs none of it.
_HOME = {
    "DEFAULT_MODEL": "bundled",
    "Model": "model",
    "Objective": "model",
    "bundled_models": "bundled",
    "load_model": "load",
    "save_model": "native",
    "verify_model": "verify",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
