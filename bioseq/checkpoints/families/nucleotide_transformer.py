"""Nucleotide Transformer, version 1 and 2, in the layout of Hugging Face.

Version 1 is an ESM with learned positions over blocks of six bases. Version 2 has rotary positions,
a gated feed-forward block without biases, and no token dropout.

Source: Dalla-Torre et al. 2024, methods; names as in transformers' `EsmForMaskedLM`.
"""

from __future__ import annotations

from itertools import product

from bioseq.checkpoints.families.esm import ESM, MASK_RATE, POSITION_OFFSET
from bioseq.checkpoints.families.family import Family
from bioseq.checkpoints.families.vocabulary import read_vocabulary
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.errors import CheckpointError
from bioseq.models import Encoder, TransformerConfig, TransformerEncoder
from bioseq.tokenizer import KmerTokenizer, Tokenizer, Vocabulary

_K = 6
_SPECIALS = ("<unk>", "<pad>", "<mask>", "<cls>")
_MORE_SPECIALS = ("<eos>", "<bos>")  # version 2 has them, and uses neither
_KMERS = tuple(map("".join, product("ATCG", repeat=_K)))  # in the authors' order
_SINGLES = tuple("ATCGN")
_SIZES = {
    len(specials) + len(_KMERS) + len(_SINGLES): specials
    for specials in (_SPECIALS, (*_SPECIALS, *_MORE_SPECIALS))
}


def build_nucleotide_tokenizer(size: int, vocabulary: Vocabulary | None = None) -> KmerTokenizer:
    """Builds the tokenizer of a Nucleotide Transformer.

    Args:
        size: Tokens in its vocabulary: 4,105 for version 1, 4,107 for version 2.
        vocabulary: That of a file; the published one unless given.
    """
    return KmerTokenizer(
        molecule="dna",
        vocabulary=vocabulary or Vocabulary((*_SIZES[size], *_KMERS, *_SINGLES)),
        k=_K,
        stride=_K,
        unknown="<unk>",
        prefix=("<cls>",),
    )


def _matches(snapshot: Snapshot) -> bool:
    config = snapshot.config
    return config.get("model_type") == "esm" and config.get("vocab_size") in _SIZES


def _build_tokenizer(snapshot: Snapshot) -> Tokenizer:
    size = snapshot.config["vocab_size"]
    published = build_nucleotide_tokenizer(size)
    return build_nucleotide_tokenizer(size, read_vocabulary(snapshot, published.vocabulary))


def _build_encoder(snapshot: Snapshot) -> Encoder:
    config = snapshot.config
    position = {"absolute": "learned", "rotary": "rotary"}.get(config["position_embedding_type"])
    if position is None or config.get("emb_layer_norm_before"):
        fields = ("position_embedding_type", "emb_layer_norm_before")
        found = ", ".join(f"{name} is {config.get(name)!r}" for name in fields)
        problem = f"not a Nucleotide Transformer: {found}"
        raise CheckpointError(snapshot.config_path, problem)
    is_first = position == "learned"
    return TransformerEncoder(
        TransformerConfig(
            vocabulary_size=config["vocab_size"],
            dim=config["hidden_size"],
            num_layers=config["num_hidden_layers"],
            num_heads=config["num_attention_heads"],
            feed_forward_dim=config["intermediate_size"],
            norm_eps=config["layer_norm_eps"],
            position="learned" if is_first else "rotary",
            max_tokens=config["max_position_embeddings"] - POSITION_OFFSET,
            position_offset=POSITION_OFFSET if is_first else 0,
            activation="gelu" if is_first else "silu",
            gated=not is_first,
            feed_forward_bias=config.get("add_bias_fnn", True),
            mask_token=config["mask_token_id"] if config["token_dropout"] else None,
            mask_rate=MASK_RATE,
        )
    )


NUCLEOTIDE_TRANSFORMER = Family(
    name="Nucleotide Transformer",
    matches=_matches,
    build_encoder=_build_encoder,
    build_tokenizer=_build_tokenizer,
    build_head=ESM.build_head,
    rules=ESM.rules,
    prefix=ESM.prefix,
    head_mark=ESM.head_mark,
)
