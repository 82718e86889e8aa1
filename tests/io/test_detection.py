from __future__ import annotations

import pytest

from bioseq.errors import FormatError, OptionError
from bioseq.io.detection import resolve_format


def detect(text: bytes, path: str = "x", format: str | None = None) -> str:
    return resolve_format(text, path=path, format=format)


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("empty", b""),
        ("empty", b" \n\r\n"),
        ("fasta", b">a\nMK\n"),
        ("fasta", b"\n; comment\n#x\n!y\n>a\nMK\n"),
        ("fasta", b"\r\r>a\rMK\r"),
        ("fastq", b"@a\nAC\n+\nII\n"),
        ("fastq", b"@SQ1 x\nAC\n+\nII\n"),
        ("a3m", b"#A3M#\n>a\nMK\n"),
        ("a3m", b"#63\t1\n>101\nMK\n"),
        ("stockholm", b"\n# STOCKHOLM 1.0\r\na MK\n//\n"),
        ("genbank", b"LOCUS       NP_034640     182 aa\n"),
        ("genbank", b"GBBCT1.SEQ          Genetic Sequence Data Bank\n"),
        ("embl", b"ID   X56734; SV 1; linear; mRNA; STD; PLN; 1859 BP.\n"),
        ("embl", b"ID   AA03518    standard; DNA; FUN; 237 BP.\n"),
        ("swiss", b"ID   5HT4R_HUMAN             Reviewed;         388 AA.\n"),
        ("swiss", b"ID   143B_HUMAN     STANDARD;      PRT;   245 AA.\n"),
        ("uniprot-xml", b"<?xml version='1.0'?>\n<uniprot xmlns='x'>\n"),
        ("seqxml", b'<?xml version="1.0"?><seqXML source="x">'),
        ("pdb", b"HEADER    PROTEIN FIBRIL\n"),
        ("pdb", b"ATOM      1  N   MET A   1\n"),
        ("pdb", b"ATOM  100000  N   MET A   1\n"),
        ("pdb", b"PARENT N/A\n"),
        ("mmcif", b"data_1A8O\n#\n"),
        ("mmcif", b"# by some tool\n#\ndata_1A8O\n"),
    ],
)
def test_content_tells_the_format(format: str, text: bytes) -> None:
    assert detect(text) == format


@pytest.mark.parametrize("name", ["x.a3m", "x.a3m.gz", "dir/X.A3M.ZST"])
def test_the_suffix_tells_a3m_from_fasta(name: str) -> None:
    assert detect(b">a\nMK\n", path=name) == "a3m"


def test_a_suffix_never_overrides_content() -> None:
    assert detect(b"LOCUS       A\n", path="x.fasta") == "genbank"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"MKVL\n", "'MKVL"),
        (b"PK\x03\x04\xff", r"PK\\x03\\x04"),
        (b"@HD\tVN:1.6\n", "@HD"),
        (b"<html><body>", "<html>"),
        (b"# only a comment\n", "# only"),
        (b"\xff\xfe>\x00a\x00", "UTF-16"),
    ],
)
def test_unknown_content_is_shown_with_the_formats_there_are(text: bytes, shown: str) -> None:
    with pytest.raises(FormatError, match="stockholm, genbank") as caught:
        detect(text)
    assert shown.replace("\\\\", "\\") in caught.value.found.replace("\\\\", "\\")
    assert str(caught.value).isprintable()


def test_the_format_asked_for_wins() -> None:
    assert detect(b">a\nMK\n", format="a3m") == "a3m"
    assert detect(b"", format="fasta") == "empty"


def test_a_format_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(OptionError, match=r"'fas'.*fasta, fastq"):
        detect(b">a\nMK\n", format="fas")
