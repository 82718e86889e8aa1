"""The polymer chains of PDB and mmCIF files, through Biopython.

Biopython's own sequence readers call every nucleic chain a protein of `X` and read alternative
residues at one position twice; here only its file parsers and residue tables are used.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from bioseq.io.biopython import guard
from bioseq.io.stream import ByteStream
from bioseq.records import Record
from bioseq.typing import Molecule

if TYPE_CHECKING:
    from Bio.PDB.Chain import Chain
    from Bio.PDB.Structure import Structure

Chains = dict[str, list[str | None]]  # residue names by chain; None for a missing residue

_OLD_NUCLEOTIDES = {"T": "T", "N": "N", "DN": "N", "DU": "U", "I": "I", "DI": "I"}


def read_structure(stream: ByteStream, *, format: str) -> Iterator[Record]:
    """Reads the chains of a PDB or mmCIF file, in the order of the file.

    The sequence is the one that the entry states (SEQRES, or the polymer scheme of mmCIF). Without
    it, that of the atoms of the first model, where a residue that the numbering skips is `X` (`N`
    in a nucleic chain). Ids are `ENTRY:CHAIN` with the authors' chain name, so that both formats of
    an entry give the same; the description is the entry's title.

    Args:
        stream: The file.
        format: `"pdb"` or `"mmcif"`.

    Raises:
        FormatError: Biopython can't read the file.
    """
    parse = _parse_pdb if format == "pdb" else _parse_mmcif
    yield from guard(lambda: parse(stream.text().read()), format=format, path=stream.path)


def _parse_pdb(text: str) -> Iterator[Record]:
    from Bio.PDB.PDBParser import PDBParser

    lines = text.splitlines()
    chains = _seqres_chains(lines)
    if not chains:
        structure = PDBParser(QUIET=True).get_structure("", io.StringIO(text))
        chains = _atom_chains(structure)
    return _to_records(chains, entry=_pdb_id(lines), title=_pdb_title(lines))


def _parse_mmcif(text: str) -> Iterator[Record]:
    from Bio.PDB.MMCIF2Dict import MMCIF2Dict
    from Bio.PDB.MMCIFParser import MMCIFParser

    table = dict(MMCIF2Dict(io.StringIO(text)))
    block = table.pop("data_", "")  # the only value that is no list
    chains = _scheme_chains(table)
    if not chains and "_atom_site.id" in table:
        structure = MMCIFParser(QUIET=True).get_structure("", io.StringIO(text))
        chains = _atom_chains(structure)
    entry = table.get("_entry.id", [block])[0]
    return _to_records(chains, entry=entry, title=table.get("_struct.title", [""])[0])


def _seqres_chains(lines: Iterable[str]) -> Chains:
    chains: Chains = {}
    for line in lines:
        if line.startswith("SEQRES"):
            chains.setdefault(line[11:12].strip(), []).extend(line[19:70].split())
    return chains


def _scheme_chains(table: dict[str, list[str]]) -> Chains:
    prefix = "_pdbx_poly_seq_scheme."
    if f"{prefix}mon_id" not in table:
        return {}
    asym_ids, names = table[f"{prefix}asym_id"], table[f"{prefix}mon_id"]
    chain_ids = table.get(f"{prefix}pdb_strand_id", asym_ids)
    numbers = table.get(f"{prefix}seq_id", [str(i) for i in range(len(names))])
    # Alternative residues share a number: the first one given counts.
    residues: dict[tuple[str, str], dict[str, str]] = {}
    for asym_id, chain_id, number, name in zip(asym_ids, chain_ids, numbers, names, strict=True):
        residues.setdefault((asym_id, chain_id), {}).setdefault(number, name)
    chains: Chains = {}
    for (_, chain_id), names_by_number in residues.items():
        chains.setdefault(chain_id, []).extend(names_by_number.values())
    return chains


def _atom_chains(structure: Structure | None) -> Chains:
    model = next(iter(structure or ()), None)
    if model is None:
        return {}
    chains = {str(chain.id).strip(): _observed_residues(chain) for chain in model}
    return {chain_id: names for chain_id, names in chains.items() if names}


def _observed_residues(chain: Chain) -> list[str | None]:
    names: list[str | None] = []
    last: int | None = None
    for residue in chain:
        hetero, number, _ = residue.id
        if not is_polymer(residue.get_resname().strip(), hetero=hetero != " "):
            continue
        if last is not None and number > last + 1:
            names.extend([None] * (number - last - 1))
        names.append(residue.get_resname().strip())
        last = number
    return names


def is_polymer(name: str, *, hetero: bool) -> bool:
    """Returns whether a residue belongs to a chain.

    A HETATM residue belongs to the chain only if it is a modified form of a standard one.
    """
    from Bio.Data.PDBData import protein_letters_3to1

    known = name in protein_letters() or name in _nucleic_letters()
    standard = name in protein_letters_3to1 or name in {"A", "C", "G", "U", "DA", "DC", "DG", "DT"}
    return known and not (hetero and standard)


def _to_records(chains: Chains, *, entry: str, title: str) -> Iterator[Record]:
    for chain_id, names in chains.items():
        sequence, molecule = _translate(names)
        yield Record(":".join(filter(None, (entry, chain_id))), title, sequence, molecule)


def _translate(names: list[str | None]) -> tuple[str, Molecule]:
    protein, nucleic = protein_letters(), _nucleic_letters()
    num_nucleic = sum(name in nucleic for name in names)
    if num_nucleic <= sum(name in protein for name in names):
        return "".join(protein.get(name or "", "X") for name in names), "protein"
    sequence = "".join(nucleic.get(name or "", "N") for name in names)
    # Before 2007 the names had no D: there only thymine tells.
    is_dna = any(name in ("DA", "DC", "DG", "DT", "T") for name in names)
    return sequence, "dna" if is_dna else "rna"


def protein_letters() -> dict[str, str]:
    """Returns the letter of every amino acid's name, modified ones as what they are made of."""
    from Bio.Data.PDBData import protein_letters_3to1_extended

    return protein_letters_3to1_extended


@cache
def _nucleic_letters() -> dict[str, str]:
    from Bio.Data.PDBData import nucleic_letters_3to1_extended

    letters = {name.strip(): letter for name, letter in nucleic_letters_3to1_extended.items()}
    return _OLD_NUCLEOTIDES | letters


def _pdb_id(lines: Iterable[str]) -> str:
    """The entry's code from HEADER, or from DBREF where there is no HEADER."""
    starts = {"HEADER": slice(62, 66), "DBREF ": slice(7, 11)}
    codes = (line[starts[line[:6]]].strip() for line in lines if line[:6] in starts)
    return next(filter(None, codes), "")


def _pdb_title(lines: Iterable[str]) -> str:
    parts = (line[10:80] for line in lines if line.startswith("TITLE "))
    return " ".join(" ".join(parts).split())
