"""Export to layouts with one dataset per record."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bioseq.errors import StoreError
from bioseq.store.embedding import Embedding
from bioseq.store.layouts.importer import accession_of
from bioseq.store.reader import Store
from bioseq.store.sink import creating_hdf5


def write_uniprot(store: Store, view: Embedding, path: Path) -> None:
    """Writes UniProt's layout: datasets in the root, named by accession.

    Raises:
        StoreError: An identifier repeats, is empty, is '.', or holds a '/'.
    """
    seen: set[str] = set()
    with creating_hdf5(path) as (file, _):
        for id_, value in view:
            key = accession_of(id_)
            if key in seen or key in ("", ".") or "/" in key:
                why = "occurs twice" if key in seen else "can't name a dataset"
                raise StoreError(store.path, f"the id {id_!r} {why}; export to another layout")
            seen.add(key)
            file.create_dataset(key, data=value)


def write_bio_embeddings(store: Store, view: Embedding, path: Path) -> None:
    """Writes bio_embeddings' layout with simple remapping: "0", "1", ... and `original_id`.

    The longest sequence comes first, as there.
    """
    lengths = store.tables.lengths[view.rows[view.records]].astype(np.int64)
    order = view.records[np.argsort(-lengths, kind="stable")]
    with creating_hdf5(path) as (file, _):
        for key, record in enumerate(order.tolist()):
            dataset = file.create_dataset(str(key), data=view[record])
            dataset.attrs["original_id"] = store.ids[record]
