"""A range of records is what a reading from the beginning gives at that place."""

from __future__ import annotations

import gzip
from itertools import islice
from pathlib import Path

import pytest
from Bio import bgzf
from hypothesis import given, settings
from hypothesis import strategies as st

from bioseq.errors import FormatError, InputError
from bioseq.io import RecordRange, open_indexing, open_range, open_records

ENDS = st.sampled_from(["\n", "\r\n", "\r"])
LINES = st.text("ACDE>; ", max_size=7).filter(lambda line: not line.startswith((">", ";")))
RECORDS = st.lists(st.tuples(st.text("ab >;", max_size=9), st.lists(LINES, max_size=3)), min_size=1)


def fasta_of(records: list[tuple[str, list[str]]], end: str) -> str:
    return "".join(
        f">{header}{end}" + "".join(f"{x}{end}" for x in lines) for header, lines in records
    )


@settings(max_examples=30)
@given(records=RECORDS, end=ENDS, mark=st.sampled_from(["", "\ufeff", "; a comment\n"]))
@pytest.mark.parametrize("kind", ["plain", "bgzip", "gzip"])
def test_every_range_of_a_fasta_file_equals_a_slice_of_all_records(
    tmp_path_factory: pytest.TempPathFactory, kind: str, records: list, end: str, mark: str
) -> None:
    path = tmp_path_factory.mktemp("ranges") / "x.fasta"
    write_as(kind, path, (mark + fasta_of(records, end)).encode())
    with open_records(path) as reader:
        expected = list(reader)
    with open_indexing(path) as reader:
        assert list(reader) == expected
        offsets = reader.offsets()
    assert (offsets is None) == (kind == "gzip")
    for first in range(len(expected)):
        offset = None if offsets is None else int(offsets[first])
        part = RecordRange(path=str(path), format="fasta", first=first, count=2, offset=offset)
        with open_range(part) as found:
            assert list(found) == expected[first : first + 2]


def write_as(kind: str, path: Path, text: bytes) -> None:
    if kind == "bgzip":
        with bgzf.BgzfWriter(str(path)) as file:
            for start in range(0, len(text), 20):  # blocks of a few lines
                file.write(text[start : start + 20])
                file.flush()
    else:
        path.write_bytes(gzip.compress(text) if kind == "gzip" else text)


def test_records_of_a_bgzip_file_lie_where_biopython_finds_them(
    tmp_path: Path, bundled_dir: Path
) -> None:
    path = tmp_path / "x.fasta.bgz"
    with gzip.open(bundled_dir / "ecoli_k12.fasta.gz") as file:
        write_large_bgzip(path, file.read(300_000))
    with open_indexing(path) as reader:
        ids = [record.id for record in reader]
        offsets = reader.offsets()
    assert offsets is not None
    assert offsets[-1] >> 16 > 0
    with bgzf.BgzfReader(str(path), "rb") as file:
        for id, offset in zip(ids, offsets.tolist(), strict=True):
            file.seek(offset)
            assert file.read(len(id) + 1) == b">" + id.encode()


def write_large_bgzip(path: Path, text: bytes) -> None:
    with bgzf.BgzfWriter(str(path)) as file:
        file.write(text)


def test_formats_without_offsets_are_read_from_the_beginning(tmp_path: Path) -> None:
    path = tmp_path / "x.fastq"
    path.write_text("".join(f"@r{i}\nACGT\n+\nIIII\n" for i in range(8)))
    with open_indexing(path) as reader:
        expected = list(reader)
        assert reader.offsets() is None
        name = reader.format
    part = RecordRange(path=str(path), format=name, first=1, count=5)
    with open_range(part) as found:
        assert list(found) == list(islice(expected, 1, 6))


def test_a_range_knows_how_much_of_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "x.fasta"
    path.write_text(">a\nA\n>b\nA\n>c\nA\n")
    with open_range(
        RecordRange(path=str(path), format="fasta", first=1, count=2, offset=5)
    ) as part:
        assert part.fraction == 0
        assert next(part).id == "b"
        assert part.fraction == 0.5


def test_a_cut_or_damaged_bgzip_block_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.bgz"
    write_as("bgzip", path, b">a\nACDEFGHIKLMNPQRST\n>b\nACD\n" * 3)
    whole = path.read_bytes()
    for broken, found in (
        (whole[:-30], "damaged block|no bgzip block"),
        (whole[:40] + b"\xff" + whole[41:], r"damaged block at byte 0"),
    ):
        path.write_bytes(broken)
        with pytest.raises(FormatError, match=found), open_indexing(path) as reader:
            list(reader)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    part = RecordRange(path=str(tmp_path / "none"), format="fasta", first=0, count=1)
    with pytest.raises(InputError, match="none: no such file"):
        open_range(part)
