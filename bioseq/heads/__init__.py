"""Heads: from token states to outputs with named classes."""

from bioseq.heads.contacts import ContactHead
from bioseq.heads.language import LanguageHead

__all__ = ["ContactHead", "LanguageHead"]
