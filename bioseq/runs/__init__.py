"""Runs: records or alignments in, a store out; resumable, in blocks, with failures listed."""

from bioseq.runs.alignments import (
    PLAN,
    AlignmentMeter,
    AlignmentRecord,
    AlignmentWork,
    Cut,
    Report,
    ValueKind,
    list_alignments,
    read_alignments,
    read_sequences,
)
from bioseq.runs.blocks import RecordBlock, cut_blocks
from bioseq.runs.budget import (
    BLOCK_RECORDS,
    bytes_per_token,
    choose_pairs_per_block,
    choose_tokens_per_batch,
    choose_tokens_per_block,
)
from bioseq.runs.inputs import Inputs
from bioseq.runs.job import BlockEngine, BlockValues, RecordSource, StoreJob
from bioseq.runs.place import choose_device, choose_window
from bioseq.runs.progress import Progress
from bioseq.runs.projection import is_one_to_one, to_residues
from bioseq.runs.records import CheckedRecord, RecordChecker
from bioseq.runs.run import open_inputs, run_job
from bioseq.runs.runner import Collector, EncoderRunner, LongCollector
from bioseq.runs.values import Owner, ValueBuffer, ValueSpec
from bioseq.runs.windows import Window, encode_windows

__all__ = [
    "BLOCK_RECORDS",
    "PLAN",
    "AlignmentMeter",
    "AlignmentRecord",
    "AlignmentWork",
    "BlockEngine",
    "BlockValues",
    "CheckedRecord",
    "Collector",
    "Cut",
    "EncoderRunner",
    "Inputs",
    "LongCollector",
    "Owner",
    "Progress",
    "RecordBlock",
    "RecordChecker",
    "RecordSource",
    "Report",
    "StoreJob",
    "ValueBuffer",
    "ValueKind",
    "ValueSpec",
    "Window",
    "bytes_per_token",
    "choose_device",
    "choose_pairs_per_block",
    "choose_tokens_per_batch",
    "choose_tokens_per_block",
    "choose_window",
    "cut_blocks",
    "encode_windows",
    "is_one_to_one",
    "list_alignments",
    "open_inputs",
    "read_alignments",
    "read_sequences",
    "run_job",
    "to_residues",
]
