"""What a tokenizer gives and what every tokenizer can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64, Integer

from bioseq.alphabet import Alphabet
from bioseq.tokenizer.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Token ids of several sequences, end to end, without padding.

    Attributes:
        ids: Token ids, specials included, in the smallest type that holds the vocabulary.
        offsets: Where each sequence starts in `ids`; the last entry is the total.
        unknown: How many tokens, specials left out, are the unknown token.
    """

    ids: Integer[np.ndarray, " tokens"]
    offsets: Int64[np.ndarray, " bounds"]
    unknown: int = 0


@runtime_checkable
class Tokenizer(Protocol):
    """Turns sequences into token ids; every sequence gets the same specials before and behind."""

    @property
    def alphabet(self) -> Alphabet:
        """The symbols that sequences may hold."""
        ...

    @property
    def vocabulary(self) -> Vocabulary:
        """The model's tokens."""
        ...

    @property
    def prefix(self) -> tuple[str, ...]:
        """Special tokens before each sequence."""
        ...

    @property
    def suffix(self) -> tuple[str, ...]:
        """Special tokens behind each sequence."""
        ...

    @property
    def unknown(self) -> str | None:
        """The token for what the vocabulary cannot express; None where that is an error."""
        ...

    def encode(self, sequences: Sequence[str]) -> Tokens:
        """Tokenizes sequences, in order.

        Raises:
            AlphabetError: a symbol has no token.
        """
        ...

    def spans(self, sequence: str) -> Int64[np.ndarray, "tokens 2"]:
        """Returns start and end (0-based, half-open) of each token, specials left out.

        The spans are in order and together cover every symbol of the sequence.
        """
        ...

    def to_config(self) -> dict[str, Any]:
        """Returns plain data from which `build_tokenizer` makes the same tokenizer."""
        ...


def frame_tokens(
    content: Integer[np.ndarray, " content"],
    counts: Int64[np.ndarray, " sequences"],
    tokenizer: Tokenizer,
) -> Tokens:
    """Puts a tokenizer's specials round the content tokens of each sequence.

    Args:
        content: Ids of all sequences, end to end, specials left out.
        counts: How many of them belong to each sequence.
        tokenizer: Names the specials and the unknown token.
    """
    prefix = tokenizer.vocabulary.ids(tokenizer.prefix)
    suffix = tokenizer.vocabulary.ids(tokenizer.suffix)
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts + len(prefix) + len(suffix), out=offsets[1:])
    ids = np.empty(offsets[-1], dtype=content.dtype)
    is_content = np.ones(len(ids), dtype=bool)
    for first, specials in ((offsets[:-1], prefix), (offsets[1:] - len(suffix), suffix)):
        for place, special in enumerate(specials):
            ids[first + place] = special
            is_content[first + place] = False
    ids[is_content] = content
    return Tokens(ids=ids, offsets=offsets, unknown=_count_unknown(content, tokenizer))


def _count_unknown(content: Integer[np.ndarray, " content"], tokenizer: Tokenizer) -> int:
    if tokenizer.unknown is None:
        return 0
    return int(np.count_nonzero(content == tokenizer.vocabulary.id(tokenizer.unknown)))
