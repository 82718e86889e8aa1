"""Labels as numbers: whatever a table's cell holds, NaN where a label is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Bool, Float32

from bioseq.errors import FormatError
from bioseq.labels.pairs import NO_PAIRS, PairLabels, parse_pairs
from bioseq.labels.target import TargetKind, check_pairs
from bioseq.settings import check_range
from bioseq.tables import read_column
from bioseq.typing import Level

Rows = Float32[np.ndarray, "_ columns"]
Labels = Rows | PairLabels
"""A row per residue or one in all, of one column or for `labels` one per class; or of pairs."""


@dataclass(frozen=True, kw_only=True)
class LabelColumn:
    """Where labels stand, and how to read them.

    Attributes:
        column: Of the labels. Per residue: a string with a letter for each residue, or numbers with
            commas between. Per sequence: a name, a number, or for `labels` names with `|` between.
            Per pair: residues counted from 1, `3-27 5-25`, for the pairs of the second class, all
            others being of the first, and `-` for no pair; or `3-27:8.4` with values. An empty
            cell, a letter or name that is no class, and a pair without a value is a missing label.
        level: `residue`, `sequence` or `pair`.
        kind: `classes`, `labels` or `value`.
        classes: Their names; for a value one name for the number.
        mask: Column with `1` for residues that count, `0` for others, whose pairs do not count
            either; empty for all.
        separation: Of pairs: how far apart in the sequence the residues of those that count are at
            least.
    """

    column: str
    level: Level
    kind: TargetKind
    classes: tuple[str, ...]
    mask: str = ""
    separation: int = 6

    def __post_init__(self) -> None:
        check_pairs(self.level, self.kind, self.classes)
        check_range("separation", self.separation, self.separation >= 1, "1 or more")


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
    try:
        if target.level == "pair":
            return _parse_pairs(cell, mask, target, length)
        return _parse_rows(cell, mask, target, length)
    except ValueError as error:
        raise FormatError("label table", path=path, line=row + 1, found=str(error)) from None


def _parse_rows(cell: str | None, mask: str | None, target: LabelColumn, length: int) -> Rows:
    rows = length if target.level == "residue" else 1
    columns = len(target.classes) if target.kind == "labels" else 1
    if not cell:
        return np.full((rows, columns), np.nan, np.float32)
    labels = _PARSERS[target.level, target.kind](cell, target)
    if len(labels) != rows:
        found = f"{len(labels):,} labels in {target.column} for a sequence of {length:,} residues"
        raise ValueError(found)
    labels[~_known(mask, target, rows, length)] = np.nan
    return labels


def _parse_pairs(
    cell: str | None, mask: str | None, target: LabelColumn, length: int
) -> PairLabels:
    has_values = target.kind == "value"
    pairs, values = parse_pairs(cell or NO_PAIRS, with_values=has_values, length=length)
    return PairLabels(
        pairs=pairs,
        values=values,
        rest=np.nan if has_values or not cell else 0.0,
        known=_known(mask, target, length, length),
        separation=target.separation,
    )


def _known(
    mask: str | None, target: LabelColumn, rows: int, length: int
) -> Bool[np.ndarray, " rows"]:
    """Returns which rows the mask leaves."""
    if not mask:
        return np.ones(rows, dtype=bool)
    if len(mask) != rows:
        found = f"{len(mask):,} symbols in {target.mask} for a sequence of {length:,} residues"
        raise ValueError(found)
    return np.array(list(mask)) == "1"


def _letters(cell: str, target: LabelColumn) -> Rows:
    numbers = {name: float(i) for i, name in enumerate(target.classes)}
    return np.array([[numbers.get(letter, np.nan)] for letter in cell], np.float32)


def _numbers(cell: str, target: LabelColumn) -> Rows:
    return np.array([[float(text or "nan")] for text in cell.split(",")], np.float32)


def _number(cell: str, target: LabelColumn) -> Rows:
    return np.array([[float(cell)]], np.float32)


def _name(cell: str, target: LabelColumn) -> Rows:
    return _number(str(target.classes.index(cell)) if cell in target.classes else "nan", target)


def _names(cell: str, target: LabelColumn) -> Rows:
    given = cell.split("|")
    return np.array([[float(name in given) for name in target.classes]], np.float32)


def _no_names(cell: str, target: LabelColumn) -> Rows:
    kinds = "classes or value"
    found = f"labels per residue in {target.column}; expected {kinds}"
    raise ValueError(found)


_PARSERS: dict[tuple[str, str], Callable[[str, LabelColumn], Rows]] = {
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


def label_rows(labels: Labels) -> Rows:
    """Returns the labels of one sequence as rows; of pairs in the order of `np.triu_indices`."""
    return labels.rows() if isinstance(labels, PairLabels) else labels


def pair_labels(labels: Sequence[Labels]) -> list[PairLabels]:
    """Returns those that are of pairs."""
    return [label for label in labels if isinstance(label, PairLabels)]
