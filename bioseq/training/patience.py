"""Early stopping: the weights of the best check are kept, and a run without hope ends."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from lightning import Trainer
from lightning.pytorch.callbacks import Callback
from safetensors.torch import save_file
from torch import nn

from bioseq.files import replacing
from bioseq.training.fitting import restore_weights, trained_weights


class Patience(Callback):
    """Ends a `Fitting` after some checks without a lower held-out loss.

    Lightning's own forgets, where a finished run is resumed, that it had ended.

    Args:
        checks: How many to wait.
        best: File for the weights of the best check.

    Attributes:
        lowest: Loss of the best check.
        waited: Checks since.
    """

    def __init__(self, checks: int, best: Path) -> None:
        self.checks = checks
        self.best = best
        self.lowest = math.inf
        self.waited = 0

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Ends a resumed run that had ended."""
        trainer.should_stop = self.waited >= self.checks

    def on_validation_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Keeps the weights or loses patience."""
        loss = trainer.strategy.broadcast(float(trainer.callback_metrics["held_out_loss"]))
        if loss < self.lowest:
            self.lowest, self.waited = loss, 0
            if trainer.is_global_zero:
                with replacing(self.best) as temporary:
                    save_file(dict(trained_weights(pl_module.model)), temporary)
        else:
            self.waited += 1
        trainer.should_stop = self.waited >= self.checks

    def restore_best(self, model: nn.Module) -> None:
        """Sets a model's weights to those of the best check, if any check was better than none."""
        if self.best.exists():
            restore_weights(model, self.best)

    def state_dict(self) -> dict[str, Any]:
        """Returns what a checkpoint has to know."""
        return {"lowest": self.lowest, "waited": self.waited}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up where a checkpoint was written."""
        self.lowest, self.waited = state_dict["lowest"], state_dict["waited"]
