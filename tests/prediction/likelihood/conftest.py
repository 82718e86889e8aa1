"""A file of records, some of which can't be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prediction.likelihood.inputs import RECORDS, write


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    return write(tmp_path / "in.fasta", RECORDS)
