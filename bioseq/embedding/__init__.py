"""Embedding: files of sequences in, a store of vectors out."""

from bioseq.embedding.options import EmbedOptions
from bioseq.embedding.run import embed_files
from bioseq.runs import Progress

__all__ = ["EmbedOptions", "Progress", "embed_files"]
