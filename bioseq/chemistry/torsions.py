"""Torsion angles of a chain with known atoms.

Source: Jumper et al. 2021, supplementary section 1.8.4 and table 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from bioseq.chemistry.geometry import ideal_geometry
from bioseq.chemistry.residues import ATOM37, THREE_LETTERS

NUM_TORSIONS = 7
"""Omega of the bond in front, phi, psi and chi 1 to 4."""

_OMEGA, _PHI, _PSI, _FIRST_CHI = 0, 1, 2, 3
_NUM_CHIS = 4
_FIRST_CHI_GROUP = 4  # of the rigid groups
_N, _CA, _C, _CB, _O = (ATOM37.index(name) for name in ("N", "CA", "C", "CB", "O"))
_SYMMETRIC = (("ASP", 2), ("PHE", 2), ("TYR", 2), ("GLU", 3))  # half a turn swaps equal atoms
_FLAT = 0.05  # angstrom beside the plane of the three atoms before


@dataclass(frozen=True, kw_only=True)
class Torsions:
    """The torsion angles of a chain, as points of the unit circle.

    Attributes:
        sine_cosine: Omega of the bond in front, phi, psi and chi 1 to 4; zeros where unknown.
        alternative: The same where symmetric atoms have changed their names.
        known: Where all four atoms of an angle are.
    """

    sine_cosine: Float64[np.ndarray, "length 7 2"]
    alternative: Float64[np.ndarray, "length 7 2"]
    known: Bool[np.ndarray, "length 7"]


def find_torsions(
    residue_types: Int64[np.ndarray, " length"],
    positions: Float[np.ndarray, "length 37 3"],
    exists: Bool[np.ndarray, "length 37"],
) -> Torsions:
    """Finds the torsion angles of a chain.

    Psi is told by the oxygen, which stands opposite to the next residue's nitrogen. The residue in
    front is the one before in the arrays; where atoms are missing the angle is unknown.

    Args:
        residue_types: Indices into `RESIDUES`.
        positions: By atom name, in angstrom.
        exists: Which atoms there are.
    """
    length = len(residue_types)
    atoms = np.zeros((length, NUM_TORSIONS, 4), dtype=np.int64)
    atoms[:, _OMEGA] = _CA, _C, _N, _CA
    atoms[:, _PHI] = _C, _N, _CA, _C
    atoms[:, _PSI] = _N, _CA, _C, _O
    atoms[:, _FIRST_CHI:] = _chi_atoms()[residue_types]
    is_before = np.zeros((NUM_TORSIONS, 4), dtype=np.int64)
    is_before[_OMEGA, :2] = is_before[_PHI, :1] = 1
    rows = np.arange(length)[:, None, None] - is_before  # -1 is masked below
    known: Bool[np.ndarray, "length 7"] = np.asarray(exists[rows, atoms].all(axis=-1))
    known[:1, : _PHI + 1] = False
    known[:, _FIRST_CHI:] &= _has_chi()[residue_types]
    sine_cosine = _dihedrals(positions[rows, atoms].astype(np.float64))
    sine_cosine[:, _PSI] *= -1
    sine_cosine *= known[..., None]
    turned = np.where(_is_symmetric()[residue_types], -1.0, 1.0)
    return Torsions(
        sine_cosine=sine_cosine, alternative=sine_cosine * turned[..., None], known=known
    )


def _dihedrals(points: Float64[np.ndarray, "*angles 4 3"]) -> Float64[np.ndarray, "*angles 2"]:
    """Returns sine and cosine of the angle between the planes of the first and the last three."""
    first, second, third, fourth = np.moveaxis(points, -2, 0)
    axis = _normalised(third - second)
    across = first - third
    across = _normalised(across - _dot(across, axis) * axis)
    above = np.cross(axis, across)
    reach = fourth - third
    return _normalised(np.concatenate([_dot(reach, above), _dot(reach, across)], axis=-1))


def _dot(
    a: Float64[np.ndarray, "*vectors 3"], b: Float64[np.ndarray, "*vectors 3"]
) -> Float64[np.ndarray, "*vectors 1"]:
    return (a * b).sum(axis=-1, keepdims=True)


def _normalised(x: Float64[np.ndarray, "*vectors n"]) -> Float64[np.ndarray, "*vectors n"]:
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.divide(x, length, out=np.zeros_like(x), where=length > 0)


@cache
def _chi_atoms() -> Int64[np.ndarray, "21 4 4"]:
    """Names the four atoms of each chi angle.

    Each bond leads from the one before to the atom that stands where the angle is zero: in the
    plane of the three atoms in front, on their side.
    """
    geometry = ideal_geometry()
    atoms = np.zeros((len(THREE_LETTERS), _NUM_CHIS, 4), dtype=np.int64)
    for residue in range(len(THREE_LETTERS)):
        path = [_N, _CA, _CB]
        for chi in range(_NUM_CHIS):
            slots = np.flatnonzero(
                geometry.atom14_mask[residue]
                & (geometry.atom14_group[residue] == _FIRST_CHI_GROUP + chi)
                & (geometry.atom14_positions[residue, :, 1] > 0)
                & (np.abs(geometry.atom14_positions[residue, :, 2]) < _FLAT)
            )
            if not len(slots):
                break
            names = geometry.atom37_mask[residue] & (geometry.atom37_slot[residue] == slots[0])
            path.append(int(np.flatnonzero(names)[0]))
            atoms[residue, chi] = path[-4:]
    return atoms


@cache
def _has_chi() -> Bool[np.ndarray, "21 4"]:
    return np.asarray(_chi_atoms().any(axis=-1))


@cache
def _is_symmetric() -> Bool[np.ndarray, "21 7"]:
    symmetric = np.zeros((len(THREE_LETTERS), NUM_TORSIONS), dtype=bool)
    for residue, chi in _SYMMETRIC:
        symmetric[THREE_LETTERS.index(residue), _FIRST_CHI + chi - 1] = True
    return symmetric
