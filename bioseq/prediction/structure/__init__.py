"""Structures: where the atoms of a protein are, from its sequence or an alignment of its family."""

from bioseq.prediction.structure.files import write_structures
from bioseq.prediction.structure.options import StructureOptions
from bioseq.prediction.structure.run import predict_structures

__all__ = ["StructureOptions", "predict_structures", "write_structures"]
