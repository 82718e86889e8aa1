"""Ideal geometry: where each heavy atom sits when bond lengths and angles are the usual ones.

A residue is a tree of eight rigid groups: the backbone, one that nothing hangs on (omega), phi, psi
and chi 1 to 4. `ideal_atoms.tsv` gives each atom's group and its place in the group's frame, in
angstrom; a torsion angle turns a group about the first axis of its frame.

Source: Jumper et al. 2021, supplementary section 1.8.4 and table 2; the coordinates are those that
AlphaFold 2 and every model derived from it use.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby
from operator import itemgetter

import numpy as np
from jaxtyping import Bool, Float64, Int64

from bioseq.chemistry.residues import ATOM37, THREE_LETTERS

_BACKBONE, _PHI, _PSI, _CHI1 = 0, 2, 3, 4
_NUM_GROUPS = 8
_NUM_SLOTS = 14
_FIRST_AXIS = np.array([1.0, 0.0, 0.0])

_Atom = tuple[str, int, Float64[np.ndarray, " 3"]]


@dataclass(frozen=True, kw_only=True)
class IdealGeometry:
    """Arrays by residue type; `atom14` has a slot for each atom that the residue itself has.

    Attributes:
        atom14_mask: Slots in use.
        atom14_group: Rigid group of each slot.
        atom14_positions: Place of each slot in its group's frame, in angstrom.
        group_frames: 4 x 4 transform from each group's frame at torsion angle zero into that of its
            parent: the backbone, or the chi before.
        atom37_mask: Atom names that the residue has.
        atom37_slot: For each atom name its slot; 0 where the residue lacks it.

    An unknown residue has no atoms, and frames of zeros.
    """

    atom14_mask: Bool[np.ndarray, "21 14"]
    atom14_group: Int64[np.ndarray, "21 14"]
    atom14_positions: Float64[np.ndarray, "21 14 3"]
    group_frames: Float64[np.ndarray, "21 8 4 4"]
    atom37_mask: Bool[np.ndarray, "21 37"]
    atom37_slot: Int64[np.ndarray, "21 37"]


@cache
def ideal_geometry() -> IdealGeometry:
    """Returns the ideal geometry of every residue type."""
    num_types, num_names = len(THREE_LETTERS), len(ATOM37)
    geometry = IdealGeometry(
        atom14_mask=np.zeros((num_types, _NUM_SLOTS), dtype=bool),
        atom14_group=np.zeros((num_types, _NUM_SLOTS), dtype=np.int64),
        atom14_positions=np.zeros((num_types, _NUM_SLOTS, 3)),
        group_frames=np.zeros((num_types, _NUM_GROUPS, 4, 4)),
        atom37_mask=np.zeros((num_types, num_names), dtype=bool),
        atom37_slot=np.zeros((num_types, num_names), dtype=np.int64),
    )
    for residue, atoms in _read_atoms().items():
        index = THREE_LETTERS.index(residue)
        for slot, (name, group, position) in enumerate(atoms):
            geometry.atom14_mask[index, slot] = True
            geometry.atom14_group[index, slot] = group
            geometry.atom14_positions[index, slot] = position
            geometry.atom37_mask[index, ATOM37.index(name)] = True
            geometry.atom37_slot[index, ATOM37.index(name)] = slot
        geometry.group_frames[index] = _group_frames(atoms)
    return geometry


def _read_atoms() -> Mapping[str, list[_Atom]]:
    """Reads the atoms of each residue, in the order of their slots."""
    text = files("bioseq.chemistry").joinpath("ideal_atoms.tsv").read_text()
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return {
        residue: [
            (atom["atom"], int(atom["group"]), np.array([float(atom[axis]) for axis in "xyz"]))
            for atom in atoms
        ]
        for residue, atoms in groupby(rows, key=itemgetter("residue"))
    }


def _group_frames(atoms: list[_Atom]) -> Float64[np.ndarray, "8 4 4"]:
    """Puts each frame's origin on the bond that its torsion turns, the first axis along it."""
    place = {name: position for name, _, position in atoms}
    n, ca, c = place["N"], place["CA"], place["C"]
    frames = np.tile(np.eye(4), (_NUM_GROUPS, 1, 1))
    frames[_PHI] = _transform(n - ca, _FIRST_AXIS, n)
    frames[_PSI] = _transform(c - ca, ca - n, c)
    for group in range(_CHI1, _NUM_GROUPS):
        if all(atom_group != group for _, atom_group, _ in atoms):
            break
        if group == _CHI1:
            frames[group] = _transform(place["CB"] - ca, n - ca, place["CB"])
        else:
            # The bond ends at the first atom that the chi before moves.
            end = next(position for _, atom_group, position in atoms if atom_group == group - 1)
            frames[group] = _transform(end, -_FIRST_AXIS, end)
    return frames


def _transform(
    axis: Float64[np.ndarray, " 3"],
    plane: Float64[np.ndarray, " 3"],
    origin: Float64[np.ndarray, " 3"],
) -> Float64[np.ndarray, "4 4"]:
    """Makes a frame from its first axis, a vector in the plane of the first two, and its origin."""
    first = axis / np.linalg.norm(axis)
    second = plane - plane.dot(first) * first
    second /= np.linalg.norm(second)
    transform = np.eye(4)
    transform[:3, :3] = np.stack([first, second, np.cross(first, second)], axis=1)
    transform[:3, 3] = origin
    return transform
