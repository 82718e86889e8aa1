"""What every fitting here is to the trainer: weights to keep, a schedule, words for the reader."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from safetensors.torch import load_file
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from bioseq.training.steps import Step


class Fitting(lightning.LightningModule, ABC):
    """A model being fitted. Its frozen weights are in no checkpoint.

    Args:
        model: What is fitted.

    Attributes:
        model: The same.
        unit: What the size of a step counts.
    """

    unit: str

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.strict_loading = False

    @abstractmethod
    def size(self, step: Step[Any]) -> int:
        """Returns how much a step reads, over all processes."""

    @abstractmethod
    def describe_check(self, step: int, loss: float) -> str:
        """Words the held-out loss after so many steps."""

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leaves out what does not change."""
        checkpoint["state_dict"] = {n: w.detach() for n, w in trained_weights(self).items()}


def trained_weights(module: nn.Module) -> dict[str, nn.Parameter]:
    """Returns the parameters that are not frozen, by name."""
    return {name: weight for name, weight in module.named_parameters() if weight.requires_grad}


def restore_weights(module: nn.Module, path: Path) -> None:
    """Sets the parameters that are not frozen to those in a file."""
    stored = load_file(path)
    with torch.no_grad():
        for name, weight in trained_weights(module).items():
            weight.copy_(stored[name])


def with_schedule(
    optimizer: Optimizer, *, steps: int, warmup_steps: int
) -> OptimizerLRSchedulerConfig:
    """Returns an optimizer whose rates rise linearly and then fall along half a cosine."""
    factor = LambdaLR(optimizer, lambda step: learning_rate_factor(step, steps, warmup_steps))
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": factor, "interval": "step"}}


def learning_rate_factor(step: int, steps: int, warmup_steps: int) -> float:
    """Gives the share of the highest learning rate: linear warm-up, then half a cosine to zero."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    rest = max(1, steps - warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup_steps) / rest)))
