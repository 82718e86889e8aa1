"""DNABERT 3 to 6: BERT over overlapping k-mers.

Source: Ji et al. 2021; names as in Hugging Face's BERT, vocabulary as in the authors' files.
"""

from __future__ import annotations

from itertools import product

from bioseq.checkpoints.families.bert import (
    BERT_HEAD_MARK,
    BERT_RULES,
    build_bert_encoder,
    build_bert_head,
)
from bioseq.checkpoints.families.family import Family
from bioseq.checkpoints.families.vocabulary import read_vocabulary
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.tokenizer import KmerTokenizer, Tokenizer, Vocabulary

_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_BASES = "ATCG"  # in the authors' order
_K_OF_SIZE = {len(_SPECIALS) + 4**k: k for k in (3, 4, 5, 6)}


def build_dnabert_tokenizer(k: int, vocabulary: Vocabulary | None = None) -> KmerTokenizer:
    """Builds the tokenizer of a DNABERT.

    Args:
        k: Bases of a token.
        vocabulary: That of a file; the published one unless given.
    """
    kmers = map("".join, product(_BASES, repeat=k))
    return KmerTokenizer(
        molecule="dna",
        vocabulary=vocabulary or Vocabulary((*_SPECIALS, *kmers)),
        k=k,
        stride=1,
        unknown="[UNK]",
        prefix=("[CLS]",),
        suffix=("[SEP]",),
    )


def _matches(snapshot: Snapshot) -> bool:
    config = snapshot.config
    return config.get("model_type", "bert") == "bert" and config.get("vocab_size") in _K_OF_SIZE


def _build_tokenizer(snapshot: Snapshot) -> Tokenizer:
    k = _K_OF_SIZE[snapshot.config["vocab_size"]]
    published = build_dnabert_tokenizer(k)
    return build_dnabert_tokenizer(k, read_vocabulary(snapshot, published.vocabulary))


DNABERT = Family(
    name="DNABERT",
    matches=_matches,
    build_encoder=build_bert_encoder,
    build_tokenizer=_build_tokenizer,
    build_head=build_bert_head,
    rules=BERT_RULES,
    prefix="bert.",
    head_mark=BERT_HEAD_MARK,
)
