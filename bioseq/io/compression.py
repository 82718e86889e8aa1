"""Compressed or plain bytes, recognised by content and read once from front to back.

The decompressors are driven here and not through `gzip.open` and its relatives, because those
silently ignore damaged data behind the first stream of a bzip2, xz or zstd file.
"""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from bioseq.errors import FormatError, MissingDependencyError

MAGIC_SIZE = 16

MAGIC = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "bzip2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\x00"),
    # The second form is a skippable frame, which some writers put first.
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL),
}


class Decompressor(Protocol):
    """What the decompressor objects of zlib, bz2, lzma and zstandard share."""

    @property
    def eof(self) -> bool: ...  # noqa: D102
    @property
    def unused_data(self) -> bytes: ...  # noqa: D102
    def decompress(self, data: bytes, /) -> bytes: ...  # noqa: D102


def recognise_compression(head: bytes) -> str | None:
    """Names the compression that the first bytes of a file announce; None for anything else.

    Args:
        head: The first `MAGIC_SIZE` bytes, or all bytes of a shorter file.
    """
    return next((name for name, magic in MAGIC.items() if magic.match(head)), None)


def decompress_blocks(name: str, chunks: Iterator[bytes], *, path: str) -> Iterator[bytes]:
    """Decompresses a file of one or many concatenated streams (multi-member gzip, bgzip, pbzip2).

    Args:
        name: A key of `MAGIC`.
        chunks: The compressed bytes, in small pieces: the output of one piece is held whole.
        path: The file's name for messages.

    Yields:
        Non-empty blocks of decompressed bytes.

    Raises:
        FormatError: The data are truncated or damaged.
        MissingDependencyError: zstd data and no `zstandard` package.
    """
    new_decompressor, damage = _load(name)
    try:
        yield from _decompress(new_decompressor, chunks)
    except EOFError:
        found = "the compressed data end too early (truncated file)"
        raise FormatError(name, path=path, found=found, expected=COMPLETE) from None
    except damage as error:
        found = f"damaged compressed data ({error})"
        raise FormatError(name, path=path, found=found, expected=COMPLETE) from error


COMPLETE = "a complete file; copy or download it again"


def _decompress(
    new_decompressor: Callable[[], Decompressor], chunks: Iterator[bytes]
) -> Iterator[bytes]:
    decompressor: Decompressor | None = None
    for chunk in chunks:
        rest = chunk
        while rest:
            if decompressor is None:
                rest = rest.lstrip(b"\0")  # padding between and behind streams
                if not rest:
                    break
                decompressor = new_decompressor()
            data = decompressor.decompress(rest)
            rest = b""
            if decompressor.eof:
                rest, decompressor = decompressor.unused_data, None
            if data:
                yield data
    if decompressor is not None:
        raise EOFError


def _load(name: str) -> tuple[Callable[[], Decompressor], type[Exception]]:
    """Returns the decompressor's constructor and the exception it raises for damaged data."""
    if name == "gzip":
        return lambda: zlib.decompressobj(wbits=31), zlib.error
    if name == "bzip2":
        return bz2.BZ2Decompressor, OSError
    if name == "xz":
        return lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ), lzma.LZMAError
    try:
        import zstandard
    except ImportError:
        raise MissingDependencyError("zstandard", extra="zstd") from None
    return lambda: zstandard.ZstdDecompressor().decompressobj(), zstandard.ZstdError
