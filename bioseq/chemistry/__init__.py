"""Facts of protein chemistry: residue and atom names, and the ideal geometry of each residue."""

from bioseq.chemistry.geometry import IdealGeometry, ideal_geometry
from bioseq.chemistry.residues import (
    ATOM37,
    RESIDUES,
    THREE_LETTERS,
    UNKNOWN_RESIDUE,
    residue_types,
)

__all__ = [
    "ATOM37",
    "RESIDUES",
    "THREE_LETTERS",
    "UNKNOWN_RESIDUE",
    "IdealGeometry",
    "ideal_geometry",
    "residue_types",
]
