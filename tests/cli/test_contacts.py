"""`bioseq predict contacts`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bioseq.store import open_store
from bioseq_cli.predict.contacts import contacts

A3M = ">q the query\nACDEFGHIKL\n>r\nAC-EFGaaHIKL\n>s\nACDEYGHI-L\n"


@pytest.fixture
def family(tmp_path: Path) -> Path:
    path = tmp_path / "family.a3m"
    path.write_text(A3M)
    return path


def test_maps_and_pictures_are_written(family: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    output, pictures = tmp_path / "o.h5", tmp_path / "pictures"
    arguments = [str(family), "-o", str(output), "--picture", str(pictures)]
    result = CliRunner().invoke(contacts, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "1 in" in result.output
    assert (pictures / "family.png").read_bytes().startswith(b"\x89PNG")
    with open_store(output) as store:
        assert store.predictions["contacts"].attrs["model"] == "axial-contacts"


def test_a_failure_ends_with_status_3(family: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.a3m"
    bad.write_text(">a\nACDE\n>b\nAC\n")
    arguments = [str(bad), str(family), "-o", str(tmp_path / "o.h5"), "--model", "mi"]
    result = CliRunner().invoke(contacts, arguments, catch_exceptions=False)
    assert result.exit_code == 3
    assert "failed: record 1 (bad)" in result.output
    assert "2 match columns" in result.output
