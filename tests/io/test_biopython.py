from __future__ import annotations

import io
import warnings
from pathlib import Path

import pytest

from bioseq.errors import FormatError
from bioseq.io import open_records
from bioseq.io.biopython import to_molecule
from bioseq.records import Record


@pytest.fixture
def entries_dir(data_dir: Path) -> Path:
    return data_dir / "nasty" / "biopython"


def read(data: bytes, *, format: str | None = None) -> list[Record]:
    return list(open_records(io.BytesIO(data), format=format))


def test_an_entry_without_sequence_is_a_record_with_an_empty_one(entries_dir: Path) -> None:
    (record,) = open_records(entries_dir / "GenBank_NT_019265.gb")
    description = "Homo sapiens chromosome 1 working draft sequence segment"
    assert record == Record("NT_019265.6", description, "", "dna")


def test_what_an_entry_lacks_is_empty_and_no_placeholder(entries_dir: Path) -> None:
    records = list(open_records(entries_dir / "SeqXML_protein_example.xml"))
    assert records[3] == Record("minimal", "", "S", "protein")


def test_the_title_line_of_a_pir_entry_is_not_sequence() -> None:
    (record,) = read(b">P1;CRAB_ANAPL\nALPHA CRYSTALLIN B CHAIN.\n  MDITI HNPLI\n  RRP*\n")
    assert record == Record("CRAB_ANAPL", "ALPHA CRYSTALLIN B CHAIN.", "MDITIHNPLIRRP", "protein")


def test_flat_file_and_xml_of_an_entry_have_one_sequence(entries_dir: Path) -> None:
    (flat,) = open_records(entries_dir / "SwissProt_Q13639.txt")
    (xml,) = open_records(entries_dir / "SwissProt_Q13639.xml")
    assert (flat.id, flat.sequence) == (xml.id, xml.sequence)


@pytest.mark.parametrize(
    "name",
    [
        "GenBank_protein_refseq.gb",
        "EMBL_epo_prt_selection.embl",
        "SwissProt_Q13639.txt",
        "SwissProt_Q13639.xml",
        "SeqXML_protein_example.xml",
    ],
)
def test_a_file_cut_within_its_last_sequence_is_an_error(name: str, entries_dir: Path) -> None:
    data = (entries_dir / name).read_bytes().rstrip()
    with pytest.raises(FormatError) as caught:
        read(data[:-20])
    assert "\n" not in str(caught.value)


def test_an_entry_shorter_than_it_says_is_an_error(entries_dir: Path) -> None:
    text = (entries_dir / "GenBank_protein_refseq.gb").read_bytes()
    with pytest.raises(FormatError, match="Expected sequence length 183, found 182"):
        read(text.replace(b"182 aa", b"183 aa"))


@pytest.mark.parametrize("format", ["genbank", "embl", "swiss", "uniprot-xml", "seqxml"])
def test_a_text_of_another_format_is_an_error_not_zero_records(format: str) -> None:
    with pytest.raises(FormatError, match=f"not valid {format}"):
        read(b">a\nMKVL\n", format=format)


def test_the_callers_warning_filters_are_left_alone(entries_dir: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        before = list(warnings.filters)
        reader = open_records(entries_dir / "GenBank_bad_origin_wrap.gb")
        next(reader)
        assert warnings.filters == before
    assert caught == []


@pytest.mark.parametrize(
    ("text", "molecule"),
    [("mRNA", "rna"), ("ss-DNA", "dna"), ("protein", "protein"), ("", None), ("other", None)],
)
def test_molecule_types_map_to_three_words(text: str, molecule: str | None) -> None:
    assert to_molecule(text) == molecule
