"""The encoder of a predictor's training: frozen with kept states, or trained with the head."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bioseq.checkpoints import Model, save_model
from bioseq.checkpoints.weights import find_weights, weights_digest
from bioseq.errors import OptionError
from bioseq.models import build_encoder
from bioseq.prediction.tasks.encoders import load_task_encoder
from bioseq.prediction.tasks.folder import ENCODER_FOLDER
from bioseq.prediction.tasks.predictor import EncoderReference
from bioseq.runs import choose_device
from bioseq.tokenizer import build_residue_tokenizer
from bioseq.training.predictor.lora import add_lora, merge_lora
from bioseq.training.predictor.settings import PredictorSettings
from bioseq.training.predictor.states import ComputedStates, States, open_states
from bioseq.training.predictor.table import LabelTable

STATES_FILE = "states.h5"


@dataclass(frozen=True, kw_only=True)
class StateSource:
    """Where the heads' input comes from.

    Attributes:
        states: Of the labelled sequences.
        finish: Given the predictor's folder, writes an encoder that was trained into it; tells
            which encoder the predictor is for.
    """

    states: States
    finish: Callable[[Path], EncoderReference]


@contextmanager
def open_state_source(
    settings: PredictorSettings, table: LabelTable, folder: Path
) -> Iterator[StateSource]:
    """Gives the states that the settings ask for.

    Args:
        settings: Of the training.
        table: The labelled sequences.
        folder: Of the run.

    Raises:
        CheckpointError: there is no such model.
        MissingDependencyError: LoRA is asked for, and `peft` is not installed.
        OptionError: the settings ask for something impossible.
    """
    if settings.encoder.is_trained:
        yield _train(settings, table)
        return
    model = load_task_encoder(settings.encoder.model)
    layers = _resolve(settings, model)
    given = settings.encoder.embeddings
    path = settings.folder / given if given else folder / STATES_FILE
    reference = _refer(settings, settings.encoder.model, model.weights_sha256, layers)
    store, states = open_states(model, layers, table, path)
    with store:
        yield StateSource(states=states, finish=lambda _: reference)


def _train(settings: PredictorSettings, table: LabelTable) -> StateSource:
    torch.manual_seed(settings.optimizer.seed)
    model = (
        _new_model(settings) if settings.encoder.new else load_task_encoder(settings.encoder.model)
    )
    encoder, layers = model.encoder.to(choose_device("auto")), _resolve(settings, model)
    if not any(True for _ in encoder.parameters()):
        raise OptionError("[encoder] train", settings.encoder.train, allowed=f"none: {model.name}")
    adapted: Any = None
    if settings.encoder.train == "lora":
        adapted = add_lora(encoder, settings.encoder.lora)

    def finish(folder: Path) -> EncoderReference:
        if adapted is not None:
            merge_lora(adapted)
        own = folder / ENCODER_FOLDER
        save_model(own, encoder=encoder, tokenizer=model.tokenizer, head=None, objective=None)
        digest = weights_digest(find_weights(own))
        return _refer(settings, ENCODER_FOLDER, digest, layers)

    rate = settings.encoder.mask_rate
    states = ComputedStates(encoder, model.tokenizer, layers, table, mask_rate=rate)
    return StateSource(states=states, finish=finish)


def _new_model(settings: PredictorSettings) -> Model:
    tokenizer = build_residue_tokenizer(settings.data.molecule)
    config = {**settings.encoder.new, "vocabulary_size": len(tokenizer.vocabulary)}
    return Model(
        name=ENCODER_FOLDER,
        encoder=build_encoder(config),
        tokenizer=tokenizer,
        head=None,
        objective=None,
        weights_sha256="",
    )


def _resolve(settings: PredictorSettings, model: Model) -> tuple[int, ...]:
    return tuple(sorted(set(model.encoder.resolve_layers(settings.encoder.layers))))


def _refer(
    settings: PredictorSettings, model: str, digest: str, layers: tuple[int, ...]
) -> EncoderReference:
    return EncoderReference(
        model=model,
        weights_sha256=digest,
        layers=layers,
        first_residues=settings.encoder.first_residues,
    )
