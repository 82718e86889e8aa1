"""ESM-C (ESM Cambrian) in the layout of Hugging Face.

It differs from ESM-2 by gated feed-forward blocks, norms of queries and keys, residual branches
scaled by the depth, and the absence of most biases and of token dropout.

Source: ESM Team 2024 (ESM Cambrian); names and arithmetic as in transformers' `EsmcModel` and
`EsmcForMaskedLM`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch

from bioseq.checkpoints.families.esm import ESM_TOKENS, build_esm_head
from bioseq.checkpoints.families.family import Family
from bioseq.checkpoints.keymap import Ignored, Rule, concatenate, pair
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.errors import CheckpointError
from bioseq.models import Encoder, TransformerConfig, TransformerEncoder
from bioseq.tokenizer import ResidueTokenizer, Tokenizer, Vocabulary

_TOKENS = tuple("|" if token == "<null_1>" else token for token in ESM_TOKENS)
_SCALED_DEPTH = 36  # residual branches count whole in a model of so many layers
_VOCABULARY_SIZE = 64  # more rows than tokens; nothing uses the rest
_EMBEDDING = "embed_tokens.weight"

# Fixed for all of them; another value means another arithmetic.
_REQUIRED: Mapping[str, object] = {
    "vocab_size": _VOCABULARY_SIZE,
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
}
_ROTARY: Mapping[str, object] = {"rope_theta": 10_000.0, "rope_type": "default"}


def norm_without_bias(ours: str, foreign: str) -> tuple[Rule, ...]:
    """Returns the rules for a norm that has no bias in the file: ours is zero."""
    return (
        Rule(f"{ours}.weight", (f"{foreign}.weight",)),
        Rule(f"{ours}.bias", (f"{foreign}.weight",), torch.zeros_like),
    )


# No file has them, and they are not rounded.
RATES = Rule("encoder.rotary.rates", ("rotary_emb.inv_freq",), optional=True)

_OURS = "encoder.layers.{layer}"
_THEIRS = "layers.{layer}"
_RULES: Sequence[Rule | Ignored] = (
    Rule("encoder.embedding.tokens.weight", (_EMBEDDING,)),
    *pair(f"{_OURS}.attention_norm", f"{_THEIRS}.input_layernorm"),
    Rule(
        f"{_OURS}.attention.query_key_value.weight",
        tuple(f"{_THEIRS}.self_attn.{name}_proj.weight" for name in "qkv"),
        concatenate,
    ),
    *norm_without_bias(f"{_OURS}.attention.query_norm", f"{_THEIRS}.self_attn.q_norm"),
    *norm_without_bias(f"{_OURS}.attention.key_norm", f"{_THEIRS}.self_attn.k_norm"),
    Rule(f"{_OURS}.attention.output.weight", (f"{_THEIRS}.self_attn.o_proj.weight",)),
    *pair(f"{_OURS}.feed_forward_norm", f"{_THEIRS}.post_attention_layernorm"),
    Rule(
        f"{_OURS}.feed_forward.up.weight",
        (f"{_THEIRS}.mlp.gate_proj.weight", f"{_THEIRS}.mlp.up_proj.weight"),
        concatenate,
    ),
    Rule(f"{_OURS}.feed_forward.down.weight", (f"{_THEIRS}.mlp.down_proj.weight",)),
    *norm_without_bias("encoder.final_norm", "norm"),
    RATES,
    *pair("head.dense", "lm_head.dense"),
    *pair("head.norm", "lm_head.layer_norm"),
    *pair("head.output", "lm_head.decoder"),
)


def build_esmc_encoder(
    *, dim: int, num_layers: int, num_heads: int, feed_forward_dim: int
) -> TransformerEncoder:
    """Builds an encoder of a member's size."""
    return TransformerEncoder(
        TransformerConfig(
            vocabulary_size=_VOCABULARY_SIZE,
            dim=dim,
            num_layers=num_layers,
            num_heads=num_heads,
            feed_forward_dim=feed_forward_dim,
            query_key_norm=True,
            attention_bias=False,
            residual_scale=math.sqrt(_SCALED_DEPTH / num_layers),
            activation="silu",
            gated=True,
            feed_forward_bias=False,
        )
    )


def build_esmc_tokenizer() -> ResidueTokenizer:
    """Builds the tokenizer of ESM-C: that of ESM-2, but for a token that no sequence can hold."""
    return ResidueTokenizer(
        molecule="protein",
        vocabulary=Vocabulary(_TOKENS),
        prefix=("<cls>",),
        suffix=("<eos>",),
        unknown="<unk>",
    )


def _matches(snapshot: Snapshot) -> bool:
    names = snapshot.weights.names
    return snapshot.config.get("model_type") == "esmc" and any(
        n.endswith(_EMBEDDING) for n in names
    )


def _build_tokenizer(snapshot: Snapshot) -> Tokenizer:
    return build_esmc_tokenizer()


def _build_encoder(snapshot: Snapshot) -> Encoder:
    config = snapshot.config
    rotary = config.get("rope_parameters") or {}
    wrong = [f"{k} is {config[k]!r}" for k, v in _REQUIRED.items() if config.get(k, v) != v]
    wrong += [f"{k} is {rotary[k]!r}" for k, v in _ROTARY.items() if rotary.get(k, v) != v]
    if wrong:
        raise CheckpointError(snapshot.config_path, f"not an ESM-C model: {', '.join(wrong)}")
    return build_esmc_encoder(
        dim=config["hidden_size"],
        num_layers=config["num_hidden_layers"],
        num_heads=config["num_attention_heads"],
        feed_forward_dim=config["intermediate_size"],
    )


ESMC = Family(
    name="ESM-C",
    matches=_matches,
    build_encoder=_build_encoder,
    build_tokenizer=_build_tokenizer,
    build_head=build_esm_head,
    rules=_RULES,
    prefix="esmc.",
    head_mark="lm_head.decoder.weight",
)
