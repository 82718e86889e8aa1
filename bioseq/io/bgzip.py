"""bgzip: gzip in small blocks, so that reading can begin in the middle of a file.

A virtual offset names a byte of the text: the place of its block in the file, times 2^16, plus its
place in the block.

Source: SAM/BAM format specification, section 4.1 (BGZF).
"""

from __future__ import annotations

import io
import re
import struct
import zlib

import numpy as np
from jaxtyping import Int64

from bioseq.errors import FormatError
from bioseq.io.compression import COMPLETE
from bioseq.io.stream import open_file

_HEADER = re.compile(rb"\x1f\x8b\x08\x04.{6}\x06\x00BC\x02\x00(..)", re.DOTALL)
HEADER_SIZE = 18


def is_bgzip(head: bytes) -> bool:
    """Returns whether the first `HEADER_SIZE` bytes of a file are those of a bgzip block."""
    return _HEADER.match(head) is not None


class BgzipSource(io.RawIOBase):
    """The text of a bgzip file from a virtual offset on; remembers where the blocks lie.

    Args:
        path: The file.
        start: Virtual offset of the first byte to give.

    Raises:
        InputError: The file can't be read.
    """

    def __init__(self, path: str, *, start: int = 0) -> None:
        self._file = io.BufferedReader(open_file(path))
        self._path = path
        self._skip = start & 0xFFFF
        self._place = self._file.seek(start >> 16)
        self._text_size = 0
        self._block_places: list[int] = []
        self._text_starts: list[int] = []

    def readable(self) -> bool:
        """Says that this source can be read."""
        return True

    def read1(self, size: int = -1, /) -> bytes:
        """Returns the text of the next block that is not empty, whatever size is asked for.

        Raises:
            FormatError: The block is damaged or cut off.
        """
        while (text := self._next_block()) is not None:
            if text:
                return text
        return b""

    def virtual_offsets(
        self, positions: Int64[np.ndarray, " positions"]
    ) -> Int64[np.ndarray, " positions"]:
        """Returns the virtual offsets of bytes of the text that have been read.

        Args:
            positions: Their places, counted from where reading began.
        """
        places = np.array(self._block_places, np.int64)
        starts = np.array(self._text_starts, np.int64)
        block = np.searchsorted(starts, positions, side="right") - 1
        return (places[block] << 16) | (positions - starts[block])

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
        super().close()

    def _next_block(self) -> bytes | None:
        header = self._file.read(HEADER_SIZE)
        if not header:
            return None
        found = _HEADER.match(header)
        if found is None:
            raise self._error("no bgzip block")
        (last,) = struct.unpack("<H", found[1])
        block = header + self._file.read(last + 1 - HEADER_SIZE)
        try:
            text = zlib.decompress(block, wbits=31)
        except zlib.error as error:
            raise self._error("damaged block") from error
        self._block_places.append(self._place)
        self._place += last + 1
        text, self._skip = text[self._skip :], 0
        self._text_starts.append(self._text_size)
        self._text_size += len(text)
        return text

    def _error(self, what: str) -> FormatError:
        found = f"{what} at byte {self._place:,}"
        return FormatError("bgzip", path=self._path, found=found, expected=COMPLETE)
