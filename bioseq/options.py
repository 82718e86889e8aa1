"""Options that several runs share, checked when they are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from bioseq.errors import OptionError
from bioseq.typing import Molecule, Precision, Subsampling

LEAST = {
    "tokens_per_batch": 1,
    "window": 1,
    "overlap": 0,
    "max_depth": 1,
    "num_passes": 1,
    "max_extra": 1,
    "memory": 1,
    "neighbours": 1,
}
"""The smallest value of each option that is a number; None is not checked."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of all options: every choice and every number is checked at construction.

    Raises:
        OptionError: a value is not one of its choices, or below the smallest one.
    """

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            choices = tuple(choices_of(hints[name]))
            if choices and value not in choices:
                raise OptionError(name, value, allowed=choices)
            least = LEAST.get(name)
            if least is not None and value is not None and value < least:
                raise OptionError(name, value, allowed=f"{least} or more")

    def refuse(self, names: Sequence[str], *, allowed: str) -> None:
        """Refuses options that mean nothing to the model.

        Raises:
            OptionError: one of them is not at its default.
        """
        for name in names:
            if getattr(self, name) != getattr(type(self), name):
                raise OptionError(name, getattr(self, name), allowed=allowed)


def choices_of(hint: Any) -> Iterator[object]:
    """Yields what a `Literal` allows, `None` included where the option may be None."""
    if get_origin(hint) is Literal:
        yield from get_args(hint)
        return
    parts = get_args(hint)
    if any(get_origin(part) is Literal for part in parts) and type(None) in parts:
        yield None
        for part in parts:
            yield from choices_of(part)


@dataclass(frozen=True, kw_only=True)
class ComputeOptions(Options):
    """How an encoder is run.

    Attributes:
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        precision: Number format of the encoder.
        tokens_per_batch: Tokens at a time; None: from the machine's memory. Changes no result.
        window: Tokens at a time for sequences beyond an attention encoder's limit; None: the limit.
        overlap: Tokens that two windows share; None: a quarter of the window.
    """

    device: str = "auto"
    precision: Precision = "float32"
    tokens_per_batch: int | None = None
    window: int | None = None
    overlap: int | None = None


@dataclass(frozen=True, kw_only=True)
class InputOptions(Options):
    """What the input is.

    Attributes:
        molecule: What the input is; None: what it says or looks like.
        format: Format of the input; None: recognised.
    """

    molecule: Molecule | None = None
    format: str | None = None


@dataclass(frozen=True, kw_only=True)
class RowOptions(Options):
    """Which rows of an alignment are read.

    Attributes:
        max_depth: Most rows of an alignment; None: what suits the model.
        subsample: How rows of a deeper alignment are chosen.
        seed: Of the random choice.
    """

    max_depth: int | None = None
    subsample: Subsampling = "diverse"
    seed: int = 0
