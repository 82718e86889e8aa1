"""Merging finished stores of the same settings into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bioseq.errors import OptionError, StoreError
from bioseq.store.block import Ragged, Values
from bioseq.store.fingerprint import differences, fingerprint_of
from bioseq.store.finished import prepare_output
from bioseq.store.format import DIGESTS_KNOWN, DIGESTS_UNKNOWN, NO_ROW
from bioseq.store.reader import Store, open_store
from bioseq.store.writer import Contents, StoreWriter, ValueShape, writing_store
from bioseq.typing import AnyPath


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """One input: the row each of its sequences gets, and which of them are new."""

    store: Store
    target: np.ndarray
    is_new: np.ndarray


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
    with ExitStack() as stack:
        stores = [stack.enter_context(open_store(path)) for path in paths]
        _check_alike(stores)
        for store in stores:
            store.verify()
        sources = _place(stores)
        named = {"merged": [str(store.path) for store in stores], **(provenance or {})}
        with writing_store(output, _contents_of(sources, named)) as writer:
            first_record = 0
            for source in sources:
                _append_source(writer, source, first_record)
                first_record += len(source.store)
    return output


def _check_alike(stores: Sequence[Store]) -> None:
    first, seen = stores[0], set()
    for store in stores:
        if store.path.resolve() in seen:
            raise StoreError(store.path, "is given twice")
        seen.add(store.path.resolve())
        found = differences(first.settings, store.settings) or differences(
            _signature(first), _signature(store)
        )
        if found:
            listed = "; ".join(f"{k} is {b!r} and there {a!r}" for k, (a, b) in found.items())
            raise StoreError(store.path, f"can't be merged with {first.path}: {listed}")


def _signature(store: Store) -> dict[str, object]:
    views = {path: store.values_at(path) for path in store.value_paths}
    return {
        path: [view.dim, str(view.dtype), view.is_per_residue, view.attrs]
        for path, view in views.items()
    }


def _place(stores: Sequence[Store]) -> list[_Source]:
    """Gives every distinct sequence its row in the merged store."""
    rows: dict[str, int] = {}
    sources, num_rows = [], 0
    for store in stores:
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
        sources.append(_Source(store, target, is_new))
    return sources


def _contents_of(sources: Sequence[_Source], provenance: Mapping[str, object]) -> Contents:
    first = sources[0].store
    unknown = any(source.store.attrs["digests"] == DIGESTS_UNKNOWN for source in sources)
    return Contents(
        counts={
            "records": sum(len(source.store) for source in sources),
            "sequences": sum(int(source.is_new.sum()) for source in sources),
            "failures": sum(len(source.store.failures) for source in sources),
        },
        values={path: _total_shape(sources, path) for path in first.value_paths},
        fingerprint=fingerprint_of(first.settings),
        attributes={path: first.values_at(path).attrs for path in first.value_paths},
        root={"provenance": dict(provenance)},
        digests=DIGESTS_UNKNOWN if unknown else DIGESTS_KNOWN,
    )


def _total_shape(sources: Sequence[_Source], path: str) -> ValueShape:
    first = sources[0].store.values_at(path)
    if not first.is_per_residue:
        return ValueShape(dim=first.dim, dtype=first.dtype)
    counts = (source.store.values_at(path).num_residues[source.is_new].sum() for source in sources)
    return ValueShape(dim=first.dim, dtype=first.dtype, num_residues=int(sum(counts)))


def _append_source(writer: StoreWriter, source: _Source, first_record: int) -> None:
    tables, failures = source.store.tables, source.store.failures
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
    for path in source.store.value_paths:
        view = source.store.values_at(path)
        for start, stop in view.slabs():
            kept = source.is_new[start:stop]
            writer.append_values(path, _select(view.distinct(start, stop), kept))


def _select(values: Values, kept: np.ndarray) -> Values:
    if not isinstance(values, Ragged):
        return values[kept]
    lengths = np.diff(values.offsets)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths[kept])])
    return Ragged(values.values[np.repeat(kept, lengths)], offsets)
