"""Predicted structures in the PDB format, lDDT in the B-factor column.

Source: wwPDB, PDB file format 3.30.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bioseq.chemistry import ATOM37
from bioseq.errors import OptionError
from bioseq.io.coordinates import CHAIN, Coordinates

_MOST_RESIDUES = 9_999
_MOST_ATOMS = 99_998  # the end of the chain has a number too
_REACH = 999.9995  # angstrom; beyond, a negative coordinate does not fit its column
_RESIDUES_PER_LINE = 13
_LINE_WIDTH = 80


def to_pdb(chain: Coordinates) -> str:
    """Writes a chain.

    Raises:
        OptionError: the chain does not fit the format's columns.
    """
    _check_fits(chain)
    atoms = list(_atom_lines(chain))
    end = [_end_line(chain, serial=len(atoms) + 1)] if atoms else []
    return "\n".join([*_header_lines(chain), *atoms, *end, "END   ", ""])


def _atom_lines(chain: Coordinates) -> Iterator[str]:
    names = chain.residue_names
    for serial, residue, atom in chain.atoms():
        name = ATOM37[atom]
        x, y, z = chain.positions[residue, atom]
        yield (
            f"ATOM  {serial:>5} {name if len(name) == 4 else f' {name}':<4} {names[residue]} "
            f"{CHAIN}{chain.numbers[residue]:>4}    {x:>8.3f}{y:>8.3f}{z:>8.3f}"
            f"{1:>6.2f}{chain.confidence[residue, atom]:>6.2f}          {name[0]:>2}  "
        )


def _end_line(chain: Coordinates, *, serial: int) -> str:
    last = int(np.flatnonzero(chain.exists.any(axis=1))[-1])
    name, number = chain.residue_names[last], chain.numbers[last]
    return f"TER   {serial:>5}      {name} {CHAIN}{number:>4}"


def _header_lines(chain: Coordinates) -> Iterator[str]:
    yield "HEADER    PREDICTED STRUCTURE"
    yield _cut(f"TITLE     {chain.name or '-'}")
    yield "REMARK   1 PREDICTED; B-FACTORS ARE THE PREDICTED LDDT, 0 TO 100"
    yield _cut(f"REMARK   1 MODEL {chain.model}")
    names = chain.residue_names
    for number, start in enumerate(range(0, len(names), _RESIDUES_PER_LINE), start=1):
        part = names[start : start + _RESIDUES_PER_LINE]
        yield f"SEQRES {number:>3} {CHAIN} {len(names):>4}  {' '.join(part)}"


def _cut(line: str) -> str:
    """Makes one line of printable ASCII, as long as the format permits."""
    ascii_line = line.encode("ascii", "replace").decode()
    return "".join(c if c.isprintable() else " " for c in ascii_line)[:_LINE_WIDTH].rstrip()


def _check_fits(chain: Coordinates) -> None:
    last, atoms = int(chain.numbers.max(initial=0)), int(chain.exists.sum())
    reach = float(np.abs(chain.positions).max(initial=0))
    if last > _MOST_RESIDUES:
        raise OptionError("PDB residue number", last, allowed=f"to {_MOST_RESIDUES}; write mmCIF")
    if atoms > _MOST_ATOMS:
        raise OptionError("PDB atoms", atoms, allowed=f"to {_MOST_ATOMS}; write mmCIF")
    if not reach < _REACH:
        raise OptionError("PDB coordinate", reach, allowed="below 1000 angstrom; write mmCIF")
