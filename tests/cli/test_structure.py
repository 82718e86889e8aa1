"""`bioseq predict structure`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bioseq.store import open_store


@pytest.fixture
def esmfold(data_dir: Path) -> Path:
    return data_dir / "axial" / "esmfold"


def test_structures_are_written_and_failures_named(
    bioseq: Callable[..., Any], esmfold: Path, tmp_path: Path
) -> None:
    path, output = tmp_path / "in.fasta", tmp_path / "o.h5"
    path.write_text(">a\nMKV\n>b\nM*\n")
    outcome = bioseq(
        *("predict", "structure", path, "-o", output, "--model", esmfold, "--no-distogram"),
        *("--mmcif", tmp_path / "cif", "--pdb", tmp_path / "pdb"),
    )
    assert outcome.status == 3
    assert "records  2 (1 distinct)" in outcome.out
    assert "record 2 (b): symbol '*' at position 2 stands for no residue" in outcome.err
    assert [file.name for file in (tmp_path / "cif").iterdir()] == ["a.cif"]
    assert [file.name for file in (tmp_path / "pdb").iterdir()] == ["a.pdb"]
    with open_store(output) as store:
        assert "distogram" not in store.predictions
        assert store.predictions["lddt"].attrs["model"] == "esmfold"


def test_a_model_that_is_none_is_one_line(
    bioseq: Callable[..., Any], tmp_path: Path, data_dir: Path
) -> None:
    path = tmp_path / "in.fasta"
    path.write_text(">a\nMKV\n")
    model = data_dir / "axial" / "structure_openfold.npz"
    outcome = bioseq("predict", "structure", path, "-o", tmp_path / "o.h5", "--model", model)
    assert outcome.status == 1
    assert outcome.err.startswith(f"bioseq: error: {model}: predicts no structures")
    assert outcome.err.count("\n") == 1


def test_a_finished_store_gives_files_later(
    bioseq: Callable[..., Any], esmfold: Path, tmp_path: Path
) -> None:
    path = tmp_path / "in.fasta"
    path.write_text(">a\nMKV\n")
    command = ("predict", "structure", path, "-o", tmp_path / "o.h5", "--model", esmfold)
    assert bioseq(*command).status == 0
    outcome = bioseq(*command, "--pdb", tmp_path / "pdb")
    assert (outcome.status, outcome.err) == (0, "")  # nothing is computed again
    assert (tmp_path / "pdb" / "a.pdb").exists()
