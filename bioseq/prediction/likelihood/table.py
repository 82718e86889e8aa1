"""How likely sequences are: a table with a line for each record, and one line for all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from bioseq.prediction.likelihood.engine import PERPLEXITY, TOTAL
from bioseq.prediction.tables import write_table
from bioseq.store import Embedding, Store


def write_likelihood_table(store: Store, path: Path) -> None:
    """Writes record, id, length, log_likelihood, perplexity and failure, in the order given."""
    columns = {
        "log_likelihood": _by_record(store.predictions[TOTAL]),
        "perplexity": _by_record(store.predictions[PERPLEXITY]),
    }
    records = store.records.select("record", "id", "length", "failure").with_columns(**columns)
    order = ("record", "id", "length", *columns, "failure")
    write_table(records.lazy().select(order), path)


def describe_perplexity(store: Store) -> str:
    """Describes the perplexities of a store's sequences in one line."""
    found = np.asarray(store.predictions[PERPLEXITY].to_numpy())[:, 0]
    if not len(found):
        return "none"
    return f"{np.median(found):.4g} in the median ({found.min():.4g} to {found.max():.4g})"


def _by_record(view: Embedding) -> pl.Series:
    found = np.full(len(view), np.nan)
    found[view.records] = np.asarray(view.to_numpy())[:, 0]
    return pl.Series(found).fill_nan(None)
