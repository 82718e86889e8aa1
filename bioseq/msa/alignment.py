"""Alignments: as a file gives them, and cut to the columns of the query."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int32, Integer, UInt8

from bioseq.alphabet import PROTEIN
from bioseq.errors import AlphabetError, OptionError

GAP = ord("-")
_DOT = ord(".")
_TO_UPPER = np.arange(256, dtype=np.uint8)
_TO_UPPER[ord("a") : ord("z") + 1] -= 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Aligned rows as the file gives them, the query (the first row) first.

    Attributes:
        ids: The rows' ids exactly as given, such as `PF/1-20`.
        descriptions: What the file says about each row; may be empty.
        rows: Residues and gaps. A3M: `A-Z` and `-` are match columns, `a-z` and `.` insertions, so
            lengths differ. Stockholm: all rows have the same length.
        format: What the rows are written in.
    """

    ids: tuple[str, ...]
    descriptions: tuple[str, ...]
    rows: tuple[str, ...]
    format: Literal["a3m", "stockholm"] = "a3m"

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def digest(self) -> str:
        """Identity of the content: computed from all rows as `refget_digest` is from one."""
        text = "\n".join((self.format, *self.rows))
        return f"SQ.{urlsafe_b64encode(hashlib.sha512(text.encode()).digest()[:24]).decode()}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Msa:
    """A multiple sequence alignment in the columns of its query, which is row 0 without gaps.

    Attributes:
        ids: The rows' ids.
        symbols: ASCII codes: upper-case letters of the protein alphabet, and `-`.
        deletions: Residues that a row has between a column and the column before, which the query
            lacks (insertions to the query; AlphaFold's deletion matrix). Residues behind the last
            column are not kept.
    """

    ids: tuple[str, ...]
    symbols: UInt8[np.ndarray, "depth length"]
    deletions: Int32[np.ndarray, "depth length"]

    @classmethod
    def from_alignment(cls, alignment: Alignment) -> Msa:
        """Cuts an alignment to the columns in which its first row has a residue.

        Raises:
            AlphabetError: a row holds a symbol that is neither protein nor gap.
            OptionError: the alignment has no row, or the query no residue.
        """
        if not alignment.rows:
            raise OptionError("rows of the alignment", 0, allowed="1 or more, the query first")
        is_a3m = alignment.format == "a3m"
        query = _split(alignment.rows[0], is_a3m=is_a3m)
        kept = query.symbols[query.is_column] != GAP
        if not kept.any():
            raise OptionError("residues of the query", 0, allowed="1 or more")
        symbols = np.empty((len(alignment), int(kept.sum())), np.uint8)
        deletions = np.empty(symbols.shape, np.int32)
        for number, (id_, row) in enumerate(zip(alignment.ids, alignment.rows, strict=True)):
            split = _split(row, is_a3m=is_a3m)
            _check_symbols(split.symbols, id_)
            symbols[number], deletions[number] = split.columns(kept)
        return cls(ids=alignment.ids, symbols=symbols, deletions=deletions)

    @property
    def depth(self) -> int:
        """Rows, the query included."""
        return self.symbols.shape[0]

    @property
    def length(self) -> int:
        """Columns: residues of the query."""
        return self.symbols.shape[1]

    @property
    def query(self) -> str:
        """The first row."""
        return self.row(0)

    def row(self, index: int) -> str:
        """Returns one row as text, gaps as `-`."""
        return self.symbols[index].tobytes().decode("ascii")

    def take(self, rows: Sequence[int] | Integer[np.ndarray, " rows"]) -> Msa:
        """Returns the alignment of some of the rows, in the order asked for."""
        places = np.asarray(rows, np.int64)
        ids = tuple(self.ids[place] for place in places.tolist())
        return Msa(ids=ids, symbols=self.symbols[places], deletions=self.deletions[places])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _SplitRow:
    """One row: its symbols in upper case, and which of them stand in columns of all rows."""

    symbols: UInt8[np.ndarray, " symbols"]
    is_column: Bool[np.ndarray, " symbols"]

    def columns(
        self, kept: Bool[np.ndarray, " columns"]
    ) -> tuple[UInt8[np.ndarray, " length"], Int32[np.ndarray, " length"]]:
        """Returns the symbols of the kept columns, and the residues between them."""
        is_kept = np.zeros(len(self.symbols), np.bool_)
        is_kept[np.flatnonzero(self.is_column)[kept]] = True
        dropped = np.cumsum(~is_kept & (self.symbols != GAP), dtype=np.int32)[is_kept]
        return self.symbols[is_kept], np.diff(dropped, prepend=np.int32(0))


def _split(row: str, *, is_a3m: bool) -> _SplitRow:
    codes = np.frombuffer(row.encode("ascii", "replace"), np.uint8)
    is_insertion = ((codes >= ord("a")) & (codes <= ord("z"))) | (codes == _DOT)
    is_column = ~is_insertion if is_a3m else np.ones(len(codes), np.bool_)
    symbols = _TO_UPPER[codes]
    return _SplitRow(symbols=np.where(symbols == _DOT, GAP, symbols), is_column=is_column)


def _check_symbols(symbols: UInt8[np.ndarray, " symbols"], id_: str) -> None:
    allowed = np.frombuffer(f"-{PROTEIN.symbols}".encode(), np.uint8)
    wrong = np.flatnonzero(~np.isin(symbols, allowed))
    if len(wrong):
        symbol = chr(symbols[wrong[0]])
        raise AlphabetError(symbol, position=int(wrong[0]) + 1, alphabet=f"protein (row {id_!r})")
