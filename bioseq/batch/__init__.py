"""Packed batches and how they are planned."""

from bioseq.batch.layout import Block, Group, Layout, layout_of
from bioseq.batch.packed import PackedBatch, pack, pack_parts
from bioseq.batch.plan import plan_batches

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
