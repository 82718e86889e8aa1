"""Trains the small axial network of `bioseq predict contacts`; interrupted, it goes on.

    python pipelines/research/contacts/train.py pipelines/research/contacts/contacts.toml \
        --alignments msa_pdb --structures pdb_chains_backbone.npz --output run

Needs `index.tsv` (columns id, set, depth) and `a3m/ID.a3m` in the folder of alignments, and the
file of coordinates. The output folder gets the features of each family, `checkpoint.pt` and
`log.tsv`.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from families import Family, read_families
from torch import Tensor
from torch.nn import functional

from bioseq.models.axial_contacts import (
    DISTANCE_BOUNDS,
    AxialContactConfig,
    AxialContactModel,
    ContactInputs,
)
from bioseq.prediction.contacts.features import COLUMN_FEATURES, contact_inputs
from bioseq.prediction.contacts.precision import precision_at

STEPS_BETWEEN_CHECKPOINTS = 50
STEPS_BETWEEN_CHECKS = 300
CHECKED_FAMILIES, LONGEST_CHECKED = 32, 150
UNKNOWN = -100


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a run, as in the TOML file."""

    seed: int
    steps: int
    warmup: int
    learning_rate: float
    weight_decay: float
    crop: int
    average: float
    model: dict[str, Any] = field(default_factory=dict)

    def rate(self, step: int) -> float:
        """Returns the learning rate: linear warm-up, then a cosine to a hundredth."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.learning_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, done))) / 2)


def read_inputs(family: Family, folder: Path) -> ContactInputs:
    """Returns a family's features, computed once and kept in half precision."""
    path = folder / f"{family.id}.npz"
    names = [f.name for f in fields(ContactInputs)]
    if not path.exists():
        inputs = contact_inputs(family.read())
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **{n: getattr(inputs, n).numpy().astype(np.float16) for n in names})
        temporary.rename(path)
    with np.load(path) as file:
        return ContactInputs(**{n: torch.from_numpy(file[n].astype(np.float32)) for n in names})


def crop(inputs: ContactInputs, places: np.ndarray) -> ContactInputs:
    """Returns the inputs of some of the columns."""
    kept = torch.from_numpy(places)
    return ContactInputs(
        factor=inputs.factor[kept],
        scores=inputs.scores[kept][:, kept],
        columns=inputs.columns[kept],
        positions=inputs.positions[kept],
    )


def choose_places(length: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draws one stretch of columns or two, in either direction."""
    if length <= size:
        places = np.arange(length)
    elif rng.random() < 0.5:
        places = np.arange(size) + rng.integers(length - size + 1)
    else:
        half = size // 2
        first, gap = np.sort(rng.integers(length - size + 1, size=2))
        places = np.concatenate([np.arange(half) + first, np.arange(half) + half + gap])
    return places[::-1].copy() if rng.random() < 0.5 else places


def target_bins(distances: np.ndarray) -> Tensor:
    """Returns the distance bin of each pair; `UNKNOWN` where there is no distance."""
    bins = np.digitize(distances, DISTANCE_BOUNDS)
    return torch.from_numpy(np.where(np.isnan(distances), UNKNOWN, bins))


@dataclass
class Run:
    """The state of a run: model, its running average, optimiser, next step."""

    model: AxialContactModel
    averaged: AxialContactModel
    optimizer: torch.optim.Optimizer
    step: int = 0

    @classmethod
    def begin(cls, settings: Settings) -> Run:
        """Builds the model at random."""
        torch.manual_seed(settings.seed)
        config = AxialContactConfig(column_features=COLUMN_FEATURES, **settings.model)
        model = AxialContactModel(config)
        optimizer = torch.optim.AdamW(model.parameters(), weight_decay=settings.weight_decay)
        return cls(model, copy.deepcopy(model), optimizer)

    def save(self, path: Path) -> None:
        """Writes a checkpoint in one step."""
        temporary = path.with_suffix(".tmp")
        parts = ("model", "averaged", "optimizer")
        torch.save(
            {p: getattr(self, p).state_dict() for p in parts} | {"step": self.step}, temporary
        )
        temporary.rename(path)

    def load(self, path: Path) -> None:
        """Reads a checkpoint."""
        state = torch.load(path, weights_only=True)
        for part in ("model", "averaged", "optimizer"):
            getattr(self, part).load_state_dict(state[part])
        self.step = state["step"]

    def advance(self, family: Family, inputs: ContactInputs, settings: Settings) -> float:
        """Does one step on a crop of one family; gives the loss."""
        rng = np.random.default_rng([settings.seed, self.step])
        places = choose_places(len(inputs.columns), settings.crop, rng)
        bins = target_bins(family.distances[np.ix_(places, places)])
        for group in self.optimizer.param_groups:
            group["lr"] = settings.rate(self.step)
        logits = self.model(crop(inputs, places))
        loss = functional.cross_entropy(logits.flatten(0, 1), bins.flatten(), ignore_index=UNKNOWN)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        decay = min(settings.average, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for kept, new in zip(self.averaged.parameters(), self.model.parameters(), strict=True):
                kept.lerp_(new, 1 - decay)
        self.step += 1
        return loss.item()


def order_families(families: list[Family], seed: int) -> Iterator[Family]:
    """Goes through the families again and again, in another order each time."""
    epoch = 0
    while True:
        order = np.random.default_rng([seed, epoch, 0]).permutation(len(families))
        yield from (families[place] for place in order.tolist())
        epoch += 1


@torch.no_grad()
def mean_precision(model: AxialContactModel, families: list[Family], folder: Path) -> float:
    """Returns the mean long-range precision at L."""
    found = []
    for family in families:
        scores = model.contacts(read_inputs(family, folder)).numpy()
        count = len(scores)
        found.append(precision_at(scores, family.contacts, family.known, count=count))
    return float(np.nanmean(found))


def train(settings: Settings, families: list[Family], output: Path) -> None:
    """Trains to the last step, from the last checkpoint if there is one."""
    folder = output / "features"
    folder.mkdir(parents=True, exist_ok=True)
    run, checkpoint = Run.begin(settings), output / "checkpoint.pt"
    if checkpoint.exists():
        run.load(checkpoint)
    valid = [f for f in families if f.part == "valid" and len(f.backbone) <= LONGEST_CHECKED]
    order = order_families([f for f in families if f.part == "train"], settings.seed)
    for _ in range(run.step):
        next(order)
    losses: list[float] = []
    while run.step < settings.steps:
        family = next(order)
        losses.append(run.advance(family, read_inputs(family, folder), settings))
        if run.step % STEPS_BETWEEN_CHECKPOINTS == 0 or run.step == settings.steps:
            precision = ""
            if run.step % STEPS_BETWEEN_CHECKS == 0 or run.step == settings.steps:
                value = mean_precision(run.averaged, valid[:CHECKED_FAMILIES], folder)
                precision = f"{value:.4f}"
            run.save(checkpoint)
            line = f"{run.step}\t{np.mean(losses):.4f}\t{precision}\t{time.process_time():.0f}"
            with (output / "log.tsv").open("a") as log:
                log.write(f"{line}\n")
            print(line, flush=True)
            losses = []


def main() -> None:
    """Reads the arguments and trains."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("settings", type=Path)
    parser.add_argument("--alignments", type=Path, required=True)
    parser.add_argument("--structures", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    with arguments.settings.open("rb") as file:
        settings = Settings(**tomllib.load(file))
    families = read_families(arguments.alignments, arguments.structures)
    train(settings, families, arguments.output)


if __name__ == "__main__":
    main()
