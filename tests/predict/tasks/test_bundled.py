"""The predictors that come with the package."""

from __future__ import annotations

import pytest

from bioseq.predict.tasks import bundled_predictors, load_predictor
from bioseq.predict.tasks.encoders import load_referenced
from bioseq_cli.predict.tasks import TASKS


def test_every_command_has_its_predictor_and_every_predictor_its_command() -> None:
    assert set(TASKS) == set(bundled_predictors())


@pytest.mark.parametrize("task", bundled_predictors())
def test_a_bundled_predictor_fits_the_encoder_that_comes_with_it(task: str) -> None:
    predictor = load_predictor(task)
    assert predictor.task == task
    encoder = load_referenced(predictor.encoder, task).encoder
    width = sum(encoder.layer_dim(layer) for layer in predictor.encoder.layers)
    assert predictor.typicality.mean.shape == (width,)


@pytest.mark.parametrize("task", bundled_predictors())
def test_a_bundled_predictor_has_a_card(task: str) -> None:
    card = (bundled_predictors()[task] / "README.md").read_text()
    for word in ("trained on", "measured", "licence"):
        assert word in card.lower()


def test_all_bundled_predictors_together_are_small() -> None:
    sizes = [f.stat().st_size for p in bundled_predictors().values() for f in p.iterdir()]
    assert sum(sizes) < 15e6


def test_three_state_secondary_structure_is_helix_strand_coil() -> None:
    assert load_predictor("secondary-structure").targets[0].classes == ("H", "E", "C")
