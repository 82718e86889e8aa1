"""Atoms against the torsion angles they were placed by."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from bioseq.chemistry import ATOM37, RESIDUES, UNKNOWN_RESIDUE
from bioseq.nn.geometry import AtomBuilder
from tests.nn.geometry.frames import make_frames

# The four atoms whose dihedral is each chi angle.
CHIS = {
    "R": ("N CA CB CG", "CA CB CG CD", "CB CG CD NE", "CG CD NE CZ"),
    "I": ("N CA CB CG1", "CA CB CG1 CD1"),
    "T": ("N CA CB OG1",),
    "M": ("N CA CB CG", "CA CB CG SD", "CB CG SD CE"),
    "W": ("N CA CB CG", "CA CB CG CD1"),
}


def place(letters: str, angles: Tensor, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Places residues by angles in radians; gives positions by atom name, and which exist."""
    builder = AtomBuilder().double()
    types = torch.tensor([RESIDUES.index(letter) for letter in letters])
    backbone = make_frames(len(letters), generator=torch.Generator().manual_seed(seed))
    groups = builder.place_groups(backbone, torch.stack([angles.sin(), angles.cos()], -1), types)
    return builder.to_atom37(builder.place_atoms(groups, types), types)


def dihedral(points: Tensor) -> float:
    first, second, third = points[1:] - points[:-1]
    left, right = torch.linalg.cross(first, second), torch.linalg.cross(second, third)
    return math.atan2(
        float(torch.linalg.cross(left, right) @ second / second.norm()), float(left @ right)
    )


@pytest.mark.parametrize("letter", CHIS)
def test_dihedrals_are_the_chi_angles(letter: str) -> None:
    angles = torch.rand(1, 7, generator=torch.Generator().manual_seed(1)).double() * 6 - 3
    positions, _ = place(letter, angles)
    for chi, names in enumerate(CHIS[letter]):
        found = dihedral(positions[0, [ATOM37.index(name) for name in names.split()]])
        assert found == pytest.approx(float(angles[0, 3 + chi]), abs=2e-3)


def test_psi_turns_the_oxygen_alone() -> None:
    angles = torch.zeros(1, 7).double()
    turned = angles.clone()
    turned[0, 2] = 1.0
    before, after = place("K", angles)[0], place("K", turned)[0]
    moved = (before - after).norm(dim=-1)[0] > 1e-9
    assert moved.nonzero().flatten().tolist() == [ATOM37.index("O")]
    backbone = [ATOM37.index(name) for name in ("N", "CA", "C", "O")]
    # Psi is that of the next residue's N, on the other side of C from O.
    assert abs(dihedral(after[0, backbone])) == pytest.approx(math.pi - 1.0, abs=2e-3)


def test_bonds_keep_their_length_whatever_the_angles() -> None:
    for seed in range(3):
        angles = torch.rand(1, 7, generator=torch.Generator().manual_seed(seed)).double() * 6
        positions = place("R", angles, seed=seed)[0][0]
        for bond, length in (("CB CG", 1.52), ("CD NE", 1.46), ("NE CZ", 1.33)):
            a, b = (positions[ATOM37.index(name)] for name in bond.split())
            assert float((a - b).norm()) == pytest.approx(length, abs=0.01)


def test_an_unknown_residue_has_no_atoms() -> None:
    positions, mask = place("X", torch.zeros(1, 7).double())
    assert not mask.any()
    assert_close(positions, torch.zeros_like(positions))
    assert RESIDUES.index("X") == UNKNOWN_RESIDUE
