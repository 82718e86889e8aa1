"""The door to models that predict structures: from a path to a model with its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bioseq.checkpoints.axial.read_alphafold import (
    is_alphafold,
    is_openfold,
    read_alphafold,
    read_openfold,
)
from bioseq.checkpoints.axial.read_esmfold import has_language_model, read_esmfold
from bioseq.checkpoints.families.esm import build_esm_tokenizer
from bioseq.checkpoints.load import load_model
from bioseq.checkpoints.snapshot import Snapshot, open_snapshot
from bioseq.errors import CheckpointError
from bioseq.models.alphafold import AlphaFold
from bioseq.models.esmfold import ESMFold
from bioseq.tokenizer import Tokenizer
from bioseq.typing import AnyPath


@dataclass(frozen=True, kw_only=True)
class FoldingModel:
    """A model that predicts structures.

    Attributes:
        name: Of the folder, or of the file without its ending.
        network: Folds sequences (ESMFold) or alignments (AlphaFold 2), in evaluation mode.
        tokenizer: Makes the tokens of ESMFold's language model; None for AlphaFold 2.
        weights_sha256: Digest of the weights; of those of the language model too, if it is apart.
    """

    name: str
    network: ESMFold | AlphaFold
    tokenizer: Tokenizer | None
    weights_sha256: str


def load_folding_model(path: AnyPath, *, language_model: AnyPath | None = None) -> FoldingModel:
    """Loads a model that predicts structures, told by what is in the files.

    Args:
        path: An ESMFold folder of Hugging Face's, fair-esm's ESMFold file, a parameter file of
            AlphaFold 2 (`params_model_*.npz`), or a checkpoint of OpenFold.
        language_model: Name or path of the ESM-2 that fair-esm's ESMFold file leaves out.

    Raises:
        CheckpointError: there is no such model, its files are damaged, or one is needed or given
            too many.
    """
    if not Path(path).exists():
        raise CheckpointError(path, "no such file or folder; give a model that predicts structures")
    with open_snapshot(Path(path)) as snapshot:
        if "esmfold_config" in snapshot.config or "cfg" in snapshot.weights.metadata:
            return _load_esmfold(snapshot, language_model)
        if language_model is not None:
            raise CheckpointError(path, "brings all it needs; leave out the language model")
        return FoldingModel(
            name=snapshot.name,
            network=_read_alphafold(snapshot),
            tokenizer=None,
            weights_sha256=snapshot.digest(),
        )


def _load_esmfold(snapshot: Snapshot, language_model: AnyPath | None) -> FoldingModel:
    if has_language_model(snapshot) == (language_model is not None):
        problem = (
            "holds its own language model; leave the other one out"
            if language_model is not None
            else "leaves the language model out; name the ESM-2 that it was trained with"
        )
        raise CheckpointError(snapshot.path, problem)
    digest = snapshot.digest()
    encoder = None
    if language_model is not None:
        loaded = load_model(language_model)
        loaded.require_sequences()
        encoder = loaded.encoder
        digest = f"{digest}+{loaded.weights_sha256}"
    return FoldingModel(
        name=snapshot.name,
        network=read_esmfold(snapshot, encoder),
        tokenizer=build_esm_tokenizer(),
        weights_sha256=digest,
    )


def _read_alphafold(snapshot: Snapshot) -> AlphaFold:
    if is_alphafold(snapshot.weights):
        return read_alphafold(snapshot.weights)
    if is_openfold(snapshot.weights):
        return read_openfold(snapshot.weights)
    problem = "predicts no structures that bioseq knows of; give ESMFold, AlphaFold 2 or OpenFold"
    raise CheckpointError(snapshot.path, problem)
