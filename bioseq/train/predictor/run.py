"""One training of a predictor, from settings to a predictor folder; interrupted, it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bioseq.errors import OptionError
from bioseq.heads import Head, HeadConfig
from bioseq.predict.tasks.folder import save_predictor
from bioseq.predict.tasks.predictor import EncoderReference, Predictor
from bioseq.predict.tasks.target import level_widths
from bioseq.predict.tasks.typicality import fit_typicality
from bioseq.train.folder import claim_folder, file_digest, write_json
from bioseq.train.predictor.calibrate import calibrate_all
from bioseq.train.predictor.encoder import open_source
from bioseq.train.predictor.fit import Fitting
from bioseq.train.predictor.material import Material, build_material
from bioseq.train.predictor.settings import PredictorSettings
from bioseq.train.predictor.table import LabelTable, load_table

PREDICTOR_FOLDER = "predictor"
RESULT_FILE = "result.json"

_TYPICAL_SEQUENCES = 2_000
# Fields that older runs do not have: at their defaults they are left out of the fingerprint.
_LATER = {
    "encoder": ("train", "learning_rate", "lora", "new"),
    "head": ("pair_dim",),
    "optimizer": ("steps",),
}


@dataclass(frozen=True, kw_only=True)
class PredictorResult:
    """What a finished training gave.

    Attributes:
        folder: The predictor folder.
        parameters: Weights of all members, and of the encoder if it was trained.
        train_sequences: Sequences fitted on.
        valid_sequences: Sequences that ended the fitting and set the temperatures.
        test_sequences: Sequences held out from both.
        leaks: Held-out sequences that resemble a training sequence.
        valid_loss: Of the members, each at its best epoch.
    """

    folder: str
    parameters: int
    train_sequences: int
    valid_sequences: int
    test_sequences: int
    leaks: int
    valid_loss: list[float]


def train_predictor(
    settings: PredictorSettings,
    folder: Path,
    report: Callable[[str], None] = print,
    *,
    seconds_between_saves: float = 60.0,
) -> PredictorResult:
    """Trains a predictor and writes it to `folder/predictor`, with its encoder if that is trained.

    A frozen encoder's states are computed once and kept in `folder/states.h5`. Run again after an
    interruption, it goes on from the last checkpoint and ends with the weights of an uninterrupted
    run (on the CPU with the same number of threads).

    Args:
        settings: Of the training.
        folder: For states, checkpoints, result and predictor.
        report: Takes lines of progress.
        seconds_between_saves: Time between checkpoints, which is what a kill can cost.

    Raises:
        FingerprintError: the folder holds a run with other settings or labels.
        FormatError: a label does not fit its sequence.
        InputError: a file can't be read, or a part of the split is empty.
        MissingDependencyError: LoRA is asked for, and `peft` is not installed.
        OptionError: the settings ask for something impossible.
    """
    claim_folder(folder, _fingerprint(settings))
    finished = folder / RESULT_FILE
    if finished.exists():
        report(f"{folder}: already finished")
        stored = json.loads(finished.read_text())
        return PredictorResult(**{**stored, "folder": str(folder / PREDICTOR_FOLDER)})
    table = load_table(settings)
    leaks = int(table.find_leaks(settings.data.molecule).sum())
    report(_describe(table, leaks))
    predictor, parameters, losses = _fit(settings, table, folder, report, seconds_between_saves)
    save_predictor(folder / PREDICTOR_FOLDER, predictor)
    result = PredictorResult(
        folder=str(folder / PREDICTOR_FOLDER),
        parameters=parameters,
        train_sequences=len(table.members("train")),
        valid_sequences=len(table.members("valid")),
        test_sequences=len(table.members("test")),
        leaks=leaks,
        valid_loss=losses,
    )
    write_json(finished, asdict(result))
    return result


def _fit(
    settings: PredictorSettings,
    table: LabelTable,
    folder: Path,
    report: Callable[[str], None],
    seconds_between_saves: float,
) -> tuple[Predictor, int, list[float]]:
    """Gives the predictor, the number of its weights, and each member's loss on the valid part."""
    members = settings.optimizer.members
    if settings.encoder.is_trained and members > 1:
        raise OptionError("[optimizer] members", members, allowed="1 with a trained encoder")
    with open_source(settings, table, folder) as source:
        material = build_material(settings, table, source.states)
        fittings = [
            Fitting(
                _head_config(settings, material),
                material,
                settings.optimizer,
                member=member,
                checkpoint=folder / f"member-{member}.ckpt",
                encoder_learning_rate=settings.encoder.learning_rate
                or settings.optimizer.learning_rate,
            )
            for member in range(members)
        ]
        heads = [fitting.run(report, seconds_between_saves) for fitting in fittings]
        encoder = source.finish(folder / PREDICTOR_FOLDER)
        predictor = _finish(settings, encoder, material, heads)
        weights = [*predictor.heads.parameters(), *source.states.parameters()]
    losses = [fitting.best_loss for fitting in fittings]
    return predictor, sum(weight.numel() for weight in weights), losses


def _head_config(settings: PredictorSettings, material: Material) -> HeadConfig:
    return HeadConfig(
        **asdict(settings.head),
        outputs=level_widths(material.targets),
        input_dim=material.states.dim,
    )


def _finish(
    settings: PredictorSettings,
    encoder: EncoderReference,
    material: Material,
    heads: list[Head],
) -> Predictor:
    """Calibrates on the valid part and learns what typical inputs look like."""
    valid, training = material.table.members("valid"), material.table.members("train")
    targets = calibrate_all(heads, material, settings.optimizer.residues_per_batch)
    rng = np.random.default_rng(settings.optimizer.seed)
    seen = rng.permutation(training)[:_TYPICAL_SEQUENCES]
    held_out = rng.permutation(valid)[:_TYPICAL_SEQUENCES]
    typicality = fit_typicality(material.means(seen), material.means(held_out))
    return Predictor(
        task=settings.predictor.task,
        version=settings.predictor.version,
        encoder=encoder,
        targets=targets,
        heads=heads,
        typicality=typicality,
    )


def _fingerprint(settings: PredictorSettings) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(settings), default=str))
    plain.pop("folder")
    for table, names in _LATER.items():
        defaults = asdict(type(getattr(settings, table))())
        for name in names:
            if plain[table][name] == defaults[name]:
                plain[table].pop(name)
    for target in plain["targets"]:
        if target["level"] != "pair":
            target.pop("separation")
    plain["targets"] = {str(i): target for i, target in enumerate(plain["targets"])}
    plain["data"]["table_sha256"] = file_digest(settings.folder / settings.data.table)
    return plain


def _describe(table: LabelTable, leaks: int) -> str:
    counts = ", ".join(f"{len(table.members(p)):,} {p}" for p in ("train", "valid", "test"))
    return f"{counts} sequences; {leaks:,} held out resemble a training sequence"
