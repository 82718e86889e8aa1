"""Tables of labels: CSV, TSV and Parquet."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from bioseq.errors import FormatError, InputError


def read_frame(path: Path) -> pl.DataFrame:
    """Reads a CSV, TSV or Parquet file; columns of text files stay text, since masks are digits.

    Raises:
        InputError: it can't be read.
        FormatError: it is damaged.
    """
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        separator = "\t" if ".tsv" in path.suffixes else ","
        return pl.read_csv(path, separator=separator, infer_schema=False)
    except OSError as error:
        raise InputError(path, error.strerror or str(error)) from None
    except pl.exceptions.PolarsError as error:
        found = str(error).partition("\n")[0]
        raise FormatError("table", path=path, found=found) from None


def read_column(frame: pl.DataFrame, name: str, path: Path) -> list[str | None]:
    """Returns a column as text.

    Raises:
        FormatError: there is no such column.
    """
    if name not in frame.columns:
        found = f"no column {name!r} among {', '.join(frame.columns)}"
        raise FormatError("label table", path=path, found=found)
    return frame[name].cast(pl.String).to_list()
