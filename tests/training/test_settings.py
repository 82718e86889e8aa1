"""The settings file: what is read, and how mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from bioseq.errors import BioseqError, FormatError, InputError, OptionError
from bioseq.training import RunSettings, load_settings

ROOT = Path(__file__).parents[2]
TEXT = """
[data]
sequences = "x.fasta"
held_out = 0.1

[encoder]
architecture = "recurrent"
num_layers = 2

[objective]
kind = "cloze"

[optimizer]
steps = 10
learning_rate = 1
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text)
    return path


def test_a_file_gives_its_values_and_the_defaults(tmp_path: Path) -> None:
    settings = load_settings(_write(tmp_path, TEXT))
    assert settings.folder == tmp_path
    assert settings.data.sequences == "x.fasta"
    assert settings.data.held_out == 0.1
    assert settings.data.split == "cluster"
    assert settings.encoder == {"architecture": "recurrent", "num_layers": 2}
    assert settings.optimizer.learning_rate == 1.0
    assert settings.optimizer.precision == "float32"
    assert settings.optimizer.patience is None
    assert settings.run == RunSettings()


def test_where_a_run_takes_place_is_read(tmp_path: Path) -> None:
    text = (
        TEXT + "patience = 2\n[run]\ndevices = 4\nnodes = 2\naccumulation = 3\ntensorboard = true\n"
    )
    settings = load_settings(_write(tmp_path, text))
    assert settings.run == RunSettings(devices=4, nodes=2, accumulation=3, tensorboard=True)
    assert settings.run.num_processes == 8
    assert settings.optimizer.patience == 2


@pytest.mark.parametrize(
    "path", sorted((ROOT / "pipelines" / "research" / "pretraining").glob("*.toml"))
)
def test_the_bundled_settings_are_valid(path: Path) -> None:
    assert load_settings(path).optimizer.seed == 1


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("[objective]", "[objectives]", OptionError, "tables is .*; allowed: exactly data, enc"),
        ("held_out = 0.1", "holdout = 0.1", OptionError, "holdout is 0.1; allowed: only seq"),
        ("held_out = 0.1", "held_out = 1.5", OptionError, "held_out is 1.5; allowed: above 0 and"),
        ('sequences = "x.fasta"', "", OptionError, "sequences is None; allowed: a value; it is"),
        ("steps = 10", "steps = '10'", OptionError, "steps is '10'; allowed: a value of type int"),
        ("steps = 10", "steps = true", OptionError, "steps is True; allowed: a value of type int"),
        ("steps = 10", "steps = 0", OptionError, "steps is 0; allowed: 1 or more"),
        ("= 1\n", "= 0\n", OptionError, "learning_rate is 0.0; allowed: above 0"),
        ("'cloze'", "'mlm'", OptionError, "kind is 'mlm'; allowed: masked, next-token, cloze"),
        ("= 1\n", "= 1\npatience = '2'\n", OptionError, "patience is '2'; allowed: .* of type int"),
        ("= 1\n", "= 1\npatience = 0\n", OptionError, "patience is 0; allowed: 1 or more"),
        ("= 1\n", "= 1\n[run]\nnodes = 0\n", OptionError, "nodes is 0; allowed: 1 or more"),
        ("= 1\n", "= 1\n[run]\ntensorboard = 1\n", OptionError, "is 1; allowed: .* of type bool"),
        ("[data]", "[data", FormatError, "settings.toml: not valid TOML"),
    ],
)
def test_a_mistake_is_named(
    tmp_path: Path, old: str, new: str, error: type[BioseqError], message: str
) -> None:
    text = TEXT.replace('"cloze"', "'cloze'")
    assert old in text
    with pytest.raises(error, match=message):
        load_settings(_write(tmp_path, text.replace(old, new)))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.toml: No such file"):
        load_settings(tmp_path / "none.toml")
