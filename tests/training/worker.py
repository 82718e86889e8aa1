"""Trains in a process of its own, which may kill itself in the middle of writing a checkpoint."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch

from bioseq.training import load_settings, pretrain, pretraining, training_log
from bioseq.training.predictor import load_predictor_settings, train_predictor
from bioseq.training.predictor.settings import is_predictor

save = torch.save
saved = 0


def save_and_die(checkpoint: dict[str, Any], path: Path) -> None:
    """Writes whole checkpoints up to the given one, and half of that; all of them for 0."""
    global saved
    saved += 1
    save(checkpoint, path)
    if saved == int(sys.argv[3]):
        os.truncate(path, os.path.getsize(path) // 2)  # noqa: PTH202
        os.kill(os.getpid(), signal.SIGKILL)


torch.save = save_and_die
training_log.STEPS_BETWEEN_LINES = int(sys.argv[4])
pretraining._STEPS_BETWEEN_CHECKS = int(sys.argv[5])
settings, folder = Path(sys.argv[1]), Path(sys.argv[2])
if is_predictor(settings):
    train_predictor(load_predictor_settings(settings), folder, seconds_between_saves=0.0)
else:
    pretrain(load_settings(settings), folder, seconds_between_saves=0.0)
