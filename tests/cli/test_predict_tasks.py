"""`bioseq predict TASK`, and `bioseq train` of a predictor, as a user meets them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bioseq.prediction.tasks import bundled_predictors
from bioseq.store import check_store, open_store

Run = Callable[..., Any]

SETTINGS = """
[predictor]
task = "mine"
[data]
table = "labels.csv"
split = "random"
[encoder]
model = "one-hot-protein"
[head]
kind = "mlp"
dim = 8
[[targets]]
name = "mine"
column = "share"
level = "sequence"
kind = "value"
classes = ["share of K"]
[optimizer]
epochs = 2
"""


@pytest.fixture
def proteins(tmp_path: Path) -> Path:
    path = tmp_path / "in.fasta"
    path.write_text(">a one\nMKVLAAGIVGLLLAQWERTY\n>b\nMK?\n>c\nGSSGSSGSSGSS\n")
    return path


def test_a_task_writes_probabilities_and_exports_and_says_what_failed(
    bioseq: Run, proteins: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.h5"
    exports = [tmp_path / f"out.{suffix}" for suffix in ("fasta", "csv", "gff3")]
    options = [x for path in exports for x in ("--export", path)]
    done = bioseq("predict", "secondary-structure", proteins, "-o", out, *options)
    assert done.status == 3
    assert "failed: record 2 (b)" in done.err
    assert "of the residues" in done.out
    assert check_store(out) == []
    with open_store(out) as store:
        assert store.predictions["secondary-structure"].attrs["classes"] == ["H", "E", "C"]
        assert store.predictions["secondary-structure-8"].dim == 8
        np.testing.assert_allclose(
            np.asarray(store.predictions["secondary-structure"][0]).sum(axis=1), 1, rtol=1e-5
        )
    assert exports[0].read_text().splitlines()[0] == ">a secondary-structure"
    assert pl.read_csv(exports[1])["id"].to_list() == ["a", "b", "c"]
    assert exports[2].read_text().startswith("##gff-version 3\n")


def test_an_alignment_is_one_record_and_its_depth_goes_with_it(
    bioseq: Run, proteins: Path, tmp_path: Path
) -> None:
    family, out = tmp_path / "family.a3m", tmp_path / "out.h5"
    family.write_text(">q\nMKVLAW\n>r\nMR-LggAY\n")
    refused = bioseq("predict", "disorder", proteins, "-o", out, "--max-depth", "2")
    assert (refused.status, "--max-depth goes with --alignments" in refused.err) == (1, True)
    done = bioseq("predict", "disorder", family, "-o", out, "--alignments", "--max-depth", "2")
    assert done.status == 0
    assert "records  1 (1 distinct" in done.out
    shown = bioseq("store", "info", out)
    assert "predictions/disorder: per residue, 2 x float32; model protein-lstm\n" in shown.out


def test_all_gives_what_every_task_gives(bioseq: Run, proteins: Path, tmp_path: Path) -> None:
    bioseq("predict", "all", proteins, "-o", tmp_path / "all.h5", "--molecule", "protein")
    with open_store(tmp_path / "all.h5") as together:
        names = set(together.predictions)
        for task in ("secondary-structure", "disorder"):
            assert task in names
            bioseq("predict", task, proteins, "-o", tmp_path / f"{task}.h5")
            with open_store(tmp_path / f"{task}.h5") as alone:
                for name, view in alone.predictions.items():
                    np.testing.assert_array_equal(together.predictions[name][0], view[0])


def test_the_same_command_again_is_content_with_what_is_there(
    bioseq: Run, proteins: Path, tmp_path: Path
) -> None:
    command = ("predict", "disorder", proteins, "-o", tmp_path / "out.h5")
    assert bioseq(*command).status == 3
    again = bioseq(*command)
    assert again.status == 3
    assert "already done" in again.err


def test_a_wrong_export_is_refused_before_any_work(
    bioseq: Run, proteins: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.h5"
    done = bioseq("predict", "disorder", proteins, "-o", out, "--export", tmp_path / "x.docx")
    assert done.status == 1
    assert ".docx" in done.err
    assert not out.exists()


def test_a_table_of_labels_becomes_a_predictor_by_one_command(
    bioseq: Run, proteins: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    sequences = ["".join(rng.choice(list("AGLKV"), 30)) for _ in range(40)]
    frame = pl.DataFrame({"sequence": sequences, "share": [s.count("K") / 30 for s in sequences]})
    frame.write_csv(tmp_path / "labels.csv")
    (tmp_path / "mine.toml").write_text(SETTINGS)
    done = bioseq("train", tmp_path / "mine.toml", "-o", tmp_path / "run")
    assert done.status == 0
    assert "28 train, 6 valid, 6 test" in done.out
    folder = tmp_path / "run" / "predictor"
    done = bioseq("predict", "custom", folder, proteins, "-o", tmp_path / "out.h5")
    assert done.status == 3
    assert "share of K" in done.out


@pytest.mark.parametrize("task", [*bundled_predictors(), "all", "custom"])
def test_every_task_has_a_help_page(bioseq: Run, task: str) -> None:
    assert "--export" in bioseq("predict", task, "--help").out
