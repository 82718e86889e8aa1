"""The options of a prediction run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

from bioseq.errors import OptionError
from bioseq.options import ComputeOptions, InputOptions
from bioseq.typing import AnyPath

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class TaskOptions(ComputeOptions, InputOptions):
    """How sequences are predicted; also all of `ComputeOptions` and `InputOptions`.

    Attributes:
        tasks: Tasks of bundled predictors, or predictor folders; one or several. `all` stands for
            every bundled predictor that reads the molecule.

    Raises:
        OptionError: a value is not allowed.
    """

    tasks: AnyPath | Sequence[AnyPath]

    def __post_init__(self) -> None:
        super().__post_init__()
        given = self.tasks
        tasks = (given,) if isinstance(given, str | PathLike) else tuple(given)
        object.__setattr__(self, "tasks", tasks)
        if not self.tasks:
            raise OptionError("tasks", [], allowed=f"at least one, or {ALL}")
