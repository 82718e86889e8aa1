from __future__ import annotations

import io
from pathlib import Path

import pytest

from bioseq.errors import FormatError
from bioseq.io import open_records
from bioseq.records import Record


@pytest.fixture
def nasty_dir(data_dir: Path) -> Path:
    return data_dir / "nasty"


def read(text: str, *, format: str | None = None) -> list[Record]:
    return list(open_records(io.BytesIO(text.encode()), format=format))


def write_atoms(residues: list[tuple[str, int]], *, kind: str = "ATOM") -> str:
    return "".join(
        f"{kind:6}{i:5}  CA  {name:>3} A{number:4}    {i:8.3f}{0:8.3f}{0:8.3f}{1:6.2f}{0:6.2f}\n"
        for i, (name, number) in enumerate(residues, start=1)
    )


def test_a_dna_chain_is_read_as_bases_and_not_as_unknown_residues(nasty_dir: Path) -> None:
    records = {record.id: record for record in open_records(nasty_dir / "derived_1LCD_trace.pdb")}
    assert records["1LCD:B"].sequence == "AATTGTGAGCG"
    assert records["1LCD:B"].molecule == "dna"
    assert records["1LCD:A"].sequence.startswith("MKPVTLYDVAEYAGVSYQTVSRVVNQ")
    assert records["1LCD:A"].molecule == "protein"
    assert records["1LCD:A"].description.startswith("STRUCTURE OF THE COMPLEX OF LAC REPRESSOR")


def test_seqres_equals_biopython_for_protein_chains(nasty_dir: Path) -> None:
    from Bio import SeqIO

    path = nasty_dir / "derived_2BEG_trace.pdb"
    ours = [(record.id, record.sequence) for record in open_records(path)]
    with path.open() as file:
        assert ours == [(entry.id, str(entry.seq)) for entry in SeqIO.parse(file, "pdb-seqres")]


@pytest.mark.filterwarnings("ignore")
def test_atoms_equal_biopython_where_there_is_no_seqres(nasty_dir: Path) -> None:
    from Bio import SeqIO

    path = nasty_dir / "derived_2XHE_trace_no_seqres.pdb"
    ours = [(record.id, record.sequence) for record in open_records(path)]
    with path.open() as file:
        assert ours == [(entry.id, str(entry.seq)) for entry in SeqIO.parse(file, "pdb-atom")]
    assert "X" * 23 in ours[1][1]


def test_alternative_residues_at_one_position_count_once(nasty_dir: Path) -> None:
    path = nasty_dir / "biopython" / "PDB_3JQH.cif"
    stated = path.read_text().split("pdbx_seq_one_letter_code_can")[1].split(";")[1]
    (record,) = open_records(path)
    assert record.sequence == "".join(stated.split())


def test_mmcif_without_a_polymer_scheme_is_read_from_its_atoms(nasty_dir: Path) -> None:
    text = (nasty_dir / "biopython" / "PDB_1A8O.cif").read_text()
    (stated,) = read(text)
    (observed,) = read(text.replace("_pdbx_poly_seq_scheme.", "_some_other_table."))
    assert observed == stated


def test_skipped_numbers_are_unknown_and_ligands_and_water_are_no_residues() -> None:
    chain = write_atoms([("MET", 1), ("LYS", 2), ("VAL", 5), ("MSE", 6)])
    ligands = write_atoms([("HOH", 300), ("GLU", 301), ("ATP", 302)], kind="HETATM")
    modified = write_atoms([("MSE", 7)], kind="HETATM")
    assert read(chain + modified + ligands) == [Record("A", "", "MKXXVMM", "protein")]


def test_bases_of_a_nucleic_chain_are_read_from_atoms() -> None:
    (record,) = read(write_atoms([("DA", 1), ("DC", 2), ("DT", 4)]))
    assert (record.sequence, record.molecule) == ("ACNT", "dna")
    (record,) = read(write_atoms([("A", 1), ("C", 2), ("U", 3)]))
    assert (record.sequence, record.molecule) == ("ACU", "rna")


@pytest.mark.parametrize("format", ["pdb", "mmcif"])
def test_a_text_of_another_format_is_an_error_not_zero_records(format: str) -> None:
    with pytest.raises(FormatError, match=f"not valid {format}"):
        read(">a\nMKVL\n", format=format)
