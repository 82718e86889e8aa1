"""The atoms of the protein chains of PDB and mmCIF files, through Biopython."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float32

from bioseq.chemistry import ATOM37, ideal_geometry, residue_types
from bioseq.errors import FormatError
from bioseq.io.biopython import guard
from bioseq.io.detection import HEAD_SIZE, resolve_format
from bioseq.io.stream import open_stream
from bioseq.io.structures import is_polymer, protein_letters
from bioseq.typing import AnyPath

if TYPE_CHECKING:
    from Bio.PDB.Chain import Chain
    from Bio.PDB.Residue import Residue
    from Bio.PDB.Structure import Structure

_PLACES = {name: place for place, name in enumerate(ATOM37)}
_SELENIUM = {"SE": "SD"}  # of selenomethionine, which is read as methionine


@dataclass(frozen=True, kw_only=True, eq=False)
class KnownChain:
    """A protein chain as far as its atoms are known.

    Attributes:
        name: Name of the chain in its file.
        sequence: One letter for each residue that has atoms; modified ones as what they are made
            of.
        positions: By atom name (`bioseq.chemistry.ATOM37`), in angstrom; zeros where unknown.
        exists: Which atoms are known; only those that the residue has by its letter.
    """

    name: str
    sequence: str
    positions: Float32[np.ndarray, "length 37 3"]
    exists: Bool[np.ndarray, "length 37"]


def read_chains(path: AnyPath) -> list[KnownChain]:
    """Reads the protein chains of the first model of a PDB or mmCIF file.

    Of an atom with alternative places the one with the highest occupancy counts.

    Args:
        path: The file; compressed or not.

    Raises:
        FormatError: it is damaged, or not a structure.
        InputError: it can't be read.
    """
    with open_stream(path) as stream:
        stream.skip_bom()
        format = resolve_format(stream.head(HEAD_SIZE), path=stream.path, format=None)
        if format not in ("pdb", "mmcif"):
            expected = "a structure: PDB or mmCIF"
            raise FormatError(format, path=stream.path, found="no atoms", expected=expected)
        text = stream.text().read()
        return list(guard(lambda: _parse(text, format), format=format, path=stream.path))


def _parse(text: str, format: str) -> Iterator[KnownChain]:
    from Bio.PDB.MMCIFParser import MMCIFParser
    from Bio.PDB.PDBParser import PDBParser

    parser = PDBParser(QUIET=True) if format == "pdb" else MMCIFParser(QUIET=True)
    structure: Structure | None = parser.get_structure("", io.StringIO(text))
    chains = (_to_chain(chain) for chain in next(iter(structure or ()), ()))
    return (chain for chain in chains if chain.sequence)


def _to_chain(chain: Chain) -> KnownChain:
    residues = list(_protein_residues(chain))
    sequence = "".join(protein_letters()[residue.get_resname().strip()] for residue in residues)
    positions = np.zeros((len(residues), len(ATOM37), 3), np.float32)
    exists = np.zeros((len(residues), len(ATOM37)), bool)
    for place, residue in enumerate(residues):
        for atom in residue:
            name = _SELENIUM.get(atom.get_name(), atom.get_name())
            if name in _PLACES:
                positions[place, _PLACES[name]] = atom.get_coord()
                exists[place, _PLACES[name]] = True
    exists &= ideal_geometry().atom37_mask[residue_types(sequence)]
    return KnownChain(
        name=str(chain.id).strip(),
        sequence=sequence,
        positions=positions * exists[..., None],
        exists=exists,
    )


def _protein_residues(chain: Iterable[Residue]) -> Iterator[Residue]:
    for residue in chain:
        name = residue.get_resname().strip()
        if name in protein_letters() and is_polymer(name, hetero=residue.id[0] != " "):
            yield residue
