"""ESM-1b, ESM-1v and ESM-2 in the layout of Hugging Face.

Source: Rives et al. 2021 (ESM-1b); Meier et al. 2021 (ESM-1v); Lin et al. 2023 (ESM-2); names and
arithmetic as in transformers' `EsmModel` and `EsmForMaskedLM`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bioseq.checkpoints.families.family import Family
from bioseq.checkpoints.keymap import Ignored, Rule, joined, norm, pair
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.errors import CheckpointError
from bioseq.heads import ContactHead, LanguageHead
from bioseq.models import Encoder, TransformerConfig, TransformerEncoder
from bioseq.models.transformer_config import Position
from bioseq.tokenizer import ResidueTokenizer, Tokenizer, Vocabulary

ESM_TOKENS = (
    *("<cls>", "<pad>", "<eos>", "<unk>"),
    *"LAGVSERTIDPKQNFYMHWCXBUZO.-",
    *("<null_1>", "<mask>"),
)
MASK_RATE = 0.15 * 0.8
POSITION_OFFSET = 2  # rows below belong to padding

# Fixed for all of them; another value means another arithmetic.
_REQUIRED: Mapping[str, object] = {
    "token_dropout": True,
    "vocab_size": len(ESM_TOKENS),
    "mask_token_id": ESM_TOKENS.index("<mask>"),
}
_REFUSED = ("is_folding_model", "is_decoder", "add_cross_attention")
_POSITIONS: Mapping[str, Position] = {"absolute": "learned", "rotary": "rotary"}


_OURS = "encoder.layers.{layer}"
_THEIRS = "encoder.layer.{layer}"
_RATES = "attention.self.rotary_embeddings.inv_freq"
_RULES: Sequence[Rule | Ignored] = (
    Rule("encoder.embedding.tokens.weight", ("embeddings.word_embeddings.weight",)),
    *norm(f"{_OURS}.attention_norm", f"{_THEIRS}.attention.LayerNorm"),
    *joined(
        f"{_OURS}.attention.query_key_value",
        f"{_THEIRS}.attention.self",
        ("query", "key", "value"),
    ),
    *pair(f"{_OURS}.attention.output", f"{_THEIRS}.attention.output.dense"),
    *norm(f"{_OURS}.feed_forward_norm", f"{_THEIRS}.LayerNorm"),
    *pair(f"{_OURS}.feed_forward.up", f"{_THEIRS}.intermediate.dense"),
    *pair(f"{_OURS}.feed_forward.down", f"{_THEIRS}.output.dense"),
    *norm("encoder.final_norm", "encoder.emb_layer_norm_after"),
    Rule("encoder.embedding.positions.weight", ("embeddings.position_embeddings.weight",)),
    *norm("encoder.embedding.norm", "embeddings.layer_norm"),
    # Training rounded them to half precision: recomputed ones give other numbers.
    Rule("encoder.rotary.rates", ("rotary_embeddings.inv_freq",)),
    Rule("encoder.rotary.rates", (f"encoder.layer.0.{_RATES}",)),
    Rule("encoder.rotary.rates", (f"encoder.layer.*.{_RATES}",), optional=True),
    *pair("head.dense", "lm_head.dense"),
    *norm("head.norm", "lm_head.layer_norm"),
    Rule("head.output.weight", ("lm_head.decoder.weight",)),
    Rule("head.output.weight", ("embeddings.word_embeddings.weight",)),
    Rule("head.output.bias", ("lm_head.bias",)),
    *pair("contacts.regression", "contact_head.regression"),
    Ignored(f"{_THEIRS}.{_RATES}", "the same in every layer; layer 0's is used"),
    Ignored("embeddings.position_ids", "counts from 0"),
    Ignored("embeddings.position_embeddings.weight", "left over where positions are rotary"),
    Ignored("contact_head.regression.weight", "never trained in ESM-1v"),
    Ignored("contact_head.regression.bias", "never trained in ESM-1v"),
    Ignored("pooler.dense.weight", "never trained"),
    Ignored("pooler.dense.bias", "never trained"),
)


def build_esm_tokenizer() -> ResidueTokenizer:
    """Builds the tokenizer of ESM-1b, ESM-1v and ESM-2."""
    return ResidueTokenizer(
        molecule="protein",
        vocabulary=Vocabulary(ESM_TOKENS),
        prefix=("<cls>",),
        suffix=("<eos>",),
        unknown="<unk>",  # J and the stop mark: the model has no token of their own for them
    )


def _matches(snapshot: Snapshot) -> bool:
    return snapshot.config.get("model_type") == "esm"


def _build_tokenizer(snapshot: Snapshot) -> Tokenizer:
    return build_esm_tokenizer()


def _build_encoder(snapshot: Snapshot) -> Encoder:
    config = snapshot.config
    wrong = [f"{k} is {config.get(k)!r}" for k, v in _REQUIRED.items() if config.get(k) != v]
    wrong += [f"{k} is {config[k]!r}" for k in _REFUSED if config.get(k)]
    if config.get("position_embedding_type") not in _POSITIONS:
        wrong.append(f"position_embedding_type is {config.get('position_embedding_type')!r}")
    if wrong:
        raise CheckpointError(snapshot.config_path, f"not an ESM model: {', '.join(wrong)}")
    position = _POSITIONS[config["position_embedding_type"]]
    is_learned = position == "learned"
    return TransformerEncoder(
        TransformerConfig(
            vocabulary_size=config["vocab_size"],
            dim=config["hidden_size"],
            num_layers=config["num_hidden_layers"],
            num_heads=config["num_attention_heads"],
            feed_forward_dim=config["intermediate_size"],
            norm_eps=config["layer_norm_eps"],
            position=position,
            max_tokens=config["max_position_embeddings"] - POSITION_OFFSET if is_learned else None,
            position_offset=POSITION_OFFSET if is_learned else 0,
            embedding_norm=bool(config.get("emb_layer_norm_before")),
            mask_token=config["mask_token_id"],
            mask_rate=MASK_RATE,
        )
    )


def build_esm_head(encoder: Encoder) -> LanguageHead:
    """Builds the language-model head of ESM-1b, ESM-1v, ESM-2 and ESM-C."""
    config = encoder.config
    return LanguageHead(encoder.dim, config.vocabulary_size, norm_eps=config.norm_eps)


def build_esm_contacts(encoder: Encoder) -> ContactHead | None:
    """Builds the contact head of ESM-1b and ESM-2; ESM-1v has none."""
    config = encoder.config
    # Learned positions without a norm of the embeddings: ESM-1v. Its regression is random.
    if config.position == "learned" and not config.embedding_norm:
        return None
    return ContactHead(config.num_layers * config.num_heads)


ESM = Family(
    name="ESM-1b, ESM-1v or ESM-2",
    matches=_matches,
    build_encoder=_build_encoder,
    build_tokenizer=_build_tokenizer,
    build_head=build_esm_head,
    build_contacts=build_esm_contacts,
    rules=_RULES,
    prefix="esm.",
    head_mark="lm_head.bias",
    contacts_mark="contact_head.regression.weight",
)
