"""Effects as a table: Parquet, or CSV by the file's name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from bioseq.prediction.tables import write_table
from bioseq.store import Store

_VARIANT_COLUMNS = pl.Schema(
    {"record": pl.Int64, "variant": pl.String, "score": pl.Float32, "failure": pl.String}
)
_SCAN_COLUMNS = pl.Schema(
    {
        "record": pl.Int64,
        "id": pl.String,
        "position": pl.Int64,
        "wild_type": pl.String,
        "mutant": pl.String,
        "score": pl.Float32,
        "failure": pl.String,
    }
)


def write_variant_table(store: Store, path: Path, *, strategy: str) -> None:
    """Writes one line for each variant, in the order given: record, variant, score, failure."""
    view = store.predictions[strategy]
    scores = np.full(len(store), np.nan, dtype=np.float32)
    scores[view.records] = np.asarray(view.to_numpy())[:, 0]
    records = store.records
    table = pl.DataFrame(
        {
            "record": np.arange(len(store)),
            "variant": records["id"],
            "score": pl.Series(scores).fill_nan(None),
            "failure": records["failure"],
        },
        schema=_VARIANT_COLUMNS,
    )
    write_table(table.lazy(), path)


def write_scan_table(
    store: Store, path: Path, sequences: Sequence[str], *, strategy: str, first_residue: int
) -> None:
    """Writes one line for each substitution; a sequence that failed has one line with the reason.

    Args:
        store: The scan.
        path: The table.
        sequences: Of the store's records, in order.
        strategy: Name of the predictions.
        first_residue: Number of each sequence's first residue.
    """

    def batches(
        with_columns: list[str] | None,
        predicate: object,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        return _scan_lines(store, sequences, strategy, first_residue)

    write_table(register_io_source(batches, schema=_SCAN_COLUMNS), path)


def _scan_lines(
    store: Store, sequences: Sequence[str], strategy: str, first_residue: int
) -> Iterator[pl.DataFrame]:
    view = store.predictions[strategy]
    residues = np.array(view.attrs["classes"])
    reasons = dict(store.failures.select("record", "reason").iter_rows())
    for record, sequence in enumerate(sequences):
        id_ = store.ids[record]
        if record in reasons:
            line = {"record": [record], "id": [id_], "failure": [reasons[record]]}
            table = pl.DataFrame(line)
        else:
            letters = np.array(list(sequence))
            is_change = letters[:, None] != residues
            places, columns = np.nonzero(is_change)
            table = pl.DataFrame(
                {
                    "record": np.full(len(places), record),
                    "id": [id_] * len(places),
                    "position": places + first_residue,
                    "wild_type": letters[places].tolist(),
                    "mutant": residues[columns].tolist(),
                    "score": pl.Series(np.asarray(view[record])[is_change]).fill_nan(None),
                }
            )
        absent = [pl.lit(None).alias(name) for name in _SCAN_COLUMNS if name not in table.columns]
        yield table.with_columns(absent).select(_SCAN_COLUMNS.names()).cast(_SCAN_COLUMNS)
