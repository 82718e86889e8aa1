"""Reading ESMFold: a Hugging Face folder, or fair-esm's file beside an ESM-2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from bioseq.checkpoints.axial.esmfold import esmfold_config, esmfold_rules
from bioseq.checkpoints.families.esm import ESM
from bioseq.checkpoints.keymap import Ignored, Rule, fill
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.errors import BioseqError, CheckpointError
from bioseq.models import Encoder
from bioseq.models.esmfold import ESMFold

_OWN = "esm."  # what Hugging Face puts before the language model's names
_LANGUAGE_MODEL = "language_model"


def has_language_model(snapshot: Snapshot) -> bool:
    """Returns whether an ESMFold brings its language model along, as Hugging Face's layout does."""
    return any(name.startswith(_OWN) for name in snapshot.weights.names)


def read_esmfold(snapshot: Snapshot, language_model: Encoder | None = None) -> ESMFold:
    """Reads ESMFold, in evaluation mode.

    Args:
        snapshot: Its files.
        language_model: The ESM-2 that it was trained with, where the files leave it out.

    Raises:
        CheckpointError: the settings describe another arithmetic, or the weights do not fit.
    """
    settings = _settings(snapshot)
    try:
        config = esmfold_config(settings)
        with torch.device("meta"):
            encoder = language_model or ESM.build_encoder(_as_esm(snapshot))
            model = ESMFold(config, encoder)
    except CheckpointError:
        raise
    except (BioseqError, KeyError, TypeError) as error:
        problem = f"unusable config of ESMFold: {type(error).__name__}: {error}"
        raise CheckpointError(snapshot.config_path, problem) from None
    rules = [*esmfold_rules(config.trunk), *_language_rules()]
    parts: nn.Module = model
    if language_model is not None:
        children = dict(model.named_children())
        del children[_LANGUAGE_MODEL]
        parts = nn.ModuleDict(children)
    fill(parts, rules, snapshot.weights)
    return model.eval()


def _settings(snapshot: Snapshot) -> Mapping[str, Any]:
    """Finds the settings where either layout keeps them."""
    if "esmfold_config" in snapshot.config:
        return snapshot.config["esmfold_config"]
    settings = snapshot.weights.metadata.get("cfg")
    if isinstance(settings, Mapping) and isinstance(settings.get("model"), Mapping):
        return settings["model"]
    problem = 'no settings of ESMFold: neither "esmfold_config" nor "cfg" with "model"'
    raise CheckpointError(snapshot.config_path, problem)


def _as_esm(snapshot: Snapshot) -> Snapshot:
    """Returns the language model's part of a config."""
    return replace(snapshot, config={**snapshot.config, "is_folding_model": False})


def _language_rules() -> Iterator[Rule | Ignored]:
    """Yields the rules of ESM-2 for an encoder that is part of a larger model."""
    for rule in ESM.rules:
        if isinstance(rule, Ignored):
            yield replace(rule, foreign=_OWN + rule.foreign)
        elif rule.ours.startswith("encoder."):
            ours = rule.ours.replace("encoder", _LANGUAGE_MODEL, 1)
            yield replace(rule, ours=ours, foreign=tuple(_OWN + name for name in rule.foreign))
