"""Assembly: the parts, one behind the other, become the final file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import h5py

from bioseq.errors import StoreError
from bioseq.store.columns import dataset_at, group_at, number_slabs, open_readable, slabs
from bioseq.store.format import COLUMNS, TABLES
from bioseq.store.part import PartSummary
from bioseq.store.values import value_paths
from bioseq.store.writer import Contents, StoredShape, StoreWriter, writing_store


def assemble_parts(
    parts: Sequence[PartSummary],
    path: Path,
    *,
    fingerprint: str,
    attributes: Mapping[str, Mapping[str, object]],
    provenance: Mapping[str, object],
    folder: Path,
) -> None:
    """Concatenates parts into a complete store; memory is bounded by a few slabs.

    Every part is compared with its checksums while it is copied.

    Args:
        parts: All parts in order.
        path: The final file; replaced in one step.
        fingerprint: The settings as canonical JSON.
        attributes: Attributes of each set of values, by path.
        provenance: What made the file.
        folder: Where the temporary file lies, on the same file system.

    Raises:
        StoreError: The parts do not fit one another, one is damaged, or the disk is full.
    """
    contents = Contents(
        counts=_total_counts(parts),
        values=_total_shapes(parts),
        fingerprint=fingerprint,
        attributes=attributes,
        root={"provenance": dict(provenance)},
    )
    with writing_store(path, contents, folder=folder) as writer:
        for part in parts:
            with open_readable(part.path) as file:
                _append_part(writer, file)


def _total_counts(parts: Sequence[PartSummary]) -> dict[str, int]:
    return {table: sum(part.counts[table] for part in parts) for table in TABLES}


def _total_shapes(parts: Sequence[PartSummary]) -> dict[str, StoredShape]:
    if not parts:
        return {}
    first = parts[0]
    for part in parts[1:]:
        if _kinds(part) != _kinds(first):
            raise StoreError(part.path, f"holds {_kinds(part)}, but part 0 holds {_kinds(first)}")
    return {
        name: replace(
            shape,
            num_residues=None
            if shape.num_residues is None
            else sum(part.values[name].num_residues or 0 for part in parts),
        )
        for name, shape in first.values.items()
    }


def _kinds(part: PartSummary) -> dict[str, str]:
    return {
        name: f"{shape.dtype} x {shape.dim} per {shape.owner}"
        for name, shape in part.values.items()
    }


def _append_part(writer: StoreWriter, file: h5py.File) -> None:
    for column in COLUMNS:
        for slab in slabs(dataset_at(file, column.path)):
            writer.append(column.path, slab)
    for name in value_paths(file):
        group = group_at(file, name)
        if "offsets" in group:
            writer.append_offsets(name, number_slabs(dataset_at(group, "offsets")))
        for slab in slabs(dataset_at(group, "values")):
            writer.append(f"{name}/values", slab)
