"""Names and order of residues and heavy atoms, as AlphaFold 2 counts them.

Source: atom names are those of the wwPDB's chemical components; the order is AlphaFold 2's.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

RESIDUES = "ARNDCQEGHILKMFPSTWYVX"
"""One letter for each residue type; the last is any residue that is not one of the twenty."""

UNKNOWN_RESIDUE = len(RESIDUES) - 1

THREE_LETTERS = (
    *("ALA", "ARG", "ASN", "ASP", "CYS", "GLN", "GLU", "GLY", "HIS", "ILE"),
    *("LEU", "LYS", "MET", "PHE", "PRO", "SER", "THR", "TRP", "TYR", "VAL", "UNK"),
)

ATOM37 = (
    *("N", "CA", "C", "CB", "O", "CG", "CG1", "CG2", "OG", "OG1", "SG", "CD", "CD1", "CD2"),
    *("ND1", "ND2", "OD1", "OD2", "SD", "CE", "CE1", "CE2", "CE3", "NE", "NE1", "NE2"),
    *("OE1", "OE2", "CH2", "NH1", "NH2", "OH", "CZ", "CZ2", "CZ3", "NZ", "OXT"),
)
"""Every name that a heavy atom of a protein can have; the second axis of `atom37` arrays."""

_TYPES = np.full(256, UNKNOWN_RESIDUE, dtype=np.int64)
for _index, _letter in enumerate(RESIDUES):
    _TYPES[[ord(_letter), ord(_letter.lower())]] = _index


def residue_types(sequence: str) -> Int64[np.ndarray, " length"]:
    """Returns the index of each residue in `RESIDUES`; whatever is not of the twenty is unknown."""
    return _TYPES[np.frombuffer(sequence.encode("latin-1", "replace"), dtype=np.uint8)]
