"""The encoder of a predictor's training: frozen with kept states, or trained with the head."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from bioseq.training.predictor.encoder_settings import EncoderSettings
from bioseq.training.predictor.lora import add_lora, merge_lora
from bioseq.training.predictor.states import ComputedStates, States, open_states
from bioseq.training.predictor.table import LabelTable
from bioseq.typing import Molecule


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
    settings: EncoderSettings, table: LabelTable, store: Path, *, molecule: Molecule, seed: int
) -> Iterator[StateSource]:
    """Returns the states that the settings ask for.

    Args:
        settings: Of the encoder.
        table: The labelled sequences.
        store: Has the states of a frozen encoder, or gets them.
        molecule: Kind of molecule that a new encoder reads.
        seed: Decides the weights of what is trained.

    Raises:
        CheckpointError: there is no such model.
        MissingDependencyError: LoRA is asked for, and `peft` is not installed.
        OptionError: the settings ask for something impossible.
    """
    if settings.is_trained:
        yield _train(settings, table, molecule, seed)
        return
    model = load_task_encoder(settings.model)
    layers = _resolve(settings.layers, model)
    reference = EncoderReference(
        model=settings.model,
        weights_sha256=model.weights_sha256,
        layers=layers,
        first_residues=settings.first_residues,
    )
    opened, states = open_states(model, layers, table, store)
    with opened:
        yield StateSource(states=states, finish=lambda _: reference)


def _train(
    settings: EncoderSettings, table: LabelTable, molecule: Molecule, seed: int
) -> StateSource:
    torch.manual_seed(seed)
    new = settings.new
    model = _new_model(new, molecule) if new else load_task_encoder(settings.model)
    encoder, layers = model.encoder.to(choose_device("auto")), _resolve(settings.layers, model)
    if not any(True for _ in encoder.parameters()):
        raise OptionError("[encoder] train", settings.train, allowed=f"none: {model.name}")
    adapted: Any = None
    if settings.train == "lora":
        adapted = add_lora(encoder, settings.lora)

    def finish(folder: Path) -> EncoderReference:
        if adapted is not None:
            merge_lora(adapted)
        own = folder / ENCODER_FOLDER
        save_model(own, encoder=encoder, tokenizer=model.tokenizer, head=None, objective=None)
        return EncoderReference(
            model=ENCODER_FOLDER,
            weights_sha256=weights_digest(find_weights(own)),
            layers=layers,
            first_residues=settings.first_residues,
        )

    rate = settings.mask_rate
    states = ComputedStates(encoder, model.tokenizer, layers, table, mask_rate=rate)
    return StateSource(states=states, finish=finish)


def _new_model(new: Mapping[str, Any], molecule: Molecule) -> Model:
    tokenizer = build_residue_tokenizer(molecule)
    config = {**new, "vocabulary_size": len(tokenizer.vocabulary)}
    return Model(
        name=ENCODER_FOLDER,
        encoder=build_encoder(config),
        tokenizer=tokenizer,
        head=None,
        objective=None,
        weights_sha256="",
    )


def _resolve(layers: Sequence[int], model: Model) -> tuple[int, ...]:
    return tuple(sorted(set(model.encoder.resolve_layers(layers))))
