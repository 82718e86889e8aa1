"""What all tests share: one thread, the data folders, and how hypothesis runs."""

from __future__ import annotations

import os
from pathlib import Path

# Read by OpenMP and MKL when torch loads them, here and in subprocesses.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent

# A shared machine stalls now and then: a slow example is not a failure.
settings.register_profile("bioseq", deadline=None)
settings.load_profile("bioseq")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The small files that only tests read."""
    return ROOT / "tests" / "data"


@pytest.fixture(scope="session")
def bundled_dir() -> Path:
    """The data that ships with the project."""
    return ROOT / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    gpu_items = [item for item in items if item.get_closest_marker("gpu")]
    if gpu_items and not has_cuda():
        for item in gpu_items:
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))


def has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()
