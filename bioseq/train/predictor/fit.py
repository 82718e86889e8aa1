"""Fitting one head; killed and repeated, it goes on to the same weights."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.optim import AdamW

from bioseq.batch import Layout, layout_of
from bioseq.heads import Head, HeadConfig, build_head
from bioseq.predict.tasks.target import Target
from bioseq.store.replacement import replacing
from bioseq.train.predictor.loss import joint_loss
from bioseq.train.predictor.settings import FittingSettings
from bioseq.train.predictor.states import States
from bioseq.train.predictor.table import LabelTable

_STEPS_BETWEEN_LINES = 200
_SEED_STRIDE = 1_000_003


@dataclass(frozen=True, kw_only=True)
class Material:
    """What heads are fitted on.

    Attributes:
        table: Sequences, parts and labels.
        states: Of the sequences.
        targets: What to learn.
        factors: Of each target's summed loss, so that a batch costs its mean over labelled rows.
        lengths: Residues of each sequence.
        device: Where to compute.
    """

    table: LabelTable
    states: States
    targets: tuple[Target, ...]
    factors: tuple[float, ...]
    lengths: Int64[np.ndarray, " sequences"]
    device: torch.device

    def batch(
        self, members: Int64[np.ndarray, " members"]
    ) -> tuple[Float[Tensor, "residues dim"], Layout, list[Float[Tensor, "rows _"]]]:
        """Gives states, layout and labels of some sequences."""
        labels = [
            torch.from_numpy(np.concatenate([self.table.labels[t.name][i] for i in members]))
            for t in self.targets
        ]
        return (
            self.states.read(members).to(self.device),
            layout_of(self.lengths[members].tolist(), self.device),
            [label.to(self.device) for label in labels],
        )

    def cut(
        self, members: Int64[np.ndarray, " members"], residues: int
    ) -> list[Int64[np.ndarray, " batch"]]:
        """Cuts sequences, in the order given, into batches of about so many residues."""
        pools = np.cumsum(self.lengths[members]) // residues
        return np.split(members, np.flatnonzero(np.diff(pools)) + 1)

    def outputs(
        self, head: Head, members: Int64[np.ndarray, " members"], residues: int
    ) -> Iterator[tuple[Float[Tensor, "rows width"], list[Float[Tensor, "rows _"]]]]:
        """Gives a head's outputs and the labels, batch by batch."""
        head.eval()
        with torch.inference_mode():
            for batch in self.cut(members, residues):
                states, layout, labels = self.batch(batch)
                yield head(states, layout), labels


class Fitting:
    """The fitting of one member.

    Args:
        config: Of the head.
        material: What it is fitted on.
        settings: How.
        member: Number of the member; decides its seed.
        checkpoint: File of the unfinished state.
    """

    def __init__(
        self,
        config: HeadConfig,
        material: Material,
        settings: FittingSettings,
        *,
        member: int,
        checkpoint: Path,
    ) -> None:
        self.material = material
        self.settings = settings
        self.checkpoint = checkpoint
        self.seed = settings.seed * _SEED_STRIDE + member
        torch.manual_seed(self.seed)
        self.head = build_head(config).to(material.device)
        self.optimizer = AdamW(self.head.parameters(), lr=settings.learning_rate)
        self.step = 0
        self.epoch = 0
        self.best_loss = math.inf
        self.best: dict[str, Any] = copy.deepcopy(self.head.state_dict())
        self.best_epoch = -1
        for group in self.optimizer.param_groups:
            group["weight_decay"] = settings.weight_decay
        if checkpoint.exists():
            self._load()

    def run(self, report: Callable[[str], None], seconds_between_saves: float) -> Head:
        """Fits until the last epoch or until patience ends, and gives the best epoch's head."""
        self._saved = time.monotonic()
        while self.epoch < self.settings.epochs and not self._is_stalled:
            self._run_epoch(report, seconds_between_saves)
            loss = self._valid_loss()
            report(f"epoch {self.epoch + 1}, loss on the valid part {loss:.4f}")
            if loss < self.best_loss:
                self.best_loss, self.best_epoch = loss, self.epoch
                self.best = copy.deepcopy(self.head.state_dict())
            self.epoch += 1
            self._save()
        self.head.load_state_dict(self.best)
        return self.head.eval()

    @property
    def _is_stalled(self) -> bool:
        return self.epoch - self.best_epoch > self.settings.patience

    def _run_epoch(self, report: Callable[[str], None], seconds_between_saves: float) -> None:
        batches = self._batches()
        done = self.step - self.epoch * len(batches)
        for batch in batches[done:]:
            loss = self._take_step(batch, len(batches))
            if self.step % _STEPS_BETWEEN_LINES == 0:
                report(f"step {self.step:,}, loss {loss:.4f}")
            if time.monotonic() - self._saved > seconds_between_saves:
                self._save()

    def _batches(self) -> list[Int64[np.ndarray, " batch"]]:
        """The batches of the epoch; their number is that of every epoch."""
        members = self.material.table.members("train")
        rng = np.random.default_rng([self.seed, self.epoch])
        count = max(
            1, int(self.material.lengths[members].sum() // self.settings.residues_per_batch)
        )
        return np.array_split(rng.permutation(members), min(count, len(members)))

    def _take_step(self, batch: Int64[np.ndarray, " batch"], steps_per_epoch: int) -> float:
        material, settings = self.material, self.settings
        torch.manual_seed(self.seed * _SEED_STRIDE + self.step)
        self.head.train()
        share = _schedule(self.step, steps_per_epoch * settings.epochs, settings.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * share
        states, layout, labels = material.batch(batch)
        outputs = self.head(states, layout)
        loss = joint_loss(outputs, labels, material.targets, material.factors)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.head.parameters(), settings.clip)
        self.optimizer.step()
        self.step += 1
        return loss.item()

    def _valid_loss(self) -> float:
        """Mean over the labelled rows of the valid part, every target with its weight."""
        material = self.material
        members = material.table.members("valid")
        losses, batches = 0.0, 0.0
        for outputs, labels in material.outputs(
            self.head, members, self.settings.residues_per_batch
        ):
            losses += joint_loss(outputs, labels, material.targets, material.factors).item()
        batches = material.lengths[members].sum() / self.settings.residues_per_batch
        return losses / float(batches)

    def _save(self) -> None:
        state = {
            "head": self.head.state_dict(),
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
        self.head.load_state_dict(state["head"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.best = state["best"]
        self.best_loss = state["best_loss"]
        self.best_epoch = state["best_epoch"]
        self.step = state["step"]
        self.epoch = state["epoch"]


def _schedule(step: int, steps: int, warmup: float) -> float:
    """Share of the highest learning rate: linear warm-up, then half a cosine to zero."""
    rising = max(1, round(steps * warmup))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rising) / max(1, steps - rising))))
