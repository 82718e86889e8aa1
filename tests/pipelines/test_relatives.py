"""Labels that relatives lend each other."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

FOLDER = Path(__file__).parents[2] / "pipelines" / "predictors"
# ACD-EFG, residues 2 to 7 of the query, beside residues 4 to 9 of the target.
HIT = {"qstart": 2, "tstart": 4, "qaln": "ACD-EFG", "taln": "AC-DEFG"}


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(FOLDER)
    names = ("relatives", "transferred_labels", "consensus_labels")
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    for name in names:
        del sys.modules[name]


def test_residues_beside_gaps_have_no_partner(scripts: Any) -> None:
    query, target = scripts.relatives.aligned(HIT)
    assert query.tolist() == [1, 2, 4, 5, 6]
    assert target.tolist() == [3, 4, 6, 7, 8]


def test_a_relative_has_the_labels_of_its_partners_and_nothing_is_said_of_others(
    scripts: Any,
) -> None:
    chain = {"ss3": "CHHEEEEC", "ss8": "", "mask": "11111011"}
    row = scripts.transferred_labels.transfer(chain, "MMM" + "ACDEFG" + "W" * 30, HIT)
    assert row == {
        "sequence": "MMMACDEFG" + "W" * 20,
        "split": "train",
        "ss3": "CCCHHCEEE" + "C" * 20,
        "ss8": "",
        "mask": "000110101" + "0" * 20,
    }


def test_relatives_outvote_a_protein_where_enough_of_them_speak(
    scripts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    three, eight = ("H", "E", "C"), ("G", "H", "I", "B", "E", "S", "T", "C")
    proteins = dict.fromkeys(("odd", "b", "c", "d", "e", "f"), "ACDEFGHI")

    def predict(*_: object) -> dict[str, dict[str, np.ndarray]]:
        said = {name: 0 if name == "odd" else 1 for name in proteins}
        return {
            "ss3": {name: np.eye(3)[[k] * 8] for name, k in said.items()},
            "ss8": {name: np.eye(8)[[3 * k + 1] * 8] for name, k in said.items()},
        }

    predictor = SimpleNamespace(
        targets=(
            SimpleNamespace(name="secondary-structure", classes=three),
            SimpleNamespace(name="secondary-structure-8", classes=eight),
        )
    )
    monkeypatch.setattr(scripts.consensus_labels, "predict", predict)
    monkeypatch.setattr(scripts.consensus_labels, "load_predictor", lambda _: predictor)
    aligned = {"qstart": 1, "tstart": 1, "qaln": "ACDEFG", "taln": "ACDEFG"}
    hits = [{"query": "odd", "target": name, **aligned} for name in proteins]
    hits += [{"query": "b", "target": name, **aligned} for name in ("odd", "c")]
    rows = scripts.consensus_labels.label(proteins, pl.DataFrame(hits), Path("unused"))
    assert rows == [
        {
            "sequence": "ACDEFGHI",
            "split": "train",
            "ss3": "EEEEEEHH",
            "ss8": "EEEEEEHH",
            "mask": "11111100",
        }
    ]
