"""The settings of a predictor's training: one TOML file, checked before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bioseq.errors import OptionError
from bioseq.heads import HeadKind, HeadShape
from bioseq.labels.columns import LabelColumn
from bioseq.settings import check_range, load_toml, read_table
from bioseq.training.predictor.encoder_settings import EncoderSettings, read_encoder
from bioseq.training.settings import FittingBasics, RunSettings
from bioseq.typing import Molecule

_TABLES = ("data", "encoder", "head", "optimizer", "predictor", "run", "targets")


@dataclass(frozen=True, kw_only=True)
class LabelSettings:
    """Where sequences and labels are and how they are split.

    Attributes:
        table: CSV, TSV or Parquet file, relative to the settings file.
        sequence: Column of the sequences; unused with `sequences`.
        sequences: Sequence file with the records that the column `id` names; empty for none.
        id: Column of the record names; needed with `sequences`.
        molecule: Kind of molecule.
        split: `cluster` holds out whole clusters of similar sequences; `column` reads `train`,
            `valid` or `test` from `split_column`; `random` holds out single sequences, for
            libraries of variants of one protein, where every other split is impossible.
        split_column: Column of the parts.
        held_out: Share of the sequences to hold out with `cluster` and `random`, half each for
            valid and test.
    """

    table: str
    sequence: str = "sequence"
    sequences: str = ""
    id: str = ""
    molecule: Molecule = "protein"
    split: Literal["cluster", "column", "random"] = "cluster"
    split_column: str = "split"
    held_out: float = 0.3

    def __post_init__(self) -> None:
        check_range("held_out", self.held_out, 0 < self.held_out < 1, "above 0 and below 1")
        check_range("id", self.id, bool(self.id) or not self.sequences, "a column with sequences")


@dataclass(frozen=True, kw_only=True)
class HeadSettings(HeadShape):
    """Shape of the head, with other defaults."""

    kind: HeadKind = "convolution"
    dilations: tuple[int, ...] = (1, 2, 4)


@dataclass(frozen=True, kw_only=True)
class TargetSettings(LabelColumn):
    """One thing to learn.

    Attributes:
        name: Name in the store of predictions.
        weight: Of its loss among those of the targets.
    """

    name: str
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class FittingSettings(FittingBasics):
    """How heads are fitted: AdamW with linear warm-up and cosine decay, best epoch kept.

    Attributes:
        epochs: Times that every training sequence is read.
        steps: Updates of the weights after which fitting ends, if `epochs` would not end it before;
            0 for no such end.
        residues_per_batch: Residues in each step.
        warmup: Share of the steps up to the highest rate.
        patience: Epochs without a lower loss on the valid part after which a member is done.
        members: Heads that are fitted, each from its own seed; predictions are their mean.

    The weights of the head decay, and those of the encoder that are trained. The seed decides
    weights, order, dropout and split.
    """

    epochs: int = 10
    steps: int = 0
    residues_per_batch: int = 8_192
    warmup: float = 0.05
    patience: int = 3
    members: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("epochs", "residues_per_batch", "patience", "members"):
            check_range(name, getattr(self, name), getattr(self, name) >= 1, "1 or more")
        for name in ("steps", "warmup"):
            check_range(name, getattr(self, name), getattr(self, name) >= 0, "0 or more")


@dataclass(frozen=True, kw_only=True)
class NameSettings:
    """What the predictor is called.

    Attributes:
        task: Its name.
        version: Of its training.
    """

    task: str
    version: str = "1"


@dataclass(frozen=True, kw_only=True)
class PredictorSettings:
    """All settings of a predictor's training.

    Attributes:
        predictor: Its name.
        data: Sequences, labels and split.
        encoder: The states to read.
        head: Shape of the head.
        targets: What to learn.
        optimizer: How to fit.
        folder: Folder that paths are relative to.
        run: Where the training takes place.
    """

    predictor: NameSettings
    data: LabelSettings
    encoder: EncoderSettings
    head: HeadSettings
    targets: tuple[TargetSettings, ...]
    optimizer: FittingSettings
    folder: Path
    run: RunSettings = field(default_factory=RunSettings)

    def __post_init__(self) -> None:
        shortest = self.head.shortest
        found = [(t.kind, len(t.classes)) for t in self.targets if t.level == "residue"]
        fits = shortest is None or found == [("classes", len(shortest))]
        allowed = "a number for each class, with one target of classes per residue"
        check_range("shortest", shortest, fits, allowed)


def is_predictor(path: Path) -> bool:
    """Returns whether a settings file is one of a predictor's training.

    Raises:
        InputError: it can't be read.
        FormatError: it is not TOML.
    """
    return "targets" in load_toml(path)


def load_predictor_settings(path: Path) -> PredictorSettings:
    """Reads a settings file.

    Raises:
        InputError: it can't be read.
        FormatError: it is not TOML.
        OptionError: a table or field is unknown, missing, or has a value that is not allowed.
    """
    tables: Mapping[str, Any] = load_toml(path)
    for name in tables:
        if name not in _TABLES:
            raise OptionError("table", name, allowed=_TABLES)
    targets = tables.get("targets")
    if not isinstance(targets, list) or not targets:
        raise OptionError("targets", targets, allowed="one [[targets]] for each thing to learn")

    def read(name: str, kind: type[Any]) -> Any:
        return read_table(name, kind, tables.get(name, {}))

    return PredictorSettings(
        predictor=read("predictor", NameSettings),
        data=read("data", LabelSettings),
        encoder=read_encoder(tables.get("encoder", {})),
        head=read("head", HeadSettings),
        targets=tuple(read_table("targets", TargetSettings, target) for target in targets),
        optimizer=read("optimizer", FittingSettings),
        folder=path.parent,
        run=read("run", RunSettings),
    )
