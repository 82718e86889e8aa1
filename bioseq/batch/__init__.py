"""Packed batches and how they are planned."""

from bioseq.batch.batches import plan_batches
from bioseq.batch.layout import Group, Layout, TimeMajorBlock, layout_of
from bioseq.batch.packed import PackedBatch, pack, pack_parts

__all__ = [
    "Group",
    "Layout",
    "PackedBatch",
    "TimeMajorBlock",
    "layout_of",
    "pack",
    "pack_parts",
    "plan_batches",
]
