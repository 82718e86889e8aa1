"""Facts of protein chemistry: residue and atom names, and the ideal geometry of each residue."""

from bioseq.chemistry.geometry import IdealGeometry, ideal_geometry
from bioseq.chemistry.residues import (
    ATOM37,
    RESIDUES,
    THREE_LETTERS,
    UNKNOWN_RESIDUE,
    residue_types,
)
from bioseq.chemistry.torsions import Torsions, find_torsions

__all__ = [
    "ATOM37",
    "RESIDUES",
    "THREE_LETTERS",
    "UNKNOWN_RESIDUE",
    "IdealGeometry",
    "Torsions",
    "find_torsions",
    "ideal_geometry",
    "residue_types",
]
