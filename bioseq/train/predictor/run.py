"""One training of a predictor, from settings to a predictor folder; interrupted, it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bioseq.embed.options import choose_device
from bioseq.heads import Head, HeadConfig
from bioseq.predict.tasks.encoders import load_task_encoder
from bioseq.predict.tasks.folder import save_predictor
from bioseq.predict.tasks.predictor import EncoderReference, Predictor
from bioseq.predict.tasks.target import Target
from bioseq.predict.tasks.typicality import fit_typicality
from bioseq.train.folder import claim_folder, file_digest, write_json
from bioseq.train.predictor.calibrate import calibrate
from bioseq.train.predictor.fit import Fitting, Material
from bioseq.train.predictor.loss import standardise
from bioseq.train.predictor.settings import PredictorSettings, TargetSettings
from bioseq.train.predictor.states import open_states
from bioseq.train.predictor.table import LabelTable, load_table

PREDICTOR_FOLDER = "predictor"
RESULT_FILE = "result.json"
STATES_FILE = "states.h5"

_TYPICAL_SEQUENCES = 2_000


@dataclass(frozen=True, kw_only=True)
class PredictorResult:
    """What a finished training gave.

    Attributes:
        folder: The predictor folder.
        parameters: Weights of all members.
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
    """Trains a predictor on a frozen encoder and writes it to `folder/predictor`.

    The encoder's states are computed once and kept in `folder/states.h5`. Run again after an
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
    predictor, losses = _fit(settings, table, folder, report, seconds_between_saves)
    save_predictor(folder / PREDICTOR_FOLDER, predictor)
    result = PredictorResult(
        folder=str(folder / PREDICTOR_FOLDER),
        parameters=sum(p.numel() for p in predictor.heads.parameters()),
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
) -> tuple[Predictor, list[float]]:
    """Fits the heads on the encoder's states; also gives each one's loss on the valid part."""
    model = load_task_encoder(settings.encoder.model)
    layers = tuple(sorted(set(model.encoder.resolve_layers(settings.encoder.layers))))
    encoder = EncoderReference(
        model=settings.encoder.model,
        weights_sha256=model.weights_sha256,
        layers=layers,
        first_residues=settings.encoder.first_residues,
    )
    given = settings.encoder.embeddings
    path = settings.folder / given if given else folder / STATES_FILE
    store, states = open_states(model, layers, table, path)
    with store:
        material = build_material(settings, table, states)
        config = _head_config(settings, states.dim)
        fittings = [
            Fitting(
                config,
                material,
                settings.optimizer,
                member=member,
                checkpoint=folder / f"member-{member}.ckpt",
            )
            for member in range(settings.optimizer.members)
        ]
        heads = [fitting.run(report, seconds_between_saves) for fitting in fittings]
        predictor = _finish(settings, encoder, material, heads)
    return predictor, [fitting.best_loss for fitting in fittings]


def build_material(settings: PredictorSettings, table: LabelTable, states: Any) -> Material:
    """Brings together what heads are fitted on."""
    training = table.members("train")
    lengths = np.array([len(sequence) for sequence in table.sequences], np.int64)
    batches = lengths[training].sum() / settings.optimizer.residues_per_batch
    targets, factors = [], []
    for wanted in settings.targets:
        labels = torch.from_numpy(np.concatenate([table.labels[wanted.name][i] for i in training]))
        targets.append(standardise(_target(wanted), labels))
        known = int((~labels[:, 0].isnan()).sum())
        width = len(wanted.classes) if wanted.kind == "labels" else 1
        factors.append(float(wanted.weight * batches / max(1, known * width)))
    return Material(
        table=table,
        states=states,
        targets=tuple(targets),
        factors=tuple(factors),
        lengths=lengths,
        device=choose_device("auto"),
    )


def _target(wanted: TargetSettings) -> Target:
    return Target(name=wanted.name, level=wanted.level, kind=wanted.kind, classes=wanted.classes)


def _head_config(settings: PredictorSettings, input_dim: int) -> HeadConfig:
    return HeadConfig(
        **asdict(settings.head),
        level=settings.targets[0].level,
        input_dim=input_dim,
        output_dim=sum(len(target.classes) for target in settings.targets),
    )


def _finish(
    settings: PredictorSettings,
    encoder: EncoderReference,
    material: Material,
    heads: list[Head],
) -> Predictor:
    """Calibrates on the valid part and learns what typical inputs look like."""
    table, residues = material.table, settings.optimizer.residues_per_batch
    valid, training = table.members("valid"), table.members("train")
    outputs, labels = [], []
    for head in heads:
        found = list(material.outputs(head, valid, residues))
        outputs.append(torch.cat([output for output, _ in found]))
        labels = [torch.cat(parts) for parts in zip(*(label for _, label in found), strict=True)]
    widths = [target.width for target in material.targets]
    parts = torch.stack(outputs).split(widths, dim=-1)
    targets = tuple(
        calibrate(target, part, label)
        for target, part, label in zip(material.targets, parts, labels, strict=True)
    )
    rng = np.random.default_rng(settings.optimizer.seed)
    seen = rng.permutation(training)[:_TYPICAL_SEQUENCES]
    held_out = rng.permutation(valid)[:_TYPICAL_SEQUENCES]
    typicality = fit_typicality(material.states.means(seen), material.states.means(held_out))
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
    plain["targets"] = {str(i): target for i, target in enumerate(plain["targets"])}
    plain["data"]["table_sha256"] = file_digest(settings.folder / settings.data.table)
    return plain


def _describe(table: LabelTable, leaks: int) -> str:
    counts = ", ".join(f"{len(table.members(p)):,} {p}" for p in ("train", "valid", "test"))
    return f"{counts} sequences; {leaks:,} held out resemble a training sequence"
