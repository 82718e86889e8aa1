"""Temperatures that make probabilities frequencies."""

from __future__ import annotations

import pytest
import torch

from bioseq.prediction.tasks import Target
from bioseq.training.predictor.calibrate import calibrate


@pytest.mark.parametrize("boldness", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("kind", ["classes", "labels"])
def test_the_temperature_undoes_the_boldness_of_logits(kind: str, boldness: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(20_000, 3, generator=generator)
    if kind == "classes":
        labels = torch.multinomial(logits.softmax(dim=1), 1, generator=generator).float()
    else:
        labels = torch.bernoulli(logits.sigmoid(), generator=generator)
    target = Target(name="t", level="residue", kind=kind, classes=("a", "b", "c"))  # pyright: ignore[reportArgumentType]
    found = calibrate(target, (boldness * logits)[None], labels)
    assert found.temperature == pytest.approx(boldness, rel=0.06)


def test_missing_labels_and_values_leave_the_temperature_alone() -> None:
    target = Target(name="t", level="residue", kind="classes", classes=("a", "b"))
    nothing = torch.full((5, 1), torch.nan)
    assert calibrate(target, torch.randn(1, 5, 2), nothing) == target
    value = Target(name="t", level="residue", kind="value", classes=("a",))
    assert calibrate(value, torch.randn(1, 5, 1), torch.randn(5, 1)) == value
