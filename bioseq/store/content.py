"""The digest of what a store says, whatever its bytes look like."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from bioseq.store.attributes import read_attributes
from bioseq.store.columns import Slab, dataset_at, group_at, open_readable, slabs
from bioseq.store.reader import Store
from bioseq.store.values import dataset_paths


def content_digest(store: Store) -> str:
    """Returns the SHA-256, in hexadecimal, of a store's content.

    It covers tables, values and the attributes of the values; not when, where, by which version
    or from which files the store was made, nor how its bytes are laid out.

    Raises:
        StoreError: The file is damaged.
    """
    digest = hashlib.sha256()
    with open_readable(store.path) as file:
        for path in sorted(dataset_paths(file)):
            dataset = dataset_at(file, path)
            digest.update(f"{path} {dataset.dtype.str} {dataset.shape}\n".encode())
            for slab in slabs(dataset):
                digest.update(_bytes_of(slab))
        for path in store.value_paths:
            attributes = read_attributes(group_at(file, path))
            digest.update(f"{path} {json.dumps(attributes, sort_keys=True)}\n".encode())
    return digest.hexdigest()


def _bytes_of(slab: Slab) -> bytes:
    if isinstance(slab, np.ndarray):
        return slab.tobytes()
    return "".join(f"{len(text)} {text}\n" for text in slab).encode()
