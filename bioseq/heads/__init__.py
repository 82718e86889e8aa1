"""Heads: from token states to outputs with named classes."""

from bioseq.heads.language import LanguageHead

__all__ = ["LanguageHead"]
