"""The options of an embedding run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from bioseq.checkpoints import DEFAULT_MODEL
from bioseq.errors import OptionError
from bioseq.msa import Subsampling
from bioseq.typing import AnyPath, Molecule, Precision

StoredFormat = Literal["float32", "float16"]


@dataclass(frozen=True, kw_only=True)
class EmbedOptions:
    """How sequences are embedded.

    Attributes:
        model: A known name, a repository on the hub, or a model folder or file; see `load_model`.
        pool: Poolings: `mean`, `max`, `std`, `cls`, `last`, `mean_tokens`, `cell`; one or several.
        per_residue: Also one vector for each residue.
        layers: Layers of the encoder; negative ones count from the last.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        precision: Number format of the computation.
        save_as: Number format of the stored values.
        tokens_per_batch: Tokens at a time; None: from the machine's memory. Changes no result.
        window: Tokens at a time for sequences beyond an attention encoder's limit; None: the limit.
        overlap: Tokens that two windows share; None: a quarter of the window.
        molecule: What the input is; None: what it says or looks like.
        format: Format of the input; None: recognised.
        pair: Also one vector for each pair of residues: the attention maps of an alignment's rows.
        max_depth: Most rows of an alignment; None: what suits the model.
        subsample: How rows of a deeper alignment are chosen.
        seed: Of the random choice.

    Raises:
        OptionError: a value is not allowed.
    """

    model: AnyPath = DEFAULT_MODEL
    pool: str | Sequence[str] = ("mean",)
    per_residue: bool = False
    layers: Sequence[int] = (-1,)
    device: str = "auto"
    precision: Precision = "float32"
    save_as: StoredFormat = "float32"
    tokens_per_batch: int | None = None
    window: int | None = None
    overlap: int | None = None
    molecule: Molecule | None = None
    format: str | None = None
    pair: bool = False
    max_depth: int | None = None
    subsample: Subsampling = "diverse"
    seed: int = 0

    def __post_init__(self) -> None:
        pool = (self.pool,) if isinstance(self.pool, str) else tuple(self.pool)
        object.__setattr__(self, "pool", pool)
        for name, choices in (
            ("precision", get_args(Precision)),
            ("save_as", get_args(StoredFormat)),
            ("molecule", (None, *get_args(Molecule))),
            ("subsample", get_args(Subsampling)),
        ):
            if getattr(self, name) not in choices:
                raise OptionError(name, getattr(self, name), allowed=choices)
        for name, least in (
            ("tokens_per_batch", 1),
            ("window", 1),
            ("overlap", 0),
            ("max_depth", 1),
        ):
            value = getattr(self, name)
            if value is not None and value < least:
                raise OptionError(name, value, allowed=f"{least} or more")

    def refuse(self, names: Sequence[str], *, allowed: str) -> None:
        """Refuses options that mean nothing to the model.

        Raises:
            OptionError: one of them is not at its default.
        """
        for name in names:
            if getattr(self, name) != getattr(type(self), name):
                raise OptionError(name, getattr(self, name), allowed=allowed)


def choose_device(name: str) -> torch.device:
    """Turns `auto` into the fastest device at hand, and checks a named one.

    Raises:
        OptionError: there is no such device here.
    """
    at_hand = [*(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    at_hand = ["cuda", *at_hand] if at_hand else []
    at_hand += ["mps"] if torch.backends.mps.is_available() else []
    at_hand += ["cpu"]
    if name not in ("auto", *at_hand):
        raise OptionError("device", name, allowed=["auto", *at_hand])
    return torch.device(at_hand[0] if name == "auto" else name)
