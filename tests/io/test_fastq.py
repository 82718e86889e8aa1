from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.errors import FormatError
from bioseq.io.fastq import read_fastq
from bioseq.records import Record

READS = st.lists(st.text("ACGTN", min_size=1, max_size=40), min_size=1, max_size=6)


def read(text: str) -> list[Record]:
    return list(read_fastq(io.StringIO(text), path="x.fastq"))


@given(READS, st.sampled_from("@+I!"))
def test_reads_come_back_whatever_the_qualities_look_like(reads: list[str], quality: str) -> None:
    text = "".join(f"@r{i} n={i}\n{r}\n+\n{quality * len(r)}\n" for i, r in enumerate(reads))
    assert read(text) == [Record(f"r{i}", f"n={i}", r) for i, r in enumerate(reads)]


def test_blank_lines_around_the_reads_are_left_out() -> None:
    assert read("\n\n@a\nAC\n+\nII\n\n\n") == [Record("a", "", "AC")]


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("@a\nAC\n+\nIII\n@b\nA\n+\nI\n", 5, "Lengths"),
        ("@a\nAC\n+\nII\n@b\nAC\n", 6, "End of file"),
        ("@a\nAC\n+\nII\n@b\nAC\n+\n", 7, "Unexpected end"),
        ("@a\nAC\n+b\nII\n", 3, "captions differ"),
        ("\n>a\nAC\n", 2, "start with '@'"),
    ],
)
def test_damage_is_an_error_with_the_last_line_read(text: str, line: int, found: str) -> None:
    with pytest.raises(FormatError, match=found) as caught:
        read(text)
    assert (caught.value.path, caught.value.line) == ("x.fastq", line)
