"""Alignments in the columns of their query."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.errors import AlphabetError, OptionError
from bioseq.io import read_alignment
from bioseq.msa import Alignment, Msa

COLUMN = st.sampled_from("ACDEFGHIKLMNPQRSTVWY-")
INSERTION = st.text("acdefg", max_size=3)


def alignment_of(*rows: str, format: str = "a3m") -> Alignment:
    ids = tuple(str(number) for number in range(len(rows)))
    return Alignment(ids=ids, descriptions=ids, rows=rows, format=format)  # pyright: ignore[reportArgumentType]


@given(
    columns=st.lists(st.lists(COLUMN, min_size=4, max_size=4), min_size=1, max_size=5),
    insertions=st.lists(st.lists(INSERTION, min_size=4, max_size=4), min_size=5, max_size=5),
)
def test_every_column_and_insertion_of_an_a3m_is_kept(
    columns: list[list[str]], insertions: list[list[str]]
) -> None:
    rows = ["ACDE", *map("".join, columns)]
    raw = [
        "".join(i + c for i, c in zip(inserted, row, strict=True)) + "gg"
        for row, inserted in zip(rows[1:], insertions, strict=False)
    ]
    msa = Msa.from_alignment(alignment_of("ACDE", *raw))
    assert [msa.row(number) for number in range(msa.depth)] == rows
    expected = [[0] * 4, *([len(i) for i in row] for row in insertions[: len(raw)])]
    np.testing.assert_array_equal(msa.deletions, expected)


def test_columns_that_the_query_lacks_become_insertions() -> None:
    msa = Msa.from_alignment(alignment_of("A-C-D", "AKCGD", "-K--D", "AkkKC-D"))
    assert [msa.row(number) for number in range(4)] == ["ACD", "ACD", "--D", "ACD"]
    np.testing.assert_array_equal(msa.deletions, [[0, 0, 0], [0, 1, 1], [0, 1, 0], [0, 3, 0]])


def test_lower_case_of_a_stockholm_file_is_a_residue_of_its_column() -> None:
    rows = ("AC.DE", "aC.D-", ".ckD-")
    msa = Msa.from_alignment(alignment_of(*rows, format="stockholm"))
    assert [msa.row(number) for number in range(3)] == ["ACDE", "ACD-", "-CD-"]
    np.testing.assert_array_equal(msa.deletions[2], [0, 0, 1, 0])


def test_dots_of_an_a2m_stand_for_nothing() -> None:
    msa = Msa.from_alignment(alignment_of("A..CD", "AkkCD", "A.k-D"))
    assert [msa.row(number) for number in range(3)] == ["ACD", "ACD", "A-D"]
    np.testing.assert_array_equal(msa.deletions[:, 1], [0, 2, 1])


@pytest.mark.parametrize("name", ["esm_UniRef50_E9K9Y4.a3m", "openfold_2q2k_A_mgnify.sto"])
def test_real_files_have_their_query_first(data_dir: Path, name: str) -> None:
    alignment = read_alignment(data_dir / "nasty" / "msa" / name)
    msa = Msa.from_alignment(alignment)
    assert msa.depth == len(alignment)
    letters = "".join(symbol for symbol in alignment.rows[0].upper() if symbol.isalpha())
    assert msa.query == letters
    assert (msa.deletions >= 0).all()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((), "rows of the alignment is 0"),
        (("---",), "residues of the query is 0"),
    ],
)
def test_an_alignment_without_query_is_refused(rows: tuple[str, ...], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Msa.from_alignment(alignment_of(*rows))


def test_a_symbol_that_is_no_residue_is_named_with_its_row() -> None:
    with pytest.raises(AlphabetError, match=r"'1' at position 2.*row '1'"):
        Msa.from_alignment(alignment_of("ACD", "A1D"))


def test_the_digest_tells_alignments_apart_and_not_their_names() -> None:
    first = alignment_of("ACD", "A-D")
    assert first.digest != alignment_of("ACD", "AAD").digest
    assert first.digest != alignment_of("ACD", "A-D", format="stockholm").digest
    renamed = Alignment(ids=("x", "y"), descriptions=("", ""), rows=first.rows)
    assert first.digest == renamed.digest
    assert len(first.digest) == 35
