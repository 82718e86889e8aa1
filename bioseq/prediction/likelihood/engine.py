"""What computes a block of sequences: log-probabilities of their tokens, and what sums them up.

Source: pseudo-log-likelihood and pseudo-perplexity: Salazar et al. 2020, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bioseq.errors import OptionError
from bioseq.prediction.language.job import NOT_FINITE
from bioseq.prediction.language.scorer import OWN, Scorer
from bioseq.prediction.likelihood.options import Strategy
from bioseq.runs import BlockValues, is_one_to_one
from bioseq.store import Ragged, Values

TOKENS, TOTAL, PERPLEXITY = "token-log-probabilities", "log-likelihood", "perplexity"
DISTRIBUTION = "log-probabilities"
_COPIES = 5  # of each number, in float32, while a block is put together
_STRATEGIES_OF: dict[bool, tuple[Strategy, ...]] = {
    True: ("pseudo-perplexity", "wild-type-marginals"),
    False: ("likelihood",),
}


def choose_strategy(scorer: Scorer, strategy: Strategy | None) -> Strategy:
    """Returns the strategy, or the model's usual one.

    Raises:
        OptionError: the model can't be asked that way.
    """
    possible = _STRATEGIES_OF[scorer.is_two_sided]
    if strategy is not None and strategy not in possible:
        raise OptionError("strategy", strategy, allowed=f"for this model: {', '.join(possible)}")
    return strategy or possible[0]


@dataclass(frozen=True, kw_only=True)
class LikelihoodEngine:
    """Log-probabilities of the tokens of sequences, their sums, and the perplexities.

    `pseudo-perplexity`: each token is predicted from all others, itself out of sight.
    `wild-type-marginals`: all in one pass, in which a masked model sees the token it is asked for.
    `likelihood`: each from those before it.

    Attributes:
        scorer: The model.
        strategy: One of those that `choose_strategy` allows.
        distribution: Whether to keep all residues at every place.

    Raises:
        OptionError: the model's tokens are no residues, so that there is no distribution of these.
    """

    scorer: Scorer
    strategy: Strategy
    distribution: bool = False

    def __post_init__(self) -> None:
        if self.distribution and not is_one_to_one(self.scorer.model.tokenizer):
            allowed = "only with a model that has one token for each residue"
            raise OptionError("distribution", True, allowed=allowed)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The symbols of the whole distribution: those whose own token the model can foretell."""
        if not self.distribution:
            return ()
        vocabulary = self.scorer.model.tokenizer.vocabulary
        symbols = self.scorer.model.tokenizer.alphabet.symbols
        known = [symbol for symbol in symbols if symbol in vocabulary]
        return tuple(s for s in known if vocabulary.id(s) < self.scorer.num_classes)

    @property
    def kept(self) -> int:
        """See `LanguageEngine.kept`."""
        return _COPIES * (1 + len(self.classes))

    @property
    def _is_hidden(self) -> bool:
        return self.strategy == "pseudo-perplexity"

    def cost(self, sequence: str) -> int:
        """See `BlockEngine.cost`."""
        return self.scorer.cost(sequence, hidden=self._is_hidden)

    def run(self, sequences: Sequence[str], advance: Callable[[int], None]) -> BlockValues:
        """Asks about some sequences; see `Engine.run`."""
        kept = [OWN, *self.scorer.model.tokenizer.vocabulary.ids(self.classes)]
        found = self.scorer.log_probabilities(
            sequences, kept=kept, hidden=self._is_hidden, advance=advance
        )
        packed = np.concatenate([np.empty((0, len(kept))), *found])
        offsets = np.cumsum([0, *map(len, found)], dtype=np.int64)
        totals = np.array([values[:, 0].sum() for values in found], dtype=np.float64)
        predictions: dict[str, Values] = {
            TOKENS: Ragged(packed[:, :1].astype(np.float32), offsets),
            TOTAL: totals[:, None],
            PERPLEXITY: np.exp(-totals / np.diff(offsets))[:, None],
        }
        if self.distribution:
            predictions[DISTRIBUTION] = Ragged(packed[:, 1:].astype(np.float32), offsets)
        return BlockValues(
            values={},
            predictions=predictions,
            finite=np.array([np.isfinite(values).all() for values in found], dtype=bool),
            not_finite=NOT_FINITE,
        )

    def settings(self) -> dict[str, object]:
        """See `LanguageEngine.settings`."""
        return {"task": "likelihood", "distribution": self.distribution}

    def attributes(self) -> dict[str, dict[str, object]]:
        """See `LanguageEngine.attributes`."""
        natural: dict[str, object] = {"unit": "natural logarithm"}
        found: dict[str, dict[str, object]] = {TOKENS: natural, TOTAL: natural, PERPLEXITY: {}}
        if self.distribution:
            found[DISTRIBUTION] = {**natural, "classes": list(self.classes)}
        return found
