"""What was transferred, and from whom, as a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from bioseq.errors import OptionError, StoreError
from bioseq.files import replacing
from bioseq.prediction.nearest.job import DISTANCES, NEIGHBOURS
from bioseq.prediction.tasks.exports import prediction_columns
from bioseq.store import Embedding, Store, prepare_output

SUFFIXES = (".csv", ".tsv", ".parquet")


def neighbour_table(store: Store, reference: Store) -> pl.DataFrame:
    """Gives a row per record: id, length, failure, the prediction, the neighbours' ids, distances.

    Args:
        store: Of a transfer.
        reference: The store that it was made with.

    Raises:
        StoreError: `store` is of no transfer.
    """
    views = store.predictions
    name = next((n for n in views if f"{n}-{NEIGHBOURS}" in views), None)
    if name is None:
        raise StoreError(store.path, "has no neighbours; it was not made by 'predict nearest'")
    ids = reference.ids
    joined = {
        f"{name}-{NEIGHBOURS}": _join(views[f"{name}-{NEIGHBOURS}"], lambda i: ids[int(i)]),
        f"{name}-{DISTANCES}": _join(views[f"{name}-{DISTANCES}"], lambda x: f"{x:.4g}"),
    }
    records = store.records.select(pl.col("record") + 1, "id", "length", "failure")
    columns = [pl.Series(key, texts, pl.String) for key, texts in joined.items()]
    return records.with_columns([*prediction_columns(name, views[name]), *columns])


def export_neighbours(store: Store, reference: Store, output: Path) -> None:
    """Writes the table as the file's suffix says, in one step.

    Raises:
        OptionError: the suffix is not known.
        StoreError: the file can't be written.
    """
    prepare_table(output, overwrite=True)
    table = neighbour_table(store, reference)
    try:
        with replacing(output) as temporary:
            if output.suffix == ".parquet":
                table.write_parquet(temporary)
            else:
                table.write_csv(temporary, separator="\t" if output.suffix == ".tsv" else ",")
    except OSError as error:
        raise StoreError(output, f"can't be written: {error.strerror or error}") from error


def prepare_table(output: Path, *, overwrite: bool) -> None:
    """Refuses an output that can't be written, before anything is computed.

    Raises:
        OptionError: the suffix is not known.
        StoreError: the file exists and is not to be replaced, or its folder is missing.
    """
    if output.suffix not in SUFFIXES:
        raise OptionError("suffix of the export", output.suffix, allowed=SUFFIXES)
    prepare_output(output, overwrite=overwrite)


def _join(view: Embedding, write: Callable[[float], str]) -> list[str | None]:
    texts: list[str | None] = [None] * len(view)
    for record, values in zip(view.records.tolist(), np.asarray(view.to_numpy()), strict=True):
        texts[record] = "|".join(write(value) for value in values)
    return texts
