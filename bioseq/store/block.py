"""A block: what is known of some consecutive records of the input, ready to be written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isqrt

import numpy as np
from jaxtyping import Int64, Shaped, UInt32

from bioseq.errors import OptionError
from bioseq.store.format import EMBEDDINGS, NO_ROW, PREDICTIONS, VALUE_KINDS


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """Per-residue values of several sequences, packed without padding.

    Attributes:
        values: `[sum L, D]`.
        offsets: int64 `[N + 1]`; sequence `i` owns `values[offsets[i]:offsets[i + 1]]`.
    """

    values: Shaped[np.ndarray, "residues dim"]
    offsets: Int64[np.ndarray, " bounds"]

    def __post_init__(self) -> None:
        offsets = self.offsets
        fits = len(offsets) > 0 and offsets[0] == 0
        if not fits or (np.diff(offsets) < 0).any() or offsets[-1] != len(self.values):
            raise OptionError(
                name="offsets",
                value=offsets,
                allowed=f"rising from 0 to the number of residues, {len(self.values)}",
            )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> np.ndarray:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        return self.values[self.offsets[index] : self.offsets[index + 1]]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs(Ragged):
    """Values of all pairs of residues of several sequences, packed without padding.

    Sequence `i` owns `L * L` rows, those of its first residue first; as an item they are
    `[L, L, D]`, or `[L, L]` where D is 1.

    Attributes:
        values: `[sum L * L, D]`.
        offsets: int64 `[N + 1]`, whose steps are squares.
    """

    def __post_init__(self) -> None:
        Ragged.__post_init__(self)
        sizes = np.diff(self.offsets)
        if not all(map(is_square, sizes.tolist())):
            raise OptionError(name="steps of offsets", value=sizes, allowed="squares of lengths")

    @classmethod
    def join(
        cls,
        squares: Sequence[np.ndarray],
        *,
        dim: int = 1,
        dtype: np.dtype | str,
    ) -> Pairs:
        """Packs `[L, L, D]`, or `[L, L]` where D is 1, of each sequence; there may be none."""
        rows = [square.astype(dtype, copy=False).reshape(-1, dim) for square in squares]
        offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        return cls(np.concatenate([np.empty((0, dim), dtype), *rows]), offsets)

    def __getitem__(self, index: int) -> np.ndarray:
        return as_square(Ragged.__getitem__(self, index))


def is_square(number: int) -> bool:
    """Returns whether a number of rows is that of the pairs of some residues."""
    return isqrt(number) ** 2 == number


def as_square(rows: Shaped[np.ndarray, "pairs dim"]) -> Shaped[np.ndarray, "length length *dim"]:
    """Shapes the rows of one sequence's pairs: `[L, L, D]`, or `[L, L]` where D is 1."""
    side, dim = isqrt(len(rows)), rows.shape[1]
    return rows.reshape((side, side) if dim == 1 else (side, side, dim))


Values = np.ndarray | Ragged


@dataclass(frozen=True, slots=True)
class Failure:
    """A record without a result.

    Attributes:
        record: 0-based index of the record in the whole input.
        id: The record's identifier.
        reason: One line that says why.
        digest: The refget digest of its sequence; empty where it is not known.
    """

    record: int
    id: str
    reason: str
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """Consecutive records, the sequences that appear first among them, and their values.

    Attributes:
        ids: Identifier of each record, as given; may repeat.
        descriptions: Description of each record.
        rows: int64, for each record its row in the whole store's sequences; -1 where it failed.
        digests: Refget digests of the sequences that no earlier block has, in order.
        lengths: uint32, residues of each of those sequences.
        failures: The records of this block that failed.
        values: Embeddings of the new sequences by name: `[N, D]`, `Ragged` or `Pairs`.
        predictions: Predictions of the new sequences by task, same shapes.
    """

    ids: Sequence[str]
    descriptions: Sequence[str]
    rows: Int64[np.ndarray, " records"]
    digests: Sequence[str]
    lengths: UInt32[np.ndarray, " sequences"]
    failures: Sequence[Failure] = ()
    values: Mapping[str, Values] = field(default_factory=dict)
    predictions: Mapping[str, Values] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check_lengths()
        self._check_text()
        failed = int((self.rows == NO_ROW).sum())
        if failed != len(self.failures):
            raise OptionError(
                name="number of failures",
                value=len(self.failures),
                allowed=f"{failed}, one for each row of -1",
            )
        for name, values in self.groups().items():
            _check_values(name, values, len(self.digests))

    def groups(self) -> dict[str, Values]:
        """Returns embeddings and predictions by their path in the file."""
        return {f"{EMBEDDINGS}/{name}": values for name, values in self.values.items()} | {
            f"{PREDICTIONS}/{task}": values for task, values in self.predictions.items()
        }

    def _check_lengths(self) -> None:
        for name, found, wanted in (
            ("descriptions", len(self.descriptions), len(self.ids)),
            ("rows", len(self.rows), len(self.ids)),
            ("lengths", len(self.lengths), len(self.digests)),
        ):
            if found != wanted:
                raise OptionError(
                    name=f"number of {name}",
                    value=found,
                    allowed=f"{wanted}, as many as the entries they belong to",
                )

    def _check_text(self) -> None:
        reasons = [failure.reason for failure in self.failures]
        for texts in (self.ids, self.descriptions, reasons):
            for text in texts:
                check_text(text)


def check_text(text: str) -> None:
    """Refuses text that HDF5 can't hold without loss.

    Raises:
        OptionError: The text holds a NUL character or half of a surrogate pair.
    """
    if "\0" in text or (not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)):
        raise OptionError(
            name="text of a record",
            value=text,
            allowed="text without NUL characters and lone surrogates",
        )


def _check_values(name: str, values: Values, num_sequences: int) -> None:
    array = values.values if isinstance(values, Ragged) else values
    if not name.partition("/")[2] or name.count("/") > 1:
        raise OptionError(name="name of values", value=name, allowed="a name without '/'")
    if array.ndim != 2 or array.dtype.kind not in VALUE_KINDS:
        raise OptionError(
            name=f"{name}: values",
            value=f"{array.dtype} {list(array.shape)}",
            allowed="two axes of floating-point or integer numbers",
        )
    if len(values) != num_sequences:
        raise OptionError(
            name=f"{name}: number of entries",
            value=len(values),
            allowed=f"{num_sequences}, one for each new sequence",
        )
