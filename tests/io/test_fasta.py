from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.errors import FormatError
from bioseq.io import open_records
from bioseq.io.fasta import read_fasta
from bioseq.records import Record

WORD = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
DESCRIPTION = st.lists(WORD, max_size=3).map(" ".join)
SEQUENCE = st.text("ACDEFGHIKLMNPQRSTVWYacdefgxXBZUO*-.", max_size=200)
RECORDS = st.lists(st.builds(Record, WORD, DESCRIPTION, SEQUENCE), min_size=1, max_size=8)
LINE_END = st.sampled_from(["\n", "\r\n", "\r"])


def write_fasta(
    records: list[Record], *, width: int = 60, line_end: str = "\n", final: bool = True
) -> bytes:
    lines: list[str] = []
    for record in records:
        lines.append(
            f">{record.id} {record.description}" if record.description else f">{record.id}"
        )
        lines += [record.sequence[i : i + width] for i in range(0, len(record.sequence), width)]
    return (line_end.join(lines) + (line_end if final else "")).encode()


def cut(text: bytes, size: int) -> Iterator[bytes]:
    return (text[i : i + size] for i in range(0, len(text), size))


def read(text: bytes, *, size: int = 1 << 20) -> list[Record]:
    return list(read_fasta(cut(text, size), path="x.fasta"))


@given(RECORDS, st.integers(1, 80), LINE_END, st.booleans(), st.integers(1, 50))
def test_records_come_back_whatever_the_wrapping_line_ends_and_block_size(
    records: list[Record], width: int, line_end: str, final: bool, size: int
) -> None:
    text = write_fasta(records, width=width, line_end=line_end, final=final)
    assert read(text, size=size) == records


@given(st.binary(max_size=200), st.integers(1, 20))
def test_block_size_never_matters_and_any_bytes_give_records_or_a_format_error(
    text: bytes, size: int
) -> None:
    def outcome(size: int) -> list[Record] | int | None:
        try:
            return read(b">" + text, size=size)
        except FormatError as error:
            return error.line

    assert outcome(size) == outcome(1 << 20)


@given(st.lists(st.builds(Record, WORD.filter(str.isascii), DESCRIPTION, SEQUENCE), min_size=1))
def test_ordinary_fasta_reads_as_in_biopython(records: list[Record]) -> None:
    from Bio import SeqIO

    text = write_fasta(records)
    theirs = SeqIO.parse(io.StringIO(text.decode()), "fasta")
    pairs = [
        (f"{record.id} {record.description}".strip(), record.sequence) for record in read(text)
    ]
    assert pairs == [(str(entry.description), str(entry.seq)) for entry in theirs]


@pytest.mark.parametrize(
    "name", ["Fasta_nucleotide_lib.fa", "Fasta_protein_lib.fa", "Align_hg38.fa"]
)
def test_real_fasta_reads_as_in_biopython(name: str, data_dir: Path) -> None:
    from Bio import SeqIO

    path = data_dir / "nasty" / "biopython" / name
    with open_records(path) as reader:
        ours = [(record.id, record.sequence) for record in reader]
    with path.open() as file:
        assert ours == [(entry.id, str(entry.seq)) for entry in SeqIO.parse(file, "fasta")]


@pytest.mark.parametrize(
    ("header", "id", "description"),
    [
        ("a", "a", ""),
        ("", "", ""),
        ("a b c", "a", "b c"),
        ("a\tb c", "a", "b c"),
        ("a  b ", "a", " b "),
        (" a b", "a", "b"),
        ("sp|P1|X >b", "sp|P1|X", ">b"),
        ("a/b\\c:d\u00a0e", "a/b\\c:d\u00a0e", ""),
        (";a #b", ";a", "#b"),
    ],
)
def test_the_id_is_the_first_word_and_the_rest_is_kept(
    header: str, id: str, description: str
) -> None:
    assert read(f">{header}\nMK\n".encode()) == [Record(id, description, "MK")]


def test_comments_and_blank_lines_are_left_out_anywhere() -> None:
    text = b"\n;one\n # \n"
    with pytest.raises(FormatError, match="line 3"):
        read(text + b">a\nMK\n")
    text = b"; one\n\n#two\n!three\n>a ;x #y !z\n;four\nMK\n\n#five\n;six\nVL;\n!seven"
    for size in (1, 2, 3, 7, 100):
        assert read(text, size=size) == [Record("a", ";x #y !z", "MKVL;")]


def test_white_space_in_a_sequence_goes_and_other_symbols_stay() -> None:
    assert read(b">a\n M\tK V\x0bL\x0c\r\n1*-.\n")[0].sequence == "MKVL1*-."


def test_a_character_outside_ascii_in_a_sequence_stays_a_character() -> None:
    assert read(">a\nMKé\n".encode())[0].sequence == "MKé"
    assert read(b">a\nMK\xe9\n")[0].sequence == "MKé"


def test_a_latin1_header_leaves_its_neighbours_utf8() -> None:
    text = b">ni\xf1o\nMK\n" + ">β\nVL\n".encode()
    assert [record.id for record in read(text)] == ["niño", "β"]


@pytest.mark.parametrize(("text", "line"), [(b"MK\n>a\nMK\n", 1), (b"\r\n;x\r\nMK\r\n>a\r\n", 3)])
@pytest.mark.parametrize("size", [1, 100])
def test_sequence_before_the_first_header_is_an_error_with_its_line(
    text: bytes, line: int, size: int
) -> None:
    with pytest.raises(FormatError) as caught:
        read(text, size=size)
    assert caught.value.line == line


def test_a_chromosome_on_one_line_is_one_record() -> None:
    sequence = b"ACGTN" * 1_000_000
    (record,) = read(b">chr1\n" + sequence)
    assert record.sequence.encode() == sequence


def test_memory_does_not_grow_with_the_number_of_records(tmp_path: Path) -> None:
    path = tmp_path / "many.fasta"
    block = b"".join(b">seq%d some words\n%s\n" % (i, b"MKVLA" * 700) for i in range(200))
    with path.open("wb") as file:
        for _ in range(30):
            file.write(block)
    assert path.stat().st_size > 20_000_000
    tracemalloc.start()
    try:
        with open_records(path) as reader:
            num_records = sum(1 for _ in reader)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert num_records == 200 * 30
    assert peak < 10_000_000
