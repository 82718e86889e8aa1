"""The file that HDF5 writes to: one that never tells HDF5 of an error.

HDF5 can't close a file after a failed write (2.0 ends the process with a segmentation fault), so
a full disk must not reach it. The sink keeps the first error for the caller to raise, and
swallows what HDF5 goes on writing while it is being closed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from bioseq.store.format import LIBRARY_BOUNDS

PIECE = 1 << 30


class Sink:
    """A new file, opened for reading and writing in the way h5py expects of a file object.

    Attributes:
        error: The first error of the operating system, if there was one.
    """

    def __init__(self, path: Path) -> None:
        self.error: OSError | None = None
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
        self._position = 0
        self._size = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves to an offset from the beginning or from the end."""
        self._position = offset + (self._size if whence == os.SEEK_END else 0)
        return self._position

    def tell(self) -> int:
        """Returns the position."""
        return self._position

    def write(self, data: Any) -> int:
        """Writes all of the data, a buffer of Cython's, or claims so after an error."""
        view = memoryview(data).cast("B")
        self._attempt(lambda: self._write_all(view))
        self._position += len(view)
        self._size = max(self._size, self._position)
        return len(view)

    def read(self, size: int) -> bytes:
        """Reads at the position."""
        data = os.pread(self._descriptor, size, self._position)
        self._position += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        """Reads at the position into a buffer of Cython's."""
        count = os.preadv(self._descriptor, [buffer], self._position)
        self._position += count
        return count

    def truncate(self, size: int) -> int:
        """Sets the size."""
        self._attempt(lambda: os.truncate(self._descriptor, size))
        self._size = size
        return size

    def flush(self) -> None:
        """Does nothing: every write goes to the operating system at once."""

    def close(self) -> None:
        """Closes the file; some file systems report a failed write only here."""
        self._attempt(lambda: os.close(self._descriptor))

    def check(self) -> None:
        """Raises the first error.

        Raises:
            OSError: Something could not be written.
        """
        if self.error is not None:
            raise self.error

    def _write_all(self, data: memoryview) -> None:
        done = 0
        while done < len(data):
            piece = data[done : done + PIECE]
            done += os.pwrite(self._descriptor, piece, self._position + done)

    def _attempt(self, step: Callable[[], object]) -> None:
        try:
            step()
        except OSError as error:
            self.error = self.error or error


@contextmanager
def creating_hdf5(path: Path) -> Iterator[tuple[h5py.File, Sink]]:
    """Yields a new HDF5 file, without any lock, and its sink, to be checked now and then.

    Raises:
        OSError: Something could not be written; at the latest when all is closed.
    """
    sink = Sink(path)
    try:
        with h5py.File(sink, "w", libver=LIBRARY_BOUNDS) as file:
            yield file, sink
    finally:
        sink.close()
    sink.check()
