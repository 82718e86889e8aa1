"""ProtBert: BERT over residues.

Source: Elnaggar et al. 2022; names as in Hugging Face's BERT, vocabulary as in the authors' files.
"""

from __future__ import annotations

from bioseq.checkpoints.families.bert import (
    BERT_HEAD_MARK,
    BERT_RULES,
    build_bert_encoder,
    build_bert_head,
)
from bioseq.checkpoints.families.family import Family
from bioseq.checkpoints.families.vocabulary import read_vocabulary
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.errors import CheckpointError
from bioseq.tokenizer import ResidueTokenizer, Tokenizer, Vocabulary

_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_TOKENS = (*_SPECIALS, *"LAGVESIKRDTPNQFYMHCWXUBZO")
_READ_AS_X = "UZOB"


def build_protbert_tokenizer(vocabulary: Vocabulary | None = None) -> ResidueTokenizer:
    """Builds ProtBert's tokenizer; U, Z, O and B read as X, as in its training.

    Args:
        vocabulary: That of a file; the published one unless given.
    """
    return ResidueTokenizer(
        molecule="protein",
        vocabulary=vocabulary or Vocabulary(_TOKENS),
        prefix=("[CLS]",),
        suffix=("[SEP]",),
        substitutions=dict.fromkeys(_READ_AS_X, "X"),
        unknown="[UNK]",
    )


def _matches(snapshot: Snapshot) -> bool:
    config = snapshot.config
    return config.get("model_type", "bert") == "bert" and config.get("vocab_size") == len(_TOKENS)


def _build_tokenizer(snapshot: Snapshot) -> Tokenizer:
    vocabulary = read_vocabulary(snapshot, Vocabulary(_TOKENS))
    if set(vocabulary.tokens) != set(_TOKENS):
        unknown = sorted(set(vocabulary.tokens) - set(_TOKENS))
        problem = f"vocab.txt is not that of ProtBert: it holds {', '.join(unknown[:3])}"
        raise CheckpointError(snapshot.path, f"{problem}; get the model again")
    return build_protbert_tokenizer(vocabulary)


PROTBERT = Family(
    name="ProtBert",
    matches=_matches,
    build_encoder=build_bert_encoder,
    build_tokenizer=_build_tokenizer,
    build_head=build_bert_head,
    rules=BERT_RULES,
    prefix="bert.",
    head_mark=BERT_HEAD_MARK,
)
