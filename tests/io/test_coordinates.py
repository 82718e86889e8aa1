"""Structure files come back as they were written, and Biopython reads them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bioseq.chemistry import ATOM37, RESIDUES, ideal_geometry, residue_types
from bioseq.errors import OptionError
from bioseq.io import open_records
from bioseq.io.coordinates import Coordinates
from bioseq.io.mmcif import to_mmcif
from bioseq.io.pdb import to_pdb

WRITERS = [to_pdb, to_mmcif]
Writer = Callable[[Coordinates], str]


def chain(sequence: str = "MKXW" + RESIDUES[:15], name: str = "protein 1") -> Coordinates:
    rng = np.random.default_rng(0)
    types = residue_types(sequence)
    exists = ideal_geometry().atom37_mask[types]
    return Coordinates(
        name=name,
        model="esmfold",
        residue_types=types,
        numbers=np.arange(1, len(types) + 1),
        positions=rng.normal(0, 40, (len(types), 37, 3)) * exists[..., None],
        exists=exists,
        confidence=rng.uniform(0, 100, (len(types), 37)) * exists,
    )


def parse(text: str, write: Writer) -> list[tuple[str, int, tuple[float, ...], float]]:
    """Reads the atoms with Biopython."""
    from Bio.PDB.MMCIFParser import MMCIFParser
    from Bio.PDB.PDBParser import PDBParser

    parser = PDBParser(QUIET=False) if write is to_pdb else MMCIFParser(QUIET=False)
    structure = parser.get_structure("x", io.StringIO(text))
    assert structure is not None
    atoms: Any = structure.get_atoms()
    return [
        (atom.name, atom.get_parent().id[1], tuple(atom.coord.tolist()), float(atom.bfactor))
        for atom in atoms
    ]


@pytest.mark.parametrize("write", WRITERS)
def test_atoms_come_back(write: Writer) -> None:
    given = chain()
    found = parse(write(given), write)
    assert len(found) == given.exists.sum()
    for (name, number, place, bfactor), (_, residue, atom) in zip(
        found, given.atoms(), strict=True
    ):
        assert (name, number) == (ATOM37[atom], residue + 1)
        assert place == pytest.approx(given.positions[residue, atom], abs=5.1e-4)
        assert bfactor == pytest.approx(given.confidence[residue, atom], abs=5.1e-3)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    "name", ["protein 1", "", "it's 5\" long", "#;_loop_ data_", "P1|é\t(x)\nATOM", "."]
)
def test_sequences_come_back_whatever_the_name(write: Writer, name: str, tmp_path: Path) -> None:
    path = tmp_path / "structure"
    path.write_text(write(chain(name=name)))
    with open_records(path) as reader:
        (record,) = reader
    assert record.sequence == "MKXW" + RESIDUES[:15]  # the unknown residue is not lost
    assert record.molecule == "protein"


@pytest.mark.parametrize("write", WRITERS)
def test_a_chain_of_unknown_residues_has_no_atoms(write: Writer, tmp_path: Path) -> None:
    text = write(chain("XXX"))
    assert "ATOM  " not in text
    path = tmp_path / "structure"
    path.write_text(text)
    with open_records(path) as reader:
        assert [record.sequence for record in reader] == ["XXX"]


def test_pdb_lines_have_the_columns_of_the_format() -> None:
    atoms = [line for line in to_pdb(chain()).splitlines() if line.startswith("ATOM")]
    assert {len(line) for line in atoms} == {80}
    assert max(map(len, to_pdb(chain(name="x" * 200)).splitlines())) == 80


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"numbers": np.arange(9_990, 10_009)}, "residue number is 10008; allowed: to 9999"),
        ({"positions": np.full((19, 37, 3), -1000.0)}, "coordinate is 1000.0; allowed: below 1000"),
        ({"positions": np.full((19, 37, 3), np.nan)}, "coordinate is nan"),
    ],
)
def test_what_does_not_fit_pdb_is_refused(change: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        to_pdb(replace(chain(), **change))


def test_mmcif_holds_what_pdb_does_not() -> None:
    text = to_mmcif(replace(chain(), numbers=np.arange(99_990, 100_009)))
    assert parse(text, to_mmcif)[-1][1] == 100_008
