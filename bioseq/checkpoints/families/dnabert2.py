"""DNABERT-2: a MosaicBERT, with symmetric ALiBi in place of positions and a gated feed-forward.

Source: Zhou et al. 2024 (DNABERT-2); Portes et al. 2023 (MosaicBERT), section 3; names as in
MosaicBERT's `bert_layers`. The arithmetic is that of its path without Triton, in full float32.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bioseq.checkpoints.families.bert import (
    BERT_HEAD_MARK,
    EMBEDDING_RULES,
    HEAD_RULES,
    build_bert_head,
)
from bioseq.checkpoints.families.family import Family
from bioseq.checkpoints.keymap import Ignored, Rule, norm, pair
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.errors import CheckpointError, FormatError
from bioseq.models import Encoder, TransformerConfig, TransformerEncoder
from bioseq.tokenizer import Tokenizer, load_bpe_tokenizer

_TOKENIZER_FILE = "tokenizer.json"
_FUSED = "attention.self.Wqkv.weight"


def _no_bias(weight: Tensor) -> Tensor:
    """Returns zeros: the gated map has no bias, while the map behind it has one."""
    return torch.zeros(len(weight))


_OURS = "encoder.layers.{layer}"
_THEIRS = "encoder.layer.{layer}"
_GATED = f"{_THEIRS}.mlp.gated_layers.weight"
_RULES: Sequence[Rule | Ignored] = (
    *EMBEDDING_RULES,
    *pair(f"{_OURS}.attention.query_key_value", f"{_THEIRS}.attention.self.Wqkv"),
    *pair(f"{_OURS}.attention.output", f"{_THEIRS}.attention.output.dense"),
    *norm(f"{_OURS}.attention_norm", f"{_THEIRS}.attention.output.LayerNorm"),
    Rule(f"{_OURS}.feed_forward.up.weight", (_GATED,)),
    Rule(f"{_OURS}.feed_forward.up.bias", (_GATED,), _no_bias),
    *pair(f"{_OURS}.feed_forward.down", f"{_THEIRS}.mlp.wo"),
    *norm(f"{_OURS}.feed_forward_norm", f"{_THEIRS}.mlp.layernorm"),
    *HEAD_RULES,
)


def _matches(snapshot: Snapshot) -> bool:
    is_bert = snapshot.config.get("model_type") == "bert"
    return is_bert and any(name.endswith(_FUSED) for name in snapshot.weights.names)


def _build_tokenizer(snapshot: Snapshot) -> Tokenizer:
    path = snapshot.path / _TOKENIZER_FILE
    if not path.is_file():
        raise CheckpointError(path, "no such file; the model can't be used without its merges")
    try:
        return load_bpe_tokenizer(path, molecule="dna", prefix=("[CLS]",), suffix=("[SEP]",))
    except FormatError as error:
        raise CheckpointError(path, f"{error.found}; get it again") from None


def _build_encoder(snapshot: Snapshot) -> Encoder:
    config = snapshot.config
    if config.get("hidden_act", "gelu") != "gelu":
        problem = f"not a DNABERT-2: hidden_act is {config['hidden_act']!r}"
        raise CheckpointError(snapshot.config_path, problem)
    return TransformerEncoder(
        TransformerConfig(
            vocabulary_size=config["vocab_size"],
            dim=config["hidden_size"],
            num_layers=config["num_hidden_layers"],
            num_heads=config["num_attention_heads"],
            feed_forward_dim=config["intermediate_size"],
            norm="post",
            norm_eps=config["layer_norm_eps"],
            position="alibi",  # whatever position_embedding_type says
            gated=True,
            embedding_norm=True,
        )
    )


DNABERT2 = Family(
    name="DNABERT-2",
    matches=_matches,
    build_encoder=_build_encoder,
    build_tokenizer=_build_tokenizer,
    build_head=build_bert_head,
    rules=_RULES,
    prefix="bert.",
    head_mark=BERT_HEAD_MARK,
)
