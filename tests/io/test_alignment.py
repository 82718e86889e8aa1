from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.errors import FormatError, OptionError
from bioseq.io import open_records, read_alignment

A3M = """#A3M#
>ss_pred PSIPRED
CHHHC
>ss_conf
01230
>Consensus
MKxLA
>query/1-5 the query
MKVLA
# a comment between rows
>hit|PF/1-20\tfirst hit
MKgg-LA
>hit2_consensus
MKVLA
>hit3
-.K.-L
A
"""
STOCKHOLM = """# STOCKHOLM 1.0
#=GF ID test
#=GS b/2-5 DE the second
#=GS b/2-5 DE row

a/1-6  MKv.
#=GR a/1-6 SS CCCC
b/2-5\t-Kg-
#=GC RF xx..

a/1-6  LA
b/2-5  LA
//
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a3m_rows_are_as_given_and_the_query_is_first(tmp_path: Path) -> None:
    alignment = read_alignment(write(tmp_path / "x.a3m", A3M))
    assert alignment.ids == ("query/1-5", "hit|PF/1-20", "hit3")
    assert alignment.descriptions == ("the query", "first hit", "")
    assert alignment.rows == ("MKVLA", "MKgg-LA", "-.K.-LA")
    assert len(alignment) == 3


def test_a3m_records_have_no_gaps_and_upper_case_insertions(tmp_path: Path) -> None:
    records = list(open_records(write(tmp_path / "x.a3m", A3M)))
    assert [record.sequence for record in records] == ["MKVLA", "MKGGLA", "KLA"]


def test_stockholm_blocks_are_joined_and_insert_columns_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "x.sto", STOCKHOLM)
    alignment = read_alignment(path)
    assert alignment.ids == ("a/1-6", "b/2-5")
    assert alignment.descriptions == ("", "the second row")
    assert alignment.rows == ("MKv.LA", "-Kg-LA")
    assert [record.sequence for record in open_records(path)] == ["MKVLA", "KGLA"]


@pytest.mark.parametrize(
    "name",
    [
        "biopython/Stockholm_cath1.sth",
        "biopython/Stockholm_globins45.ali",
        "biopython/Stockholm_pfam8.seed.txt",
        "biopython/Stockholm_funny.sth",
        "msa/mitos_PF09645_full.stockholm",
        "msa/openfold_2q2k_A_mgnify.sto",
    ],
)
def test_stockholm_equals_biopython_but_for_its_dots(name: str, data_dir: Path) -> None:
    from Bio import AlignIO

    path = data_dir / "nasty" / name
    alignment = read_alignment(path)
    theirs = AlignIO.read(path, "stockholm")
    assert alignment.ids == tuple(entry.id for entry in theirs)
    rows = tuple(row.replace(".", "-") for row in alignment.rows)
    assert rows == tuple(str(entry.seq) for entry in theirs)


def test_all_rows_of_a_real_a3m_have_the_match_columns_of_its_query(data_dir: Path) -> None:
    alignment = read_alignment(data_dir / "nasty" / "msa" / "esm_UniRef50_E9K9Y4.a3m")
    widths = {sum(not symbol.islower() for symbol in row) for row in alignment.rows}
    assert widths == {len(alignment.rows[0])} == {98}


@given(
    st.lists(st.text("ACDEFGHIKLMNPQRSTVWY-", min_size=9, max_size=9), min_size=1, max_size=6),
    st.integers(1, 12),
)
def test_rows_come_back_from_both_formats(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str], width: int
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    a3m = "".join(f">r{i}\n{row}\n" for i, row in enumerate(rows))
    cuts = range(0, 9, width)
    blocks = ("".join(f"r{i} {r[c : c + width]}\n" for i, r in enumerate(rows)) for c in cuts)
    sto = "# STOCKHOLM 1.0\n" + "\n".join(blocks) + "//\n"
    for path in (write(folder / "x.a3m", a3m), write(folder / "x.sto", sto)):
        assert read_alignment(path).rows == tuple(rows)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (A3M + ">bad\nMKVL\n", r"4 match columns in row 'bad', 5 in row 'query/1-5'"),
        (STOCKHOLM.replace("b/2-5  LA", "b/2-5  L"), r"line 13: .* 5 columns in row 'b/2-5'"),
        (STOCKHOLM.replace("//\n", ""), r"line 12: .* before the end of the alignment"),
        (STOCKHOLM.replace("b/2-5  LA", "b/2-5"), r"line 12: .* row without sequence: 'b/2-5'"),
        (STOCKHOLM + STOCKHOLM, "2 alignments; expected one"),
        ("", "no sequence"),
        ("# STOCKHOLM 1.0\n//\n", "no sequence"),
    ],
)
def test_a_damaged_alignment_says_what_is_wrong(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=problem):
        read_alignment(write(tmp_path / "x", text))


def test_several_alignments_in_a_file_all_give_records(tmp_path: Path) -> None:
    assert len(list(open_records(write(tmp_path / "x.sto", STOCKHOLM * 2)))) == 4


def test_a_format_without_alignments_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="a3m, stockholm"):
        read_alignment(write(tmp_path / "x", "LOCUS       A\n"))
