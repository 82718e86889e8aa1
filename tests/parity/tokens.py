"""Tokenizers against reference tokenizers, on many random and nasty sequences."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from bioseq.tokenizer import Tokenizer

NUM_SEQUENCES = 10_000
_PLACES = (5, 40, 150, 600)  # short ones often: their ends matter


def nasty_sequences(symbols: str, rare: str, *, count: int = NUM_SEQUENCES) -> list[str]:
    """Makes sequences: empty, single symbols, runs, rare symbols at the ends, mixed case, long.

    Args:
        symbols: What most of a sequence consists of.
        rare: Ambiguity codes, marks and whatever else the alphabet accepts.
        count: How many.
    """
    rng = random.Random(0)
    everything = symbols + rare
    fixed = ["", *everything, *everything.lower(), everything, everything.lower()]
    fixed += [symbol * 70 for symbol in everything]
    fixed += [a + b for a in rare for b in everything] + [b + a for a in rare for b in everything]
    fixed += ["".join(rng.choices(everything, k=5_000))]
    return (fixed + [_draw(rng, symbols, rare) for _ in range(count)])[:count]


def _draw(rng: random.Random, symbols: str, rare: str) -> str:
    length = rng.randint(1, rng.choice(_PLACES))
    share = rng.choice((0.0, 0.02, 0.5))
    sequence = "".join(rng.choice(rare if rng.random() < share else symbols) for _ in range(length))
    if rng.random() < 0.2:  # a run of one symbol in between
        place = rng.randint(0, length)
        sequence = sequence[:place] + rng.choice(rare) * rng.randint(1, 30) + sequence[place:]
    if rng.random() < 0.1:
        sequence = "".join(s.lower() if rng.random() < 0.3 else s for s in sequence)
    return sequence


def assert_same_tokens(
    tokenizer: Tokenizer,
    reference: Callable[[str], Sequence[int]],
    sequences: Sequence[str],
    *,
    read_as: Callable[[str], str] = lambda sequence: sequence,
) -> int:
    """Asserts that both tokenize every sequence alike.

    Args:
        tokenizer: Ours.
        reference: Gives the reference's ids, specials included.
        sequences: What to compare on.
        read_as: Where ours differs on purpose: the text that the reference must be given to read a
            sequence as ours does.

    Returns:
        How many sequences the reference had to be given as another text.
    """
    differing = 0
    tokens = tokenizer.encode(sequences)
    bounds = tokens.offsets.tolist()
    for sequence, start, end in zip(sequences, bounds[:-1], bounds[1:], strict=True):
        text = read_as(sequence)
        differing += text != sequence
        ours = tokens.ids[start:end].tolist()
        assert ours == list(reference(text)), f"{sequence!r} read as {text!r}"
    return differing
