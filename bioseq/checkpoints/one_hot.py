"""The one-hot codes: models without weights, the baseline of those that have some."""

from __future__ import annotations

import hashlib
import json

from bioseq.checkpoints.model import Model
from bioseq.models import OneHotConfig, OneHotEncoder
from bioseq.tokenizer import build_residue_tokenizer
from bioseq.typing import Molecule


def make_one_hot(name: str, molecule: Molecule) -> Model:
    """Returns the one-hot code of a molecule's tokens; its digest is that of the tokenizer."""
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
