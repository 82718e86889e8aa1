"""Settings that lie beside the tensors are read without the package that made them."""

from __future__ import annotations

import pickle
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import torch

from bioseq.checkpoints.weights import open_weights
from bioseq.checkpoints.weights.settings import to_plain
from bioseq.errors import CheckpointError


def test_settings_of_omegaconf_become_plain_data(data_dir: Path) -> None:
    with open_weights(data_dir / "axial" / "omegaconf.pt") as weights:
        assert weights.names == {"esm_s_combine"}
        assert weights.metadata == {
            "cfg": {
                "model": {
                    "_name": "ESMFold",
                    "lddt_head_hid_dim": 20,
                    "trunk": {
                        "num_blocks": 2,
                        "dropout": 0.0,
                        "chunk_size": None,
                        "structure_module": {"sequence_dim": 24, "sizes": [1, 2]},
                    },
                }
            }
        }
    assert "omegaconf" not in sys.modules


def test_plain_data_stays_as_it_is() -> None:
    args = Namespace(arch="x")
    assert to_plain({"args": args, "steps": [1, {"a": None}]}) == {
        "args": args,
        "steps": [1, {"a": None}],
    }


class Launcher:
    """Would run something when it is made."""

    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("run",))


def test_other_objects_are_still_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.pt"
    torch.save({"cfg": Launcher(), "model": {"a": torch.zeros(1)}}, path, pickle_module=pickle)
    with (
        pytest.raises(CheckpointError, match="more than tensors and plain data"),
        open_weights(path),
    ):
        pass
    assert capsys.readouterr().out == ""
