"""What the tests of the store share."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

WORKER = Path(__file__).with_name("worker.py")
ROOT = WORKER.parent.parent.parent


@pytest.fixture(scope="session")
def worker() -> ModuleType:
    """The module that makes records, blocks and stores."""
    spec = importlib.util.spec_from_file_location("store_worker", WORKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["store_worker"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def start_worker() -> Callable[..., subprocess.Popen]:
    """Starts the worker as a process of its own; it says "ready" when it begins."""

    def start(*arguments: object) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, str(WORKER), *(str(argument) for argument in arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )

    return start


@pytest.fixture
def small_store(worker: ModuleType, tmp_path: Path) -> Path:
    """A finished store of 60 records."""
    return worker.run(tmp_path / "small.h5", worker.records_of(1, 60), 25)
