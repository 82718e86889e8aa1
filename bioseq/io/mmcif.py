"""Predicted structures in the mmCIF format, lDDT in the column of B-factors.

Source: wwPDB, PDBx/mmCIF dictionary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bioseq.chemistry import ATOM37
from bioseq.io.coordinates import CHAIN, Coordinates

_ENTITY = 1
_SCHEME_COLUMNS = ("asym_id", "entity_id", "seq_id", "mon_id", "pdb_strand_id", "pdb_seq_num")
_ATOM_COLUMNS = (
    *("group_PDB", "id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id"),
    *("label_asym_id", "label_entity_id", "label_seq_id", "pdbx_PDB_ins_code"),
    *("Cartn_x", "Cartn_y", "Cartn_z", "occupancy", "B_iso_or_equiv"),
    *("auth_seq_id", "auth_asym_id", "pdbx_PDB_model_num"),
)
_SPECIAL = frozenset(" '\"#;[]")


def to_mmcif(chain: Coordinates) -> str:
    """Writes a chain."""
    entry = _block_name(chain.name)
    lines = [
        f"data_{entry}",
        *_values({"_entry.id": entry}),
        *_values({"_struct.entry_id": entry, "_struct.title": chain.name}),
        *_values({"_software.name": "bioseq", "_software.description": chain.model}),
        *_values({"_entity.id": _ENTITY, "_entity.type": "polymer"}),
        *_values({"_entity_poly.entity_id": _ENTITY, "_entity_poly.type": "polypeptide(L)"}),
        *_values({"_struct_asym.id": CHAIN, "_struct_asym.entity_id": _ENTITY}),
        *_table("_pdbx_poly_seq_scheme", _SCHEME_COLUMNS, _scheme_rows(chain)),
        *_table("_atom_site", _ATOM_COLUMNS, _atom_rows(chain)),
    ]
    return "\n".join([*lines, "#", ""])


def _scheme_rows(chain: Coordinates) -> Iterator[tuple[object, ...]]:
    """The whole sequence, residues without atoms included."""
    residues = zip(chain.residue_names, chain.numbers.tolist(), strict=True)
    for place, (name, number) in enumerate(residues, start=1):
        yield CHAIN, _ENTITY, place, name, CHAIN, number


def _atom_rows(chain: Coordinates) -> Iterator[tuple[object, ...]]:
    names, numbers = chain.residue_names, chain.numbers.tolist()
    for serial, residue, atom in chain.atoms():
        x, y, z = (f"{value:.3f}" for value in chain.positions[residue, atom])
        lddt = f"{chain.confidence[residue, atom]:.2f}"
        name = ATOM37[atom]
        yield (
            *("ATOM", serial, name[0], name, ".", names[residue]),
            *(CHAIN, _ENTITY, residue + 1, "?"),
            *(x, y, z, "1.00", lddt),
            *(numbers[residue], CHAIN, 1),
        )


def _values(items: Mapping[str, object]) -> Iterator[str]:
    yield "#"
    for name, value in items.items():
        yield f"{name} {_quote(str(value))}"


def _table(
    category: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> Iterator[str]:
    body = [" ".join(map(str, row)) for row in rows]
    if body:  # a loop without rows is not valid
        yield from ("#", "loop_", *(f"{category}.{column}" for column in columns), *body)


def _block_name(text: str) -> str:
    """Names a data block, which holds visible ASCII characters only."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in text) or "_"


def _quote(text: str) -> str:
    """Writes a value so that it comes back as it was, but for its kinds of blank."""
    text = " ".join(text.split())
    if text and not set(text) & _SPECIAL and text[0] not in "_$" and text not in ".?":
        return text
    for quote in "'\"":
        if quote not in text:
            return f"{quote}{text}{quote}"
    return f"\n;{text}\n;"
