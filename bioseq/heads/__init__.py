"""Heads: from token states to outputs with named classes."""

from bioseq.heads.aligned_error import expected_aligned_error, predicted_tm
from bioseq.heads.alignment import MaskedMSAHead, ResolvedHead
from bioseq.heads.config import HeadConfig, HeadKind, HeadShape
from bioseq.heads.contacts import ContactHead
from bioseq.heads.distogram import DistogramHead
from bioseq.heads.language import LanguageHead
from bioseq.heads.lddt import LDDTHead, expected_lddt
from bioseq.heads.linear import LinearHead
from bioseq.heads.pairs import PairReadout, pairs_of
from bioseq.heads.task import Head, build_head

TokenHead = LanguageHead | LinearHead
"""A head that gives logits over the tokens of a vocabulary."""

__all__ = [
    "ContactHead",
    "DistogramHead",
    "Head",
    "HeadConfig",
    "HeadKind",
    "HeadShape",
    "LDDTHead",
    "LanguageHead",
    "LinearHead",
    "MaskedMSAHead",
    "PairReadout",
    "ResolvedHead",
    "TokenHead",
    "build_head",
    "expected_aligned_error",
    "expected_lddt",
    "pairs_of",
    "predicted_tm",
]
