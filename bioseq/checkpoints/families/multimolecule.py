"""RNA-FM in the layout of MultiMolecule: the same model under other names, its tokens reordered.

The layout has two generations: up to MultiMolecule 0.0, and from 0.1 on. Both give the stop mark,
the dot and others tokens of their own, with vectors that were never trained; here these symbols are
unknown, as in the authors' code.

Source: Chen et al. 2022 (RNA-FM); names as in MultiMolecule's `RnaFmForPreTraining`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bioseq.checkpoints.families.esm import MASK_RATE, POSITION_OFFSET, build_esm_head
from bioseq.checkpoints.families.family import Family
from bioseq.checkpoints.families.vocabulary import read_vocabulary
from bioseq.checkpoints.keymap import Ignored, Rule, joined, norm, pair
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.errors import CheckpointError
from bioseq.models import Encoder, TransformerConfig, TransformerEncoder
from bioseq.tokenizer import ResidueTokenizer, Tokenizer, Vocabulary

_VOCABULARY_FILE = "vocab.txt"
_TRAINED = frozenset(("<cls>", "<pad>", "<eos>", "<unk>", "<mask>", *"ACGURYKMSWBDHVN-"))
_UNTRAINED = "*."  # of the symbols that an RNA may hold

# Fixed for all of them; another value means another arithmetic.
_REQUIRED: Mapping[str, object] = {
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
}
_REFUSED = ("is_decoder", "add_cross_attention")

_OURS = "encoder.layers.{layer}"
_THEIRS = "encoder.layer.{layer}"
_NO_PAIRS = "bioseq has no head for RNA-FM's base pairs"
_RULES: Sequence[Rule | Ignored] = (
    Rule("encoder.embedding.tokens.weight", ("embeddings.word_embeddings.weight",)),
    Rule("encoder.embedding.positions.weight", ("embeddings.position_embeddings.weight",)),
    *norm("encoder.embedding.norm", "embeddings.layer_norm"),
    *norm(f"{_OURS}.attention_norm", f"{_THEIRS}.attention.layer_norm"),
    *joined(
        f"{_OURS}.attention.query_key_value",
        f"{_THEIRS}.attention.self",
        ("query", "key", "value"),
    ),
    *pair(f"{_OURS}.attention.output", f"{_THEIRS}.attention.output.dense"),
    *norm(f"{_OURS}.feed_forward_norm", f"{_THEIRS}.layer_norm"),
    *pair(f"{_OURS}.feed_forward.up", f"{_THEIRS}.intermediate.dense"),
    *pair(f"{_OURS}.feed_forward.down", f"{_THEIRS}.output.dense"),
    *norm("encoder.final_norm", "encoder.layer_norm"),
    *norm("encoder.final_norm", "encoder.emb_layer_norm_after"),
    *pair("head.dense", "lm_head.transform.dense"),
    *norm("head.norm", "lm_head.transform.layer_norm"),
    *pair("head.output", "lm_head.decoder"),
    Rule("head.output.weight", ("embeddings.word_embeddings.weight",)),
    Rule("head.output.bias", ("lm_head.bias",)),
    Ignored("lm_head.bias", "the same as lm_head.decoder.bias"),
    Ignored("ss_head.decoder.weight", _NO_PAIRS),
    Ignored("ss_head.decoder.bias", _NO_PAIRS),
    Ignored("contact_head.decoder.weight", _NO_PAIRS),
    Ignored("contact_head.decoder.bias", _NO_PAIRS),
    Ignored("embeddings.position_ids", "counts from 0"),
    Ignored("pooler.dense.weight", "never trained"),
    Ignored("pooler.dense.bias", "never trained"),
)


def build_multimolecule_tokenizer(vocabulary: Vocabulary) -> ResidueTokenizer:
    """Builds the tokenizer of RNA-FM with the tokens in MultiMolecule's order; T reads as U."""
    return ResidueTokenizer(
        molecule="rna",
        vocabulary=vocabulary,
        prefix=("<cls>",),
        suffix=("<eos>",),
        substitutions=dict.fromkeys(_UNTRAINED, "<unk>"),
        unknown="<unk>",
    )


def _read_vocabulary(snapshot: Snapshot) -> Vocabulary:
    """Reads the tokens, whose order changed from one release of MultiMolecule to the next."""
    vocabulary = read_vocabulary(snapshot, Vocabulary(()))
    missing = sorted(_TRAINED.difference(vocabulary.tokens))
    if missing:
        problem = f"{_VOCABULARY_FILE} is absent or not RNA-FM's: no {', '.join(missing[:3])}"
        raise CheckpointError(snapshot.path, f"{problem}; get the model again")
    return vocabulary


def _is_newer(snapshot: Snapshot) -> bool:
    return "encoder.layer_norm.weight" in {
        name.removeprefix("model.") for name in snapshot.weights.names
    }


def _matches(snapshot: Snapshot) -> bool:
    return snapshot.config.get("model_type") == "rnafm" and _is_newer(snapshot)


def _matches_older(snapshot: Snapshot) -> bool:
    return snapshot.config.get("model_type") == "rnafm" and not _is_newer(snapshot)


def _build_tokenizer(snapshot: Snapshot) -> Tokenizer:
    return build_multimolecule_tokenizer(_read_vocabulary(snapshot))


def _build_encoder(snapshot: Snapshot) -> Encoder:
    config = snapshot.config
    wrong = [f"{k} is {config.get(k)!r}" for k, v in _REQUIRED.items() if config.get(k) != v]
    wrong += [f"{k} is {config[k]!r}" for k in _REFUSED if config.get(k)]
    if wrong:
        problem = f"not an RNA-FM over bases: {', '.join(wrong)}"
        raise CheckpointError(snapshot.config_path, problem)
    mask = _read_vocabulary(snapshot).id("<mask>") if config["token_dropout"] else None
    return TransformerEncoder(
        TransformerConfig(
            vocabulary_size=config["vocab_size"],
            dim=config["hidden_size"],
            num_layers=config["num_hidden_layers"],
            num_heads=config["num_attention_heads"],
            feed_forward_dim=config["intermediate_size"],
            norm_eps=config["layer_norm_eps"],
            position="learned",
            max_tokens=config["max_position_embeddings"] - POSITION_OFFSET,
            position_offset=POSITION_OFFSET,
            embedding_norm=any("embeddings.layer_norm" in name for name in snapshot.weights.names),
            mask_token=mask,
            mask_rate=MASK_RATE,
        )
    )


MULTIMOLECULE = Family(
    name="RNA-FM (MultiMolecule)",
    matches=_matches,
    build_encoder=_build_encoder,
    build_tokenizer=_build_tokenizer,
    build_head=build_esm_head,
    rules=_RULES,
    prefix="model.",
    head_mark="lm_head.transform.dense.weight",
)
OLDER_MULTIMOLECULE = replace(
    MULTIMOLECULE,
    name="RNA-FM (MultiMolecule before 0.1)",
    matches=_matches_older,
    prefix="rnafm.",
)
