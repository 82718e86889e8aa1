"""One training of a predictor, from settings to a predictor folder; interrupted, it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bioseq.heads import Head
from bioseq.prediction.tasks.folder import save_predictor
from bioseq.prediction.tasks.predictor import EncoderReference, Predictor
from bioseq.prediction.tasks.typicality import fit_typicality
from bioseq.training.extra import naming_extra
from bioseq.training.folder import claim_folder, file_digest, write_json
from bioseq.training.predictor.calibrate import calibrate_all
from bioseq.training.predictor.dataset import LabelledStates, label_states
from bioseq.training.predictor.encoder import open_state_source
from bioseq.training.predictor.settings import FittingSettings, NameSettings, PredictorSettings
from bioseq.training.predictor.table import LabelTable, load_table
from bioseq.training.result import RunResult

PREDICTOR_FOLDER = "predictor"
RESULT_FILE = "result.json"
STATES_FILE = "states.h5"

_TYPICAL_SEQUENCES = 2_000
# Fields that older runs do not have: at their defaults they are left out of the fingerprint.
_LATER = {
    "encoder": ("train", "learning_rate", "mask_rate", "lora", "new"),
    "head": ("pair_dim",),
    "optimizer": ("steps", "precision"),
}


@dataclass(frozen=True, kw_only=True)
class PredictorResult(RunResult):
    """What a finished training gave: a predictor folder.

    Its weights are those of all members, and of the encoder if it was trained. The valid part
    ended the fitting and set the temperatures.

    Attributes:
        valid_loss: Of the members, each at its best epoch.
    """

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

    With several devices or nodes each process calls this; the first claims the folder, looks for
    leaks, computes states, reports and writes, and all give its result.

    Args:
        settings: Of the training.
        folder: For states, checkpoints, result and predictor.
        report: Takes lines of progress.
        seconds_between_saves: Time between checkpoints, which is what a kill can cost.

    Raises:
        FingerprintError: the folder holds a run with other settings or labels.
        FormatError: a label does not fit its sequence.
        InputError: a file can't be read, or a part of the split is empty.
        MissingDependencyError: `lightning` is not installed, or LoRA is asked for without `peft`.
        OptionError: the settings ask for something impossible.
    """
    fingerprint = _fingerprint(settings)
    if (folder / RESULT_FILE).exists():
        claim_folder(folder, fingerprint)
        report(f"{folder}: already finished")
        return _read_result(folder)
    table = load_table(settings)
    with naming_extra():
        from bioseq.training.predictor.fit import schedule_members
    members = schedule_members(settings, table, folder, report, seconds_between_saves)
    trainer, leaks = members[0].trainer, 0
    if trainer.is_first:
        claim_folder(folder, fingerprint)
        leaks = int(table.find_leaks(settings.data.molecule).sum())
        report(_describe(table, leaks))
    trainer.wait_for_first()
    optimizer, given = settings.optimizer, settings.encoder.embeddings
    with open_state_source(
        settings.encoder,
        table,
        settings.folder / given if given else folder / STATES_FILE,
        molecule=settings.data.molecule,
        seed=optimizer.seed,
    ) as source:
        residues = optimizer.residues_per_batch
        labelled = label_states(source.states, table, settings.targets, residues)
        heads = [member.fit(labelled) for member in members]
        if trainer.is_first:
            encoder = source.finish(folder / PREDICTOR_FOLDER)
            predictor = _build_predictor(settings.predictor, optimizer, encoder, labelled, heads)
            save_predictor(folder / PREDICTOR_FOLDER, predictor)
            weights = [*predictor.heads.parameters(), *source.states.parameters()]
            result = PredictorResult(
                folder=str(folder / PREDICTOR_FOLDER),
                parameters=sum(weight.numel() for weight in weights),
                train_sequences=len(table.members("train")),
                valid_sequences=len(table.members("valid")),
                test_sequences=len(table.members("test")),
                leaks=leaks,
                valid_loss=[member.trainer.lowest_loss for member in members],
            )
            write_json(folder / RESULT_FILE, asdict(result))
    trainer.meet()
    return _read_result(folder)


def _build_predictor(
    name: NameSettings,
    optimizer: FittingSettings,
    encoder: EncoderReference,
    labelled: LabelledStates,
    heads: list[Head],
) -> Predictor:
    """Calibrates on the valid part and learns what typical inputs look like."""
    valid, training = labelled.table.members("valid"), labelled.table.members("train")
    targets = calibrate_all(heads, labelled, optimizer.residues_per_batch)
    rng = np.random.default_rng(optimizer.seed)
    seen = rng.permutation(training)[:_TYPICAL_SEQUENCES]
    held_out = rng.permutation(valid)[:_TYPICAL_SEQUENCES]
    typicality = fit_typicality(labelled.means(seen), labelled.means(held_out))
    return Predictor(
        task=name.task,
        version=name.version,
        encoder=encoder,
        targets=targets,
        heads=heads,
        typicality=typicality,
    )


def _fingerprint(settings: PredictorSettings) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(settings), default=str))
    for name in ("folder", "run"):
        plain.pop(name)
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


def _read_result(folder: Path) -> PredictorResult:
    stored = json.loads((folder / RESULT_FILE).read_text())
    return PredictorResult(**{**stored, "folder": str(folder / PREDICTOR_FOLDER)})


def _describe(table: LabelTable, leaks: int) -> str:
    counts = ", ".join(f"{len(table.members(p)):,} {p}" for p in ("train", "valid", "test"))
    return f"{counts} sequences; {leaks:,} held out resemble a training sequence"
