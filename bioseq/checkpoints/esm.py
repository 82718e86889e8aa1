"""ESM-2 in the layout of Hugging Face: `config.json` beside `model.safetensors`.

Source: Lin et al. 2023; names and arithmetic as in transformers' `EsmModel` and `EsmForMaskedLM`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from bioseq.checkpoints.files import CONFIG_FILE, open_weights, read_config, weights_digest
from bioseq.checkpoints.keymap import Ignored, Rule, concatenate, fill
from bioseq.checkpoints.model import Model
from bioseq.errors import BioseqError, CheckpointError
from bioseq.heads import LanguageHead
from bioseq.models import TransformerConfig, TransformerEncoder
from bioseq.tokenizer import ResidueTokenizer, Vocabulary

_TOKENS = (
    *("<cls>", "<pad>", "<eos>", "<unk>"),
    *"LAGVSERTIDPKQNFYMHWCXBUZO.-",
    *("<null_1>", "<mask>"),
)
_MASK_RATE = 0.15 * 0.8
_HEAD_EPS = 1e-5

# Fixed for all ESM-2 models; another value means another arithmetic.
_REQUIRED: Mapping[str, object] = {
    "model_type": "esm",
    "position_embedding_type": "rotary",
    "token_dropout": True,
    "vocab_size": len(_TOKENS),
    "mask_token_id": _TOKENS.index("<mask>"),
}
_REFUSED = ("emb_layer_norm_before", "is_folding_model", "is_decoder", "add_cross_attention")


def _linear(ours: str, foreign: str) -> tuple[Rule, ...]:
    return tuple(Rule(f"{ours}.{part}", (f"{foreign}.{part}",)) for part in ("weight", "bias"))


def _norm(ours: str, foreign: str) -> tuple[Rule, ...]:
    """Norms have two spellings: transformers 5 writes gamma and beta for some."""
    old = (
        Rule(f"{ours}.weight", (f"{foreign}.gamma",)),
        Rule(f"{ours}.bias", (f"{foreign}.beta",)),
    )
    return (*_linear(ours, foreign), *old)


def _joined(ours: str, foreign: str) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            f"{ours}.{part}",
            tuple(f"{foreign}.{name}.{part}" for name in ("query", "key", "value")),
            concatenate,
        )
        for part in ("weight", "bias")
    )


_OURS = "encoder.layers.{layer}"
_THEIRS = "encoder.layer.{layer}"
_RATES = "attention.self.rotary_embeddings.inv_freq"
_RULES: Sequence[Rule | Ignored] = (
    Rule("encoder.embedding.tokens.weight", ("embeddings.word_embeddings.weight",)),
    *_norm(f"{_OURS}.attention_norm", f"{_THEIRS}.attention.LayerNorm"),
    *_joined(f"{_OURS}.attention.query_key_value", f"{_THEIRS}.attention.self"),
    *_linear(f"{_OURS}.attention.output", f"{_THEIRS}.attention.output.dense"),
    *_norm(f"{_OURS}.feed_forward_norm", f"{_THEIRS}.LayerNorm"),
    *_linear(f"{_OURS}.feed_forward.up", f"{_THEIRS}.intermediate.dense"),
    *_linear(f"{_OURS}.feed_forward.down", f"{_THEIRS}.output.dense"),
    *_norm("encoder.final_norm", "encoder.emb_layer_norm_after"),
    # Training rounded them to half precision: recomputed ones give other numbers.
    Rule("encoder.rotary.rates", ("rotary_embeddings.inv_freq",)),
    Rule("encoder.rotary.rates", (f"encoder.layer.0.{_RATES}",)),
    Rule("encoder.rotary.rates", (f"encoder.layer.*.{_RATES}",), optional=True),
    *_linear("head.dense", "lm_head.dense"),
    *_norm("head.norm", "lm_head.layer_norm"),
    Rule("head.output.weight", ("lm_head.decoder.weight",)),
    Rule("head.output.weight", ("embeddings.word_embeddings.weight",)),
    Rule("head.output.bias", ("lm_head.bias",)),
    Ignored(f"{_THEIRS}.{_RATES}", "the same in every layer; layer 0's is used"),
    Ignored("embeddings.position_ids", "counts from 0"),
    Ignored("embeddings.position_embeddings.weight", "left over; positions are rotary"),
    Ignored("contact_head.regression.weight", "contacts are not predicted by encoder or head"),
    Ignored("contact_head.regression.bias", "contacts are not predicted by encoder or head"),
    Ignored("pooler.dense.weight", "never trained"),
    Ignored("pooler.dense.bias", "never trained"),
)


def build_esm_tokenizer() -> ResidueTokenizer:
    """Builds the tokenizer of ESM-1b, ESM-1v and ESM-2."""
    return ResidueTokenizer(
        molecule="protein",
        vocabulary=Vocabulary(_TOKENS),
        prefix=("<cls>",),
        suffix=("<eos>",),
        unknown="<unk>",  # J and the stop mark: the model has no token of their own for them
    )


def read_esm(folder: Path, *, name: str | None = None) -> Model:
    """Reads an ESM-2 folder, with the weights in float32 and the encoder in evaluation mode.

    Args:
        folder: As `save_pretrained` writes it, or downloaded.
        name: What the user asked for; the folder's own name by default.

    Raises:
        CheckpointError: a file is missing, damaged, or not ESM-2.
    """
    config = read_config(folder)
    encoder = TransformerEncoder(_transformer_config(config, folder / CONFIG_FILE))
    with open_weights(folder) as weights:
        names = {full.removeprefix("esm."): full for full in weights.names}
        head = _build_head(encoder, weights.path) if "lm_head.bias" in names else None
        parts = nn.ModuleDict({"encoder": encoder} | ({"head": head} if head else {}))
        fill(
            parts.eval(),
            _RULES,
            names=names.keys(),
            read=lambda short: weights.read(names[short]),
            path=weights.path,
        )
    return Model(
        name=name or folder.resolve().name,
        encoder=encoder,
        tokenizer=build_esm_tokenizer(),
        head=head,
        objective="masked" if head else None,
        weights_sha256=weights_digest(folder),
    )


def is_esm(config: Mapping[str, Any]) -> bool:
    """Tells whether a config is that of an ESM model in the layout of Hugging Face."""
    return config.get("model_type") == "esm"


def _build_head(encoder: TransformerEncoder, path: Path) -> LanguageHead:
    if encoder.config.norm_eps != _HEAD_EPS:
        problem = f"layer_norm_eps is {encoder.config.norm_eps}; ESM-2's head has {_HEAD_EPS}"
        raise CheckpointError(path, problem)
    return LanguageHead(encoder.dim, encoder.config.vocabulary_size)


def _transformer_config(config: Mapping[str, Any], path: Path) -> TransformerConfig:
    wrong = [f"{k} is {config.get(k)!r}" for k, v in _REQUIRED.items() if config.get(k) != v]
    wrong += [f"{k} is {config[k]!r}" for k in _REFUSED if config.get(k)]
    if wrong:
        raise CheckpointError(path, f"not an ESM-2 model: {', '.join(wrong)}")
    try:
        return TransformerConfig(
            vocabulary_size=config["vocab_size"],
            dim=config["hidden_size"],
            num_layers=config["num_hidden_layers"],
            num_heads=config["num_attention_heads"],
            feed_forward_dim=config["intermediate_size"],
            norm_eps=config["layer_norm_eps"],
            mask_token=config["mask_token_id"],
            mask_rate=_MASK_RATE,
        )
    except (BioseqError, KeyError) as error:
        raise CheckpointError(path, f"unusable config: {error}") from None
