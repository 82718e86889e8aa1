"""The encoders that predictors read: models, and the one-hot code as their baseline."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import torch

from bioseq.checkpoints import Model, load_model
from bioseq.errors import CheckpointError, OptionError
from bioseq.models import OneHotConfig, OneHotEncoder
from bioseq.prediction.tasks.folder import ENCODER_FOLDER
from bioseq.prediction.tasks.predictor import EncoderReference
from bioseq.tokenizer import ResidueTokenizer, build_residue_tokenizer
from bioseq.typing import Molecule

_ONE_HOT: dict[str, Molecule] = {"one-hot-protein": "protein", "one-hot-dna": "dna"}


def load_task_encoder(name: str, *, dtype: torch.dtype = torch.float32) -> Model:
    """Loads a model, or makes a one-hot code.

    Args:
        name: Name of a bundled model, a model folder, `one-hot-protein` or `one-hot-dna`.
        dtype: Number format of the weights.

    Raises:
        CheckpointError: there is no such model.
        OptionError: its tokens are not residues.
    """
    model = _one_hot(name, _ONE_HOT[name]) if name in _ONE_HOT else load_model(name, dtype=dtype)
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


def _one_hot(name: str, molecule: Molecule) -> Model:
    tokenizer = build_residue_tokenizer(molecule)
    text = json.dumps(tokenizer.to_config(), sort_keys=True)
    return Model(
        name=name,
        encoder=OneHotEncoder(OneHotConfig(vocabulary_size=len(tokenizer.vocabulary))),
        tokenizer=tokenizer,
        head=None,
        objective=None,
        weights_sha256=hashlib.sha256(text.encode()).hexdigest(),
    )
