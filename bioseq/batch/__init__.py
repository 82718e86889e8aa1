"""Packed batches and how they are planned."""

from bioseq.batch.batches import plan_batches
from bioseq.batch.layout import Block, Group, Layout, layout_of
from bioseq.batch.packed import PackedBatch, pack, pack_parts

__all__ = [
    "Block",
    "Group",
    "Layout",
    "PackedBatch",
    "layout_of",
    "pack",
    "pack_parts",
    "plan_batches",
]
