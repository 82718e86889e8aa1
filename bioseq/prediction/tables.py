"""Tables as files: Parquet, CSV or TSV by the file's name."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from bioseq.errors import OptionError
from bioseq.files import replacing

_FORMATS = (".parquet", ".csv", ".tsv")


def check_table_name(path: Path) -> None:
    """Checks that a table can be written under a name.

    Raises:
        OptionError: its ending stands for no format.
    """
    if path.suffix.lower() not in _FORMATS:
        raise OptionError("table", str(path), allowed=f"names that end in {', '.join(_FORMATS)}")


def write_table(table: pl.LazyFrame, path: Path) -> None:
    """Writes a table, in one step; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ending = path.suffix.lower()
    with replacing(path) as temporary:
        if ending == ".parquet":
            table.sink_parquet(temporary)
        else:
            table.sink_csv(temporary, separator="," if ending == ".csv" else "\t")
