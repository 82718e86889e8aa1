"""Reading and writing one dataset in slabs, with its checksum."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np

from bioseq.errors import StoreError

SLAB_BYTES = 4 << 20
TEXT_SLAB = 1 << 16
CHECKSUM = "crc32"

Slab = np.ndarray | Sequence[str]


def checksum_of(slab: Slab, start: int = 0) -> int:
    """Continues a CRC-32 over a slab: raw little-endian bytes, or each text and a NUL."""
    if isinstance(slab, np.ndarray):
        return zlib.crc32(np.ascontiguousarray(slab).reshape(-1).view(np.uint8).data, start)
    return zlib.crc32("".join(f"{text}\0" for text in slab).encode(), start)


class ColumnWriter:
    """Fills one dataset of known shape from its beginning to its end.

    Attributes:
        position: Number of elements written so far.
    """

    def __init__(
        self, file: h5py.File, path: str, *, shape: tuple[int, ...], dtype: np.dtype
    ) -> None:
        self._dataset = file.create_dataset(path, shape=shape, dtype=dtype)
        self.position = 0
        self._checksum = 0

    def append(self, slab: Slab) -> None:
        """Writes the next elements."""
        if not len(slab):
            return
        if isinstance(slab, np.ndarray):
            slab = slab.astype(self._dataset.dtype, copy=False)
        stop = self.position + len(slab)
        self._dataset[self.position : stop] = slab
        self._checksum = checksum_of(slab, self._checksum)
        self.position = stop

    def finish(self) -> None:
        """Seals the dataset with its checksum.

        Raises:
            StoreError: Fewer elements were appended than announced.
        """
        if self.position != len(self._dataset):
            raise StoreError(
                self._dataset.file.filename,
                f"{self._dataset.name}: {self.position} of {len(self._dataset)} elements written",
            )
        self._dataset.attrs[CHECKSUM] = np.uint32(self._checksum)


def read_slab(dataset: h5py.Dataset, start: int, stop: int) -> Slab:
    """Reads the elements `start` to `stop`; text comes as a list of str.

    Raises:
        StoreError: The bytes can't be read or are not UTF-8.
    """
    try:
        slab = dataset[start:stop]
        return [text.decode() for text in slab] if dataset.dtype.kind == "O" else slab
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(
            dataset.file.filename, f"{dataset.name}: can't be read, the file is damaged: {error}"
        ) from error


def slabs(dataset: h5py.Dataset) -> Iterator[Slab]:
    """Reads a dataset piece by piece and, at its end, compares the checksum.

    Raises:
        StoreError: The content is not what was written.
    """
    found = 0
    for start, stop in slab_bounds(dataset):
        slab = read_slab(dataset, start, stop)
        found = checksum_of(slab, found)
        yield slab
    if found != dataset.attrs.get(CHECKSUM):
        raise StoreError(
            dataset.file.filename, f"{dataset.name}: the checksum differs, the file is damaged"
        )


def number_slabs(dataset: h5py.Dataset) -> Iterator[np.ndarray]:
    """Does what `slabs` does for a dataset that holds no text."""
    return (np.asarray(slab) for slab in slabs(dataset))


def slab_bounds(dataset: h5py.Dataset) -> Iterator[tuple[int, int]]:
    """Cuts the first axis so that a slab stays within a few megabytes."""
    if dataset.dtype.kind == "O":
        step = TEXT_SLAB
    else:
        width = int(np.prod(dataset.shape[1:], dtype=np.int64)) * dataset.dtype.itemsize
        step = max(1, SLAB_BYTES // max(1, width))
    for start in range(0, len(dataset), step):
        yield start, min(start + step, len(dataset))


def dataset_at(group: h5py.Group, path: str) -> h5py.Dataset:
    """Returns the dataset at a path.

    Raises:
        StoreError: There is none.
    """
    dataset = group.get(path)
    if not isinstance(dataset, h5py.Dataset):
        raise StoreError(group.file.filename, f"lacks the dataset {group.name}/{path}")
    return dataset


def group_at(file: h5py.Group, path: str) -> h5py.Group:
    """Returns the group at a path.

    Raises:
        StoreError: There is none.
    """
    group = file.get(path)
    if not isinstance(group, h5py.Group):
        raise StoreError(file.file.filename, f"lacks the group {path}")
    return group


def names_in(group: h5py.Group) -> list[str]:
    """Lists the datasets and groups directly inside a group."""
    return [str(name) for name in group]


def read_text(file: h5py.Group, path: str) -> list[str]:
    """Reads a whole dataset of text."""
    dataset = dataset_at(file, path)
    return list(read_slab(dataset, 0, len(dataset)))


def read_numbers(file: h5py.Group, path: str) -> np.ndarray:
    """Reads a whole dataset of numbers, or of ASCII digests."""
    dataset = dataset_at(file, path)
    return np.asarray(read_slab(dataset, 0, len(dataset)))


def open_readable(path: Path) -> h5py.File:
    """Opens an HDF5 file for reading, without a lock: some file systems have none.

    Raises:
        StoreError: The file is missing, or is not a readable HDF5 file.
    """
    if path.is_dir():
        raise StoreError(path, "is a folder, not a store")
    try:
        return h5py.File(path, "r", locking=False)
    except FileNotFoundError:
        raise StoreError(path, "does not exist") from None
    except OSError as error:
        raise StoreError(path, f"is not a readable HDF5 file: {error}") from error
