"""Import: a file of another tool becomes a store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from bioseq.errors import StoreError
from bioseq.records import Record, refget_digest
from bioseq.store.block import Block, Failure, Ragged
from bioseq.store.columns import open_readable
from bioseq.store.fingerprint import fingerprint_of
from bioseq.store.finished import prepare_output
from bioseq.store.format import DIGESTS_KNOWN, DIGESTS_UNKNOWN, NO_ROW
from bioseq.store.layouts import keyed, packed
from bioseq.store.layouts.foreign import Foreign, ForeignEntry
from bioseq.store.writer import Contents, StoredShape, writing_store
from bioseq.typing import AnyPath


@dataclass(frozen=True, slots=True)
class ForeignLayout:
    """A layout: how to recognise it and how to read it."""

    name: str
    is_layout_of: Callable[[h5py.File], bool]
    read: Callable[[h5py.File, str | None], Foreign]


LAYOUTS = (  # in the order in which they are tried
    ForeignLayout("scikit-bio", packed.is_scikit_bio, packed.read_scikit_bio),
    ForeignLayout("one-embedding", packed.is_one_embedding, packed.read_one_embedding),
    ForeignLayout("protembedder", packed.is_protembedder, packed.read_protembedder),
    ForeignLayout(
        "biotrainer-database", keyed.is_biotrainer_database, keyed.read_biotrainer_database
    ),
    ForeignLayout("biotrainer", keyed.is_biotrainer, keyed.read_biotrainer),
    ForeignLayout("vespa", packed.is_vespa, packed.read_vespa),
    ForeignLayout("bio_embeddings", keyed.is_bio_embeddings, keyed.read_bio_embeddings),
    ForeignLayout("id-keyed", keyed.is_keyed_by_id, keyed.read_keyed_by_id),
)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The tables of the store to be, and the entry behind each of its sequences."""

    block: Block
    entries: Sequence[ForeignEntry]
    digests: str


def import_store(
    path: AnyPath,
    output: AnyPath,
    *,
    name: str | None = None,
    records: Iterable[Record] | None = None,
    overwrite: bool = False,
) -> Path:
    """Imports embeddings that another tool has written, or VESPA's predictions.

    Args:
        path: An HDF5 file; its layout is recognised.
        output: The store to write.
        name: Name of the embedding; `residue` or `pooled` unless given.
        records: The sequences that were embedded. With them the store gets their identifiers,
            order and digests; a record that the file lacks becomes a failure. Without them the
            store keeps the file's order and its digests are unknown, unless the file has them.
        overwrite: Replace an existing output.

    Raises:
        StoreError: The layout is not known, its entries differ in shape, or some belong to no
            record.
    """
    path, output = Path(path), Path(output)
    prepare_output(output, overwrite=overwrite)
    with open_readable(path) as file:
        foreign = read_foreign(file, path, name)
        plan = _plan_alone(foreign) if records is None else _plan_with(foreign, records, path)
        with writing_store(output, _contents_of(foreign, plan, path)) as writer:
            writer.append_tables(plan.block)
            for entry in plan.entries:
                for place, value in _read(entry, path).items():
                    is_per_residue = foreign.shapes[place].num_residues is not None
                    offsets = np.array([0, len(value)], np.int64)
                    packed_value = Ragged(value, offsets) if is_per_residue else value[np.newaxis]
                    writer.append_values(place, packed_value)
    return output


def _read(entry: ForeignEntry, path: Path) -> dict[str, np.ndarray]:
    try:
        return entry.read()
    except OSError as error:
        raise StoreError(path, f"{entry.key} can't be read: {error}") from error


def read_foreign(file: h5py.File, path: Path, name: str | None) -> Foreign:
    """Recognises the layout of an open file and lists its entries.

    Raises:
        StoreError: The layout is not known.
    """
    if "format_version" in file.attrs:
        raise StoreError(path, "is a bioseq store already")
    for layout in LAYOUTS:
        if layout.is_layout_of(file):
            return layout.read(file, name)
    known = ", ".join(layout.name for layout in LAYOUTS)
    raise StoreError(path, f"has a layout that is not known; known are: {known}")


