"""The encoders that predictors read: models with a token for each residue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from bioseq.checkpoints import Model, load_model
from bioseq.errors import CheckpointError, OptionError
from bioseq.prediction.tasks.folder import ENCODER_FOLDER
from bioseq.prediction.tasks.predictor import EncoderReference
from bioseq.tokenizer import ResidueTokenizer


def load_task_encoder(name: str, *, dtype: torch.dtype = torch.float32) -> Model:
    """Loads a model whose tokens are residues.

    Args:
        name: As `load_model` takes it.
        dtype: Number format of the weights.

    Raises:
        CheckpointError: there is no such model.
        OptionError: its tokens are not residues.
    """
    model = load_model(name, dtype=dtype)
    model.require_sequences()
    if not isinstance(model.tokenizer, ResidueTokenizer):
        kind = model.tokenizer.to_config()["kind"]
        raise OptionError("tokenizer", kind, allowed="residue: predictors need a state for each")
    return model


def load_referenced(
    reference: EncoderReference, predictor: str, *, dtype: torch.dtype = torch.float32
) -> Model:
    """Loads the encoder of a predictor and checks that it is the one it was trained with.

    Raises:
        CheckpointError: the encoder is missing or another one.
    """
    model = load_task_encoder(reference.model, dtype=dtype)
    if model.weights_sha256 != reference.weights_sha256:
        problem = (
            f"predictor {predictor} was trained with other weights of this encoder "
            f"({reference.weights_sha256[:12]}, here {model.weights_sha256[:12]}); train it again"
        )
        raise CheckpointError(reference.model, problem)
    if Path(reference.model).name == ENCODER_FOLDER:
        return replace(model, name=f"{predictor}/{ENCODER_FOLDER}")
    return model
