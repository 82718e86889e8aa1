"""The MSA Transformer as fair-esm publishes it: one file of weights, one of the contact regression.

The published names say row where the original's code says column, and the other way round; its
loader swaps them, and so does this one.

Source: Rao et al. 2021; names as in fair-esm's `load_model_and_alphabet_local`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bioseq.checkpoints.families.esm import build_esm_tokenizer
from bioseq.checkpoints.keymap import Ignored, Rule, fill, joined, pair
from bioseq.checkpoints.weights import Weights, find_weights, open_weights, weights_digest
from bioseq.errors import BioseqError, CheckpointError
from bioseq.heads import ContactHead, LanguageHead
from bioseq.models import MSATransformer, MSATransformerConfig
from bioseq.tokenizer import ResidueTokenizer
from bioseq.typing import AnyPath

_REGRESSION_MARK = "contact_head.regression.weight"
_PREFIX = re.compile(r"encoder\.(sentence_encoder\.)?")
_RELEASED = "encoder.sentence_encoder."
_SWAPPED = {"row_self": "column_self", "column_self": "row_self"}
_FIRST_POSITION = 2  # rows below belong to padding


def _positions(table: Tensor) -> Tensor:
    return table[_FIRST_POSITION:]


def _rows(table: Tensor) -> Tensor:
    return table.squeeze(2).squeeze(0)


_OURS = "encoder.layers.{layer}"
_THEIRS = "layers.{layer}"
_ROW = f"{_THEIRS}.row_self_attention"
_COLUMN = f"{_THEIRS}.column_self_attention"
_RULES: Sequence[Rule | Ignored] = (
    Rule("encoder.embedding.tokens.weight", ("embed_tokens.weight",)),
    Rule("encoder.embedding.positions.weight", ("embed_positions.weight",), _positions),
    Rule("encoder.embedding.rows.weight", ("msa_position_embedding",), _rows),
    *pair("encoder.embedding.norm", "emb_layer_norm_before"),
    *pair(f"{_OURS}.row_attention.norm", f"{_ROW}.layer_norm"),
    *pair(f"{_OURS}.row_attention.query", f"{_ROW}.layer.q_proj"),
    *pair(f"{_OURS}.row_attention.key", f"{_ROW}.layer.k_proj"),
    *pair(f"{_OURS}.row_attention.value", f"{_ROW}.layer.v_proj"),
    *pair(f"{_OURS}.row_attention.output", f"{_ROW}.layer.out_proj"),
    *pair(f"{_OURS}.column_attention.norm", f"{_COLUMN}.layer_norm"),
    *joined(
        f"{_OURS}.column_attention.query_key_value",
        f"{_COLUMN}.layer",
        ("q_proj", "k_proj", "v_proj"),
    ),
    *pair(f"{_OURS}.column_attention.output", f"{_COLUMN}.layer.out_proj"),
    *pair(f"{_OURS}.feed_forward_norm", f"{_THEIRS}.feed_forward_layer.layer_norm"),
    *pair(f"{_OURS}.up", f"{_THEIRS}.feed_forward_layer.layer.fc1"),
    *pair(f"{_OURS}.down", f"{_THEIRS}.feed_forward_layer.layer.fc2"),
    *pair("encoder.final_norm", "emb_layer_norm_after"),
    *pair("head.dense", "lm_head.dense"),
    *pair("head.norm", "lm_head.layer_norm"),
    *pair("head.output", "lm_head"),
    *pair("contacts.regression", "contact_head.regression"),
)


@dataclass(frozen=True, kw_only=True)
class MSAModel:
    """An MSA Transformer with its tokenizer and heads.

    Attributes:
        name: Of the weights file.
        encoder: In evaluation mode.
        tokenizer: Makes the tokens of a row.
        head: Language-model head.
        contacts: Contact head; None where its file is not there.
        weights_sha256: Digest of the files.
    """

    name: str
    encoder: MSATransformer
    tokenizer: ResidueTokenizer
    head: LanguageHead
    contacts: ContactHead | None
    weights_sha256: str


def is_msa_model(path: AnyPath) -> bool:
    """Tells whether a path is the file of an MSA Transformer.

    Raises:
        CheckpointError: the file is damaged.
    """
    path = Path(path)
    if not path.is_file():
        return False
    with open_weights(path) as weights:
        return _is_msa_transformer(weights)


def _is_msa_transformer(weights: Weights) -> bool:
    return any(name.endswith("msa_position_embedding") for name in weights.names)


def load_msa_model(path: AnyPath, *, dtype: torch.dtype = torch.float32) -> MSAModel:
    """Loads an MSA Transformer, in evaluation mode.

    Args:
        path: The published file, such as `esm_msa1b_t12_100M_UR50S.pt`. The contact regression is
            taken from `esm_msa1b_t12_100M_UR50S-contact-regression.pt` beside it.
        dtype: Number format of the weights.

    Raises:
        CheckpointError: a file is missing, damaged or of another model.
    """
    path = Path(path)
    files = find_weights(path)
    with ExitStack() as stack:
        parts = [_use_original_names(stack.enter_context(open_weights(file))) for file in files]
        if not _is_msa_transformer(parts[0]):
            raise CheckpointError(path, "not an MSA Transformer: no msa_position_embedding")
        return _read(_overlay(*parts), path, files, dtype)


def _use_original_names(weights: Weights) -> Weights:
    """Takes the prefixes off, and swaps rows and columns where the file was released so."""
    is_released = any(name.startswith(_RELEASED) for name in weights.names)

    def rename(name: str) -> str:
        swapped = re.sub("row_self|column_self", lambda match: _SWAPPED[match[0]], name)
        return _PREFIX.sub("", swapped if is_released else name, count=1)

    return weights.renamed(rename)


def _overlay(main: Weights, *others: Weights) -> Weights:
    """Joins files; what two of them hold comes from the later one, as in the original."""
    owners = {name: part for part in (main, *others) for name in part.names}
    return replace(main, names=frozenset(owners), read=lambda name: owners[name].read(name))


def _read(weights: Weights, path: Path, files: Sequence[Path], dtype: torch.dtype) -> MSAModel:
    tokenizer = replace(build_esm_tokenizer(), suffix=())
    try:
        config = _config(weights, len(tokenizer.vocabulary))
    except (BioseqError, KeyError, TypeError) as error:
        problem = f"unusable settings of an MSA Transformer: {type(error).__name__}: {error}"
        raise CheckpointError(path, problem) from None
    with torch.device("meta"):
        encoder = MSATransformer(config)
        head = LanguageHead(config.dim, config.vocabulary_size)
        has_contacts = _REGRESSION_MARK in weights.names
        contacts = ContactHead(config.num_layers * config.num_heads) if has_contacts else None
    parts = {"encoder": encoder, "head": head, "contacts": contacts}
    present = nn.ModuleDict({name: part for name, part in parts.items() if part is not None})
    fill(present.eval(), _RULES, weights, dtype=dtype)
    return MSAModel(
        name=path.stem,
        encoder=encoder,
        tokenizer=tokenizer,
        head=head,
        contacts=contacts,
        weights_sha256=weights_digest(files),
    )


def _config(weights: Weights, vocabulary_size: int) -> MSATransformerConfig:
    settings: Any = weights.metadata.get("args")
    settings = settings if isinstance(settings, Mapping) else vars(settings)
    settings = {name.removeprefix("encoder_"): value for name, value in settings.items()}
    rows = weights.read("msa_position_embedding")
    return MSATransformerConfig(
        vocabulary_size=vocabulary_size,
        dim=settings["embed_dim"],
        num_layers=settings["layers"],
        num_heads=settings["attention_heads"],
        feed_forward_dim=settings["ffn_embed_dim"],
        max_tokens=len(weights.read("embed_positions.weight")) - _FIRST_POSITION,
        max_depth=rows.shape[1],
        depth_dim=rows.shape[-1],
    )
