"""Atoms of chains: the same from PDB and mmCIF, modified residues as what they are made of."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from bioseq.chemistry import ATOM37, residue_types
from bioseq.errors import FormatError, InputError
from bioseq.io import open_records
from bioseq.io.chains import read_chains
from bioseq.io.coordinates import Coordinates
from bioseq.io.mmcif import to_mmcif
from bioseq.io.pdb import to_pdb


@pytest.fixture
def entry(data_dir: Path) -> Path:
    return data_dir / "nasty" / "biopython" / "PDB_1A8O.cif"


def test_a_chain_has_the_residues_that_have_atoms(entry: Path) -> None:
    (chain,) = read_chains(entry)
    with open_records(entry) as reader:
        (record,) = reader
    assert chain.name == "A"
    assert chain.sequence in record.sequence
    assert chain.exists[:, ATOM37.index("CA")].all()
    assert np.isfinite(chain.positions).all()
    assert not chain.positions[~chain.exists].any()


def test_selenomethionine_is_methionine(entry: Path) -> None:
    (chain,) = read_chains(entry)
    assert "MSE" in entry.read_text()
    methionines = [place for place, letter in enumerate(chain.sequence) if letter == "M"]
    assert methionines
    assert chain.exists[methionines, ATOM37.index("SD")].all()


def test_neighbouring_alpha_carbons_are_as_far_apart_as_peptides_make_them(entry: Path) -> None:
    (chain,) = read_chains(entry)
    places = chain.positions[:, ATOM37.index("CA")]
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    np.testing.assert_allclose(steps, 3.8, atol=0.15)


def test_both_formats_give_the_same(entry: Path, tmp_path: Path) -> None:
    (chain,) = read_chains(entry)
    written = Coordinates(
        name="x",
        model="y",
        residue_types=residue_types(chain.sequence),
        numbers=np.arange(1, len(chain.sequence) + 1),
        positions=chain.positions,
        exists=chain.exists,
        confidence=np.zeros(chain.exists.shape),
    )
    (tmp_path / "x.pdb").write_text(to_pdb(written))
    (tmp_path / "x.cif.gz").write_bytes(gzip.compress(to_mmcif(written).encode()))
    for name in ("x.pdb", "x.cif.gz"):
        (again,) = read_chains(tmp_path / name)
        assert again.sequence == chain.sequence
        np.testing.assert_array_equal(again.exists, chain.exists)
        np.testing.assert_allclose(again.positions, chain.positions, atol=1e-3)


def test_nucleic_chains_have_no_part(data_dir: Path) -> None:
    chains = read_chains(data_dir / "nasty" / "derived_1LCD_trace.pdb")
    with open_records(data_dir / "nasty" / "derived_1LCD_trace.pdb") as reader:
        proteins = [record.id for record in reader if record.molecule == "protein"]
    assert [chain.name for chain in chains] == [id_.partition(":")[2] for id_ in proteins]


def test_what_is_no_structure_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pdb").write_text(">a\nACD\n")
    with pytest.raises(FormatError, match="expected a structure: PDB or mmCIF"):
        read_chains(tmp_path / "x.pdb")
    with pytest.raises(InputError):
        read_chains(tmp_path / "missing.pdb")
