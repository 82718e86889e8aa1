"""The job: all that is settled before the first record is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch

from bioseq.checkpoints import Model, load_model
from bioseq.embedding.engine import Engine
from bioseq.embedding.options import EmbedOptions
from bioseq.embedding.outputs import Output, choose_outputs
from bioseq.models import encoder_config
from bioseq.runs import (
    BLOCK_RECORDS,
    Window,
    choose_device,
    choose_tokens_per_batch,
    choose_tokens_per_block,
    choose_window,
)

_OF_ALIGNMENTS = ("pair", "max_depth", "subsample", "seed")


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is computed, and how.

    Attributes:
        options: As given.
        model: On the device, in the precision asked for.
        device: Where to compute.
        outputs: What to give.
        window: For sequences beyond the encoder's limit; None where it has none.
    """

    options: EmbedOptions
    model: Model
    device: torch.device
    outputs: tuple[Output, ...]
    window: Window | None

    @property
    def models(self) -> tuple[Model, ...]:
        """The encoder alone."""
        return (self.model,)

    def settings(self) -> dict[str, object]:
        """Returns everything that changes a number."""
        return {
            "weights_sha256": self.model.weights_sha256,
            "encoder": _abbreviate("architecture", encoder_config(self.model.encoder)),
            "tokenizer": _abbreviate("kind", self.model.tokenizer.to_config()),
            "outputs": {o.name: [o.pooling, o.layer] for o in self.outputs},
            "precision": self.options.precision,
            "save_as": self.options.save_as,
            "window": asdict(self.window) if self.window else None,
        }

    def attributes(self) -> dict[str, dict[str, object]]:
        """Returns the attributes of each set of values, by path."""
        common = {
            "model": self.model.name,
            "weights_sha256": self.model.weights_sha256,
            "tokenizer": self.model.tokenizer.to_config()["kind"],
            "precision": self.options.precision,
            "window": self.window.length if self.window else 0,
            "overlap": self.window.overlap if self.window else 0,
        }
        return {
            f"embeddings/{o.name}": {**common, "layer": o.layer, "pooling": o.pooling}
            for o in self.outputs
        }

    def block_sizes(self) -> dict[str, int]:
        """Returns the sizes of batches and blocks; resumed work keeps those it began with."""
        encoder, device = self.model.encoder, self.device
        kept = encoder.dim * sum(output.per_residue for output in self.outputs)
        return {
            "tokens_per_batch": self.options.tokens_per_batch
            or choose_tokens_per_batch(encoder, device),
            "residues_per_block": choose_tokens_per_block(
                encoder.flops_per_token, device, kept=kept
            ),
            "records_per_block": BLOCK_RECORDS,
        }

    def engine(self, block_sizes: Mapping[str, int]) -> Engine:
        """Builds the engine; a batch size given now goes before the stored one."""
        return Engine(
            model=self.model,
            outputs=self.outputs,
            device=self.device,
            tokens_per_batch=self.options.tokens_per_batch or block_sizes["tokens_per_batch"],
            window=self.window,
            dtype=np.dtype(self.options.save_as),
        )


@dataclass(frozen=True, kw_only=True)
class FurtherJob:
    """A job that makes something else of what a model reads; it has that model's place.

    Attributes:
        job: The model on its device, with its window.
    """

    job: Job

    @property
    def options(self) -> EmbedOptions:
        """Of reading and encoding."""
        return self.job.options

    @property
    def model(self) -> Model:
        """The encoder, in place."""
        return self.job.model

    @property
    def models(self) -> tuple[Model, ...]:
        """The encoder alone."""
        return self.job.models

    @property
    def device(self) -> torch.device:
        """Where to compute."""
        return self.job.device


def load_options_model(options: EmbedOptions) -> Model:
    """Loads the model of the options, once the machine is known to have their device.

    Raises:
        CheckpointError: there is no such model, or it is damaged.
        OptionError: there is no such device.
    """
    choose_device(options.device)
    return load_model(options.model, dtype=getattr(torch, options.precision))


def build_job(options: EmbedOptions, model: Model | None = None) -> Job:
    """Loads the model and checks that it can do what is asked for.

    Args:
        options: What is asked for.
        model: The options' model, where it is already loaded.

    Raises:
        CheckpointError: there is no such model, it is damaged, or it reads alignments.
        OptionError: an option does not suit the model or the machine.
    """
    options.refuse(_OF_ALIGNMENTS, allowed="none; the model does not read alignments")
    device = choose_device(options.device)
    model = model or load_options_model(options)
    model.require_sequences()
    outputs = choose_outputs(
        model, poolings=options.pool, layers=options.layers, per_residue=options.per_residue
    )
    window = choose_window(model, options)
    model.encoder.to(device)
    return Job(
        options=options,
        model=model,
        device=device,
        outputs=outputs,
        window=window,
    )


def _abbreviate(field: str, config: Mapping[str, object]) -> str:
    """Names a config by one field and a digest of all: vocabularies would fill pages."""
    text = json.dumps(config, sort_keys=True)
    return f"{config[field]} {hashlib.sha256(text.encode()).hexdigest()[:16]}"
