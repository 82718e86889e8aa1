"""Trains one encoder on one task within the budget, and judges it on the test part.

    python pipelines/research/compare/measure.py TABLE TASK ENCODER SEED --budget FLOPS -o FOLDER

Writes FOLDER/measured.json beside the run. Interrupted and repeated, it goes on.
"""

from __future__ import annotations

import argparse
import json
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from bioseq.evaluation.run import predict_sequences
from bioseq.evaluation.settings import Trial
from bioseq.labels.columns import label_rows, read_labels
from bioseq.models import Encoder, build_encoder
from bioseq.tokenizer import build_residue_tokenizer
from bioseq.training.predictor import load_predictor_settings, train_predictor

BACKWARD = 3
"""Operations of a step for one of its forward pass."""
RESIDUES = 2_048
"""In one step."""
EDGES = (128, 256, 512)
"""Lengths at which one bin ends and the next begins."""
CLASSES: Mapping[str, tuple[str, ...]] = {
    "secondary-structure": ("H", "E", "C"),
    "membrane-side": ("I", "O", "H"),
    "localization": (
        "Cell-membrane",
        "Cytoplasm",
        "Endoplasmic-reticulum",
        "Extracellular",
        "Golgi-apparatus",
        "Lysosome/Vacuole",
        "Mitochondrion",
        "Nucleus",
        "Peroxisome",
        "Plastid",
    ),
}
JUDGED: Mapping[str, tuple[str, ...]] = {**CLASSES, "membrane-side": ("I", "O")}
"""Classes that count in a test: residues of another are left out, and no other is predicted."""
ENCODERS = Path(__file__).parent / "encoders.toml"
SETTINGS = """
[predictor]
task = "{task}"
[data]
table = "{table}"
split = "column"
[encoder.new]
{encoder}
[head]
kind = "linear"
dropout = 0.1
[[targets]]
name = "label"
column = "label"
level = "{level}"
kind = "classes"
classes = {classes}
[optimizer]
steps = {steps}
epochs = {epochs}
residues_per_batch = {residues}
learning_rate = 3e-3
patience = 100
seed = {seed}
"""


def build(name: str) -> Encoder:
    """Builds an encoder of the comparison."""
    config = tomllib.loads(ENCODERS.read_text())[name]
    size = len(build_residue_tokenizer("protein").vocabulary)
    return build_encoder({**config, "vocabulary_size": size})


def training_flops(encoder: Encoder, lengths: np.ndarray) -> float:
    """Returns the operations of training once on sequences of so many residues."""
    tokens = lengths + 2.0  # with the specials
    forward = encoder.flops_per_token * tokens + encoder.flops_per_pair * tokens**2
    return BACKWARD * float(forward.sum())


def plan_steps(encoder: Encoder, lengths: np.ndarray, budget: float) -> tuple[int, int]:
    """Returns the steps within the budget, and the epochs that they begin."""
    steps_per_epoch = max(1, int(lengths.sum() // max(RESIDUES, lengths.max())))
    steps = round(budget / training_flops(encoder, lengths) * steps_per_epoch)
    return steps, -(-steps // steps_per_epoch)


def write_settings(table: Path, task: str, name: str, seed: int, budget: float, path: Path) -> None:
    """Writes the settings of one training."""
    frame = pl.read_parquet(table).filter(pl.col("split") == "train")
    steps, epochs = plan_steps(build(name), frame["sequence"].str.len_chars().to_numpy(), budget)
    fields = tomllib.loads(ENCODERS.read_text())[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        SETTINGS.format(
            task=task,
            table=table.resolve(),
            encoder="\n".join(f"{key} = {json.dumps(value)}" for key, value in fields.items()),
            level=level_of(task),
            classes=json.dumps(CLASSES[task]),
            steps=steps,
            epochs=epochs,
            residues=RESIDUES,
            seed=seed,
        )
    )


def level_of(task: str) -> str:
    """Returns whether each residue has a label, or each sequence."""
    return "sequence" if task == "localization" else "residue"


def judge(table: Path, task: str, predictor: str) -> dict[str, dict[str, float]]:
    """Returns right and counted rows in each bin of lengths, and those of the commonest class."""
    trial = Trial(
        name=task,
        predictor=predictor,
        target="label",
        table=str(table),
        column="label",
        level=level_of(task),  # pyright: ignore[reportArgumentType]
        kind="classes",
        classes=CLASSES[task],
    )
    frame = pl.read_parquet(table)
    tested = frame.filter(pl.col("split") == "test")
    sequences = tested["sequence"].to_list()
    truths = [label_rows(label) for label in read_labels(tested, trial, sequences, table)]
    found = predict_sequences(trial, sequences)
    judged = [CLASSES[task].index(c) for c in JUDGED[task]]
    bins: dict[str, dict[str, float]] = {}
    for sequence, truth, prediction in zip(sequences, truths, found, strict=True):
        counted = np.isin(truth[:, 0], judged)
        chosen = np.array(judged)[prediction[counted][:, judged].argmax(axis=1)]
        right = chosen == truth[counted, 0]
        row = bins.setdefault(
            bin_of(len(sequence)), dict.fromkeys(("sequences", "rows", "right"), 0.0)
        )
        row["sequences"] += 1
        row["rows"] += int(counted.sum())
        row["right"] += int(right.sum())
    return bins


def bin_of(length: int) -> str:
    """Names the bin of a length."""
    low = max((edge for edge in EDGES if edge <= length), default=0)
    high = min((edge for edge in EDGES if edge > length), default=None)
    return f"{low}-{high - 1}" if high else f"{low} and more"


def main() -> None:
    """Trains and judges."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("task", choices=CLASSES)
    parser.add_argument("encoder", choices=tomllib.loads(ENCODERS.read_text()))
    parser.add_argument("seed", type=int)
    parser.add_argument("--budget", type=float, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    table, settings = given.table, given.output / "settings.toml"
    write_settings(table, given.task, given.encoder, given.seed, given.budget, settings)
    clock: list[float] = []

    def report(line: str) -> None:
        clock.append(time.process_time())  # the first line comes when the data are read
        print(line, flush=True)

    checkpoint = given.output / "run/last.ckpt"
    is_resumed = checkpoint.exists()
    result = train_predictor(load_predictor_settings(settings), given.output / "run", report)
    seconds = clock[-1] - clock[0]
    encoder = build(given.encoder)
    measured: dict[str, Any] = {
        "task": given.task,
        "encoder": given.encoder,
        "seed": given.seed,
        "parameters": sum(p.numel() for p in encoder.parameters()),
        "steps": torch.load(checkpoint, weights_only=True)["global_step"],
        "cpu_seconds": None if is_resumed else seconds,
        "valid_loss": result.valid_loss[0],
        "bins": judge(table, given.task, result.folder),
    }
    (given.output / "measured.json").write_text(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()
