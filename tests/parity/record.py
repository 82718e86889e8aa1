"""How close ours is to a reference: asserted, kept, and written as a table for the docs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.testing import assert_close

# torch.testing.assert_close's own for float32.
RELATIVE, ABSOLUTE = 1.3e-6, 1e-5
TABLE_MARK = "<!-- The tables below are written by the tests; see the command above. -->"
_HEADERS = {
    "comparison": (
        "| family | compared with | quantity | values | largest difference "
        "| of the largest value | bound (relative, absolute) |",
        "| --- | --- | --- | ---: | ---: | ---: | --- |",
    ),
    "tokens": (
        "| tokenizer | compared with | sequences | of these read otherwise | how |",
        "| --- | --- | ---: | ---: | --- |",
    ),
}

Values = Tensor | Sequence["Values"]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One quantity of one family, compared with one reference.

    Attributes:
        values: How many numbers were compared.
        difference: Largest absolute difference.
        magnitude: Largest absolute value of the reference.
        bound: Relative and absolute difference that was allowed.
    """

    values: int
    difference: float
    magnitude: float
    bound: tuple[float, float]

    def joined(self, other: Comparison) -> Comparison:
        """Gives the comparison over the numbers of both."""
        return Comparison(
            values=self.values + other.values,
            difference=max(self.difference, other.difference),
            magnitude=max(self.magnitude, other.magnitude),
            bound=max(self.bound, other.bound),
        )


class ParityRecord:
    """The comparisons of one test run."""

    def __init__(self) -> None:
        self._comparisons: dict[tuple[str, str, str], Comparison] = {}
        self._tokens: dict[tuple[str, str], tuple[int, int, str]] = {}

    def __call__(
        self,
        family: str,
        compared_with: str,
        quantity: str,
        ours: Values,
        theirs: Values,
        *,
        rtol: float = RELATIVE,
        atol: float = ABSOLUTE,
    ) -> None:
        """Asserts that two tensors, or two equal nestings of them, are close, and keeps how close.

        A wider bound than the default needs its reason beside the call.
        """
        assert_close(ours, theirs, rtol=rtol, atol=atol)
        pairs = list(zip(_tensors(ours), _tensors(theirs), strict=True))
        assert pairs, "nothing was compared"
        comparison = Comparison(
            values=sum(a.numel() for a, _ in pairs),
            difference=max((a - b).abs().max().item() for a, b in pairs),
            magnitude=max(b.abs().max().item() for _, b in pairs),
            bound=(rtol, atol),
        )
        key = (family, compared_with, quantity)
        earlier = self._comparisons.get(key)
        self._comparisons[key] = earlier.joined(comparison) if earlier else comparison

    def of_largest(
        self,
        family: str,
        compared_with: str,
        quantity: str,
        ours: Tensor,
        theirs: Tensor,
        *,
        share: float = 1e-6,
    ) -> None:
        """Asserts that tensors differ by no more than a share of the largest value; see above."""
        atol = share * float(theirs.abs().max())
        self(family, compared_with, quantity, ours, theirs, rtol=0.0, atol=atol)

    def tokens(
        self, family: str, compared_with: str, *, sequences: int, differing: int, reason: str = ""
    ) -> None:
        """Keeps on how many sequences tokenizers agreed, and how many were read otherwise and why.

        Raises:
            ValueError: some were read otherwise, and there is no reason.
        """
        if differing and not reason:
            message = "what is read otherwise needs a reason"
            raise ValueError(message)
        self._tokens[family, compared_with] = (sequences, differing, reason)

    def table(self, earlier: str = "") -> str:
        """Gives the tables in Markdown, sorted by family, reference and quantity.

        Args:
            earlier: Tables of another run. What this run did not measure is taken from them.
        """
        rows = {"comparison": self._comparison_rows(), "tokens": self._token_rows()}
        kept = [line for line in earlier.splitlines() if line.startswith("| ")]
        parts = []
        for kind, header in _HEADERS.items():
            measured = {_subject(row) for row in rows[kind]}
            same_kind = (row for row in kept if row.count(" | ") == header[0].count(" | "))
            others = [r for r in same_kind if r not in header and _subject(r) not in measured]
            parts.append("\n".join([*header, *sorted(rows[kind] + others)]) + "\n")
        return "\n".join(parts)

    def _comparison_rows(self) -> list[str]:
        rows = []
        for key, c in self._comparisons.items():
            share = c.difference / c.magnitude if c.magnitude else 0.0
            bound = f"{c.bound[0]:.1e}, {c.bound[1]:.0e}"
            rows.append(
                f"| {' | '.join(key)} | {c.values:,} | {c.difference:.1e} | {share:.1e} | {bound} |"
            )
        return rows

    def _token_rows(self) -> list[str]:
        return [
            f"| {' | '.join(key)} | {sequences:,} | {differing:,} | {reason} |"
            for key, (sequences, differing, reason) in self._tokens.items()
        ]


def _subject(row: str) -> tuple[str, str]:
    """Gives the family and the reference, whose version a later run may have changed."""
    family, compared_with = row.split(" | ")[:2]
    return family, compared_with.partition(" ")[0]


def rewrite_table(page: Path, record: ParityRecord) -> None:
    """Brings the tables at the end of a page, below their mark, up to date."""
    text, mark, earlier = page.read_text().partition(TABLE_MARK)
    if not mark:
        message = f"{page} has no line {TABLE_MARK}"
        raise ValueError(message)
    page.write_text(f"{text}{mark}\n\n{record.table(earlier)}")


def _tensors(values: Values) -> Iterable[Tensor]:
    if isinstance(values, Tensor):
        yield values.detach().to(torch.float64)
    else:
        for value in values:
            yield from _tensors(value)
