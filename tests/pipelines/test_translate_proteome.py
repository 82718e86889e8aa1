from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "pipelines" / "research" / "data" / "translate_proteome.py"
GENOME = ">chr toy\nATGAAATAA" + "GTGTGGTGA" + "TTATTTCAT" + "ATGTAAAAATAA\n"


def cds(start: int, end: int, strand: str, accession: str) -> str:
    attributes = (
        f"ID=cds-{accession};gene={accession}_TOY;Dbxref=UniProtKB:{accession};product=x%3By"
    )
    return f"chr\ttest\tCDS\t{start}\t{end}\t.\t{strand}\t0\t{attributes}\n"


def run_script(folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    (folder / "genome.fa").write_text(GENOME)
    (folder / "cds.gff3").write_text("##gff-version 3\n" + "".join(lines))
    command = [sys.executable, SCRIPT, "genome.fa", "cds.gff3", "out.fa.gz", "--example", "few.fa"]
    return subprocess.run(
        [*command, "--example-count", "1"], cwd=folder, capture_output=True, text=True
    )


def test_both_strands_and_alternative_starts_are_translated(tmp_path: Path) -> None:
    done = run_script(tmp_path, cds(10, 18, "+", "B"), cds(1, 9, "+", "A"), cds(19, 27, "-", "A"))
    assert done.stdout.startswith("2 proteins, 2 distinct, 4 residues\n")
    assert (tmp_path / "few.fa").read_text() == ">B B_TOY x;y chr:10-18(+)\nMW\n"


def test_all_loci_of_a_protein_stand_in_its_header(tmp_path: Path) -> None:
    run_script(tmp_path, cds(1, 9, "+", "A"), cds(19, 27, "-", "A"))
    assert (tmp_path / "few.fa").read_text() == ">A A_TOY x;y chr:1-9(+),chr:19-27(-)\nMK\n"


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    run_script(tmp_path, cds(1, 9, "+", "A"))
    first = (tmp_path / "out.fa.gz").read_bytes()
    (tmp_path / "out.fa.gz").unlink()
    run_script(tmp_path, cds(1, 9, "+", "A"))
    assert (tmp_path / "out.fa.gz").read_bytes() == first


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([cds(28, 39, "+", "A")], "Extra in frame stop codon"),
        ([cds(2, 9, "+", "A")], "is not a start codon"),
        ([cds(1, 9, "+", "A"), cds(10, 18, "+", "A")], "A: 2 different proteins at 2 loci"),
    ],
)
def test_a_wrong_annotation_is_refused(tmp_path: Path, lines: list[str], problem: str) -> None:
    done = run_script(tmp_path, *lines)
    assert done.returncode != 0
    assert problem in done.stderr
    assert not (tmp_path / "out.fa.gz").exists()
