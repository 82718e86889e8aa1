"""The options of an embedding run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bioseq.checkpoints import DEFAULT_MODEL
from bioseq.embedding.pooling import POOLINGS
from bioseq.errors import OptionError
from bioseq.options import ComputeOptions, InputOptions, RowOptions
from bioseq.typing import AnyPath, StoredFormat


@dataclass(frozen=True, kw_only=True)
class EmbedOptions(ComputeOptions, InputOptions, RowOptions):
    """How sequences are embedded; also all of `ComputeOptions`, `InputOptions` and `RowOptions`.

    Attributes:
        model: A known name, a repository on the hub, or a model folder or file; see `load_model`.
        pool: Names of `POOLINGS`, one or several: `mean`, `max` and `std` (of the population) go
            over the residues; `cls` is the first special token, `last` the last residue;
            `mean_tokens` goes over all tokens; `cell` is the last cell state of a multiplicative
            LSTM.
        per_residue: Also one vector for each residue.
        layers: Layers of the encoder; negative ones count from the last.
        save_as: Number format of the stored values.
        pair: Also one vector for each pair of residues: the attention maps of an alignment's rows.

    Raises:
        OptionError: a value is not allowed.
    """

    model: AnyPath = DEFAULT_MODEL
    pool: str | Sequence[str] = ("mean",)
    per_residue: bool = False
    layers: Sequence[int] = (-1,)
    save_as: StoredFormat = "float32"
    pair: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        pool = (self.pool,) if isinstance(self.pool, str) else tuple(self.pool)
        object.__setattr__(self, "pool", pool)
        for name in pool:
            if name not in POOLINGS:
                raise OptionError("pool", name, allowed=POOLINGS)
