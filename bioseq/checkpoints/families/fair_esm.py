"""ESM-1b, ESM-1v and ESM-2 in the files of fair-esm: settings beside the tensors in one `.pt`.

The weights of the contact head come in a file of their own beside it,
`<name>-contact-regression.pt`.

Source: Rives et al. 2021 (ESM-1b); Meier et al. 2021 (ESM-1v); Lin et al. 2023 (ESM-2); layout as
in fair-esm's `esm.pretrained`.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from bioseq.checkpoints.families.esm import (
    MASK_RATE,
    POSITION_OFFSET,
    build_esm_contacts,
    build_esm_head,
    build_esm_tokenizer,
)
from bioseq.checkpoints.families.family import Family
from bioseq.checkpoints.keymap import Ignored, Rule, joined, pair
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.models import Encoder, TransformerConfig, TransformerEncoder
from bioseq.tokenizer import Tokenizer

_MASK = build_esm_tokenizer().vocabulary.id("<mask>")
_POSITIONS = "encoder.sentence_encoder.embed_positions.weight"
_ESM1_ARCHITECTURE = "roberta_large"  # the other is that of the first ESM-1, which is not read


def _without_mask(table: Tensor) -> Tensor:
    """Zeroes the mask token's row, as fair-esm does with the files of ESM-1b and ESM-1v."""
    table = table.clone()
    table[_MASK] = 0
    return table


_OURS = "encoder.layers.{layer}"
_THEIRS = "sentence_encoder.layers.{layer}"
_RULES: Sequence[Rule | Ignored] = (
    Rule("encoder.embedding.tokens.weight", ("sentence_encoder.embed_tokens.weight",)),
    Rule("encoder.embedding.positions.weight", ("sentence_encoder.embed_positions.weight",)),
    *pair("encoder.embedding.norm", "sentence_encoder.emb_layer_norm_before"),
    *pair(f"{_OURS}.attention_norm", f"{_THEIRS}.self_attn_layer_norm"),
    *joined(
        f"{_OURS}.attention.query_key_value",
        f"{_THEIRS}.self_attn",
        ("q_proj", "k_proj", "v_proj"),
    ),
    *pair(f"{_OURS}.attention.output", f"{_THEIRS}.self_attn.out_proj"),
    *pair(f"{_OURS}.feed_forward_norm", f"{_THEIRS}.final_layer_norm"),
    *pair(f"{_OURS}.feed_forward.up", f"{_THEIRS}.fc1"),
    *pair(f"{_OURS}.feed_forward.down", f"{_THEIRS}.fc2"),
    Rule("encoder.rotary.rates", ("sentence_encoder.layers.0.self_attn.rot_emb.inv_freq",)),
    Ignored(f"{_THEIRS}.self_attn.rot_emb.inv_freq", "the same in every layer; layer 0's is used"),
    *pair("encoder.final_norm", "sentence_encoder.emb_layer_norm_after"),
    *pair("head.dense", "lm_head.dense"),
    *pair("head.norm", "lm_head.layer_norm"),
    *pair("head.output", "lm_head"),
    *pair("contacts.regression", "contact_head.regression"),
    Ignored("contact_head.regression.weight", "never trained in ESM-1v"),
    Ignored("contact_head.regression.bias", "never trained in ESM-1v"),
)
_ESM1_RULES: Sequence[Rule | Ignored] = (
    Rule(
        "encoder.embedding.tokens.weight", ("sentence_encoder.embed_tokens.weight",), _without_mask
    ),
    Rule("head.output.weight", ("lm_head.weight",), _without_mask),
    *_RULES,
)


def _settings(snapshot: Snapshot) -> Mapping[str, Any]:
    """Returns the training settings, spelled alike for all releases; empty where there are none."""
    metadata = snapshot.weights.metadata
    config = metadata.get("cfg")
    found = config.get("model") if isinstance(config, Mapping) else metadata.get("args")
    fields = vars(found) if isinstance(found, Namespace) else {}
    return {name.removeprefix("encoder_"): value for name, value in fields.items()}


def _is_esm1(snapshot: Snapshot) -> bool:
    is_newer = "cfg" in snapshot.weights.metadata
    return not is_newer and _settings(snapshot).get("arch") == _ESM1_ARCHITECTURE


def _is_esm2(snapshot: Snapshot) -> bool:
    return "cfg" in snapshot.weights.metadata and "layers" in _settings(snapshot)


def _build_encoder(snapshot: Snapshot) -> Encoder:
    settings = _settings(snapshot)
    names = snapshot.weights.names
    is_learned = _POSITIONS in names
    return TransformerEncoder(
        TransformerConfig(
            vocabulary_size=len(build_esm_tokenizer().vocabulary),
            dim=settings["embed_dim"],
            num_layers=settings["layers"],
            num_heads=settings["attention_heads"],
            feed_forward_dim=settings.get("ffn_embed_dim", 4 * settings["embed_dim"]),
            position="learned" if is_learned else "rotary",
            max_tokens=settings["max_positions"] if is_learned else None,
            position_offset=POSITION_OFFSET if is_learned else 0,
            embedding_norm=any("emb_layer_norm_before" in name for name in names),
            mask_token=_MASK if settings.get("token_dropout") else None,
            mask_rate=MASK_RATE,
        )
    )


def _build_tokenizer(snapshot: Snapshot) -> Tokenizer:
    return build_esm_tokenizer()


FAIR_ESM1 = Family(
    name="ESM-1b or ESM-1v (fair-esm)",
    matches=_is_esm1,
    build_encoder=_build_encoder,
    build_tokenizer=_build_tokenizer,
    build_head=build_esm_head,
    build_contacts=build_esm_contacts,
    rules=_ESM1_RULES,
    prefix="encoder.",
    head_mark="lm_head.bias",
    contacts_mark="contact_head.regression.weight",
)
FAIR_ESM2 = Family(
    name="ESM-2 (fair-esm)",
    matches=_is_esm2,
    build_encoder=_build_encoder,
    build_tokenizer=_build_tokenizer,
    build_head=build_esm_head,
    build_contacts=build_esm_contacts,
    rules=_RULES,
    prefix="encoder.",
    head_mark="lm_head.bias",
    contacts_mark="contact_head.regression.weight",
)
