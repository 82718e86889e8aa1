"""What a plan divides: an embedding, or the predictions of some tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from os import PathLike, fspath
from typing import Any, Literal

from bioseq.embedding import EmbedOptions
from bioseq.embedding.job import Job, build_job
from bioseq.prediction.tasks import TaskOptions
from bioseq.prediction.tasks.job import TaskJob, build_task_job

PlannedOptions = EmbedOptions | TaskOptions
PlannedJob = Job | TaskJob
Purpose = Literal["embed", "predict"]

_MACHINE_OPTIONS = ("device", "tokens_per_batch")
_OPTIONS: dict[Purpose, type[PlannedOptions]] = {"embed": EmbedOptions, "predict": TaskOptions}


def purpose_of(options: PlannedOptions) -> Purpose:
    """Returns the command that the options are for."""
    return "embed" if isinstance(options, EmbedOptions) else "predict"


def build_planned_job(options: PlannedOptions) -> PlannedJob:
    """Loads what the work needs; see `build_job` and `build_task_job`."""
    return build_job(options) if isinstance(options, EmbedOptions) else build_task_job(options)


def options_as_json(options: PlannedOptions) -> dict[str, object]:
    """Returns the options as JSON values; where to compute is for each shard to say."""
    found = {name: _as_json(value) for name, value in asdict(options).items()}
    return {name: value for name, value in found.items() if name not in _MACHINE_OPTIONS}


def options_from_json(
    purpose: Purpose, values: Mapping[str, Any], *, device: str, tokens_per_batch: int | None
) -> PlannedOptions:
    """Makes options of what `options_as_json` gave, and of where to compute."""
    return _OPTIONS[purpose](**values, device=device, tokens_per_batch=tokens_per_batch)


def _as_json(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_as_json(part) for part in value]
    return fspath(value) if isinstance(value, PathLike) else value
