"""The comparison of methods with few labels, on a table of toys."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bioseq.embedding import EmbedOptions, embed_files
from bioseq.evaluation.metrics import spearman
from bioseq.prediction.nearest import NearestOptions, predict_nearest

SCRIPT = Path(__file__).parents[2] / "pipelines" / "research" / "predictors" / "few_labels.py"
WILD = "MKVLAAGIVGLLLAQWERTY"
SETTINGS = """
[predictor]
task = "toy"
[data]
table = "unused.csv"
[encoder]
model = "{model}"
layers = [1, 2]
[head]
kind = "linear"
[[targets]]
name = "fitness"
column = "fitness"
level = "sequence"
kind = "value"
classes = ["log"]
[optimizer]
epochs = 2
"""


@pytest.mark.slow
def test_all_methods_are_judged_on_the_same_rows_and_neighbours_are_those_of_the_command(
    tmp_path: Path, tiny_lstm: Path
) -> None:
    rng = np.random.default_rng(0)
    sites, letters = rng.integers(0, 20, 60), rng.choice(list("ACDEFGHIKN"), 60)
    sequences = [WILD[:i] + x + WILD[i + 1 :] for i, x in zip(sites, letters, strict=True)]
    fitness, split = rng.normal(size=60), ["train", "valid", "test"] * 20
    table = pl.DataFrame({"sequence": sequences, "fitness": fitness, "split": split})
    table = table.filter(pl.col("sequence") != WILD)
    table.write_csv(tmp_path / "table.csv")
    (tmp_path / "toy.toml").write_text(SETTINGS.format(model=tiny_lstm))
    (tmp_path / "wild.fasta").write_text(f">wild\n{WILD}\n")
    command = [sys.executable, SCRIPT, "toy.toml", "table.csv", "runs", "--labels", "10"]
    done = subprocess.run(
        [*command, "--wild-type", "wild.fasta"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()]
    assert [row[:2] for row in rows] == [
        *(["labels", "method"], ["10", "head"], ["10", "nearest"], ["0", "zero-shot"])
    ]

    used = pl.read_csv(tmp_path / "runs/toy/labels-10-0.csv")
    known, tested = used.filter(pl.col("split") != "test"), used.filter(pl.col("split") == "test")
    assert len(known) == 10
    assert sorted(tested["sequence"]) == sorted(table.filter(pl.col("split") == "test")["sequence"])
    for name, frame in {"known": known, "tested": tested}.items():
        lines = (f">{i}\n{s}\n" for i, s in zip(frame["id"], frame["sequence"], strict=True))
        (tmp_path / f"{name}.fasta").write_text("".join(lines))
    known.write_csv(tmp_path / "known.csv")
    options = EmbedOptions(model=tiny_lstm, save_as="float16")
    embed_files(tmp_path / "known.fasta", tmp_path / "known.h5", options).close()
    nearest = NearestOptions(
        store=tmp_path / "known.h5",
        labels=tmp_path / "known.csv",
        column="fitness",
        model=tiny_lstm,
    )
    with predict_nearest(tmp_path / "tested.fasta", tmp_path / "out.h5", nearest) as store:
        found = np.asarray(store.predictions["fitness"].to_numpy(), np.float64)
    expected = spearman(tested["fitness"].to_numpy()[:, None], found)
    assert float(rows[2][2].split()[0]) == pytest.approx(expected, abs=6e-3)
