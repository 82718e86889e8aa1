"""ESM-C (ESM Cambrian) in its authors' own files.

Two layouts hold the same tensors: the `.pth` files of the `esm` package, and the safetensors that
the authors first put on the hub, where a norm and the map behind it are one layer. The number of
heads stands in neither.

Source: ESM Team 2024 (ESM Cambrian); names as in the `esm` package's `ESMC`.
"""

from __future__ import annotations

from collections.abc import Sequence

from bioseq.checkpoints.families.esm import build_esm_head
from bioseq.checkpoints.families.esmc import (
    RATES,
    build_esmc_encoder,
    build_esmc_tokenizer,
    norm_without_bias,
)
from bioseq.checkpoints.families.family import Family
from bioseq.checkpoints.keymap import Ignored, Rule, pair
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.models import Encoder
from bioseq.tokenizer import Tokenizer

_HEAD_DIM = 64  # in all released models

_OURS = "encoder.layers.{layer}"
_THEIRS = "transformer.blocks.{layer}"
_SHARED_RULES: Sequence[Rule | Ignored] = (
    Rule("encoder.embedding.tokens.weight", ("embed.weight",)),
    *norm_without_bias(f"{_OURS}.attention.query_norm", f"{_THEIRS}.attn.q_ln"),
    *norm_without_bias(f"{_OURS}.attention.key_norm", f"{_THEIRS}.attn.k_ln"),
    Rule(f"{_OURS}.attention.output.weight", (f"{_THEIRS}.attn.out_proj.weight",)),
    *norm_without_bias("encoder.final_norm", "transformer.norm"),
    RATES,
)
_RULES: Sequence[Rule | Ignored] = (
    *_SHARED_RULES,
    *pair(f"{_OURS}.attention_norm", f"{_THEIRS}.attn.layernorm_qkv.0"),
    Rule(f"{_OURS}.attention.query_key_value.weight", (f"{_THEIRS}.attn.layernorm_qkv.1.weight",)),
    *pair(f"{_OURS}.feed_forward_norm", f"{_THEIRS}.ffn.0"),
    Rule(f"{_OURS}.feed_forward.up.weight", (f"{_THEIRS}.ffn.1.weight",)),
    Rule(f"{_OURS}.feed_forward.down.weight", (f"{_THEIRS}.ffn.3.weight",)),
    *pair("head.dense", "sequence_head.0"),
    *pair("head.norm", "sequence_head.2"),
    *pair("head.output", "sequence_head.3"),
)
_NORM_AND_MAP = f"{_THEIRS}.attn.layernorm_qkv"
_FUSED_RULES: Sequence[Rule | Ignored] = (
    *_SHARED_RULES,
    Rule(f"{_OURS}.attention_norm.weight", (f"{_NORM_AND_MAP}.layer_norm_weight",)),
    Rule(f"{_OURS}.attention_norm.bias", (f"{_NORM_AND_MAP}.layer_norm_bias",)),
    Rule(f"{_OURS}.attention.query_key_value.weight", (f"{_NORM_AND_MAP}.weight",)),
    Rule(f"{_OURS}.feed_forward_norm.weight", (f"{_THEIRS}.ffn.layer_norm_weight",)),
    Rule(f"{_OURS}.feed_forward_norm.bias", (f"{_THEIRS}.ffn.layer_norm_bias",)),
    Rule(f"{_OURS}.feed_forward.up.weight", (f"{_THEIRS}.ffn.fc1_weight",)),
    Rule(f"{_OURS}.feed_forward.down.weight", (f"{_THEIRS}.ffn.fc2_weight",)),
    *pair("head.dense", "lm_head.0"),
    *pair("head.norm", "lm_head.2"),
    *pair("head.output", "lm_head.3"),
    Ignored(f"{_NORM_AND_MAP}._extra_state", "scales of 8-bit arithmetic"),
    Ignored(f"{_THEIRS}.ffn._extra_state", "scales of 8-bit arithmetic"),
)

# The first layer's wide map: it tells the layout and the width.
_UP = "transformer.blocks.0.ffn.1.weight"
_FUSED_UP = "esmc.transformer.blocks.0.ffn.fc1_weight"


def _matches(snapshot: Snapshot) -> bool:
    return _UP in snapshot.weights.names


def _is_fused(snapshot: Snapshot) -> bool:
    return _FUSED_UP in snapshot.weights.names


def _build_tokenizer(snapshot: Snapshot) -> Tokenizer:
    return build_esmc_tokenizer()


def _build_encoder(snapshot: Snapshot) -> Encoder:
    weights = snapshot.weights
    hidden, dim = weights.read(_FUSED_UP if _is_fused(snapshot) else _UP).shape
    return build_esmc_encoder(
        dim=dim,
        num_layers=sum(name.endswith("attn.q_ln.weight") for name in weights.names),
        num_heads=dim // _HEAD_DIM,
        feed_forward_dim=hidden // 2,
    )


ESMC_NATIVE = Family(
    name="ESM-C (the authors' .pth)",
    matches=_matches,
    build_encoder=_build_encoder,
    build_tokenizer=_build_tokenizer,
    build_head=build_esm_head,
    rules=_RULES,
    head_mark="sequence_head.3.weight",
)
ESMC_FUSED = Family(
    name="ESM-C (the authors' safetensors)",
    matches=_is_fused,
    build_encoder=_build_encoder,
    build_tokenizer=_build_tokenizer,
    build_head=build_esm_head,
    rules=_FUSED_RULES,
    prefix="esmc.",
    head_mark="lm_head.3.weight",
)
