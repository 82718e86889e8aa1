"""Labels from the cells of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bioseq.errors import FormatError
from bioseq.labels.columns import LabelColumn, label_rows, parse_label

NAN = np.nan


def parse(cell: str | None, length: int = 4, mask: str | None = None, **fields: Any) -> Any:
    given: dict[str, Any] = {"level": "residue", "kind": "classes", "classes": ("H", "E", "C")}
    column = LabelColumn(column="y", mask="m", **{**given, **fields})
    found = parse_label(cell, mask, column, length=length, path="t.csv", row=1)
    return label_rows(found).tolist()


@pytest.mark.parametrize(
    ("cell", "fields", "expected"),
    [
        ("HE-C", {}, [[0], [1], [NAN], [2]]),
        ("1.5,,-2,0", {"kind": "value", "classes": ("z",)}, [[1.5], [NAN], [-2], [0]]),
        ("E", {"level": "sequence"}, [[1]]),
        ("unheard-of", {"level": "sequence"}, [[NAN]]),
        ("0.25", {"level": "sequence", "kind": "value", "classes": ("z",)}, [[0.25]]),
        ("C|H", {"level": "sequence", "kind": "labels"}, [[1, 0, 1]]),
        (None, {"level": "sequence", "kind": "labels"}, [[NAN, NAN, NAN]]),
        ("", {}, [[NAN]] * 4),
    ],
)
def test_a_cell_becomes_numbers(
    cell: str | None, fields: dict[str, Any], expected: list[list[float]]
) -> None:
    np.testing.assert_array_equal(parse(cell, **fields), expected)


def test_masked_residues_have_no_label() -> None:
    np.testing.assert_array_equal(parse("HEHC", mask="1001"), [[0], [NAN], [NAN], [2]])


@pytest.mark.parametrize(
    ("cell", "mask", "fields", "found"),
    [
        ("HEC", None, {}, "3 labels in y for a sequence of 4"),
        ("HECH", "11", {}, "2 symbols in m"),
        ("1,2,x,4", None, {"kind": "value", "classes": ("z",)}, "could not convert"),
        ("HECH", None, {"kind": "labels"}, "labels per residue"),
    ],
)
def test_a_cell_that_does_not_fit_is_named_with_its_line(
    cell: str, mask: str | None, fields: dict[str, Any], found: str
) -> None:
    with pytest.raises(FormatError, match=f"t.csv, line 2.*{found}"):
        parse(cell, mask=mask, **fields)
