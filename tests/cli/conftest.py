"""Runs the command in this process, or as a process of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from bioseq_cli.main import main

# As the command starts, but with small blocks, so that little input makes many parts.
SMALL_BLOCKS = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
import bioseq.embedding.job
bioseq.embedding.job.BLOCK_RECORDS = {records}
from bioseq_cli.main import main
main()
"""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def bioseq(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """Runs the command in this process."""

    def run(*arguments: object, stdin: bytes | None = None) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["bioseq", *map(str, arguments)])
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status: Any = 0
        try:
            main()
        except SystemExit as ended:
            status = ended.code or 0
        found = capsys.readouterr()
        return Outcome(status, found.out, found.err)

    return run


@pytest.fixture
def start_bioseq() -> Callable[..., subprocess.Popen[str]]:
    """Starts the command as a process of its own; blocks end after so many records."""

    def start(*arguments: object, block_records: int = 65_536) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", SMALL_BLOCKS.format(records=block_records)]
            + [str(argument) for argument in arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )

    return start
