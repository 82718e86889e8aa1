"""Writing one store file whose counts are known beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np

from bioseq import __version__
from bioseq.errors import StoreError
from bioseq.files import replacing
from bioseq.store.attributes import write_attributes
from bioseq.store.block import Block, Pairs, Ragged, Values
from bioseq.store.columns import ColumnWriter, Slab, group_at
from bioseq.store.format import (
    COLUMNS,
    DIGESTS_KNOWN,
    FORMAT,
    GROUP_ATTRIBUTES,
    INDEX,
    PAIR,
    PAIR_VERSION,
    PLAIN_VERSION,
)
from bioseq.store.sink import Sink, creating_hdf5


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredShape:
    """Width and type of a set of values, and how many rows they have.

    Attributes:
        dim: Numbers in a row.
        dtype: Their type.
        num_residues: Rows, where a sequence has as many as residues or pairs of them; else None.
        is_pair: Whether the rows belong to pairs of residues.
    """

    dim: int
    dtype: np.dtype
    num_residues: int | None = None
    is_pair: bool = False

    @classmethod
    def of(cls, values: Values) -> StoredShape:
        """Returns the shape of values in memory."""
        if isinstance(values, Ragged):
            array = values.values
            return cls(
                dim=array.shape[1],
                dtype=array.dtype,
                num_residues=len(array),
                is_pair=isinstance(values, Pairs),
            )
        return cls(dim=values.shape[1], dtype=values.dtype)

    @property
    def owner(self) -> str:
        """What a row belongs to: sequence, residue or pair."""
        if self.is_pair:
            return PAIR
        return "sequence" if self.num_residues is None else "residue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything that has to be known of a store before its first byte is written.

    Attributes:
        counts: Rows of each table: records, sequences, failures.
        values: Shape of each set of values, by path, for example `embeddings/mean`.
        fingerprint: The settings as canonical JSON.
        attributes: Attributes of each set of values, by path.
        root: Further attributes of the root.
        digests: `"refget"`, or `"unknown"` when sequences may lack their digest.
    """

    counts: Mapping[str, int]
    values: Mapping[str, StoredShape]
    fingerprint: str
    attributes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    root: Mapping[str, object] = field(default_factory=dict)
    digests: str = DIGESTS_KNOWN


class StoreWriter:
    """The columns of a store that is being written; each is filled from its beginning."""

    def __init__(self, file: h5py.File, sink: Sink, contents: Contents) -> None:
        self._file = file
        self._sink = sink
        self._columns: dict[str, ColumnWriter] = {}
        _write_root(file, contents)
        for column in COLUMNS:
            self._create(column.path, (contents.counts[column.table],), column.dtype)
        for path, shape in contents.values.items():
            self._create_values(path, shape, contents)

    def append(self, path: str, slab: Slab) -> None:
        """Writes the next elements of the dataset at `path`.

        Raises:
            OSError: The disk is full, or fails.
        """
        self._columns[path].append(slab)
        self._sink.check()

    def append_tables(self, block: Block) -> None:
        """Writes the records, sequences and failures of a block."""
        failures = block.failures
        for path, slab in (
            ("records/id", block.ids),
            ("records/description", block.descriptions),
            ("records/row", np.asarray(block.rows, INDEX)),
            ("sequences/digest", np.array([d.encode() for d in block.digests], "S35")),
            ("sequences/length", block.lengths),
            ("failures/record", np.array([f.record for f in failures], INDEX)),
            ("failures/id", [f.id for f in failures]),
            ("failures/reason", [f.reason for f in failures]),
            ("failures/digest", np.array([f.digest.encode() for f in failures], "S35")),
        ):
            self.append(path, slab)

    def append_values(self, path: str, values: Values) -> None:
        """Writes the values of the next sequences; a Ragged's offsets go behind those before."""
        if isinstance(values, Ragged):
            self.append_offsets(path, [values.offsets])
            self.append(f"{path}/values", values.values)
        else:
            self.append(f"{path}/values", values)

    def append_offsets(self, path: str, slabs: Iterable[np.ndarray]) -> None:
        """Writes offsets that begin at 0 behind those before; call it before the values."""
        base = self._columns[f"{path}/values"].position
        skip = 1  # the 0 repeats the end of the sequence before
        for slab in slabs:
            self.append(f"{path}/offsets", slab[skip:] + base)
            skip = 0

    def finish(self) -> None:
        """Seals every dataset and marks the store complete."""
        for column in self._columns.values():
            column.finish()
        self._file.attrs["complete"] = True

    def _create(self, path: str, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self._columns[path] = ColumnWriter(self._file, path, shape=shape, dtype=dtype)

    def _create_values(self, path: str, shape: StoredShape, contents: Contents) -> None:
        num_sequences = contents.counts["sequences"]
        num_rows = num_sequences if shape.num_residues is None else shape.num_residues
        self._create(f"{path}/values", (num_rows, shape.dim), shape.dtype.newbyteorder("<"))
        if shape.num_residues is not None:
            self._create(f"{path}/offsets", (num_sequences + 1,), INDEX)
            self.append(f"{path}/offsets", np.zeros(1, INDEX))
        defaults = GROUP_ATTRIBUTES[path.partition("/")[0]]
        attributes = defaults | dict(contents.attributes.get(path, {}))
        attributes |= {"shape": PAIR} if shape.is_pair else {}
        write_attributes(
            group_at(self._file, path), attributes | {"fingerprint": contents.fingerprint}
        )


def _write_root(file: h5py.File, contents: Contents) -> None:
    has_pairs = any(shape.is_pair for shape in contents.values.values())
    root = {
        "format": FORMAT,
        "format_version": PAIR_VERSION if has_pairs else PLAIN_VERSION,
        "bioseq_version": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "complete": False,
        "digests": contents.digests,
        "fingerprint": contents.fingerprint,
        "provenance": {},
    }
    write_attributes(file, root | dict(contents.root))


@contextmanager
def writing_store(
    path: Path, contents: Contents, *, folder: Path | None = None
) -> Iterator[StoreWriter]:
    """Writes a store under a temporary name and, once complete, renames it to `path`.

    Args:
        path: The final name.
        contents: Counts, shapes and attributes.
        folder: Where the temporary file lies; beside `path` unless given.

    Raises:
        StoreError: The disk is full or the file can't be written; `path` is as it was before.
    """
    try:
        with (
            replacing(path, folder=folder) as temporary,
            creating_hdf5(temporary) as (file, sink),
        ):
            writer = StoreWriter(file, sink, contents)
            yield writer
            writer.finish()
    except OSError as error:
        raise StoreError(path, f"can't be written: {error.strerror or error}") from error
