"""Labels that relatives lend each other."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "pipelines" / "research" / "predictors"
# ACD-EFG, residues 2 to 7 of the query, beside residues 4 to 9 of the target.
HIT = {"qstart": 2, "tstart": 4, "qaln": "ACD-EFG", "taln": "AC-DEFG"}


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(FOLDER)
    names = ("relatives", "transferred_labels", "evaluation_alignments")
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


def test_an_alignment_has_the_residues_beside_those_of_the_chain(scripts: Any) -> None:
    hit = {**HIT, "target": "t", "qend": 7}
    text = scripts.evaluation_alignments.to_a3m("MACDEFGW", [hit])
    assert text == ">chain\nMACDEFGW\n>t\n-AC-EFG-\n"
