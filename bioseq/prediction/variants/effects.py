"""The strategies: how a language model's log-probabilities become the effect of a variant.

Source: Meier et al. 2021 (ESM-1v), appendix A, for the marginals and the pseudo-likelihood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64, Int64

from bioseq.embedding.job import Job
from bioseq.errors import OptionError
from bioseq.prediction.language.job import build_scorer
from bioseq.prediction.language.scorer import Scorer
from bioseq.prediction.variants.options import MARGINALS, Strategy, VariantOptions
from bioseq.runs import is_one_to_one

Advance = Callable[[int], None]
_STRATEGIES_OF: dict[bool, tuple[Strategy, ...]] = {
    True: ("masked-marginals", "wild-type-marginals", "pseudo-perplexity"),
    False: ("likelihood", "wild-type-marginals"),
}


def choose_strategy(scorer: Scorer, strategy: Strategy | None) -> Strategy:
    """Returns the strategy, or the model's usual one.

    Raises:
        OptionError: the model can't be asked that way.
    """
    knows_residues = is_one_to_one(scorer.model.tokenizer)
    possible: list[Strategy] = [
        name
        for name in _STRATEGIES_OF[scorer.is_two_sided]
        if knows_residues or name not in MARGINALS
    ]
    if strategy is not None and strategy not in possible:
        raise OptionError("strategy", strategy, allowed=f"for this model: {', '.join(possible)}")
    return strategy or possible[0]


@dataclass(frozen=True, kw_only=True)
class Effects:
    """Scores variants against their wild type: 0 as likely as it, below 0 less likely.

    `wild-type-marginals`: log-odds of mutant and wild-type residue, read from one pass over the
    wild type. `masked-marginals`: the same with the site hidden. Both add up over the sites of a
    variant, each in the context of the wild type. `pseudo-perplexity`: the wild type's length times
    the difference of the log pseudo-perplexities; for substitutions that is the difference of the
    pseudo-log-likelihoods. `likelihood`: the difference of the log-likelihoods.

    Attributes:
        scorer: The model.
        strategy: One of those that `choose_strategy` allows.
    """

    scorer: Scorer
    strategy: Strategy
    _levels: dict[str, float] = field(default_factory=dict, init=False)
    _odds: dict[str, dict[int, Float64[np.ndarray, " residues"]]] = field(
        default_factory=dict, init=False
    )

    @property
    def residues(self) -> str:
        """The residues that may take a place, in the order of the scan's columns."""
        return self.scorer.model.tokenizer.alphabet.canonical

    def of_variants(
        self, wild_type: str, sequences: Sequence[str], advance: Advance
    ) -> Float64[np.ndarray, " variants"]:
        """Scores variants of one wild type.

        Args:
            wild_type: Its sequence.
            sequences: The variants; as long as the wild type for the marginals.
            advance: Is told how many tokens went through the encoder.
        """
        if self.strategy in MARGINALS:
            return self._add_up(wild_type, sequences, advance)
        level = self._level(wild_type, advance)
        found = self._levels_of(sequences, len(wild_type), advance)
        is_same = np.array([sequence == wild_type for sequence in sequences], dtype=bool)
        return np.where(is_same, 0.0, found - level)

    def of_substitutions(
        self, sequence: str, advance: Advance, places: Int64[np.ndarray, " places"] | None = None
    ) -> Float64[np.ndarray, "places residues"]:
        """Scores every substitution at some places of a sequence, all by default.

        The wild type's own column is 0. Where its residue is not definite (X), the row is NaN.
        """
        places = np.arange(len(sequence)) if places is None else places
        if self.strategy in MARGINALS:
            return self._log_odds(sequence, places, advance)
        rows = [self._try_all(sequence, place, advance) for place in places.tolist()]
        return np.array(rows).reshape(len(places), len(self.residues))

    def cost(self, sequence: str) -> int:
        """Returns the tokens that go through the encoder to score a sequence as a whole."""
        hidden = self.strategy in ("masked-marginals", "pseudo-perplexity")
        return self.scorer.cost(sequence, hidden=hidden)

    def scan_cost(self, sequence: str) -> int:
        """Returns the tokens that go through the encoder for all substitutions of a sequence."""
        if self.strategy in MARGINALS:
            return self.cost(sequence)
        return self.cost(sequence) * len(sequence) * (len(self.residues) - 1)

    def _add_up(
        self, wild_type: str, sequences: Sequence[str], advance: Advance
    ) -> Float64[np.ndarray, " variants"]:
        changes = [
            [place for place, (a, b) in enumerate(zip(wild_type, s, strict=True)) if a != b]
            for s in sequences
        ]
        odds = self._odds.setdefault(wild_type, {})
        new = sorted({place for found in changes for place in found} - odds.keys())
        if new:
            rows = self._log_odds(wild_type, np.array(new), advance)
            odds.update(zip(new, rows, strict=True))
        column = {residue: index for index, residue in enumerate(self.residues)}
        return np.array(
            [
                sum(odds[place][column[sequence[place]]] for place in found)
                for sequence, found in zip(sequences, changes, strict=True)
            ],
            dtype=np.float64,
        )

    def _log_odds(
        self, sequence: str, places: Int64[np.ndarray, " places"], advance: Advance
    ) -> Float64[np.ndarray, "places residues"]:
        (found,) = self.scorer.log_probabilities(
            [sequence],
            kept=self._residue_ids(),
            hidden=self.strategy == "masked-marginals",
            places=[places],
            advance=advance,
        )
        own = np.array([self.residues.find(sequence[place]) for place in places.tolist()], np.int64)
        odds = found - np.take_along_axis(found, own[:, None], axis=1)
        odds[own < 0] = np.nan
        return odds

    def _residue_ids(self) -> list[int]:
        tokenizer = self.scorer.model.tokenizer
        encoded = tokenizer.encode(list(self.residues))
        return encoded.ids[encoded.offsets[:-1] + len(tokenizer.prefix)].tolist()

    def _try_all(
        self, sequence: str, place: int, advance: Advance
    ) -> Float64[np.ndarray, " residues"]:
        if sequence[place] not in self.residues:
            return np.full(len(self.residues), np.nan)
        mutants = [sequence[:place] + residue + sequence[place + 1 :] for residue in self.residues]
        others = [mutant for mutant in mutants if mutant != sequence]
        effects = iter(self.of_variants(sequence, others, advance))
        return np.array([0.0 if mutant == sequence else next(effects) for mutant in mutants])

    def _level(self, wild_type: str, advance: Advance) -> float:
        if wild_type not in self._levels:
            self._levels[wild_type] = float(
                self._levels_of([wild_type], len(wild_type), advance)[0]
            )
        return self._levels[wild_type]

    def _levels_of(
        self, sequences: Sequence[str], length: int, advance: Advance
    ) -> Float64[np.ndarray, " sequences"]:
        likelihoods = self.scorer.log_likelihoods(sequences, advance=advance)
        if self.strategy == "likelihood":
            return likelihoods
        return likelihoods * length / np.array([len(s) for s in sequences])


def build_effects(options: VariantOptions) -> tuple[Job, Effects]:
    """Loads the model and checks that it can do what is asked for.

    Raises:
        CheckpointError: there is no such model, or it is damaged.
        OptionError: an option does not suit the model or the machine.
    """
    job, scorer = build_scorer(options)
    return job, Effects(scorer=scorer, strategy=choose_strategy(scorer, options.strategy))
