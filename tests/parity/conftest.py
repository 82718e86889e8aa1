"""What the parity tests share: the record of how close they came, and one table of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity.record import ParityRecord, rewrite_table

_RECORD = pytest.StashKey[ParityRecord]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--parity-table", type=Path, metavar="PAGE", help="bring the tables in this page up to date"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_RECORD] = ParityRecord()
    if _page(config) and config.getoption("numprocesses", None):
        message = "--parity-table needs all tests in one process: leave out -n"
        raise pytest.UsageError(message)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    page = _page(session.config)
    if page and exitstatus == pytest.ExitCode.OK:
        rewrite_table(page, session.config.stash[_RECORD])


def _page(config: pytest.Config) -> Path | None:
    return config.getoption("--parity-table", None)


@pytest.fixture
def record_parity(request: pytest.FixtureRequest) -> ParityRecord:
    """Asserts closeness and keeps it: `record_parity(family, compared_with, quantity, a, b)`."""
    return request.config.stash.setdefault(_RECORD, ParityRecord())
