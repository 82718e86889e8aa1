"""The options of an embedding run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import torch

from bioseq.checkpoints import DEFAULT_MODEL
from bioseq.errors import OptionError
from bioseq.typing import Molecule, Precision


@dataclass(frozen=True, kw_only=True)
class EmbedOptions:
    """How sequences are embedded.

    Attributes:
        model: Name of a bundled model, or a model folder.
        pool: Poolings: `mean`, `max`, `std`, `cls`, `last`.
        per_residue: Also one vector for each residue.
        layers: Layers of the encoder; negative ones count from the last.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        precision: Number format of the computation.
        save_as: Number format of the stored values.
        tokens_per_batch: Tokens at a time; None: from the memory at hand. Changes no result.
        window: Tokens at a time for sequences beyond an attention encoder's limit; None: the limit.
        overlap: Tokens that two windows share; None: a quarter of the window.
        molecule: What the input is; None: what it looks like, which must be what the model reads.
        format: Format of the input; None: recognised.
    """

    model: str = DEFAULT_MODEL
    pool: Sequence[str] = ("mean",)
    per_residue: bool = False
    layers: Sequence[int] = (-1,)
    device: str = "auto"
    precision: Precision = "float32"
    save_as: str = "float32"
    tokens_per_batch: int | None = None
    window: int | None = None
    overlap: int | None = None
    molecule: Molecule | None = None
    format: str | None = None

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            raise OptionError("precision", self.precision, allowed=get_args(Precision))
        if self.save_as not in ("float32", "float16"):
            raise OptionError("save_as", self.save_as, allowed=("float32", "float16"))
        if self.tokens_per_batch is not None and self.tokens_per_batch < 1:
            raise OptionError("tokens_per_batch", self.tokens_per_batch, allowed="1 or more")


def choose_device(name: str) -> torch.device:
    """Turns `auto` into the fastest device at hand, and checks a named one.

    Raises:
        OptionError: there is no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    at_hand = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    at_hand += ["cuda"] if torch.cuda.is_available() else []
    at_hand += ["mps"] if torch.backends.mps.is_available() else []
    if name not in at_hand:
        raise OptionError("device", name, allowed=["auto", *at_hand])
    return torch.device(name)
