"""Labels of pairs of residues from the cells of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bioseq.errors import FormatError, OptionError
from bioseq.labels.columns import LabelColumn, label_rows, parse_label
from bioseq.labels.pairs import PairLabels

NAN = np.nan


def parse(cell: str | None, mask: str | None = None, **fields: Any) -> PairLabels:
    given: dict[str, Any] = {
        "level": "pair",
        "kind": "classes",
        "classes": ("none", "contact"),
        "separation": 2,
        **fields,
    }
    column = LabelColumn(column="y", mask="m", **given)
    found = parse_label(cell, mask, column, length=4, path="t.csv", row=6)
    assert isinstance(found, PairLabels)
    return found


def value(cell: str | None) -> PairLabels:
    return parse(cell, kind="value", classes=("distance",))


def test_pairs_that_are_not_listed_are_of_the_first_class() -> None:
    expected = [[NAN, NAN, 1, 0], [NAN, NAN, NAN, 1], [1, NAN, NAN, NAN], [0, 1, NAN, NAN]]
    np.testing.assert_array_equal(parse("1-3 4-2").square(), expected)


def test_pairs_without_a_value_have_no_label() -> None:
    expected = [[NAN, NAN, NAN, 8.5], [NAN] * 4, [NAN] * 4, [8.5, NAN, NAN, NAN]]
    np.testing.assert_array_equal(value("1-4:8.5 1-2:3").square(), expected)


def test_rows_are_the_pairs_above_the_diagonal() -> None:
    square = parse("1-3 1-4").square()
    np.testing.assert_array_equal(label_rows(parse("1-3 1-4"))[:, 0], square[np.triu_indices(4, 1)])


def test_no_pair_is_something_else_than_nothing_known() -> None:
    assert np.nansum(parse("-").square() == 0) == 6
    for missing in (parse(None), parse(""), value(None), value("-")):
        assert np.isnan(missing.square()).all()


def test_pairs_of_masked_residues_have_no_label() -> None:
    found = parse("1-3 2-4", mask="1101").square()
    assert np.isnan(found[2]).all()
    assert np.isnan(found[:, 2]).all()
    assert (found[0, 3], found[1, 3]) == (0, 1)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("1-5", "'1-5'; expected two different residues of 1 to 4"),
        ("0-3", "'0-3'; expected two different residues of 1 to 4"),
        ("2-2", "'2-2'; expected two different residues of 1 to 4"),
        ("1-3 3-1", "the pair 1-3 twice"),
        ("1-3, 2-4", "'1-3,'; expected two residues counted from 1, as in 3-27"),
        ("1-3:8.4", "'1-3:8.4'; expected two residues counted from 1, as in 3-27"),
        ("1:3", "'1:3'; expected"),
    ],
)
def test_an_entry_that_does_not_fit_is_named_with_its_line(cell: str, found: str) -> None:
    with pytest.raises(FormatError, match=f"t.csv, line 7: not valid label table: {found}"):
        parse(cell)


@pytest.mark.parametrize(("cell", "found"), [("1-3", "'1-3'; .* as in 3-27:8.4"), ("1-3:x", "'x'")])
def test_a_value_that_is_none_is_named_with_its_line(cell: str, found: str) -> None:
    with pytest.raises(FormatError, match=f"line 7.*{found}"):
        value(cell)


def test_a_mask_of_another_length_is_named_with_its_line() -> None:
    with pytest.raises(FormatError, match=r"line 7.*3 symbols in m for a sequence of 4"):
        parse("1-3", mask="110")


@pytest.mark.parametrize(
    "fields", [{"classes": ("a", "b", "c")}, {"kind": "labels"}, {"separation": 0}]
)
def test_a_column_that_pairs_can_not_have_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        parse("1-3", **fields)
