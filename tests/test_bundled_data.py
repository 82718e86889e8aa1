from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import pytest

# name: records, residues or bases
COUNTS = {
    "ecoli_k12.fasta.gz": (4331, 1_345_850),
    "example.fasta": (20, 7_196),
    "lambda_phage.fasta.gz": (1, 48_502),
}


def read_bundled(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


@pytest.mark.parametrize("name", COUNTS)
def test_a_bundled_file_is_the_one_its_readme_describes(bundled_dir: Path, name: str) -> None:
    readme = (bundled_dir / "README.md").read_text()
    digest = hashlib.sha256(read_bundled(bundled_dir / name)).hexdigest()
    assert re.search(rf"`{re.escape(name)}`.*`{digest}`", readme)


@pytest.mark.parametrize(("name", "counts"), COUNTS.items())
def test_a_bundled_file_has_the_stated_size(
    bundled_dir: Path, name: str, counts: tuple[int, int]
) -> None:
    lines = read_bundled(bundled_dir / name).decode().splitlines()
    headers = [line for line in lines if line.startswith(">")]
    assert (len(headers), sum(map(len, lines)) - sum(map(len, headers))) == counts


def test_bundled_gzip_files_carry_no_time(bundled_dir: Path) -> None:
    for path in bundled_dir.glob("*.gz"):
        assert path.read_bytes()[4:8] == bytes(4)


def test_the_example_is_an_excerpt_of_the_proteome(bundled_dir: Path) -> None:
    proteome = read_bundled(bundled_dir / "ecoli_k12.fasta.gz").decode()
    example = read_bundled(bundled_dir / "example.fasta").decode()
    assert all(">" + record in proteome for record in example.split(">")[1:])
