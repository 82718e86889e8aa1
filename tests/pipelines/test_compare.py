"""The comparison of encoders: equal sizes, equal costs, and a table of what is finished."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest

FOLDER = Path(__file__).parents[2] / "pipelines" / "research" / "compare"
ENCODERS = ("convolution", "rnn", "lstm", "gru", "mlstm", "transformer")
BUDGET = 2.4e11


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def measure() -> ModuleType:
    return load("measure")


@pytest.fixture
def summary(measure: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setitem(sys.modules, "measure", measure)
    return load("summary")


@pytest.fixture
def lengths() -> np.ndarray:
    return np.random.default_rng(0).integers(40, 513, 1_000)


def test_all_encoders_have_equally_many_weights_within_five_percent(measure: ModuleType) -> None:
    counts = [sum(p.numel() for p in measure.build(name).parameters()) for name in ENCODERS]
    assert max(counts) <= 1.05 * min(counts)


@pytest.mark.parametrize("name", ENCODERS)
def test_the_steps_of_every_encoder_cost_the_budget(
    name: str, measure: ModuleType, lengths: np.ndarray
) -> None:
    encoder = measure.build(name)
    steps, epochs = measure.plan_steps(encoder, lengths, BUDGET)
    steps_per_epoch = lengths.sum() // measure.RESIDUES
    cost = measure.training_flops(encoder, lengths) * steps / steps_per_epoch
    assert cost == pytest.approx(BUDGET, rel=0.01)
    assert (epochs - 1) * steps_per_epoch < steps <= epochs * steps_per_epoch


def test_attention_pays_for_pairs(measure: ModuleType, lengths: np.ndarray) -> None:
    transformer, _ = measure.plan_steps(measure.build("transformer"), lengths, BUDGET)
    convolution, _ = measure.plan_steps(measure.build("convolution"), lengths, BUDGET)
    assert transformer < 0.8 * convolution


@pytest.mark.parametrize(
    ("length", "name"), [(40, "0-127"), (128, "128-255"), (511, "256-511"), (512, "512 and more")]
)
def test_a_length_lies_in_the_bin_that_begins_with_it(
    length: int, name: str, measure: ModuleType
) -> None:
    assert measure.bin_of(length) == name


def test_the_table_says_how_many_seeds_an_encoder_has(summary: ModuleType, tmp_path: Path) -> None:
    for seed, encoders in enumerate((ENCODERS, ENCODERS, ENCODERS[:5])):
        for encoder in encoders:
            folder = tmp_path / "runs" / str(seed) / "membrane-side" / encoder
            folder.mkdir(parents=True)
            right = {"0-127": 6.0 + seed, "512 and more": 10.0}
            bins = {
                name: {"sequences": 1.0, "rows": 10.0, "right": count}
                for name, count in right.items()
            }
            run = {"task": "membrane-side", "encoder": encoder, "seed": seed, "bins": bins}
            costs = {"parameters": 1, "steps": 2, "cpu_seconds": 3.0}
            (folder / "measured.json").write_text(json.dumps({**run, **costs}))
    (tmp_path / "tables").mkdir()
    pl.DataFrame(
        {
            "sequence": ["A" * 10, "A" * 4],
            "split": ["test", "train"],
            "label": ["IIIIIIOO--", "OOOO"],
        }
    ).write_parquet(tmp_path / "tables" / "membrane-side.parquet")
    found = summary.summarise(summary.read_runs(tmp_path / "runs"), tmp_path / "tables")
    [row] = found.filter((pl.col("encoder") == "gru") & (pl.col("length") == "all")).to_dicts()
    assert row["seeds"] == 3
    assert (row["lowest"], row["mean"], row["highest"]) == pytest.approx((0.8, 0.85, 0.9))
    commonest = found.filter(pl.col("encoder") == "commonest class")
    transformer = found.filter((pl.col("encoder") == "transformer") & (pl.col("length") == "all"))
    assert transformer["seeds"].to_list() == [2]
    assert commonest["mean"].to_list() == [0.75, 0.75]
    assert "| gru | 2 | 3 | 3 | 0.850 (0.800-0.900) |" in summary.to_markdown(found)
    assert "| commonest class |  |  |  | 0.750 | 0.750 |  |" in summary.to_markdown(found)
