from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.parity.record import TABLE_MARK, ParityRecord, rewrite_table


def test_what_is_not_close_fails_and_is_not_recorded() -> None:
    record = ParityRecord()
    with pytest.raises(AssertionError):
        record("F", "R", "states", torch.zeros(2), torch.tensor([0.0, 1e-4]))
    assert "states" not in record.table()


def test_nothing_to_compare_fails() -> None:
    with pytest.raises(AssertionError, match="nothing was compared"):
        ParityRecord()("F", "R", "states", (), ())


def test_the_table_has_the_largest_difference_of_all_tests() -> None:
    record = ParityRecord()
    for difference in (4e-6, 8e-6, 2e-6):
        ours = (torch.tensor([1.0, 2.0]), [torch.tensor([4.0 + difference])])
        record("F", "R", "states", ours, (torch.tensor([1.0, 2.0]), [torch.tensor([4.0])]))
    assert "| F | R | states | 9 | 8.1e-06 | 2.0e-06 | 1.3e-06, 1e-05 |" in record.table()


def test_only_the_tables_of_the_page_are_rewritten(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"words\n{TABLE_MARK}\nanything\n")
    record = ParityRecord()
    rewrite_table(page, record)
    assert page.read_text() == f"words\n{TABLE_MARK}\n\n{record.table()}"


def test_rows_that_were_not_measured_anew_stay() -> None:
    first, second = ParityRecord(), ParityRecord()
    for family, reference in (("A", "R 1.0"), ("B", "R 1.0"), ("B", "S 1.0")):
        first(family, reference, "states", torch.ones(1), torch.ones(1))
        first.tokens(family, reference, sequences=1, differing=0)
    second("B", "R 2.0", "states", torch.ones(3), torch.ones(3))
    table = second.table(first.table())
    for row in (
        "| A | R 1.0 | states | 1 |",
        "| B | R 2.0 | states | 3 |",
        "| B | S 1.0 | states |",
    ):
        assert row in table
    assert "| B | R 1.0 | states" not in table
    assert "| B | R 1.0 | 1 | 0 |" in table
    assert second.table(table) == table


def test_tokens_read_otherwise_need_a_reason() -> None:
    record = ParityRecord()
    with pytest.raises(ValueError, match="reason"):
        record.tokens("F", "R", sequences=9, differing=1)
    record.tokens("F", "R", sequences=9, differing=1, reason="J is unknown")
    assert "| F | R | 9 | 1 | J is unknown |" in record.table()
