"""What an embedding run gives: one set of values for each pooling and layer asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bioseq.checkpoints import Model, MSAModel
from bioseq.embedding.pooling import POOLINGS
from bioseq.errors import OptionError

PER_RESIDUE = "residue"


@dataclass(frozen=True, kw_only=True)
class Output:
    """One set of values.

    Attributes:
        pooling: One of `POOLINGS`: how residue states become one vector; or `residue` for one
            vector each.
        layer: Layer of the encoder, from 0.
        name: Name in the store: the pooling, with the layer unless it is the last.
    """

    pooling: str
    layer: int
    name: str

    @property
    def per_residue(self) -> bool:
        """Whether every residue has its own vector."""
        return self.pooling == PER_RESIDUE


def plan_outputs(
    model: Model | MSAModel, *, poolings: Sequence[str], layers: Sequence[int], per_residue: bool
) -> tuple[Output, ...]:
    """Lists the outputs of a run, each once.

    Raises:
        OptionError: a pooling or layer does not exist, or nothing is asked for.
    """
    for name in poolings:
        if name not in POOLINGS:
            raise OptionError("pool", name, allowed=POOLINGS)
        if POOLINGS[name].reads == "first" and not model.tokenizer.prefix:
            allowed = f"poolings without {name}; the model has no such token"
            raise OptionError("pool", name, allowed=allowed)
        if POOLINGS[name].reads == "cells" and not model.encoder.has_cells:
            allowed = f"{name} only with a multiplicative LSTM (UniRep)"
            raise OptionError("pool", name, allowed=allowed)
    kinds = [*poolings, *([PER_RESIDUE] if per_residue else [])]
    if not kinds:
        raise OptionError("pool", "none", allowed="none only with per-residue output")
    if not layers:
        raise OptionError("layers", [], allowed="at least one layer")
    numbers = model.encoder.resolve_layers(layers)
    last = model.encoder.num_layers
    of_cells = [name for name in poolings if POOLINGS[name].reads == "cells"]
    if of_cells and set(numbers) != {last}:
        allowed = f"the last one (-1) with pool {of_cells[0]}"
        raise OptionError("layers", list(layers), allowed=allowed)
    named = {
        kind if layer == last else f"{kind}_layer{layer}": (kind, layer)
        for kind in kinds
        for layer in numbers
    }
    return tuple(Output(pooling=k, layer=n, name=name) for name, (k, n) in named.items())
