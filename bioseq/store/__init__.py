"""The HDF5 store: durable writing in parts, lazy reading, and exchange with other layouts."""

from bioseq.store.block import Block, Failure, Pairs, Ragged, Values
from bioseq.store.check import check_store
from bioseq.store.content import content_digest
from bioseq.store.embedding import Embedding
from bioseq.store.merge import merge_stores
from bioseq.store.part import PartSummary
from bioseq.store.parts import DoneRecord, UnfinishedWork
from bioseq.store.reader import Store, open_store

__all__ = [
    "Block",
    "DoneRecord",
    "Embedding",
    "Failure",
    "Pairs",
    "PartSummary",
    "Ragged",
    "Store",
    "UnfinishedWork",
    "Values",
    "check_store",
    "content_digest",
    "merge_stores",
    "open_store",
]
