"""Torsion angles against the atoms they were made of, and against AlphaFold 2's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from bioseq.chemistry import RESIDUES, UNKNOWN_RESIDUE, find_torsions, residue_types
from bioseq.nn.geometry import AtomBuilder, Rigid

PSI, FIRST_CHI = 2, 3


def test_atoms_give_back_the_torsions_they_were_placed_with() -> None:
    types = residue_types(RESIDUES[:UNKNOWN_RESIDUE])
    angles = np.random.default_rng(0).uniform(-np.pi, np.pi, (len(types), 7))
    given = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    builder, indices = AtomBuilder().double(), torch.from_numpy(types)
    backbone = Rigid(
        torch.eye(3, dtype=torch.float64).expand(len(types), 3, 3),
        torch.zeros(len(types), 3, dtype=torch.float64),
    )
    groups = builder.place_groups(backbone, torch.from_numpy(given), indices)
    positions, exists = builder.to_atom37(builder.place_atoms(groups, indices), indices)
    found = find_torsions(types, positions.numpy(), exists.numpy())
    inner = found.known[:, PSI:]
    num_chis = dict.fromkeys("AG", 0) | dict.fromkeys("CSTV", 1) | dict.fromkeys("DFHILNPWY", 2)
    num_chis |= dict.fromkeys("EMQ", 3) | dict.fromkeys("KR", 4)
    assert inner[:, 0].all()
    assert inner[:, 1:].sum(1).tolist() == [num_chis[RESIDUES[kind]] for kind in types]
    np.testing.assert_allclose(found.sine_cosine[:, PSI:][inner], given[:, PSI:][inner], atol=5e-3)


def test_torsions_are_those_that_alphafold_finds(data_dir: Path) -> None:
    with np.load(data_dir / "axial" / "alphafold_tiny_forward.npz") as arrays:
        batch = {name: arrays[name] for name in arrays.files if "template" in name}
    for template in range(2):
        types = np.minimum(batch["batch/template_aatype"][template], UNKNOWN_RESIDUE)
        found = find_torsions(
            types.astype(np.int64),
            batch["batch/template_all_atom_positions"][template],
            batch["batch/template_all_atom_masks"][template].astype(bool),
        )
        known = batch["batch/template_torsion_angles_mask"][template].astype(bool)
        np.testing.assert_array_equal(found.known, known)
        for ours, name in (
            (found.sine_cosine, "torsion_angles_sin_cos"),
            (found.alternative, "alt_torsion_angles_sin_cos"),
        ):
            theirs = batch[f"batch/template_{name}"][template]
            np.testing.assert_allclose(ours[known], theirs[known], atol=1e-5)
        assert not found.sine_cosine[~known].any()


def test_only_symmetric_side_chains_have_another_angle() -> None:
    types = residue_types(RESIDUES)
    rng = np.random.default_rng(1)
    positions = rng.normal(size=(len(types), 37, 3))
    found = find_torsions(types, positions, np.ones((len(types), 37), bool))
    rows, places = np.nonzero((found.alternative != found.sine_cosine).any(axis=-1))
    named = [
        (RESIDUES[row], place - FIRST_CHI + 1) for row, place in zip(rows, places, strict=True)
    ]
    assert named == [("D", 2), ("E", 3), ("F", 2), ("Y", 2)]


def test_the_first_residue_has_no_torsion_with_one_before() -> None:
    types = residue_types("AA")
    positions = np.random.default_rng(2).normal(size=(2, 37, 3))
    found = find_torsions(types, positions, np.ones((2, 37), bool))
    assert found.known[:, :PSI].tolist() == [[False, False], [True, True]]


def test_an_empty_chain_has_none() -> None:
    found = find_torsions(residue_types(""), np.zeros((0, 37, 3)), np.zeros((0, 37), bool))
    assert found.sine_cosine.shape == (0, 7, 2)
