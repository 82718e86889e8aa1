"""Checkpoints: from files or names to models, the only door to an encoder with weights."""

from bioseq.checkpoints.bundled import DEFAULT_MODEL, bundled_models
from bioseq.checkpoints.load import load_model
from bioseq.checkpoints.model import Model, Objective
from bioseq.checkpoints.msa_transformer import MSAModel, is_msa_model, load_msa_model
from bioseq.checkpoints.native import save_model

__all__ = [
    "DEFAULT_MODEL",
    "MSAModel",
    "Model",
    "Objective",
    "bundled_models",
    "is_msa_model",
    "load_model",
    "load_msa_model",
    "save_model",
]
