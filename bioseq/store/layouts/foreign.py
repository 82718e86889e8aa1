"""What a file of another tool holds, in the terms of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import h5py
import numpy as np

from bioseq.errors import StoreError
from bioseq.store.attributes import read_attributes
from bioseq.store.writer import StoredShape


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignEntry:
    """The values of one sequence of a foreign file.

    Attributes:
        key: What the file calls it; a hash of the sequence in some layouts.
        id: Identifier, as well as the file knows it.
        description: What stands behind the identifier in the key.
        num_residues: Rows of its per-residue values; 0 when all are per sequence.
        sequence: The sequence itself where the file has it.
        read: Reads its values, by path in the store: `[D]` or `[L, D]`.
    """

    key: str
    id: str
    description: str = ""
    num_residues: int = 0
    sequence: str | None = None
    read: Callable[[], dict[str, np.ndarray]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A foreign file.

    Attributes:
        layout: Name of the layout.
        shapes: Dim, type, and per residue (`num_residues` not None) or not, of each set of values.
        entries: Its sequences; reading them all holds no values in memory.
        attributes: What the file says about each set of values.
        ignored: Names of the kinds of data that the store has no place for.
    """

    layout: str
    shapes: Mapping[str, StoredShape]
    entries: Sequence[ForeignEntry]
    attributes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    ignored: Sequence[str] = ()


def walk(group: h5py.Group, prefix: str = "") -> Iterator[tuple[str, h5py.Dataset]]:
    """Goes through all datasets; one whose name held a '/' gets its whole name back."""
    for name, node in group.items():
        if isinstance(node, h5py.Dataset):
            yield f"{prefix}{name}", node
        elif isinstance(node, h5py.Group):
            yield from walk(node, f"{prefix}{name}/")


def axes_of(dataset: h5py.Dataset, name: str | None) -> dict[str, int | None]:
    """Returns what a dataset of values means: path in the store, and which layer to take.

    One axis is per sequence, two are per residue, three with 3 layers are SeqVec's, three with a
    first axis of 1 are D-SCRIPT's.

    Raises:
        StoreError: Its shape is none of these.
    """
    if dataset.ndim == 1:
        return {f"embeddings/{name or 'pooled'}": None}
    path = f"embeddings/{name or 'residue'}"
    if dataset.ndim == 2:
        return {path: None}
    if dataset.ndim == 3 and dataset.shape[0] == 1:
        return {path: 0}
    if dataset.ndim == 3 and dataset.shape[0] == 3:
        return {f"{path}_layer0": 0, f"{path}_layer1": 1, path: 2}
    raise StoreError(
        dataset.file.filename,
        f"{dataset.name} has shape {list(dataset.shape)}; expected [D], [L, D], [1, L, D] "
        "or [3, L, D]",
    )


def entry_of(
    dataset: h5py.Dataset, name: str | None, *, key: str, id: str, description: str = ""
) -> ForeignEntry:
    """Describes a dataset that holds the values of one sequence."""
    return ForeignEntry(
        key=key,
        id=id,
        description=description,
        num_residues=0 if dataset.ndim == 1 else dataset.shape[-2],
        read=partial(_read_values, dataset, axes_of(dataset, name)),
    )


def _read_values(dataset: h5py.Dataset, axes: Mapping[str, int | None]) -> dict[str, np.ndarray]:
    return {path: dataset[...] if axis is None else dataset[axis] for path, axis in axes.items()}


def shapes_of(dataset: h5py.Dataset, name: str | None) -> dict[str, StoredShape]:
    """Returns the shapes of the values that datasets like this one hold."""
    num_residues = None if dataset.ndim == 1 else 0
    shape = StoredShape(dim=dataset.shape[-1], dtype=dataset.dtype, num_residues=num_residues)
    return dict.fromkeys(axes_of(dataset, name), shape)


def text_of(node: h5py.Group | h5py.Dataset, name: str) -> str | None:
    """Reads an attribute as text; None where there is none."""
    value = node.attrs.get(name)
    if value is None:
        return None
    return value.decode() if isinstance(value, bytes) else str(value)


def model_of(file: h5py.File) -> str:
    """Returns the model that the file names in its root attributes."""
    return str(read_attributes(file).get("model_name", ""))
