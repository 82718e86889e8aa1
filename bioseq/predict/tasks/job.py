"""The job of a prediction run: all that is settled before the first record is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from bioseq.checkpoints import Model
from bioseq.embed.budget import (
    BLOCK_RECORDS,
    choose_pairs_per_block,
    choose_tokens_per_batch,
    choose_tokens_per_block,
)
from bioseq.embed.engine import BlockValues
from bioseq.embed.job import choose_window
from bioseq.embed.options import EmbedOptions, choose_device
from bioseq.embed.sweep import Sweep
from bioseq.embed.table import ValueShape, ValueTable
from bioseq.embed.windows import Window
from bioseq.errors import OptionError
from bioseq.predict.tasks.collector import PredictionCollector, typicality_name
from bioseq.predict.tasks.encoders import load_referenced
from bioseq.predict.tasks.folder import bundled_predictors, load_predictor
from bioseq.predict.tasks.options import ALL, TaskOptions
from bioseq.predict.tasks.predictor import Predictor


@dataclass(frozen=True, kw_only=True)
class TaskEngine:
    """Encodes once and predicts every task; see `Engine`.

    Predictors that read the beginnings of sequences alone get a pass of their own over these.

    Attributes:
        sweep: How sequences go through the encoder.
        predictors: By task, on the device.
    """

    sweep: Sweep
    predictors: Mapping[str, Predictor]

    @property
    def flops_per_token(self) -> float:
        """Operations for one token, those of the heads included."""
        heads = sum(predictor.flops_per_token for predictor in self.predictors.values())
        return self.sweep.model.encoder.flops_per_token + heads

    @property
    def flops_per_pair(self) -> float:
        """Operations for one ordered pair of tokens; heads read a pair once for both orders."""
        heads = sum(predictor.flops_per_pair for predictor in self.predictors.values())
        return self.sweep.model.encoder.flops_per_pair + heads / 2

    def cost(self, sequence: str) -> int:
        """Gives the residues that go through the encoder."""
        return sum(min(first or len(sequence), len(sequence)) for first in self._beginnings())

    def run(self, sequences: Sequence[str], advance: Callable[[int], None]) -> BlockValues:
        """Predicts some sequences; see `Engine.run`."""
        table = ValueTable(self.shapes(), sequences, np.dtype(np.float32))
        for first in self._beginnings():
            chosen = {
                task: p for task, p in self.predictors.items() if p.encoder.first_residues == first
            }
            collector = PredictionCollector(
                predictors=chosen,
                layers=self.sweep.layers,
                tokenizer=self.sweep.model.tokenizer,
                table=table,
            )
            read = [sequence[:first] for sequence in sequences] if first else sequences
            self.sweep.run(read, collector, advance)
        return BlockValues(values={}, finite=table.finite(), predictions=table.values())

    def _beginnings(self) -> list[int]:
        """Gives the lengths of the beginnings that are read; 0 for whole sequences."""
        return sorted({p.encoder.first_residues for p in self.predictors.values()})

    def shapes(self) -> dict[str, ValueShape]:
        """Gives the shape of each prediction, by name."""
        shapes = {}
        for task, predictor in self.predictors.items():
            for target in predictor.targets:
                shapes[target.name] = ValueShape(owner=target.level, dim=len(target.columns))
            shapes[typicality_name(task)] = ValueShape(owner="sequence", dim=1)
        return shapes


@dataclass(frozen=True, kw_only=True)
class TaskJob:
    """What is predicted, and how.

    Attributes:
        options: Of reading and encoding.
        model: The encoder, on the device, in the precision asked for.
        device: Where to compute.
        predictors: By task.
        window: For sequences beyond the encoder's limit; None where it has none.
    """

    options: EmbedOptions
    model: Model
    device: torch.device
    predictors: Mapping[str, Predictor]
    window: Window | None

    def settings(self) -> dict[str, object]:
        """Gives everything that changes a number."""
        return {
            "weights_sha256": self.model.weights_sha256,
            "predictors": {task: p.digest for task, p in self.predictors.items()},
            "precision": self.options.precision,
            "window": asdict(self.window) if self.window else None,
        }

    def attributes(self) -> dict[str, dict[str, object]]:
        """Gives the attributes of each set of values, by path."""
        found: dict[str, dict[str, object]] = {}
        for task, predictor in self.predictors.items():
            common = {
                "model": self.model.name,
                "version": predictor.version,
                "task": task,
                "predictor_sha256": predictor.digest,
                "weights_sha256": self.model.weights_sha256,
            }
            for target in predictor.targets:
                found[f"predictions/{target.name}"] = {
                    **common,
                    "classes": list(target.columns),
                    "kind": target.kind,
                    **({"separation": target.separation} if target.level == "pair" else {}),
                }
            found[f"predictions/{typicality_name(task)}"] = {
                **common,
                "classes": ["typicality"],
                "kind": "value",
            }
        return found

    def plan(self) -> dict[str, int]:
        """Gives how the input is cut; work that is resumed keeps to the plan it began with."""
        encoder, device = self.model.encoder, self.device
        heads = sum(predictor.flops_per_token for predictor in self.predictors.values())
        plan = {
            "tokens_per_batch": self.options.tokens_per_batch
            or choose_tokens_per_batch(encoder, device),
            "residues_per_block": choose_tokens_per_block(encoder, device, more_flops=heads),
            "records_per_block": BLOCK_RECORDS,
        }
        kept = sum(len(predictor.pair_targets) for predictor in self.predictors.values())
        if kept:
            flops = sum(predictor.flops_per_pair for predictor in self.predictors.values())
            plan["pairs_per_block"] = choose_pairs_per_block(device, kept=kept, flops=flops)
        return plan

    def engine(self, plan: Mapping[str, int]) -> TaskEngine:
        """Builds the engine; a batch size given now goes before that of the plan."""
        layers = sorted({k for p in self.predictors.values() for k in p.encoder.layers})
        sweep = Sweep(
            model=self.model,
            layers=layers,
            device=self.device,
            tokens_per_batch=self.options.tokens_per_batch or plan["tokens_per_batch"],
            window=self.window,
        )
        return TaskEngine(sweep=sweep, predictors=self.predictors)


def build_task_job(options: TaskOptions) -> TaskJob:
    """Loads the predictors and their encoder.

    Raises:
        CheckpointError: there is no such predictor, or it does not fit the encoder here.
        OptionError: an option does not suit the predictors, or these have different encoders.
    """
    device = choose_device(options.device)
    predictors, model = _load(options)
    embedding = options.embedding(model.name)
    window = choose_window(model, embedding)
    model.encoder.to(device)
    for predictor in predictors.values():
        predictor.to(device)
    return TaskJob(
        options=embedding, model=model, device=device, predictors=predictors, window=window
    )


def _load(options: TaskOptions) -> tuple[dict[str, Predictor], Model]:
    names = [str(task) for task in _as_tuple(options.tasks)]
    wanted = list(bundled_predictors()) if ALL in names else names
    dtype = getattr(torch, options.precision)
    predictors: dict[str, Predictor] = {}
    model: Model | None = None
    for name in wanted:
        predictor = load_predictor(name)
        found = load_referenced(predictor.encoder, predictor.task, dtype=dtype)
        if ALL in names and found.molecule != (options.molecule or "protein"):
            continue
        if model is not None and found.weights_sha256 != model.weights_sha256:
            allowed = (
                f"tasks on one encoder in one run; {name} reads {found.name}, not {model.name}"
            )
            raise OptionError("tasks", ", ".join(names), allowed=allowed)
        if predictor.task in predictors:
            raise OptionError("tasks", name, allowed="each task once")
        model = found
        predictors[predictor.task] = predictor
    if model is None:
        raise OptionError("tasks", ALL, allowed=f"none for {options.molecule}; name a task")
    return predictors, model


def _as_tuple(tasks: object) -> tuple[object, ...]:
    return tuple(tasks) if isinstance(tasks, list | tuple) else (tasks,)
