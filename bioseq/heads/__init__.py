"""Heads: from token states to outputs with named classes."""

from bioseq.heads.language import LanguageHead
from bioseq.heads.task import Head, HeadConfig, HeadKind, Level, build_head

__all__ = ["Head", "HeadConfig", "HeadKind", "LanguageHead", "Level", "build_head"]
