"""The settings of a training run: one TOML file, checked before anything is read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_type_hints

from bioseq.checkpoints import Objective
from bioseq.errors import FormatError, OptionError
from bioseq.typing import Molecule

T = TypeVar("T")


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


@dataclass(frozen=True, kw_only=True)
class OptimizerSettings:
    """How the weights are fitted: AdamW with linear warm-up and cosine decay.

    Attributes:
        steps: Optimizer steps.
        tokens_per_batch: Tokens in each step.
        learning_rate: Highest rate.
        warmup_steps: Steps up to the highest rate.
        weight_decay: Of matrices; vectors have none.
        clip: Largest norm of the gradient.
        precision: Number format of the matrix products; weights stay float32.
        seed: Decides weights, order, crops and masks.
    """

    steps: int
    tokens_per_batch: int = 16_384
    learning_rate: float = 1e-3
    warmup_steps: int = 200
    weight_decay: float = 0.01
    clip: float = 1.0
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class ObjectiveSettings:
    """What the model learns to predict.

    Attributes:
        kind: `masked`, `next-token` or `cloze`.
        mask_rate: Share of tokens hidden by `masked`.
    """

    kind: Objective
    mask_rate: float = 0.15


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """All settings of a run.

    Attributes:
        data: Sequences and split.
        encoder: Fields of the encoder's config, with `architecture`; the vocabulary size is filled in.
        objective: What to predict.
        optimizer: How to fit.
        folder: Folder that paths are relative to.
    """

    data: DataSettings
    encoder: Mapping[str, Any]
    objective: ObjectiveSettings
    optimizer: OptimizerSettings
    folder: Path


def load_settings(path: Path) -> TrainingSettings:
    """Reads a settings file.

    Raises:
        FormatError: it is missing or not TOML.
        OptionError: a table or field is unknown, missing or of the wrong type.
    """
    try:
        tables = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FormatError("TOML", path=path, found=str(error)) from None
    known = {"data", "encoder", "objective", "optimizer"}
    if set(tables) != known:
        raise OptionError("tables", sorted(tables), allowed=f"exactly {', '.join(sorted(known))}")
    return TrainingSettings(
        data=_read_table("data", DataSettings, tables["data"]),
        encoder=tables["encoder"],
        objective=_read_table("objective", ObjectiveSettings, tables["objective"]),
        optimizer=_read_table("optimizer", OptimizerSettings, tables["optimizer"]),
        folder=path.parent,
    )


def _read_table(name: str, kind: type[T], table: Mapping[str, Any]) -> T:
    known = {field.name: field for field in fields(kind)}  # pyright: ignore[reportArgumentType]
    for key in table:
        if key not in known:
            raise OptionError(f"[{name}] field", key, allowed=known)
    for key, field in known.items():
        if field.default is MISSING and key not in table:
            raise OptionError(f"[{name}] {key}", None, allowed="a value; it is required")
    hints = get_type_hints(kind)
    for key, value in table.items():
        _check_value(f"[{name}] {key}", value, hints[key])
    return kind(**table)


def _check_value(name: str, value: object, hint: Any) -> None:
    choices = get_args(hint)
    if choices and value not in choices:
        raise OptionError(name, value, allowed=choices)
    accepted = (int, float) if hint is float else hint
    if not choices and (isinstance(value, bool) or not isinstance(value, accepted)):
        raise OptionError(name, value, allowed=f"a value of type {hint.__name__}")
