"""The predictors that come with the package."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from bioseq.errors import CheckpointError
from bioseq.labels import Grammar
from bioseq.prediction.catalogue import bundled_titles
from bioseq.prediction.tasks import bundled_predictors, load_predictor, save_predictor
from bioseq.prediction.tasks.encoders import load_referenced
from bioseq_cli.predict import predict


def test_every_command_has_its_predictor_and_every_predictor_its_command() -> None:
    assert set(bundled_titles()) == set(bundled_predictors())
    for task, title in bundled_titles().items():
        assert predict.commands[task].short_help == title != ""


@pytest.mark.parametrize("task", bundled_predictors())
def test_a_bundled_predictor_fits_the_encoder_that_comes_with_it(task: str) -> None:
    predictor = load_predictor(task)
    assert predictor.task == task
    encoder = load_referenced(predictor.encoder, task).encoder
    width = sum(encoder.layer_dim(layer) for layer in predictor.encoder.layers)
    assert predictor.typicality.mean.shape == (width,)


def version_of(folder: Path) -> int:
    return json.loads((folder / "config.json").read_text())["format_version"]


@pytest.mark.parametrize("task", [t for t, f in bundled_predictors().items() if version_of(f) == 1])
def test_a_folder_of_format_version_1_is_read_and_written_again_as_the_newest(
    task: str, tmp_path: Path
) -> None:
    old = load_predictor(task)
    save_predictor(tmp_path / task, old)
    assert version_of(tmp_path / task) == 3
    new = load_predictor(tmp_path / task)
    assert new.targets == old.targets
    for name, weight in old.state_dict().items():
        assert torch.equal(weight, new.state_dict()[name]), name


def test_a_folder_is_the_same_predictor_whatever_its_classes_mean(tmp_path: Path) -> None:
    folder = tmp_path / "topology"
    shutil.copytree(bundled_predictors()["topology"], folder)
    config = json.loads((folder / "config.json").read_text())
    del config["targets"][0]["features"], config["targets"][0]["grammar"]
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    plain, bundled = load_predictor(folder), load_predictor("topology")
    assert plain.digest == bundled.digest
    assert (plain.targets[0].features, plain.targets[0].grammar) == (None, None)
    assert bundled.targets[0].grammar == Grammar(shortest=(1, 12, 5), forbidden=((1, 2), (2, 1)))
    config["targets"][0]["grammar"] = {"shortest": [1, 12], "forbidden": []}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="shortest of topology"):
        load_predictor(folder)


@pytest.mark.parametrize("task", bundled_predictors())
def test_a_bundled_predictor_has_a_card(task: str) -> None:
    card = (bundled_predictors()[task] / "README.md").read_text()
    for word in ("trained on", "measured", "licence"):
        assert word in card.lower()


def test_all_bundled_predictors_together_are_small() -> None:
    sizes = [f.stat().st_size for p in bundled_predictors().values() for f in p.rglob("*")]
    assert sum(sizes) < 15e6


def test_three_state_secondary_structure_is_helix_strand_coil() -> None:
    assert load_predictor("secondary-structure").targets[0].classes == ("H", "E", "C")
