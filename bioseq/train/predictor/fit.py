"""Fitting a head, and an encoder with it; killed and repeated, it goes on to the same weights."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor, nn
from torch.optim import AdamW

from bioseq.heads import Head, HeadConfig, build_head
from bioseq.store.replacement import replacing
from bioseq.train.predictor.loss import joint_loss
from bioseq.train.predictor.material import Material
from bioseq.train.predictor.settings import FittingSettings

_STEPS_BETWEEN_LINES = 200
_SEED_STRIDE = 1_000_003


class Fitting:
    """The fitting of one member.

    Args:
        config: Of the head.
        material: What it is fitted on; its states are fitted, too, where they have parameters.
        settings: How.
        member: Number of the member; decides its seed.
        checkpoint: File of the unfinished state.
        encoder_learning_rate: Highest rate of the states' parameters.
    """

    def __init__(
        self,
        config: HeadConfig,
        material: Material,
        settings: FittingSettings,
        *,
        member: int,
        checkpoint: Path,
        encoder_learning_rate: float,
    ) -> None:
        self.material = material
        self.settings = settings
        self.checkpoint = checkpoint
        self.seed = settings.seed * _SEED_STRIDE + member
        torch.manual_seed(self.seed)
        self.head = build_head(config).to(material.device)
        self.parts = nn.ModuleDict({"head": self.head, "states": material.states})
        self.rates = (settings.learning_rate, encoder_learning_rate)
        groups = [{"params": list(_trained(part).values())} for part in self.parts.values()]
        self.optimizer = AdamW(groups, weight_decay=settings.weight_decay)
        self.step = 0
        self.epoch = 0
        self.best_loss = math.inf
        self.best = self._copy_weights()
        self.best_epoch = -1
        steps_per_epoch = len(self._batches())
        self.last_step = steps_per_epoch * settings.epochs
        if settings.steps:
            self.last_step = min(self.last_step, settings.steps)
        self.last_epoch = -(-self.last_step // steps_per_epoch)
        if checkpoint.exists():
            self._load()

    def run(self, report: Callable[[str], None], seconds_between_saves: float) -> Head:
        """Fits until the last epoch or until patience ends, and gives the best epoch's head."""
        self._saved = time.monotonic()
        while self.epoch < self.last_epoch and not self._is_stalled:
            self._run_epoch(report, seconds_between_saves)
            loss = self._valid_loss()
            report(f"epoch {self.epoch + 1}, loss on the valid part {loss:.4f}")
            if loss < self.best_loss:
                self.best_loss, self.best_epoch = loss, self.epoch
                self.best = self._copy_weights()
            self.epoch += 1
            self._save()
        self._set_weights(self.best)
        return self.head.eval()

    @property
    def _is_stalled(self) -> bool:
        return self.epoch - self.best_epoch > self.settings.patience

    def _run_epoch(self, report: Callable[[str], None], seconds_between_saves: float) -> None:
        batches = self._batches()
        done = self.step - self.epoch * len(batches)
        for batch in batches[done : done + self.last_step - self.step]:
            loss = self._take_step(batch)
            if self.step % _STEPS_BETWEEN_LINES == 0:
                report(f"step {self.step:,}, loss {loss:.4f}")
            if time.monotonic() - self._saved > seconds_between_saves:
                self._save()

    def _batches(self) -> list[Int64[np.ndarray, " batch"]]:
        """The batches of the epoch; their number is that of every epoch."""
        rng = np.random.default_rng([self.seed, self.epoch])
        return self.material.draw(self.settings.residues_per_batch, rng)

    def _take_step(self, batch: Int64[np.ndarray, " batch"]) -> float:
        material, settings = self.material, self.settings
        torch.manual_seed(self.seed * _SEED_STRIDE + self.step)
        self.parts.train()
        share = _schedule(self.step, self.last_step, settings.warmup)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * share
        states, layout, labels = material.batch(batch)
        outputs = self.head(states, layout)
        loss = joint_loss(outputs, labels, material.targets, material.factors)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(_trained(self.parts).values(), settings.clip)
        self.optimizer.step()
        self.step += 1
        return loss.item()

    def _valid_loss(self) -> float:
        """Mean over the labelled rows of the valid part, every target with its weight."""
        material = self.material
        members = material.table.members("valid")
        losses = 0.0
        for outputs, labels in material.outputs(
            self.head, members, self.settings.residues_per_batch
        ):
            losses += joint_loss(outputs, labels, material.targets, material.factors).item()
        batches = material.lengths[members].sum() / self.settings.residues_per_batch
        return losses / float(batches)

    def _copy_weights(self) -> dict[str, Tensor]:
        return {name: weight.detach().clone() for name, weight in _trained(self.parts).items()}

    def _set_weights(self, weights: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, weight in _trained(self.parts).items():
                weight.copy_(weights[name])

    def _save(self) -> None:
        state = {
            "weights": self._copy_weights(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "best_loss": self.best_loss,
            "best_epoch": self.best_epoch,
            "step": self.step,
            "epoch": self.epoch,
        }
        with replacing(self.checkpoint) as temporary:
            torch.save(state, temporary)
        self._saved = time.monotonic()

    def _load(self) -> None:
        state = torch.load(self.checkpoint, map_location=self.material.device, weights_only=True)
        self._set_weights(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.best = state["best"]
        self.best_loss = state["best_loss"]
        self.best_epoch = state["best_epoch"]
        self.step = state["step"]
        self.epoch = state["epoch"]


def _trained(module: nn.Module) -> dict[str, nn.Parameter]:
    """Gives the parameters that are not frozen, by name."""
    return {name: weight for name, weight in module.named_parameters() if weight.requires_grad}


def _schedule(step: int, steps: int, warmup: float) -> float:
    """Share of the highest learning rate: linear warm-up, then half a cosine to zero."""
    rising = max(1, round(steps * warmup))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rising) / max(1, steps - rising))))
