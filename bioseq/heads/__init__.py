"""Heads: from token states to outputs with named classes."""

from bioseq.heads.alignment import MaskedMSAHead, ResolvedHead
from bioseq.heads.contacts import ContactHead
from bioseq.heads.distogram import DistogramHead
from bioseq.heads.language import LanguageHead

__all__ = ["ContactHead", "DistogramHead", "LanguageHead", "MaskedMSAHead", "ResolvedHead"]
