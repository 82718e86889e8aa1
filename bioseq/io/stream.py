"""The decompressed bytes of one input: looked at without seeking, then read once."""

from __future__ import annotations

import codecs
import io
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from bioseq.errors import InputError
from bioseq.io.compression import MAGIC_SIZE, decompress_blocks, recognise_compression
from bioseq.typing import AnyPath

PLAIN_SIZE = 1 << 20
# Small, because highly repetitive data can grow a thousandfold.
COMPRESSED_SIZE = 1 << 15

BOM = codecs.BOM_UTF8


@runtime_checkable
class BinarySource(Protocol):
    """Any open binary stream: all that is asked of it is to be read."""

    def read(self, size: int, /) -> bytes:
        """Returns up to `size` bytes; none at the end."""
        ...


def _decode_latin1(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("bioseq_latin1", _decode_latin1)


class ByteStream(io.RawIOBase):
    """Decompressed bytes of a path, standard input or any readable binary stream.

    Attributes:
        path: The file's name; `"<stdin>"` for standard input.
        compression: `"gzip"`, `"bzip2"`, `"xz"`, `"zstd"`, or None for plain bytes.
    """

    def __init__(self, raw: BinarySource, *, path: str, owned: bool) -> None:
        self.path = path
        self._raw = raw
        self._owned = owned
        self._size = _measure(raw)
        self._consumed = 0
        self._ahead = b""
        self._offset = 0
        first = self._read_first()
        self.compression = recognise_compression(first)
        self._blocks = self._read_blocks(first)

    @property
    def fraction(self) -> float | None:
        """The part of the (compressed) input read so far, 0 to 1; None for a pipe."""
        if self._size is None:
            return None
        return min(1.0, self._consumed / self._size) if self._size else 1.0

    def head(self, size: int) -> bytes:
        """Returns the next `size` bytes (fewer at the end) and leaves them to be read."""
        while len(self._ahead) - self._offset < size:
            block = next(self._blocks, None)
            if block is None:
                break
            self._ahead = self._ahead[self._offset :] + block
            self._offset = 0
        return self._ahead[self._offset : self._offset + size]

    def skip_bom(self) -> int:
        """Passes over a UTF-8 byte order mark, if one comes next; gives the bytes passed over."""
        skipped = len(BOM) if self.head(len(BOM)) == BOM else 0
        self._offset += skipped
        return skipped

    def blocks(self) -> Iterator[bytes]:
        """Yields all bytes that are left, in non-empty blocks of any size."""
        if rest := self._ahead[self._offset :]:
            self._ahead, self._offset = b"", 0
            yield rest
        yield from self._blocks

    def buffered(self) -> io.BufferedReader:
        """Returns the bytes that are left as a buffered binary file."""
        return io.BufferedReader(self, 1 << 16)

    def text(self) -> io.TextIOWrapper:
        r"""Returns the bytes that are left as text with `\n` line ends.

        UTF-8; a byte that is not UTF-8 is read as Latin-1.
        """
        return io.TextIOWrapper(self.buffered(), encoding="utf-8", errors="bioseq_latin1")

    def readable(self) -> bool:
        """Says that this stream can be read."""
        return True

    def readinto(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, buffer: bytearray | memoryview
    ) -> int:
        """Fills the buffer with the next bytes and gives their number; 0 at the end."""
        if self._offset == len(self._ahead):
            self._ahead, self._offset = next(self._blocks, b""), 0
        count = min(len(buffer), len(self._ahead) - self._offset)
        buffer[:count] = self._ahead[self._offset : self._offset + count]
        self._offset += count
        return count

    def close(self) -> None:
        """Closes the file if this object opened it."""
        if self._owned and not self.closed:
            _close(self._raw)
        super().close()

    def _read_first(self) -> bytes:
        first = b""
        while len(first) < MAGIC_SIZE and (chunk := self._read(COMPRESSED_SIZE)):
            first += chunk
        return first

    def _read_blocks(self, first: bytes) -> Iterator[bytes]:
        if self.compression is None:
            return self._chunks(first, PLAIN_SIZE)
        chunks = self._chunks(first, COMPRESSED_SIZE)
        return decompress_blocks(self.compression, chunks, path=self.path)

    def _chunks(self, first: bytes, size: int) -> Iterator[bytes]:
        chunk = first
        while chunk:
            yield chunk
            chunk = self._read(size)

    def _read(self, size: int) -> bytes:
        read = getattr(self._raw, "read1", self._raw.read)  # read1: what a pipe has now
        try:
            chunk = read(size)
        except OSError as error:
            raise InputError(self.path, _describe(error)) from error
        if not isinstance(chunk, bytes):
            raise InputError(self.path, "a text stream; open it in binary mode")
        self._consumed += len(chunk)
        return chunk


def open_stream(source: AnyPath | BinarySource) -> ByteStream:
    """Opens a file, standard input (`"-"`) or a binary stream that is already open.

    Raises:
        InputError: The file is missing, a directory or not readable.
    """
    if source == "-":
        return _adopt(sys.stdin.buffer, path="<stdin>", owned=False)
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        return _adopt(open_file(path), path=path, owned=True)
    name = getattr(source, "name", None)
    return _adopt(source, path=name if isinstance(name, str) else "<stream>", owned=False)


def _adopt(raw: BinarySource, *, path: str, owned: bool) -> ByteStream:
    try:
        return ByteStream(raw, path=path, owned=owned)
    except BaseException:
        if owned:
            _close(raw)
        raise


def open_file(path: str) -> io.FileIO:
    """Opens a file.

    Raises:
        InputError: The file is missing, a directory or not readable.
    """
    try:
        return Path(path).open("rb", buffering=0)  # blocks are large: a second buffer only copies
    except OSError as error:
        raise InputError(path, _describe(error)) from error
    except ValueError as error:  # a NUL character in the name
        raise InputError(path, str(error)) from error


def _close(raw: BinarySource) -> None:
    if isinstance(raw, io.IOBase):
        raw.close()


def _describe(error: OSError) -> str:
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def _measure(raw: BinarySource) -> int | None:
    """Counts the bytes from here to the end of the file; None for a pipe."""
    if not isinstance(raw, io.IOBase):
        return None
    try:
        status = os.fstat(raw.fileno())
        return status.st_size - raw.tell() if stat.S_ISREG(status.st_mode) else None
    except OSError:  # io.BytesIO has no file number
        return None
