"""Layouts with one dataset per sequence, named by an identifier or by a hash of the sequence."""

from __future__ import annotations

import re
from collections.abc import Iterator

import h5py

from bioseq.errors import StoreError
from bioseq.store.layouts.foreign import (
    Foreign,
    ForeignEntry,
    entry_of,
    model_of,
    shapes_of,
    text_of,
    walk,
)

SHA256 = re.compile(r"[0-9a-f]{64}")
MD5 = re.compile(r"[0-9a-f]{32}")


def is_biotrainer_database(file: h5py.File) -> bool:
    """Recognises the embedding database of biotrainer 2: datasets carry `sequence_hash`."""
    return any("sequence_hash" in dataset.attrs for _, dataset in _first(file))


def is_biotrainer(file: h5py.File) -> bool:
    """Recognises biotrainer: keys are SHA-256, datasets carry `original_id`."""
    return any(SHA256.fullmatch(k) and "original_id" in d.attrs for k, d in _first(file))


def is_bio_embeddings(file: h5py.File) -> bool:
    """Recognises bio_embeddings and TMbed: keys are MD5, or numbers beside `original_id`."""
    return any(MD5.fullmatch(k) or "original_id" in d.attrs for k, d in _first(file))


def is_keyed_by_id(file: h5py.File) -> bool:
    """Recognises UniProt, EAT, ProtTrans, protspace, D-SCRIPT: any file with numeric datasets."""
    return any(dataset.dtype.kind in "fiu" for _, dataset in _first(file))


def read_biotrainer_database(file: h5py.File, name: str | None) -> Foreign:
    """Reads the database of biotrainer 2.

    Raises:
        StoreError: It holds the embeddings of several models.
    """
    models = sorted({text_of(d, "embedder_name") or "" for _, d in walk(file)})
    if len(models) > 1:
        problem = f"holds the embeddings of several models, import one alone: {', '.join(models)}"
        raise StoreError(file.filename, problem)
    return _read(file, name, "biotrainer-database", model=models[0])


def read_biotrainer(file: h5py.File, name: str | None) -> Foreign:
    """Reads `embeddings_file.h5` of biotrainer 1 and later."""
    return _read(file, name, "biotrainer")


def read_bio_embeddings(file: h5py.File, name: str | None) -> Foreign:
    """Reads `embeddings_file.h5` and `reduced_embeddings_file.h5` of bio_embeddings; TMbed."""
    return _read(file, name, "bio_embeddings")


def read_keyed_by_id(file: h5py.File, name: str | None) -> Foreign:
    """Reads a file whose keys are identifiers or whole headers."""
    only = list(file.values())
    inside_one_group = len(only) == 1 and isinstance(only[0], h5py.Group)
    return _read(only[0] if inside_one_group else file, name, "id-keyed", model=model_of(file))


def _first(file: h5py.File) -> Iterator[tuple[str, h5py.Dataset]]:
    for item in walk(file):
        yield item
        return


def _read(group: h5py.Group, name: str | None, layout: str, *, model: str = "") -> Foreign:
    datasets = list(walk(group))
    shapes = shapes_of(datasets[0][1], name)
    for key, dataset in datasets[1:]:
        if shapes_of(dataset, name) != shapes:
            problem = f"{key} has {dataset.dtype} {list(dataset.shape)}, unlike {datasets[0][0]}"
            raise StoreError(group.file.filename, problem)
    return Foreign(
        layout=layout,
        shapes=shapes,
        entries=[_entry(key, dataset, name) for key, dataset in datasets],
        attributes={path: {"model": model} for path in shapes},
    )


def _entry(key: str, dataset: h5py.Dataset, name: str | None) -> ForeignEntry:
    header = text_of(dataset, "original_id") or key
    id_, _, description = header.partition(" ")
    hashed = text_of(dataset, "sequence_hash") or key
    return entry_of(dataset, name, key=hashed, id=id_, description=description)
