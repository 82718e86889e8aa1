from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import assume, given
from hypothesis import strategies as st

from bioseq.errors import FormatError, InputError, MissingDependencyError
from bioseq.io.stream import open_stream

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}
NAMES = st.sampled_from(sorted(COMPRESS))


class Trickle(io.RawIOBase):
    """A pipe that can't seek and gives a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._file = io.BytesIO(data)
        self._size = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, self._size))


def read_all(data: bytes) -> bytes:
    return b"".join(open_stream(io.BytesIO(data)).blocks())


@given(st.binary(max_size=2000), NAMES, st.integers(1, 5), st.integers(1, 40))
def test_concatenated_streams_come_back_from_a_slow_pipe(
    data: bytes, name: str, num_streams: int, size: int
) -> None:
    packed = COMPRESS[name](data) * num_streams
    stream = open_stream(Trickle(packed, size))
    assert stream.head(10) == (data * num_streams)[:10]
    assert b"".join(stream.blocks()) == data * num_streams
    assert stream.compression == name
    assert stream.fraction is None


@given(st.binary(min_size=10, max_size=2000), NAMES, st.data())
def test_truncated_data_are_an_error_that_names_the_file(
    data: bytes, name: str, draws: st.DataObject
) -> None:
    packed = COMPRESS[name](data)
    assume(len(packed) > 10)  # a bzip2 file shows what it is in its first ten bytes
    kept = packed[: draws.draw(st.integers(10, len(packed) - 1))]
    with pytest.raises(FormatError, match=r"^<stream>: not valid .* too early"):
        read_all(kept)


@pytest.mark.parametrize("name", COMPRESS)
def test_damage_and_text_behind_the_data_are_errors(name: str) -> None:
    packed = COMPRESS[name](bytes(range(256)) * 100)
    middle = len(packed) // 2
    flipped = packed[:middle] + bytes([packed[middle] ^ 0xFF]) + packed[middle + 1 :]
    for data in (flipped, packed + b">a second, plain part\nMK\n"):
        with pytest.raises(FormatError, match=r"damaged|too early"):
            read_all(data)


def test_zero_padding_behind_the_data_is_no_damage() -> None:
    assert read_all(gzip.compress(b"abc") + bytes(512)) == b"abc"


def test_plain_bytes_pass_whatever_the_reads() -> None:
    data = bytes(range(256)) * 9000
    buffered = open_stream(io.BytesIO(data)).buffered()
    assert buffered.read(3) + buffered.read() == data


def test_zstd_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingDependencyError, match=r"bioseq\[zstd\]"):
        read_all(COMPRESS["zstd"](b"abc"))


@pytest.mark.parametrize("name", [None, *COMPRESS])
def test_the_fraction_goes_from_0_to_1(name: str | None, tmp_path: Path) -> None:
    data = bytes(i * i % 251 for i in range(200_000)) * 20
    path = tmp_path / "data"
    path.write_bytes(COMPRESS[name](data) if name else data)
    with open_stream(path) as stream:
        fractions = [stream.fraction for _ in stream.blocks()]
    assert fractions == sorted(fractions, key=lambda fraction: fraction or 0)
    assert fractions[-1] == 1.0


def test_a_text_stream_is_refused() -> None:
    with pytest.raises(InputError, match="binary mode"):
        open_stream(io.StringIO(">a\nMK\n"))  # pyright: ignore[reportArgumentType]
