"""Packed batches and how they are planned."""

from bioseq.batch.layout import Block, Group, Layout, layout_of
from bioseq.batch.packed import PackedBatch, pack
from bioseq.batch.plan import plan_batches

__all__ = ["Block", "Group", "Layout", "PackedBatch", "layout_of", "pack", "plan_batches"]
