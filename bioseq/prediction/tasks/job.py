"""The job of a prediction run: all that is settled before the first record is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch

from bioseq.checkpoints import Model
from bioseq.errors import OptionError
from bioseq.prediction.tasks.collector import typicality_name
from bioseq.prediction.tasks.encoders import load_referenced
from bioseq.prediction.tasks.engine import Reading, TaskEngine
from bioseq.prediction.tasks.folder import bundled_predictors, load_predictor
from bioseq.prediction.tasks.meaning import TYPICALITY_ATTRIBUTES, meaning_of
from bioseq.prediction.tasks.options import ALL, TaskOptions
from bioseq.prediction.tasks.predictor import Predictor
from bioseq.runs import (
    BLOCK_RECORDS,
    EncoderRunner,
    Window,
    choose_device,
    choose_pairs_per_block,
    choose_tokens_per_batch,
    choose_tokens_per_block,
    choose_window,
)


@dataclass(frozen=True, kw_only=True)
class TaskJob:
    """What is predicted, and how.

    Attributes:
        options: As given.
        device: Where to compute.
        predictors: By task.
        encoders: What each of them reads, by task, on the device, in the precision asked for; all
            have the same tokens. Tasks that read the same states have the same object.
        window: For sequences beyond the encoders' limit; None where they have none.
    """

    options: TaskOptions
    device: torch.device
    predictors: Mapping[str, Predictor]
    encoders: Mapping[str, Model]
    window: Window | None

    @property
    def models(self) -> tuple[Model, ...]:
        """The encoders, each once."""
        return tuple({id(model): model for model in self.encoders.values()}.values())

    def settings(self) -> dict[str, object]:
        """Returns everything that changes a number."""
        return {
            "weights_sha256": ", ".join(model.weights_sha256 for model in self.models),
            "predictors": {task: p.digest for task, p in self.predictors.items()},
            "precision": self.options.precision,
            "window": asdict(self.window) if self.window else None,
        }

    def attributes(self) -> dict[str, dict[str, object]]:
        """Returns the attributes of each set of values, by path."""
        found: dict[str, dict[str, object]] = {}
        for task, predictor in self.predictors.items():
            common = {
                "model": self.encoders[task].name,
                "version": predictor.version,
                "task": task,
                "predictor_sha256": predictor.digest,
                "weights_sha256": self.encoders[task].weights_sha256,
            }
            for target in predictor.targets:
                found[f"predictions/{target.name}"] = {
                    **common,
                    **meaning_of(target),
                }
            found[f"predictions/{typicality_name(task)}"] = {**common, **TYPICALITY_ATTRIBUTES}
        return found

    def block_sizes(self) -> dict[str, int]:
        """Returns the sizes of batches and blocks; resumed work keeps those it began with."""
        encoders, heads = [model.encoder for model in self.models], self.predictors.values()
        flops = sum(part.flops_per_token for part in (*encoders, *heads))
        block_sizes = {
            "tokens_per_batch": self.options.tokens_per_batch
            or min(choose_tokens_per_batch(encoder, self.device) for encoder in encoders),
            # The engine counts a residue once for each encoder that reads it.
            "residues_per_block": choose_tokens_per_block(flops / len(encoders), self.device),
            "records_per_block": BLOCK_RECORDS,
        }
        kept = sum(len(predictor.pair_targets) for predictor in heads)
        if kept:
            flops = sum(predictor.flops_per_pair for predictor in heads)
            block_sizes["pairs_per_block"] = choose_pairs_per_block(
                self.device, kept=kept, flops=flops
            )
        return block_sizes

    def engine(self, block_sizes: Mapping[str, int]) -> TaskEngine:
        """Builds the engine; a batch size given now goes before the stored one."""
        tokens_per_batch = self.options.tokens_per_batch or block_sizes["tokens_per_batch"]
        shared: dict[tuple[int, int], dict[str, Predictor]] = {}
        for task, predictor in self.predictors.items():
            states = id(self.encoders[task]), predictor.encoder.first_residues
            shared.setdefault(states, {})[task] = predictor
        return TaskEngine(
            predictors=self.predictors,
            readings=[
                Reading(
                    sweep=EncoderRunner(
                        model=self.encoders[next(iter(chosen))],
                        layers=sorted({k for p in chosen.values() for k in p.encoder.layers}),
                        device=self.device,
                        tokens_per_batch=tokens_per_batch,
                        window=self.window,
                    ),
                    predictors=chosen,
                    first_residues=first,
                )
                for (_, first), chosen in shared.items()
            ],
        )


def build_task_job(options: TaskOptions) -> TaskJob:
    """Loads the predictors and their encoders.

    Raises:
        CheckpointError: there is no such predictor, or it does not fit the encoder here.
        OptionError: an option does not suit the predictors, or their encoders read different
            tokens.
    """
    device = choose_device(options.device)
    predictors, encoders = _load(options)
    task, model = next(iter(encoders.items()))
    window = choose_window(model, options)
    for other, found in encoders.items():
        if _input_of(found, options) != (model.tokenizer.to_config(), window):
            allowed = f"tasks whose encoders read the same tokens and windows; {other} and {task}"
            raise OptionError("tasks", ", ".join(predictors), allowed=f"{allowed} do not")
        found.encoder.to(device)
    for predictor in predictors.values():
        predictor.to(device)
    return TaskJob(
        options=options,
        device=device,
        predictors=predictors,
        encoders=encoders,
        window=window,
    )


def _input_of(model: Model, options: TaskOptions) -> tuple[dict[str, object], Window | None]:
    return model.tokenizer.to_config(), choose_window(model, options)


def _load(options: TaskOptions) -> tuple[dict[str, Predictor], dict[str, Model]]:
    names = [str(task) for task in _as_tuple(options.tasks)]
    wanted = list(bundled_predictors()) if ALL in names else names
    dtype = getattr(torch, options.precision)
    predictors: dict[str, Predictor] = {}
    encoders: dict[str, Model] = {}
    loaded: dict[str, Model] = {}
    for name in wanted:
        predictor = load_predictor(name)
        states = predictor.encoder.weights_sha256 or predictor.encoder.model
        if states not in loaded:
            loaded[states] = load_referenced(predictor.encoder, predictor.task, dtype=dtype)
        if ALL in names and loaded[states].molecule != (options.molecule or "protein"):
            continue
        if predictor.task in predictors:
            raise OptionError("tasks", name, allowed="each task once")
        predictors[predictor.task] = predictor
        encoders[predictor.task] = loaded[states]
    if not predictors:
        raise OptionError("tasks", ALL, allowed=f"none for {options.molecule}; name a task")
    return predictors, encoders


def _as_tuple(tasks: object) -> tuple[object, ...]:
    return tuple(tasks) if isinstance(tasks, list | tuple) else (tasks,)
