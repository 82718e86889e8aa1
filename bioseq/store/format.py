"""The format as data: the one table that writer, reader and checker share.

The written specification is `docs/store-format.md`.
"""

from __future__ import annotations

from dataclasses import dataclass

import h5py
import numpy as np

FORMAT = "bioseq-store"
FORMAT_VERSION = 2
"""Newest version that is read."""

PLAIN_VERSION = 1
PAIR_VERSION = 2
"""Version of a file with pair values, which a reader of version 1 would take for residues."""

LIBRARY_BOUNDS = ("v108", "v110")
"""Written for HDF5 1.10 readers; objects of 1.8 and later carry checksummed metadata."""

TEXT = h5py.string_dtype("utf-8")
DIGEST = np.dtype("S35")
INDEX = np.dtype("<i8")
LENGTH = np.dtype("<u4")
VALUE_KINDS = "fiu"

EMBEDDINGS = "embeddings"
PREDICTIONS = "predictions"
PAIR = "pair"
"""Attribute `shape` of values that belong to pairs of residues."""

NO_ROW = -1
"""The row of a record that failed."""

DIGESTS_KNOWN = "refget"
DIGESTS_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One dataset of a table: where it lies, its type, and which count gives its length."""

    path: str
    dtype: np.dtype
    table: str

    @property
    def is_text(self) -> bool:
        """Whether the elements are variable-length UTF-8 strings."""
        return h5py.check_string_dtype(self.dtype) is not None and self.dtype.kind == "O"


COLUMNS = (
    Column(path="records/id", dtype=TEXT, table="records"),
    Column(path="records/description", dtype=TEXT, table="records"),
    Column(path="records/row", dtype=INDEX, table="records"),
    Column(path="sequences/digest", dtype=DIGEST, table="sequences"),
    Column(path="sequences/length", dtype=LENGTH, table="sequences"),
    Column(path="failures/record", dtype=INDEX, table="failures"),
    Column(path="failures/id", dtype=TEXT, table="failures"),
    Column(path="failures/reason", dtype=TEXT, table="failures"),
    Column(path="failures/digest", dtype=DIGEST, table="failures"),
)
TABLES = ("records", "sequences", "failures")

ROOT_ATTRIBUTES: dict[str, type] = {
    "format": str,
    "format_version": int,
    "bioseq_version": str,
    "created": str,
    "complete": bool,
    "digests": str,
    "fingerprint": str,
    "provenance": str,
}

EMBEDDING_ATTRIBUTES: dict[str, object] = {
    "model": "",
    "weights_sha256": "",
    "layer": -1,
    "pooling": "",
    "tokenizer": "",
    "precision": "",
    "window": 0,
}
"""Attributes of every embedding, with the value that means unknown (window: none used)."""

PREDICTION_ATTRIBUTES: dict[str, object] = {"classes": [], "model": "", "version": ""}

GROUP_ATTRIBUTES = {EMBEDDINGS: EMBEDDING_ATTRIBUTES, PREDICTIONS: PREDICTION_ATTRIBUTES}
JSON_ATTRIBUTES = ("classes", "fingerprint", "provenance")
