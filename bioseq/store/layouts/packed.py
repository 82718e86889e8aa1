"""Layouts with a structure of their own: scikit-bio, protembedder, One-Embedding, VESPA."""

from __future__ import annotations

from functools import partial
from itertools import islice

import h5py
import numpy as np

from bioseq.errors import OptionError, StoreError
from bioseq.store.columns import dataset_at, group_at, names_in, read_text
from bioseq.store.layouts.foreign import Foreign, ForeignEntry, entry_of, shapes_of, text_of, walk
from bioseq.store.writer import StoredShape

VESPA_ORDER = "residue-order"


def is_scikit_bio(file: h5py.File) -> bool:
    """Recognises scikit-bio's `embed` format."""
    return text_of(file, "format") in ("embedding", "embed") and "idptr" in file


def read_scikit_bio(file: h5py.File, name: str | None) -> Foreign:
    """Reads scikit-bio's `embed` format, the last sequence included.

    Its writer leaves out the last pointer, so that its own reader loses the last sequence; the
    letters and the values are there, and their end is the end of the dataset.
    """
    values = dataset_at(file, "embeddings" if "embeddings" in file else "embedding")
    letters = dataset_at(file, "id")[:].tobytes().decode("ascii")
    ends = _completed(file, "idptr", len(letters))
    pointer = "embedding_ptr" if "embedding_ptr" in file else "idptr"
    value_ends = _completed(file, pointer, len(values))
    if len(ends) != len(value_ends):
        raise StoreError(file.filename, f"idptr and {pointer} have different lengths")
    is_pooled = pointer == "embedding_ptr" and np.array_equal(value_ends, np.arange(len(ends)) + 1)
    path = f"embeddings/{name or ('pooled' if is_pooled else 'residue')}"
    spans = zip([0, *ends], ends, [0, *value_ends], value_ends, strict=False)
    entries = [
        ForeignEntry(
            key=letters[start:end],
            id=str(number),
            num_residues=0 if is_pooled else last - first,
            sequence=letters[start:end],
            read=partial(_read_span, values, path, first, last, is_pooled=is_pooled),
        )
        for number, (start, end, first, last) in enumerate(spans)
    ]
    shape = StoredShape(
        dim=values.shape[1], dtype=values.dtype, num_residues=None if is_pooled else 0
    )
    return Foreign(layout="scikit-bio", shapes={path: shape}, entries=entries)


def is_protembedder(file: h5py.File) -> bool:
    """Recognises protembedder: a group `embeddings` and a list `headers`."""
    return isinstance(file.get("embeddings"), h5py.Group) and "headers" in file


def read_protembedder(file: h5py.File, name: str | None) -> Foreign:
    """Reads protembedder's file; '/' in a header stands as '|' in the dataset's name."""
    group = group_at(file, "embeddings")
    headers = read_text(file, "headers")
    datasets = [dataset_at(group, header.replace("/", "|")) for header in headers]
    entries = []
    for header, dataset in zip(headers, datasets, strict=True):
        id_, _, description = header.partition(" ")
        entries.append(entry_of(dataset, name, key=header, id=id_, description=description))
    shapes = shapes_of(datasets[0], name) if datasets else {}
    return Foreign(layout="protembedder", shapes=shapes, entries=entries)


def is_one_embedding(file: h5py.File) -> bool:
    """Recognises One-Embedding: root attribute `metadata`, a group per protein."""
    return "metadata" in file.attrs and any(
        "protein_vec" in group for group in file.values() if isinstance(group, h5py.Group)
    )


def read_one_embedding(file: h5py.File, name: str | None) -> Foreign:
    """Reads One-Embedding's protein vectors; its 1-bit residues are named as ignored."""
    vectors = {key: dataset_at(file, f"{key}/protein_vec") for key in names_in(file)}
    entries = [entry_of(vector, name, key=key, id=key) for key, vector in vectors.items()]
    return Foreign(
        layout="one-embedding",
        shapes=shapes_of(next(iter(vectors.values())), name),
        entries=entries,
        ignored=["per_residue_bits", "per_residue_means", "per_residue_scales"],
    )


def is_vespa(file: h5py.File) -> bool:
    """Recognises VESPA's output: groups with the attribute `residue-order`."""
    return any(VESPA_ORDER in file[name].attrs for name in islice(file, 1))


def read_vespa(file: h5py.File, name: str | None) -> Foreign:
    """Reads VESPA's scores as predictions, `[L, 20]`; the file has them as `[20, L]`.

    Raises:
        OptionError: A name is given; the predictions keep those of the file.
    """
    if name is not None:
        raise OptionError(name="name", value=name, allowed="none, VESPA's predictions have names")
    groups = {key: group_at(file, key) for key in names_in(file)}
    first = next(iter(groups.values()))
    order = list(text_of(first, VESPA_ORDER) or "")
    shapes = {
        f"predictions/{task}": StoredShape(dim=len(order), dtype=scores.dtype, num_residues=0)
        for task, scores in walk(first)
    }
    entries = [
        ForeignEntry(
            key=key,
            id=key,
            num_residues=next(scores.shape[1] for _, scores in walk(group)),
            read=partial(_read_scores, group),
        )
        for key, group in groups.items()
    ]
    attributes = {path: {"model": "VESPA", "classes": order} for path in shapes}
    return Foreign(layout="vespa", shapes=shapes, entries=entries, attributes=attributes)


def _completed(file: h5py.File, name: str, end: int) -> list[int]:
    ends = dataset_at(file, name)[:].tolist()
    return ends if end == 0 or (ends and ends[-1] == end) else [*ends, end]


def _read_span(
    values: h5py.Dataset, path: str, first: int, last: int, *, is_pooled: bool
) -> dict[str, np.ndarray]:
    return {path: values[first] if is_pooled else values[first:last]}


def _read_scores(group: h5py.Group) -> dict[str, np.ndarray]:
    return {f"predictions/{task}": scores[...].T for task, scores in walk(group)}
