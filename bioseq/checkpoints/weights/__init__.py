"""Weights on disk: one way to open every format that models are published in."""

from bioseq.checkpoints.weights.find import WEIGHTS_FILE, find_weights, weights_digest
from bioseq.checkpoints.weights.open import open_weights
from bioseq.checkpoints.weights.source import Weights, replace_part

__all__ = [
    "WEIGHTS_FILE",
    "Weights",
    "find_weights",
    "open_weights",
    "replace_part",
    "weights_digest",
]
