"""Readers: every file of sequences becomes an iterator of records."""

from bioseq.io.alignment import Alignment, read_alignment
from bioseq.io.ranges import IndexingReader, RecordRange, open_indexing, open_range
from bioseq.io.reader import RecordReader, open_records

__all__ = [
    "Alignment",
    "IndexingReader",
    "RecordRange",
    "RecordReader",
    "open_indexing",
    "open_range",
    "open_records",
    "read_alignment",
]
