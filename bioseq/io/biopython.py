"""Annotated entries through Biopython: GenBank, EMBL, UniProt, SeqXML, PIR."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, TypeVar

from bioseq.errors import BioseqError, FormatError
from bioseq.io.stream import ByteStream
from bioseq.records import Record
from bioseq.typing import Molecule

if TYPE_CHECKING:
    from Bio.SeqRecord import SeqRecord

Item = TypeVar("Item")

BINARY_FORMATS = ("uniprot-xml", "seqxml")  # XML says its own encoding

# Biopython only warns where an entry has lost a part of its sequence.
_DAMAGE = ("Premature end of file", "Expected sequence length")


def read_annotated(stream: ByteStream, *, format: str) -> Iterator[Record]:
    """Reads the entries of an annotated format, with the molecule that each entry states.

    An entry without sequence, such as a GenBank CON entry, becomes a record with an empty one.

    Args:
        stream: The file.
        format: `"genbank"`, `"embl"`, `"swiss"`, `"uniprot-xml"`, `"seqxml"` or `"pir"`.

    Raises:
        FormatError: Biopython can't read an entry, or an entry is truncated.
    """

    def parse() -> Iterator[Record]:
        from Bio import SeqIO

        is_binary = format in BINARY_FORMATS
        handle: IO[str] | IO[bytes] = stream.buffered() if is_binary else stream.text()
        return (to_record(entry) for entry in SeqIO.parse(handle, format))

    yield from guard(parse, format=format, path=stream.path)


def guard(parse: Callable[[], Iterator[Item]], *, format: str, path: str) -> Iterator[Item]:
    """Runs a Biopython parser without its warnings and with its exceptions as `FormatError`.

    Args:
        parse: Starts the parser.
        format: The format's name for messages.
        path: The file's name for messages.

    Raises:
        FormatError: The parser raised, or warned that a part of the sequence is missing.
    """
    items: Iterator[Item] | None = None
    while True:
        # Around each step, never around a yield: the filters belong to the whole process.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for message in _DAMAGE:
                warnings.filterwarnings("error", message=message)
            try:
                items = parse() if items is None else items
                item = next(items)
            except StopIteration:
                return
            except (BioseqError, OSError, MemoryError):
                raise
            except Exception as error:
                raise FormatError(format, path=path, found=_summarise(error)) from error
        yield item


def to_record(entry: SeqRecord) -> Record:
    """Converts a Biopython entry; what it does not have becomes the empty string or None."""
    from Bio.Seq import UndefinedSequenceError

    try:
        sequence = str(entry.seq)
    except UndefinedSequenceError:
        sequence = ""
    return Record(
        _known(entry.id),
        _known(entry.description),
        sequence,
        to_molecule(str(entry.annotations.get("molecule_type", ""))),
    )


def to_molecule(molecule_type: str) -> Molecule | None:
    """Reads words such as `mRNA`, `ss-DNA` or `protein` as one of our three molecules."""
    for word in ("protein", "rna", "dna"):
        if word in molecule_type.lower():
            return word
    return None


def _known(text: str | None) -> str:
    """Turns Biopython's placeholders, such as `<unknown id>`, into the empty string."""
    return "" if text is None or text.startswith("<unknown ") else text


def _summarise(error: Exception) -> str:
    """The cause in one line of at most 200 characters."""
    return " ".join(str(error).split())[:200] or type(error).__name__
