"""Labels as arrays: whatever a table's cell holds becomes numbers, NaN where a label is missing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from bioseq.errors import FormatError
from bioseq.train.predictor.settings import TargetSettings

Labels = Float32[np.ndarray, "rows columns"]
"""One row per residue or one in all; one column, or for `labels` one per class."""


def parse_label(
    cell: str | None, mask: str | None, target: TargetSettings, *, length: int, path: str, row: int
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


def _letters(cell: str, target: TargetSettings) -> Labels:
    numbers = {name: float(i) for i, name in enumerate(target.classes)}
    return np.array([[numbers.get(letter, np.nan)] for letter in cell], np.float32)


def _numbers(cell: str, target: TargetSettings) -> Labels:
    return np.array([[float(text or "nan")] for text in cell.split(",")], np.float32)


def _number(cell: str, target: TargetSettings) -> Labels:
    return np.array([[float(cell)]], np.float32)


def _name(cell: str, target: TargetSettings) -> Labels:
    return _number(str(target.classes.index(cell)) if cell in target.classes else "nan", target)


def _names(cell: str, target: TargetSettings) -> Labels:
    given = cell.split("|")
    return np.array([[float(name in given) for name in target.classes]], np.float32)


def _no_names(cell: str, target: TargetSettings) -> Labels:
    kinds = "classes or value"
    found = f"labels per residue in {target.column}; expected {kinds}"
    raise ValueError(found)


_PARSERS: dict[tuple[str, str], Callable[[str, TargetSettings], Labels]] = {
    ("residue", "classes"): _letters,
    ("residue", "value"): _numbers,
    ("residue", "labels"): _no_names,
    ("sequence", "classes"): _name,
    ("sequence", "value"): _number,
    ("sequence", "labels"): _names,
}