def _contents_of(foreign: Foreign, plan: _Plan, path: Path) -> Contents:
    num_residues = sum(entry.num_residues for entry in plan.entries)
    block = plan.block
    counts = (len(block.ids), len(block.digests), len(block.failures))
    return Contents(
        counts=dict(zip(("records", "sequences", "failures"), counts, strict=True)),
        values={
            place: StoredShape(
                dim=shape.dim,
                dtype=shape.dtype,
                num_residues=None if shape.num_residues is None else num_residues,
            )
            for place, shape in foreign.shapes.items()
        },
        fingerprint=fingerprint_of({"imported_layout": foreign.layout}),
        attributes=foreign.attributes,
        root={
            "provenance": {
                "imported": path.name,
                "layout": foreign.layout,
                "ignored": list(foreign.ignored),
            }
        },
        digests=plan.digests,
    )


def _plan_alone(foreign: Foreign) -> _Plan:
    """Every entry is a record; equal sequences share a row where the sequences are known."""
    rows: dict[str, int] = {}
    kept: list[ForeignEntry] = []
    digests: list[str] = []
    targets: list[int] = []
    for entry in foreign.entries:
        digest = "" if entry.sequence is None else refget_digest(entry.sequence)
        row = rows.get(digest) if digest else None
        if row is None:
            row = rows[digest] = len(kept)
            kept.append(entry)
            digests.append(digest)
        targets.append(row)
    lengths = [len(e.sequence) if e.sequence is not None else e.num_residues for e in kept]
    block = Block(
        ids=[entry.id for entry in foreign.entries],
        descriptions=[entry.description for entry in foreign.entries],
        rows=np.array(targets, np.int64),
        digests=digests,
        lengths=np.array(lengths, np.uint32),
    )
    return _Plan(block, kept, DIGESTS_KNOWN if all(digests) else DIGESTS_UNKNOWN)


def _plan_with(foreign: Foreign, records: Iterable[Record], path: Path) -> _Plan:
    """Every record of the input is a record, in its order; its entry is looked for."""
    records = list(records)
    entries = {name: entry for entry in foreign.entries for name in (entry.id, entry.key)}
    found = [_entry_for(record, entries) for record in records]
    _refuse_orphans(foreign, found, path)
    rows: dict[str, int] = {}
    kept: list[ForeignEntry] = []
    lengths: list[int] = []
    targets: list[int] = []
    failures: list[Failure] = []
    for index, (record, entry) in enumerate(zip(records, found, strict=True)):
        digest = refget_digest(record.sequence)
        problem = _misfit(record, entry)
        if entry is None or problem:
            failures.append(Failure(index, record.id, problem, digest))
            targets.append(NO_ROW)
            continue
        if digest not in rows:
            rows[digest] = len(kept)
            kept.append(entry)
            lengths.append(len(record.sequence))
        targets.append(rows[digest])
    block = Block(
        ids=[record.id for record in records],
        descriptions=[record.description for record in records],
        rows=np.array(targets, np.int64),
        digests=list(rows),
        lengths=np.array(lengths, np.uint32),
        failures=failures,
    )
    return _Plan(block, kept, DIGESTS_KNOWN)


def _entry_for(record: Record, entries: Mapping[str, ForeignEntry]) -> ForeignEntry | None:
    """Looks a record up by every name that some tool would give it."""
    sequence = record.sequence
    header = f"{record.id} {record.description}".rstrip()
    names = (
        sequence,
        hashlib.md5(sequence.encode(), usedforsecurity=False).hexdigest(),
        hashlib.sha256(f"{sequence}_{len(sequence)}".encode()).hexdigest(),
        header,
        record.id,
        accession_of(record.id),
        header.replace("/", "_").replace(".", "_"),
        record.id.replace("/", "_").replace(".", "_"),
    )
    return next((entries[name] for name in names if name in entries), None)


def accession_of(id: str) -> str:
    """Returns `P12345` for `sp|P12345|NAME_SPECIES`, and any other identifier as it is."""
    fields = id.split("|")
    return fields[1] if len(fields) == 3 and fields[0] in ("sp", "tr") else id


def _misfit(record: Record, entry: ForeignEntry | None) -> str:
    if entry is None:
        return "the imported file has no values for it"
    if entry.num_residues not in (0, len(record.sequence)):
        return f"{entry.num_residues} rows of values for {len(record.sequence)} residues"
    return ""


def _refuse_orphans(foreign: Foreign, found: Sequence[ForeignEntry | None], path: Path) -> None:
    used = {id(entry) for entry in found}
    orphans = [entry.id for entry in foreign.entries if id(entry) not in used]
    if orphans:
        named = ", ".join(orphans[:3])
        raise StoreError(path, f"{len(orphans)} entries belong to none of the records: {named}")
