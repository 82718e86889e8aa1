"""The MSA Transformer as fair-esm publishes it: one file of weights, one of the contact regression.

The published names say row where the original's code says column, and the other way round; its
loader swaps them, and so does this one.

Source: Rao et al. 2021; names as in fair-esm's `load_model_and_alphabet_local`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from bioseq.checkpoints.families.esm import build_esm_head, build_esm_tokenizer
from bioseq.checkpoints.families.family import Family
from bioseq.checkpoints.keymap import Ignored, Rule, joined, pair
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.checkpoints.weights import Weights
from bioseq.heads import ContactHead
from bioseq.models import Encoder, MSATransformer, MSATransformerConfig
from bioseq.tokenizer import Tokenizer

_PREFIX = re.compile(r"encoder\.(sentence_encoder\.)?")
_RELEASED = "encoder.sentence_encoder.layers."
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


def _matches(snapshot: Snapshot) -> bool:
    return any(name.endswith("msa_position_embedding") for name in snapshot.weights.names)


def _use_original_names(weights: Weights) -> Weights:
    """Takes the prefixes off, and swaps rows and columns where the file was released so."""
    is_released = any(name.startswith(_RELEASED) for name in weights.names)

    def rename(name: str) -> str:
        swapped = re.sub("row_self|column_self", lambda match: _SWAPPED[match[0]], name)
        return _PREFIX.sub("", swapped if is_released else name, count=1)

    return weights.renamed(rename)


def _build_tokenizer(snapshot: Snapshot) -> Tokenizer:
    return replace(build_esm_tokenizer(), suffix=())


def _build_contacts(encoder: Encoder) -> ContactHead:
    return ContactHead(encoder.config.num_layers * encoder.config.num_heads)


def _build_encoder(snapshot: Snapshot) -> MSATransformer:
    weights = _use_original_names(snapshot.weights)
    settings: Any = weights.metadata.get("args")
    settings = settings if isinstance(settings, Mapping) else vars(settings)
    settings = {name.removeprefix("encoder_"): value for name, value in settings.items()}
    rows = weights.read("msa_position_embedding")
    return MSATransformer(
        MSATransformerConfig(
            vocabulary_size=len(build_esm_tokenizer().vocabulary),
            dim=settings["embed_dim"],
            num_layers=settings["layers"],
            num_heads=settings["attention_heads"],
            feed_forward_dim=settings["ffn_embed_dim"],
            max_tokens=len(weights.read("embed_positions.weight")) - _FIRST_POSITION,
            max_depth=rows.shape[1],
            depth_dim=rows.shape[-1],
        )
    )


MSA_TRANSFORMER = Family(
    name="MSA Transformer (fair-esm)",
    matches=_matches,
    build_encoder=_build_encoder,
    build_tokenizer=_build_tokenizer,
    build_head=build_esm_head,
    build_contacts=_build_contacts,
    rules=_RULES,
    rename=_use_original_names,
    head_mark="lm_head.bias",
    contacts_mark="contact_head.regression.weight",
    reads="alignment",
)
