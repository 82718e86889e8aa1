"""Multiple sequence alignments: value objects, choice of rows, and what their columns tell."""

from bioseq.msa.alignment import Alignment, Msa
from bioseq.msa.subsample import Subsampling, choose_rows

__all__ = ["Alignment", "Msa", "Subsampling", "choose_rows"]
