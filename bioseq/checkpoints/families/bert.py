"""BERT in the layout of Hugging Face: what ProtBert and DNABERT share.

Source: Devlin et al. 2019; names and arithmetic as in transformers' `BertModel` and
`BertForMaskedLM`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from bioseq.checkpoints.keymap import Ignored, Rule, joined, norm, pair
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.errors import CheckpointError
from bioseq.heads import LanguageHead
from bioseq.models import Encoder, TransformerConfig, TransformerEncoder

# Fixed for all of them; another value means another arithmetic.
_REQUIRED: Mapping[str, object] = {"hidden_act": "gelu", "position_embedding_type": "absolute"}
_REFUSED = ("is_decoder", "add_cross_attention")
_NORM_EPS = 1e-12  # what a config that does not say means


def add_first_type(tokens: Tensor, types: Tensor) -> Tensor:
    """Adds the vector of the first token type, which all tokens have, to each token's."""
    return tokens + types[0]


_OURS = "encoder.layers.{layer}"
_THEIRS = "encoder.layer.{layer}"
EMBEDDING_RULES: Sequence[Rule | Ignored] = (
    Rule(
        "encoder.embedding.tokens.weight",
        ("embeddings.word_embeddings.weight", "embeddings.token_type_embeddings.weight"),
        add_first_type,
    ),
    *norm("encoder.embedding.norm", "embeddings.LayerNorm"),
    Ignored("embeddings.position_ids", "counts from 0"),
)
HEAD_RULES: Sequence[Rule | Ignored] = (
    *pair("head.dense", "cls.predictions.transform.dense"),
    *norm("head.norm", "cls.predictions.transform.LayerNorm"),
    Rule("head.output.weight", ("cls.predictions.decoder.weight",)),
    Rule("head.output.weight", ("embeddings.word_embeddings.weight",)),
    Rule("head.output.bias", ("cls.predictions.bias",)),
    Rule("head.output.bias", ("cls.predictions.decoder.bias",)),
    Ignored("cls.predictions.decoder.bias", "the same as cls.predictions.bias"),
    Ignored("cls.seq_relationship.weight", "tells pairs of sentences, which sequences are not"),
    Ignored("cls.seq_relationship.bias", "tells pairs of sentences, which sequences are not"),
    Ignored("pooler.dense.weight", "serves classifiers of whole sequences"),
    Ignored("pooler.dense.bias", "serves classifiers of whole sequences"),
)
BERT_RULES: Sequence[Rule | Ignored] = (
    *EMBEDDING_RULES,
    Rule("encoder.embedding.positions.weight", ("embeddings.position_embeddings.weight",)),
    *joined(
        f"{_OURS}.attention.query_key_value",
        f"{_THEIRS}.attention.self",
        ("query", "key", "value"),
    ),
    *pair(f"{_OURS}.attention.output", f"{_THEIRS}.attention.output.dense"),
    *norm(f"{_OURS}.attention_norm", f"{_THEIRS}.attention.output.LayerNorm"),
    *pair(f"{_OURS}.feed_forward.up", f"{_THEIRS}.intermediate.dense"),
    *pair(f"{_OURS}.feed_forward.down", f"{_THEIRS}.output.dense"),
    *norm(f"{_OURS}.feed_forward_norm", f"{_THEIRS}.output.LayerNorm"),
    *HEAD_RULES,
)
BERT_HEAD_MARK = "cls.predictions.transform.dense.weight"


def build_bert_encoder(snapshot: Snapshot) -> Encoder:
    """Builds the encoder that a BERT config describes.

    Raises:
        CheckpointError: it describes another arithmetic.
    """
    config = snapshot.config
    wrong = [f"{k} is {config[k]!r}" for k, v in _REQUIRED.items() if config.get(k, v) != v]
    wrong += [f"{k} is {config[k]!r}" for k in _REFUSED if config.get(k)]
    if wrong:
        raise CheckpointError(snapshot.config_path, f"not a BERT encoder: {', '.join(wrong)}")
    return TransformerEncoder(
        TransformerConfig(
            vocabulary_size=config["vocab_size"],
            dim=config["hidden_size"],
            num_layers=config["num_hidden_layers"],
            num_heads=config["num_attention_heads"],
            feed_forward_dim=config["intermediate_size"],
            norm="post",
            norm_eps=config.get("layer_norm_eps", _NORM_EPS),
            position="learned",
            max_tokens=config["max_position_embeddings"],
            embedding_norm=True,
        )
    )


def build_bert_head(encoder: Encoder) -> LanguageHead:
    """Builds BERT's language-model head."""
    config = encoder.config
    return LanguageHead(encoder.dim, config.vocabulary_size, norm_eps=config.norm_eps)
