"""Alignments as the input of a run: files in, values of their queries out."""

from bioseq.embed.alignments.depth import Cut
from bioseq.embed.alignments.inputs import (
    AlignmentRecord,
    list_alignments,
    read_alignments,
    read_sequences,
)
from bioseq.embed.alignments.progress import AlignmentMeter
from bioseq.embed.alignments.work import PLAN, AlignmentWork, Report, ValueKind

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
