"""Translates every CDS of a bacterial genome into a FASTA file of its distinct proteins.

One record per UniProt accession, in genome order: id = accession, description = entry name, product
and every locus (1-based, inclusive, as in GFF3). The loci of an accession must give one protein.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from urllib.parse import unquote

from Bio import SeqIO
from Bio.Seq import Seq

GENETIC_CODE = "Bacterial"  # NCBI table 11
LINE_WIDTH = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class CodingSequence:
    """One CDS line of a GFF3 file; `start` and `end` are 1-based and inclusive."""

    chromosome: str
    start: int
    end: int
    strand: str
    accession: str
    entry: str
    product: str

    @property
    def locus(self) -> str:
        """The place in the form `NC_000913.3:190-255(+)`."""
        return f"{self.chromosome}:{self.start}-{self.end}({self.strand})"


@dataclass(frozen=True, slots=True)
class Protein:
    """A translated protein and what its FASTA header says."""

    accession: str
    description: str
    sequence: str

    @property
    def fasta(self) -> str:
        """The record as FASTA text with lines of 60 residues."""
        starts = range(0, len(self.sequence), LINE_WIDTH)
        lines = [self.sequence[start : start + LINE_WIDTH] for start in starts]
        return "\n".join([f">{self.accession} {self.description}", *lines, ""])


def read_text(path: Path) -> str:
    """Returns the text of a plain or gzipped file."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


def read_coding_sequences(path: Path) -> Iterator[CodingSequence]:
    """Yields the CDS lines of a GFF3 file in their order."""
    for line in read_text(path).splitlines():
        fields = line.split("\t")
        if len(fields) != 9 or fields[2] != "CDS":
            continue
        attributes = dict(pair.split("=", 1) for pair in fields[8].split(";"))
        yield CodingSequence(
            chromosome=fields[0],
            start=int(fields[3]),
            end=int(fields[4]),
            strand=fields[6],
            accession=attributes["Dbxref"].removeprefix("UniProtKB:"),
            entry=unquote(attributes["gene"]),
            product=unquote(attributes["product"]),
        )


def translate(cds: CodingSequence, genome: dict[str, Seq]) -> str:
    """Returns the protein of a CDS, without the stop; an alternative start codon reads as M.

    Raises:
        Bio.Data.CodonTable.TranslationError: No start codon, an internal stop or a partial codon.
    """
    bases = genome[cds.chromosome][cds.start - 1 : cds.end]
    coding = bases.reverse_complement() if cds.strand == "-" else bases
    return str(coding.translate(table=GENETIC_CODE, cds=True))


def translate_proteome(genome: dict[str, Seq], annotation: Path) -> list[Protein]:
    """Returns one protein per accession.

    Raises:
        ValueError: Two loci of one accession give different proteins.
    """
    loci: dict[str, list[CodingSequence]] = {}
    for cds in read_coding_sequences(annotation):
        loci.setdefault(cds.accession, []).append(cds)
    return [merge_loci(copies, genome) for copies in loci.values()]


def merge_loci(copies: list[CodingSequence], genome: dict[str, Seq]) -> Protein:
    """Makes the one protein that all loci of an accession encode."""
    first = copies[0]
    sequences = {translate(cds, genome) for cds in copies}
    if len(sequences) != 1:
        message = f"{first.accession}: {len(sequences)} different proteins at {len(copies)} loci"
        raise ValueError(message)
    places = ",".join(cds.locus for cds in copies)
    return Protein(first.accession, f"{first.entry} {first.product} {places}", sequences.pop())


def write_gzip(path: Path, text: str) -> None:
    """Writes gzip without time and name, so that equal text gives equal bytes."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as archive:
        archive.write(text.encode())


def pick_evenly(proteins: list[Protein], count: int) -> list[Protein]:
    """Picks proteins at even distances along the genome."""
    return [proteins[index * len(proteins) // count] for index in range(count)]


def main() -> None:
    """Translates, writes and reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("genome", type=Path, help="genome, FASTA (.gz)")
    parser.add_argument("annotation", type=Path, help="coding sequences, GFF3 (.gz)")
    parser.add_argument("proteome", type=Path, help="output, FASTA (.gz)")
    parser.add_argument(
        "--example", type=Path, help="also write a few of the proteins, plain FASTA"
    )
    parser.add_argument("--example-count", type=int, default=20, help="how many (default: 20)")
    arguments = parser.parse_args()

    records = SeqIO.parse(StringIO(read_text(arguments.genome)), "fasta")
    genome = {str(record.id): record.seq for record in records}
    proteins = translate_proteome(genome, arguments.annotation)
    text = "".join(protein.fasta for protein in proteins)
    write_gzip(arguments.proteome, text)
    if arguments.example:
        picked = pick_evenly(proteins, arguments.example_count)
        arguments.example.write_text("".join(protein.fasta for protein in picked))

    residues = sum(len(protein.sequence) for protein in proteins)
    distinct = len({protein.sequence for protein in proteins})
    print(f"{len(proteins)} proteins, {distinct} distinct, {residues} residues")
    print(f"sha256 of the uncompressed text: {hashlib.sha256(text.encode()).hexdigest()}")


if __name__ == "__main__":
    main()
