"""The bundled network, on a family that it never saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bioseq.io import read_alignment
from bioseq.msa import Msa
from bioseq.prediction.contacts import ContactOptions
from bioseq.prediction.contacts.network import BUNDLED
from bioseq.prediction.contacts.precision import precision_at
from bioseq.prediction.contacts.predictors import build_predictor

MOST_BYTES = 5_000_000


@pytest.fixture(scope="module")
def maps(data_dir: Path) -> dict[str, np.ndarray]:
    msa = Msa.from_alignment(read_alignment(data_dir / "contacts" / "3a0j_A.a3m"))
    names = (ContactOptions().model, "mfdca", "mi")
    return {str(name): build_predictor(name).predict(msa) for name in names}


def precision(scores: np.ndarray, data_dir: Path, count: int) -> float:
    with np.load(data_dir / "contacts" / "3a0j_A.npz") as file:
        return precision_at(scores, file["contacts"], file["known"], count=count)


@pytest.mark.parametrize(
    ("name", "at_length", "at_fifth"),
    [
        ("axial-contacts", 29 / 73, 11 / 14),
        ("mfdca", 16 / 73, 4 / 14),
        ("mi", 13 / 73, 5 / 14),
    ],
)
def test_long_range_precision_is_as_published(
    maps: dict[str, np.ndarray], data_dir: Path, name: str, at_length: float, at_fifth: float
) -> None:
    # One pair more or less: another processor may swap two nearly equal scores.
    assert abs(precision(maps[name], data_dir, 73) - at_length) < 1.5 / 73
    assert abs(precision(maps[name], data_dir, 14) - at_fifth) < 1.5 / 14


def test_the_network_is_the_default_and_gives_probabilities(maps: dict[str, np.ndarray]) -> None:
    assert ContactOptions().model == "axial-contacts"
    found = maps["axial-contacts"]
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(found, found.T, atol=1e-6)


def test_neighbours_in_the_chain_touch(maps: dict[str, np.ndarray]) -> None:
    assert np.diag(maps["axial-contacts"], 1).mean() > 0.9


def test_the_network_is_small_and_has_a_card() -> None:
    assert sum(path.stat().st_size for path in BUNDLED.iterdir()) < MOST_BYTES
    assert "How good it is" in (BUNDLED / "README.md").read_text()
