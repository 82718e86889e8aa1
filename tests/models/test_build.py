"""Encoders from plain data."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bioseq.errors import OptionError
from bioseq.models import build_encoder, encoder_config

CONFIG = {
    "architecture": "convolutional",
    "vocabulary_size": 12,
    "dim": 8,
    "kernel": 3,
    "dilations": [1, 2],
}


def test_a_config_survives_json() -> None:
    encoder = build_encoder(CONFIG)
    plain = json.loads(json.dumps(encoder_config(encoder)))
    assert build_encoder(plain).config == encoder.config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"architecture": "mamba"},
            "'mamba'; allowed: convolutional, one-hot, recurrent, transformer",
        ),
        ({"heads": 3}, "'heads'; allowed: .*kernel"),
        ({"kernel": 4}, "kernel is 4; allowed: odd"),
    ],
)
def test_an_impossible_config_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        build_encoder({**CONFIG, **change})


def test_a_missing_field_is_named() -> None:
    with pytest.raises(OptionError, match="dilations"):
        build_encoder({k: v for k, v in CONFIG.items() if k != "dilations"})
