"""The labels of a reference: names of classes, or values, by record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from bioseq.errors import FormatError
from bioseq.prediction.nearest.options import NearestOptions
from bioseq.tables import read_column, read_frame


@dataclass(frozen=True, kw_only=True)
class KnownLabels:
    """What is known of some records.

    Attributes:
        classes: Names in alphabetical order; of a value the column's name alone.
        is_value: Whether labels are values.
        of_ids: Number of the class, or the value, of each record.
    """

    classes: tuple[str, ...]
    is_value: bool
    of_ids: Mapping[str, float]


def read_known_labels(options: NearestOptions) -> KnownLabels:
    """Reads the table.

    Raises:
        InputError: it can't be read.
        FormatError: a column is missing, an id has two labels, all labels are the same class,
            or a value is no number.
    """
    path = Path(options.labels)
    frame = read_frame(path)
    if options.where:
        name, _, value = options.where.partition("=")
        read_column(frame, name, path)
        frame = frame.filter(pl.col(name).cast(pl.String) == value)
    cells: dict[str, str] = {}
    ids, labels = (read_column(frame, name, path) for name in (options.id, options.column))
    for id, label in zip(ids, labels, strict=True):
        if id is None or not label:
            continue
        if cells.setdefault(id, label) != label:
            found = f"the id {id!r} has the labels {cells[id]!r} and {label!r}"
            raise FormatError("label table", path=path, found=found)
    if not cells:
        found = f"no label in the column {options.column!r} of {len(frame):,} rows"
        raise FormatError("label table", path=path, found=found)
    is_value = options.kind == "value" or (options.kind is None and _are_numbers(cells))
    return (_values if is_value else _classes)(cells, path, options.column)


def _are_numbers(cells: Mapping[str, str]) -> bool:
    return pl.Series(cells.values()).cast(pl.Float64, strict=False).null_count() == 0


def _values(cells: Mapping[str, str], path: Path, column: str) -> KnownLabels:
    numbers = pl.Series(cells.values()).cast(pl.Float64, strict=False)
    for id, number in zip(cells, numbers.is_finite().fill_null(value=False), strict=True):
        if not number:
            found = f"{cells[id]!r} for the id {id!r}"
            raise FormatError("label table", path=path, found=found, expected="numbers")
    of_ids = dict(zip(cells, numbers.to_list(), strict=True))
    return KnownLabels(classes=(column,), is_value=True, of_ids=of_ids)


def _classes(cells: Mapping[str, str], path: Path, column: str) -> KnownLabels:
    classes = tuple(sorted(set(cells.values())))
    if len(classes) < 2:
        found = f"the one label {next(iter(cells.values()))!r} in the column {column!r}"
        raise FormatError("label table", path=path, found=found, expected="two or more classes")
    number = {name: float(i) for i, name in enumerate(classes)}
    of_ids = {id: number[label] for id, label in cells.items()}
    return KnownLabels(classes=classes, is_value=False, of_ids=of_ids)
