"""Residue names and ideal geometry against what is known of proteins."""

from __future__ import annotations

import numpy as np
import pytest

from bioseq.chemistry import (
    ATOM37,
    RESIDUES,
    THREE_LETTERS,
    UNKNOWN_RESIDUE,
    ideal_geometry,
    residue_types,
)

HEAVY_ATOMS = [5, 11, 8, 8, 6, 9, 9, 4, 10, 8, 8, 9, 8, 11, 7, 6, 7, 14, 12, 7, 0]


def backbone_place(letter: str, atom: str) -> np.ndarray:
    geometry, index = ideal_geometry(), RESIDUES.index(letter)
    slot = geometry.atom37_slot[index, ATOM37.index(atom)]
    assert geometry.atom14_group[index, slot] == 0
    return geometry.atom14_positions[index, slot]


def test_every_residue_has_its_heavy_atoms() -> None:
    geometry = ideal_geometry()
    assert geometry.atom14_mask.sum(1).tolist() == HEAVY_ATOMS
    assert geometry.atom37_mask.sum(1).tolist() == HEAVY_ATOMS
    assert len(THREE_LETTERS) == len(RESIDUES)


def test_slots_and_names_point_at_each_other() -> None:
    geometry = ideal_geometry()
    for index in range(len(RESIDUES)):
        slots = geometry.atom37_slot[index][geometry.atom37_mask[index]]
        assert sorted(slots) == list(np.flatnonzero(geometry.atom14_mask[index]))


@pytest.mark.parametrize("letter", RESIDUES[:UNKNOWN_RESIDUE])
def test_backbone_bonds_have_their_usual_length_and_angle(letter: str) -> None:
    n, ca, c = (backbone_place(letter, atom) for atom in ("N", "CA", "C"))
    assert np.linalg.norm(n - ca) == pytest.approx(1.46, abs=0.01)
    assert np.linalg.norm(c - ca) == pytest.approx(1.525, abs=0.01)
    cosine = (n - ca) @ (c - ca) / np.linalg.norm(n - ca) / np.linalg.norm(c - ca)
    assert np.degrees(np.arccos(cosine)) == pytest.approx(111.5, abs=2)  # glycine 113


@pytest.mark.parametrize("letter", [r for r in RESIDUES[:UNKNOWN_RESIDUE] if r != "G"])
def test_residues_are_left_handed(letter: str) -> None:
    n, ca, c, cb = (backbone_place(letter, atom) for atom in ("N", "CA", "C", "CB"))
    assert np.cross(n - ca, c - ca) @ (cb - ca) > 0


def test_group_frames_are_rotations_with_the_turned_bond_along_the_first_axis() -> None:
    frames = ideal_geometry().group_frames[:UNKNOWN_RESIDUE]
    rotation = frames[..., :3, :3]
    assert np.allclose(rotation @ rotation.swapaxes(-1, -2), np.eye(3), atol=1e-12)
    assert np.allclose(np.linalg.det(rotation), 1)
    psi = frames[RESIDUES.index("A"), 3]
    assert np.allclose(psi[:3, 0] * np.linalg.norm(psi[:3, 3]), psi[:3, 3])


def test_number_of_chi_angles_is_that_of_the_residue() -> None:
    moved = {r: set(g[m]) for r, g, m in zip(RESIDUES, *_groups(), strict=True)}
    num_chis = {r: len([g for g in groups if g >= 4]) for r, groups in moved.items()}
    four = {r for r, n in num_chis.items() if n == 4}
    none = {r for r, n in num_chis.items() if n == 0}
    assert (four, none) == ({"R", "K"}, {"A", "G", "X"})


def _groups() -> tuple[np.ndarray, np.ndarray]:
    geometry = ideal_geometry()
    return geometry.atom14_group, geometry.atom14_mask


def test_letters_become_types_and_back() -> None:
    assert residue_types(RESIDUES).tolist() == list(range(21))
    assert residue_types(RESIDUES.lower()).tolist() == list(range(21))


def test_whatever_is_not_of_the_twenty_is_unknown() -> None:
    assert set(residue_types("XBZUOJ*-.é1").tolist()) == {UNKNOWN_RESIDUE}
