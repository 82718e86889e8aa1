"""Which sets of values a file holds, and their shapes."""

from __future__ import annotations

import h5py

from bioseq.store.columns import dataset_at, group_at, slabs
from bioseq.store.format import COLUMNS, EMBEDDINGS, PAIR, PREDICTIONS
from bioseq.store.writer import StoredShape


def value_paths(file: h5py.File) -> list[str]:
    """Lists the embeddings, then the predictions, for example `embeddings/mean`."""
    kinds = [kind for kind in (EMBEDDINGS, PREDICTIONS) if kind in file]
    return [f"{kind}/{name}" for kind in kinds for name in group_at(file, kind)]


def dataset_paths(file: h5py.File) -> list[str]:
    """Lists every dataset of the format that the file holds."""
    paths = [column.path for column in COLUMNS]
    for path in value_paths(file):
        paths += [f"{path}/{name}" for name in ("values", "offsets") if f"{path}/{name}" in file]
    return paths


def verify_checksums(file: h5py.File) -> None:
    """Reads every byte of the format's datasets and compares it with the checksums.

    Raises:
        StoreError: The file is damaged.
    """
    for path in dataset_paths(file):
        for _ in slabs(dataset_at(file, path)):
            pass


def value_shape(group: h5py.Group) -> StoredShape:
    """Returns the shape of one set of values."""
    values = dataset_at(group, "values")
    return StoredShape(
        dim=values.shape[1],
        dtype=values.dtype,
        num_residues=len(values) if "offsets" in group else None,
        is_pair=group.attrs.get("shape") == PAIR,
    )


def table_counts(file: h5py.File) -> dict[str, int]:
    """Returns the number of rows of each table."""
    return {column.table: len(dataset_at(file, column.path)) for column in COLUMNS}
