"""Export to tables: Parquet and AnnData."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from bioseq.errors import MissingDependencyError, OptionError
from bioseq.store.embedding import Embedding
from bioseq.store.layouts.arrays import require_pooled
from bioseq.store.reader import Store

BATCH_VALUES = 1 << 22
"""Numbers that are held in memory at a time."""


def write_parquet(store: Store, view: Embedding, path: Path) -> None:
    """Writes one line per record, or per residue: record, id, [position from 1,] embedding.

    Raises:
        OptionError: The values are per pair.
    """
    if view.is_per_pair:
        raise OptionError("values for parquet", view.name, allowed="rows of sequences or residues")
    empty = _empty_table(view)

    def batches(
        with_columns: list[str] | None,
        predicate: object,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        return _batches(view, empty)

    register_io_source(batches, schema=empty.schema).sink_parquet(path)


def _empty_table(view: Embedding) -> pl.DataFrame:
    position = {"position": pl.UInt32} if view.is_per_residue else {}
    number = pl.Series(np.empty(0, view.dtype)).dtype
    embedding = pl.Array(number, view.dim)
    schema = {"record": pl.Int64, "id": pl.String, **position, "embedding": embedding}
    return pl.DataFrame(schema=schema)


def _batches(view: Embedding, empty: pl.DataFrame) -> Iterator[pl.DataFrame]:
    values = iter(zip(view.records.tolist(), view, strict=True))
    while batch := list(islice(values, max(1, BATCH_VALUES // (view.dim * 256)))):
        rows = [np.atleast_2d(value) for _, (_, value) in batch]
        counts = [len(value) for value in rows]
        columns = {
            "record": np.repeat([record for record, _ in batch], counts),
            "id": np.repeat(np.array([id_ for _, (id_, _) in batch], object), counts).tolist(),
            "embedding": np.concatenate(rows),
        }
        if view.is_per_residue:
            columns["position"] = np.concatenate([np.arange(1, n + 1) for n in counts])
        table = pl.DataFrame(columns, schema_overrides=dict(empty.schema))
        yield table.select(empty.columns)


def write_anndata(store: Store, view: Embedding, path: Path) -> None:
    """Writes an `.h5ad`: one observation per record that has a value.

    Raises:
        MissingDependencyError: `anndata` is not installed.
        OptionError: The values are not per sequence.
    """
    try:
        import pandas as pd
        from anndata import AnnData
    except ImportError as error:
        raise MissingDependencyError(package="anndata", extra="anndata") from error
    require_pooled(view, "anndata")
    records = store.records[view.records].select("id", "description", "length", "digest")
    table = pd.DataFrame(records.to_dict(as_series=False), index=view.records.astype(str))
    AnnData(X=view.to_numpy(), obs=table).write_h5ad(path)
