"""What an embedding run gives: one set of values for each pooling and layer asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from bioseq.checkpoints import Model
from bioseq.errors import OptionError
from bioseq.typing import Pooling

PER_RESIDUE = "residue"


@dataclass(frozen=True, kw_only=True)
class Output:
    """One set of values.

    Attributes:
        pooling: How residue states become one vector, or `residue` for one vector each.
        layer: Layer of the encoder, from 0.
        name: Name in the store: the pooling, with the layer unless it is the last.
    """

    pooling: Pooling | Literal["residue"]
    layer: int
    name: str

    @property
    def per_residue(self) -> bool:
        """Whether every residue has its own vector."""
        return self.pooling == PER_RESIDUE


def choose_outputs(
    model: Model, *, poolings: Sequence[str], layers: Sequence[int], per_residue: bool
) -> tuple[Output, ...]:
    """Returns the outputs of a run, each once.

    Raises:
        OptionError: a pooling or layer does not exist, or nothing is asked for.
    """
    for kind in poolings:
        if kind not in get_args(Pooling):
            raise OptionError("pool", kind, allowed=get_args(Pooling))
    if "cls" in poolings and not model.tokenizer.prefix:
        raise OptionError(
            "pool", "cls", allowed="poolings without cls; the model has no such token"
        )
    if "cell" in poolings and not model.encoder.has_cells:
        raise OptionError("pool", "cell", allowed="cell only with a multiplicative LSTM (UniRep)")
    kinds: list[Any] = [*poolings, *([PER_RESIDUE] if per_residue else [])]
    if not kinds:
        raise OptionError("pool", "none", allowed="none only with per-residue output")
    if not layers:
        raise OptionError("layers", [], allowed="at least one layer")
    numbers = model.encoder.resolve_layers(layers)
    last = model.encoder.num_layers
    if "cell" in poolings and set(numbers) != {last}:
        raise OptionError("layers", list(layers), allowed="the last one (-1) with pool cell")
    named = {
        kind if layer == last else f"{kind}_layer{layer}": (kind, layer)
        for kind in kinds
        for layer in numbers
    }
    return tuple(Output(pooling=k, layer=n, name=name) for name, (k, n) in named.items())
