from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from bioseq.errors import FormatError, InputError
from bioseq.io import open_records
from bioseq.records import Record

FASTA = b">a first\nMK\n>b\nVL\n"
RECORDS = [Record("a", "first", "MK"), Record("b", "", "VL")]
COMPRESS: dict[str | None, Callable[[bytes], bytes]] = {
    None: bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
READ_STDIN = """
from bioseq.io import open_records
with open_records("-") as reader:
    print(reader.path, reader.format, reader.compression, reader.fraction)
    for record in reader:
        print(record.id, record.sequence)
"""


def read_stdin(data: bytes, *, file: Path | None = None) -> str:
    command = [sys.executable, "-W", "error", "-c", READ_STDIN]
    root = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": root}
    if file is None:
        return subprocess.check_output(command, input=data, env=env).decode()
    with file.open("rb") as stdin:
        return subprocess.check_output(command, stdin=stdin, env=env).decode()


@pytest.mark.parametrize("name", COMPRESS)
def test_compression_is_told_by_content_not_by_name(name: str | None, tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(COMPRESS[name](FASTA))
    with open_records(path) as reader:
        assert (reader.path, reader.format, reader.compression) == (str(path), "fasta", name)
        assert list(reader) == RECORDS
        assert reader.fraction == 1.0


@pytest.mark.parametrize("name", [None, "gzip"])
def test_standard_input_is_read_from_a_pipe(name: str | None) -> None:
    lines = read_stdin(COMPRESS[name](FASTA)).splitlines()
    assert lines == [f"<stdin> fasta {name} None", "a MK", "b VL"]


def test_standard_input_from_a_file_has_a_fraction(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(FASTA)
    assert read_stdin(b"", file=path).splitlines()[0] == "<stdin> fasta None 1.0"


def test_a_stream_of_the_caller_stays_open() -> None:
    stream = io.BytesIO(b"LOCUS       A  2 bp DNA\nORIGIN\n 1 ac\n//\n")
    with open_records(stream) as reader:
        assert reader.path == "<stream>"
    assert not stream.closed


def test_next_and_for_share_one_position() -> None:
    reader = open_records(io.BytesIO(FASTA))
    assert [next(reader), *reader] == RECORDS


def test_a_truncated_gzip_file_is_an_error_that_names_it(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.fasta.gz"
    path.write_bytes((data_dir / "nasty" / "titin_Q8WZ42.fasta.gz").read_bytes()[:9000])
    with pytest.raises(FormatError, match="too early") as caught, open_records(path) as reader:
        list(reader)
    assert caught.value.path == str(path)


@pytest.mark.parametrize("data", [b"", b"\n \r\n", gzip.compress(b"", mtime=0), b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_records(data: bytes) -> None:
    with open_records(io.BytesIO(data), format="fasta") as reader:
        assert (reader.format, list(reader)) == ("empty", [])


def test_a_file_without_records_that_is_not_empty_is_an_error() -> None:
    with pytest.raises(FormatError, match="no record"):
        list(open_records(io.BytesIO(b"; a comment\n"), format="fasta"))


def test_a_missing_file_and_a_directory_are_errors_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x\.fasta: no such file or directory$"):
        open_records(tmp_path / "x.fasta")
    with pytest.raises(InputError, match=r"is a directory$"):
        open_records(tmp_path)
    with pytest.raises(InputError, match="null"):
        open_records("a\0b")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.fasta"
    path.write_bytes(FASTA)
    path.chmod(0)
    with pytest.raises(InputError, match=r"permission denied$"):
        open_records(path)


def test_importing_the_readers_does_not_import_biopython() -> None:
    code = "import sys, bioseq.io; sys.exit(any(m == 'Bio' or m == 'torch' for m in sys.modules))"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == 0


def test_a_header_that_no_store_can_hold_is_an_error() -> None:
    with pytest.raises(FormatError, match="NUL character in the header of record 2"):
        list(open_records(io.BytesIO(b">a\nMK\n>b\0c\nMK\n")))
