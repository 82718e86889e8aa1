"""Readers: every file of sequences becomes an iterator of records."""

from bioseq.io.alignment import Alignment, read_alignment
from bioseq.io.reader import RecordReader, open_records

__all__ = ["Alignment", "RecordReader", "open_records", "read_alignment"]
