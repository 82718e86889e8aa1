"""Checkpoints: from files or names to models, the only door to an encoder with weights."""

from bioseq.checkpoints.model import Model, Objective
from bioseq.checkpoints.native import load_model, save_model

__all__ = ["Model", "Objective", "load_model", "save_model"]
