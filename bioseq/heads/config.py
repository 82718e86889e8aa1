"""The shape of a head for labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from bioseq.errors import OptionError
from bioseq.typing import Level

HeadKind = Literal[
    "linear", "mlp", "convolution", "bilstm", "convolution-bilstm", "light-attention"
]


@dataclass(frozen=True, kw_only=True)
class HeadShape:
    """What can be chosen of a head, whatever it reads and gives.

    Attributes:
        kind: `linear`; `mlp`, one hidden layer; `convolution`, dilated residual convolutions;
            `bilstm`, one layer in either direction; `convolution-bilstm`, the one on top of the
            other; `light-attention`, learned weights over the residues (per sequence only).
        dim: Width between; unused by `linear`.
        pair_dim: Width of what is computed of a pair.
        kernel: Taps of the convolutions; odd.
        dilations: Distance between taps, one convolution for each.
        dropout: Share of the narrowed states and of the hidden numbers that training hides.
        shortest: For each class the fewest neighbouring residues that have it; a conditional random
            field then judges all labels of a sequence together. None for no such field.
    """

    kind: HeadKind
    dim: int = 128
    pair_dim: int = 64
    kernel: int = 5
    dilations: tuple[int, ...] = (1, 2, 4, 8)
    dropout: float = 0.2
    shortest: tuple[int, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class HeadConfig(HeadShape):
    """Shape of a head with what it reads and gives.

    Attributes:
        outputs: Numbers in a row of outputs, for each level that has any: a row for each `residue`,
            for each `sequence`, or for each `pair` of different residues.
        input_dim: Width of the token states.

    Raises:
        OptionError: a value is not allowed.
    """

    outputs: Mapping[Level, int]
    input_dim: int

    def __post_init__(self) -> None:
        if self.kind not in get_args(HeadKind):
            raise OptionError("kind", self.kind, allowed=get_args(HeadKind))
        if not self.outputs or self.outputs.keys() - set(get_args(Level)):
            raise OptionError("level", [*self.outputs], allowed=get_args(Level))
        if self.kind == "light-attention" and [*self.outputs] != ["sequence"]:
            raise OptionError("kind", self.kind, allowed="with level 'sequence' only")
        classes = self.outputs.get("residue", 0)
        if self.shortest and len(self.shortest) != classes:
            allowed = f"{classes} numbers, one for each class, with targets per residue"
            raise OptionError("shortest", self.shortest, allowed=allowed)
        if self.kernel % 2 == 0:
            raise OptionError("kernel", self.kernel, allowed="odd numbers")
        sizes = {name: getattr(self, name) for name in ("input_dim", "dim", "pair_dim")}
        for name, size in {**sizes, **self.outputs}.items():
            if size < 1:
                raise OptionError(name, size, allowed="1 or more")
        if not 0 <= self.dropout < 1:
            raise OptionError("dropout", self.dropout, allowed="0 to below 1")
