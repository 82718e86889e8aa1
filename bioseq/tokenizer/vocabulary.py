"""The vocabulary: a model's tokens in the order of their ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bioseq.errors import OptionError

_LISTED = 64
_MASKS = ("<mask>", "[MASK]")


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of a model; a token's id is its place.

    Args:
        tokens: All tokens, specials included.

    Raises:
        OptionError: a token stands twice.
    """

    tokens: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.tokens)) != len(self.tokens):
            repeated = sorted({t for t in self.tokens if self.tokens.count(t) > 1})
            raise OptionError("tokens", repeated, allowed="each token once")

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.tokens)}

    @property
    def dtype(self) -> np.dtype:
        """The smallest type for ids; signed above one byte, since torch computes with no uint16."""
        return np.dtype(np.uint8) if len(self) <= 256 else np.min_scalar_type(-len(self))

    def id(self, token: str) -> int:
        """Returns a token's id.

        Raises:
            OptionError: the vocabulary lacks the token; no unknown token stands in for it.
        """
        if token not in self._ids:
            listed = self.tokens if len(self) <= _LISTED else f"one of the {len(self)} tokens"
            raise OptionError("token", token, allowed=listed)
        return self._ids[token]

    @property
    def mask_id(self) -> int:
        """The id of the token that stands for a hidden one.

        Raises:
            OptionError: the vocabulary has no such token.
        """
        return self.id(next((token for token in _MASKS if token in self), _MASKS[0]))

    def ids(self, tokens: Iterable[str]) -> tuple[int, ...]:
        """Returns the ids of several tokens."""
        return tuple(self.id(token) for token in tokens)
