"""Labels as arrays: whatever a table's cell holds becomes numbers, NaN where a label is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float32

from bioseq.errors import FormatError
from bioseq.heads import Level
from bioseq.io.tables import read_column
from bioseq.predict.tasks.target import TargetKind

Labels = Float32[np.ndarray, "_ columns"]
"""One row per residue or one in all; one column, or for `labels` one per class."""


@dataclass(frozen=True, kw_only=True)
class LabelColumn:
    """Where labels stand, and how to read them.

    Attributes:
        column: Of the labels. Per residue: a string with a letter for each residue, or numbers with
            commas between. Per sequence: a name, a number, or for `labels` names with `|` between.
            An empty cell, and a letter or name that is no class, is a missing label.
        level: `residue` or `sequence`.
        kind: `classes`, `labels` or `value`.
        classes: Their names; for a value one name for the number.
        mask: Column with `1` for residues that count, `0` for others; empty for all.
    """

    column: str
    level: Level
    kind: TargetKind
    classes: tuple[str, ...]
    mask: str = ""


def parse_label(
    cell: str | None, mask: str | None, target: LabelColumn, *, length: int, path: str, row: int
) -> Labels:
    """Turns a cell into numbers.

    Args:
        cell: As read; None where it is empty.
        mask: The mask's cell, if the target has a mask.
        target: Tells how to read it.
        length: Residues of the sequence.
        path: The table, for messages.
        row: 1-based row of the table, for messages.

    Raises:
        FormatError: the cell does not fit the sequence or the kind.
    """
    rows = length if target.level == "residue" else 1
    columns = len(target.classes) if target.kind == "labels" else 1
    if not cell:
        return np.full((rows, columns), np.nan, np.float32)
    try:
        labels = _PARSERS[target.level, target.kind](cell, target)
    except ValueError as error:
        raise FormatError("label table", path=path, line=row + 1, found=str(error)) from None
    if len(labels) != rows:
        found = f"{len(labels):,} labels in {target.column} for a sequence of {length:,} residues"
        raise FormatError("label table", path=path, line=row + 1, found=found)
    if mask:
        if len(mask) != rows:
            found = f"{len(mask):,} symbols in {target.mask} for a sequence of {length:,} residues"
            raise FormatError("label table", path=path, line=row + 1, found=found)
        labels[np.array(list(mask)) != "1"] = np.nan
    return labels


def _letters(cell: str, target: LabelColumn) -> Labels:
    numbers = {name: float(i) for i, name in enumerate(target.classes)}
    return np.array([[numbers.get(letter, np.nan)] for letter in cell], np.float32)


def _numbers(cell: str, target: LabelColumn) -> Labels:
    return np.array([[float(text or "nan")] for text in cell.split(",")], np.float32)


def _number(cell: str, target: LabelColumn) -> Labels:
    return np.array([[float(cell)]], np.float32)


def _name(cell: str, target: LabelColumn) -> Labels:
    return _number(str(target.classes.index(cell)) if cell in target.classes else "nan", target)


def _names(cell: str, target: LabelColumn) -> Labels:
    given = cell.split("|")
    return np.array([[float(name in given) for name in target.classes]], np.float32)


def _no_names(cell: str, target: LabelColumn) -> Labels:
    kinds = "classes or value"
    found = f"labels per residue in {target.column}; expected {kinds}"
    raise ValueError(found)


_PARSERS: dict[tuple[str, str], Callable[[str, LabelColumn], Labels]] = {
    ("residue", "classes"): _letters,
    ("residue", "value"): _numbers,
    ("residue", "labels"): _no_names,
    ("sequence", "classes"): _name,
    ("sequence", "value"): _number,
    ("sequence", "labels"): _names,
}


def read_labels(
    frame: pl.DataFrame, column: LabelColumn, sequences: Sequence[str], path: Path
) -> list[Labels]:
    """Reads the labels of every row.

    Raises:
        FormatError: a column is missing, or a label does not fit its sequence.
    """
    cells = read_column(frame, column.column, path)
    masks = read_column(frame, column.mask, path) if column.mask else [None] * len(cells)
    return [
        parse_label(cell, mask, column, length=len(sequence), path=str(path), row=row)
        for row, (cell, mask, sequence) in enumerate(
            zip(cells, masks, sequences, strict=True), start=1
        )
    ]
