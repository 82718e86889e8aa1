"""The settings of a training run: one TOML file, checked before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bioseq.checkpoints import Objective
from bioseq.errors import OptionError
from bioseq.settings import check_range, load_toml, read_table
from bioseq.typing import Molecule

TrainingPrecision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """Where the sequences are and how they are split.

    Attributes:
        sequences: Sequence file, relative to the settings file.
        molecule: Kind of molecule.
        split: `cluster` holds out whole clusters of similar sequences; `description` takes the last
            word of each description, `train`, `valid` or `test`.
        held_out: Share of the sequences to hold out with `cluster`.
        crop: Longest stretch of a sequence in one step, in residues.
        validation_sequences: Held-out sequences that the regular checks use.
    """

    sequences: str
    molecule: Molecule = "protein"
    split: Literal["cluster", "description"] = "cluster"
    held_out: float = 0.02
    crop: int = 512
    validation_sequences: int = 400

    def __post_init__(self) -> None:
        check_range("held_out", self.held_out, 0 < self.held_out < 1, "above 0 and below 1")
        check_range("crop", self.crop, self.crop >= 1, "1 or more")
        count = self.validation_sequences
        check_range("validation_sequences", count, count >= 1, "1 or more")


@dataclass(frozen=True, kw_only=True)
class FittingBasics:
    """What every fitting by AdamW is told.

    Attributes:
        learning_rate: Highest rate.
        weight_decay: How fast weights decay.
        clip: Largest norm of the gradient.
        precision: Number format of the matrix products; weights stay float32.
        seed: Decides what is random.
    """

    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    clip: float = 1.0
    precision: TrainingPrecision = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "clip"):
            check_range(name, getattr(self, name), getattr(self, name) > 0, "above 0")
        for name in ("weight_decay", "seed"):
            check_range(name, getattr(self, name), getattr(self, name) >= 0, "0 or more")


@dataclass(frozen=True, kw_only=True)
class OptimizerSettings(FittingBasics):
    """How the weights are fitted: AdamW with linear warm-up and cosine decay.

    Attributes:
        steps: Optimizer steps.
        tokens_per_batch: Tokens in each step, over all devices.
        warmup_steps: Steps up to the highest rate.
        patience: Checks without a lower held-out loss after which the run ends, with the weights of
            the best check; without it the run takes all steps and keeps the last weights.

    Matrices decay, vectors do not. The seed decides weights, order, crops and masks.
    """

    steps: int
    tokens_per_batch: int = 16_384
    warmup_steps: int = 200
    patience: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.patience is not None:
            check_range("patience", self.patience, self.patience >= 1, "1 or more")
        for name in ("steps", "tokens_per_batch"):
            check_range(name, getattr(self, name), getattr(self, name) >= 1, "1 or more")
        check_range("warmup_steps", self.warmup_steps, self.warmup_steps >= 0, "0 or more")


@dataclass(frozen=True, kw_only=True)
class ObjectiveSettings:
    """What the model learns to predict.

    Attributes:
        kind: `masked`, `next-token` or `cloze`.
        mask_rate: Share of tokens hidden by `masked`.
    """

    kind: Objective
    mask_rate: float = 0.15

    def __post_init__(self) -> None:
        check_range("mask_rate", self.mask_rate, 0 < self.mask_rate <= 1, "above 0 and up to 1")


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Where a run takes place and what it shows: all but rounding is the same whatever stands here.

    Attributes:
        devices: Processes on each machine, one for each GPU, or on the CPU; they share each step.
        nodes: Machines.
        accumulation: Parts in which a process takes its share of a step; more need less memory.
        tensorboard: Whether to write the losses for TensorBoard too.
    """

    devices: int = 1
    nodes: int = 1
    accumulation: int = 1
    tensorboard: bool = False

    def __post_init__(self) -> None:
        for name in ("devices", "nodes", "accumulation"):
            check_range(name, getattr(self, name), getattr(self, name) >= 1, "1 or more")

    @property
    def num_processes(self) -> int:
        """Processes of all machines."""
        return self.devices * self.nodes


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """All settings of a run.

    Attributes:
        data: Sequences and split.
        encoder: Fields of the encoder's config, with `architecture`; the vocabulary size is filled
            in.
        objective: What to predict.
        optimizer: How to fit.
        folder: Folder that paths are relative to.
        run: Where the run takes place.
    """

    data: DataSettings
    encoder: Mapping[str, Any]
    objective: ObjectiveSettings
    optimizer: OptimizerSettings
    folder: Path
    run: RunSettings = RunSettings()


def load_settings(path: Path) -> TrainingSettings:
    """Reads a settings file.

    Raises:
        InputError: it can't be read.
        FormatError: it is not TOML.
        OptionError: a table or field is unknown, missing, or has a value that is not allowed.
    """
    needed, tables = {"data", "encoder", "objective", "optimizer"}, {"run": {}, **load_toml(path)}
    if set(tables) != {*needed, "run"} or not all(isinstance(t, dict) for t in tables.values()):
        allowed = f"exactly {', '.join(sorted(needed))}, and run where it is wanted"
        raise OptionError("tables", sorted(tables), allowed=allowed)
    return TrainingSettings(
        data=read_table("data", DataSettings, tables["data"]),
        encoder=tables["encoder"],
        objective=read_table("objective", ObjectiveSettings, tables["objective"]),
        optimizer=read_table("optimizer", OptimizerSettings, tables["optimizer"]),
        folder=path.parent,
        run=read_table("run", RunSettings, tables["run"]),
    )
