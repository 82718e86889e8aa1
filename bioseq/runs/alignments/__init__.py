"""Alignments as the input of a run: files in, values of their queries out."""

from bioseq.runs.alignments.depth import Cut
from bioseq.runs.alignments.inputs import (
    AlignmentRecord,
    list_alignments,
    read_alignments,
    read_sequences,
)
from bioseq.runs.alignments.progress import AlignmentMeter
from bioseq.runs.alignments.work import PLAN, AlignmentWork, Report, ValueKind

__all__ = [
    "PLAN",
    "AlignmentMeter",
    "AlignmentRecord",
    "AlignmentWork",
    "Cut",
    "Report",
    "ValueKind",
    "list_alignments",
    "read_alignments",
    "read_sequences",
]
