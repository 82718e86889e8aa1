from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "pipelines" / "research" / "benchmark" / "zero_shot.py"
WILD_TYPE = "MKTAYIAKQRQISFVK"
VARIANTS = ["K2A", "K2C", "T3W,A4C", "Y5G", "K8*", "R10P", "S13A"]


@pytest.fixture
def assays(tmp_path: Path) -> Path:
    folder = tmp_path / "dms"
    folder.mkdir()
    name = "b2l11_human_dutta2010"
    lines = [f"{variant}\t{place}.5" for place, variant in enumerate(VARIANTS)]
    table = "\n".join(["variant\tscore", *lines]) + "\n"
    (folder / f"{name}.tsv.gz").write_bytes(gzip.compress(table.encode()))
    entry = {"wt": WILD_TYPE, "index_of_first_residue": 1}
    (folder / "wildtypes.json").write_text(json.dumps({name: entry}))
    figures = ",B2L11_HUMAN_Dutta_2010_binding-Mcl-1\nUnirep,0.216\n"
    (folder / "proteingym_zero_shot_spearman.csv").write_text(figures)
    return folder


def run_script(assays: Path, model: Path, *options: str) -> str:
    command = [sys.executable, SCRIPT, assays, assays.parent / "results.csv", "--model", model]
    command += ["--name", "tiny", "--assay", "b2l11_human_dutta2010", "--rounds", "20", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


def test_results_stand_beside_published_figures_and_are_not_measured_twice(
    assays: Path, tiny_lstm: Path
) -> None:
    out = run_script(assays, tiny_lstm, "--published", "Unirep")
    assert "| published: Unirep | 0.216 |" in out
    results = assays.parent / "results.csv"
    header, line = results.read_text().splitlines()
    row = dict(zip(header.split(","), line.split(","), strict=True))
    assert (row["variants"], row["of"]) == ("6", "6")  # one is cut short by a stop
    assert float(row["low"]) <= float(row["spearman"]) <= float(row["high"])
    before = results.read_text()
    run_script(assays, tiny_lstm)
    assert results.read_text() == before


def test_a_sample_says_how_many_were_drawn(assays: Path, tiny_lstm: Path) -> None:
    assert ", 4 variants |" in run_script(assays, tiny_lstm, "--max-variants", "4")
