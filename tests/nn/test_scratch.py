"""Scratch room in memory and on disk."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import torch

from bioseq.nn import scratch


@pytest.mark.parametrize("limit", [0, 2**20])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_room_holds_what_was_put_there_and_leaves_no_file(
    limit: int, dtype: torch.dtype, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", limit)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    room = scratch.scratch(7, 3, dtype)
    assert room.shape == (7, 3)
    assert room.dtype == dtype
    values = torch.arange(21).view(7, 3).to(dtype)
    room[4:] = values[4:]
    room[:4] = values[:4]
    assert torch.equal(room, values)
    assert list(tmp_path.iterdir()) == []


def test_large_room_lies_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    room = scratch.scratch(1000, 8, torch.float32)
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("needs /proc")
    assert str(tmp_path) in maps.read_text()
    assert room.shape == (1000, 8)
