"""Heads: from token states to outputs with named classes."""

from bioseq.heads.alignment import MaskedMSAHead, ResolvedHead
from bioseq.heads.contacts import ContactHead
from bioseq.heads.distogram import DistogramHead
from bioseq.heads.language import LanguageHead
from bioseq.heads.linear import LinearHead

TokenHead = LanguageHead | LinearHead
"""A head that gives logits over the tokens of a vocabulary."""

__all__ = [
    "ContactHead",
    "DistogramHead",
    "LanguageHead",
    "LinearHead",
    "MaskedMSAHead",
    "ResolvedHead",
    "TokenHead",
]
