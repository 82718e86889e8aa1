"""Embedding: files of sequences in, a store of vectors out."""

from bioseq.embed.options import EmbedOptions
from bioseq.embed.run import Progress, embed_files

__all__ = ["EmbedOptions", "Progress", "embed_files"]
