"""Embedding: files of sequences in, a store of vectors out."""

from bioseq.embed.options import EmbedOptions
from bioseq.embed.progress import Progress
from bioseq.embed.run import embed_files

__all__ = ["EmbedOptions", "Progress", "embed_files"]
