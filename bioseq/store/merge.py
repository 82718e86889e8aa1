"""Merging finished stores of the same settings into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bioseq.errors import OptionError, StoreError
from bioseq.store.block import Ragged, Values
from bioseq.store.fingerprint import differences, fingerprint_of
from bioseq.store.finished import prepare_output
from bioseq.store.format import DIGESTS_KNOWN, DIGESTS_UNKNOWN, NO_ROW
from bioseq.store.reader import Store, open_store
from bioseq.store.writer import Contents, StoredShape, StoreWriter, writing_store
from bioseq.typing import AnyPath


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Source:
    """One input: the row each of its sequences gets, which of them are new, and what they add."""

    path: Path
    target: np.ndarray
    is_new: np.ndarray
    num_records: int
    num_failures: int
    num_residues: dict[str, int]
    digests: object


def merge_stores(
    paths: Sequence[AnyPath],
    output: AnyPath,
    *,
    provenance: Mapping[str, object] | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes the records of several stores, in the order given, into one.

    A sequence that several stores hold is stored once, with the values of the first. Merging the
    shards of an input gives the same content as one run over the input.

    Args:
        paths: Finished stores with equal fingerprints.
        output: The merged store.
        provenance: Added to the list of the merged stores.
        overwrite: Replace an existing store of that name.

    Raises:
        OptionError: No store is given.
        StoreError: A store is unfinished or damaged, differs from the first, or is given twice.
    """
    output = Path(output)
    if not paths:
        raise OptionError(name="stores to merge", value=[], allowed="one or more")
    prepare_output(output, overwrite=overwrite)
    _check_distinct(paths)
    with open_store(paths[0]) as first:
        sources = _place(paths, first)
        named = {"merged": [str(path) for path in paths], **(provenance or {})}
        contents = _contents_of(first, sources, named)
    with writing_store(output, contents) as writer:
        first_record = 0
        for source in sources:
            _append_source(writer, source, first_record)
            first_record += source.num_records
    return output


def _check_distinct(paths: Sequence[AnyPath]) -> None:
    seen = set()
    for path in paths:
        if (place := Path(path).resolve()) in seen:
            raise StoreError(path, "is given twice")
        seen.add(place)


def _check_alike(first: Store, store: Store) -> None:
    found = differences(first.settings, store.settings) or differences(
        _signature(first), _signature(store)
    )
    if found:
        listed = "; ".join(f"{k} is {b!r} and there {a!r}" for k, (a, b) in found.items())
        raise StoreError(store.path, f"can't be merged with {first.path}: {listed}")


def _signature(store: Store) -> dict[str, object]:
    views = {path: store.values_at(path) for path in store.value_paths}
    return {
        path: [view.dim, str(view.dtype), view.is_per_residue, view.is_per_pair, view.attrs]
        for path, view in views.items()
    }


def _place(paths: Sequence[AnyPath], first: Store) -> list[_Source]:
    """Checks every store, and gives every distinct sequence its row in the merged one.

    One is open at a time: there may be more of them than a process may open files.
    """
    rows: dict[str, int] = {}
    sources, num_rows = [], 0
    for path in paths:
        with open_store(path) as store:
            _check_alike(first, store)
            store.verify()
            source = _place_one(store, rows, num_rows)
        sources.append(source)
        num_rows += int(source.is_new.sum())
    return sources


def _place_one(store: Store, rows: dict[str, int], num_rows: int) -> _Source:
    target = np.empty(store.num_sequences, np.int64)
    is_new = np.zeros(store.num_sequences, np.bool_)
    for row, digest in enumerate(store.tables.digests):
        known = rows.get(digest) if digest else None
        target[row] = num_rows if known is None else known
        if known is None:
            is_new[row] = True
            if digest:
                rows[digest] = num_rows
            num_rows += 1
    return _Source(
        path=store.path,
        target=target,
        is_new=is_new,
        num_records=len(store),
        num_failures=len(store.failures),
        num_residues={
            path: int(store.values_at(path).num_residues[is_new].sum())
            for path in store.value_paths
        },
        digests=store.attrs["digests"],
    )


def _contents_of(
    first: Store, sources: Sequence[_Source], provenance: Mapping[str, object]
) -> Contents:
    unknown = any(source.digests == DIGESTS_UNKNOWN for source in sources)
    return Contents(
        counts={
            "records": sum(source.num_records for source in sources),
            "sequences": sum(int(source.is_new.sum()) for source in sources),
            "failures": sum(source.num_failures for source in sources),
        },
        values={path: _total_shape(first, sources, path) for path in first.value_paths},
        fingerprint=fingerprint_of(first.settings),
        attributes={path: first.values_at(path).attrs for path in first.value_paths},
        root={"provenance": dict(provenance)},
        digests=DIGESTS_UNKNOWN if unknown else DIGESTS_KNOWN,
    )


def _total_shape(first: Store, sources: Sequence[_Source], path: str) -> StoredShape:
    view = first.values_at(path)
    is_packed = view.is_per_residue or view.is_per_pair
    count = sum(source.num_residues[path] for source in sources) if is_packed else None
    return StoredShape(dim=view.dim, dtype=view.dtype, num_residues=count, is_pair=view.is_per_pair)


def _append_source(writer: StoreWriter, source: _Source, first_record: int) -> None:
    with open_store(source.path) as store:
        _append_tables(writer, store, source, first_record)
        for path in store.value_paths:
            view = store.values_at(path)
            for start, stop in view.slabs():
                kept = source.is_new[start:stop]
                writer.append_values(path, _select(view.distinct(start, stop), kept))


def _append_tables(writer: StoreWriter, store: Store, source: _Source, first_record: int) -> None:
    tables, failures = store.tables, store.failures
    failed = tables.rows == NO_ROW
    rows = tables.rows.copy()
    rows[~failed] = source.target[tables.rows[~failed]]
    digests = np.array([digest.encode() for digest in tables.digests], "S35")
    for path, column in (
        ("records/id", tables.ids),
        ("records/description", tables.descriptions),
        ("records/row", rows),
        ("sequences/digest", digests[source.is_new]),
        ("sequences/length", tables.lengths[source.is_new]),
        ("failures/record", failures["record"].to_numpy() + first_record),
        ("failures/id", failures["id"].to_list()),
        ("failures/reason", failures["reason"].to_list()),
        ("failures/digest", np.array([d.encode() for d in failures["digest"]], "S35")),
    ):
        writer.append(path, column)


def _select(values: Values, kept: np.ndarray) -> Values:
    if not isinstance(values, Ragged):
        return values[kept]
    lengths = np.diff(values.offsets)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths[kept])])
    return type(values)(values.values[np.repeat(kept, lengths)], offsets)
