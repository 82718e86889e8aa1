"""The HDF5 store: durable writing in parts, lazy reading, and exchange with other layouts."""

from bioseq.store.block import Block, Failure, Pairs, Ragged, Values
from bioseq.store.check import check_store
from bioseq.store.content import content_digest
from bioseq.store.embedding import Embedding
from bioseq.store.fingerprint import differences
from bioseq.store.finished import prepare_output
from bioseq.store.folder import discard_parts
from bioseq.store.format import NO_ROW
from bioseq.store.merge import merge_stores
from bioseq.store.part import PartSummary
from bioseq.store.parts import DoneRecord, UnfinishedWork
from bioseq.store.reader import Store, open_store

__all__ = [
    "NO_ROW",
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
    "differences",
    "discard_parts",
    "merge_stores",
    "open_store",
    "prepare_output",
]
