"""Byte pair encoding as in DNABERT-2: tokens of unequal length, learned from a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
from jaxtyping import Int64

from bioseq.alphabet import ALPHABETS, Alphabet
from bioseq.errors import AlphabetError, FormatError, OptionError
from bioseq.tokenizer.tokens import Tokens, frame_tokens
from bioseq.tokenizer.vocabulary import Vocabulary
from bioseq.typing import AnyPath, Molecule

_FORMAT = "Hugging Face tokenizer JSON with a BPE model"


@dataclass(frozen=True, kw_only=True)
class BpeTokenizer:
    """Gives tokens of unequal length by the merges of a Hugging Face tokenizer.

    What that tokenizer would do besides is left out: its special tokens (the prefix and suffix are
    given here), its truncation, padding and dropout. A symbol that its vocabulary cannot express is
    its unknown token, and an error where it declares none. Lower case reads as upper case, and T
    and U as the same base; the original reads what is not in its vocabulary as unknown.

    Args:
        molecule: Which alphabet the sequences are written in.
        definition: The tokenizer as JSON, the content of a `tokenizer.json`.
        prefix: Special tokens before each sequence.
        suffix: Special tokens behind each sequence.

    Raises:
        OptionError: the definition is no BPE tokenizer, adds symbols of its own, or lacks a special
            token.

    Source: Sennrich et al. 2016; Zhou et al. 2024 (DNABERT-2), section 3.1.
    """

    molecule: Molecule
    definition: str
    prefix: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.molecule not in ALPHABETS:
            raise OptionError("molecule", self.molecule, allowed=ALPHABETS)
        unknown = () if self.unknown is None else (self.unknown,)
        self.vocabulary.ids((*self.prefix, *self.suffix, *unknown))
        for symbol in self.alphabet.symbols:
            spans = self._split(symbol).offsets
            if spans not in ([], [(0, 1)]):
                expected = f"at most one token for {symbol!r} alone"
                raise OptionError("tokenizer definition", spans, allowed=expected)

    @property
    def alphabet(self) -> Alphabet:
        """The symbols that sequences may hold."""
        return ALPHABETS[self.molecule]

    @cached_property
    def _model(self) -> tokenizers.Tokenizer:
        model = _parse_definition(self.definition)
        model.no_truncation()
        model.no_padding()
        model.model.dropout = None
        return model

    def _split(self, text: str) -> tokenizers.Encoding:
        return self._model.encode(text, add_special_tokens=False)

    @property
    def vocabulary(self) -> Vocabulary:
        """The definition's tokens."""
        return self._vocabulary

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        ids = self._model.get_vocab(with_added_tokens=True)
        if sorted(ids.values()) != list(range(len(ids))):
            gap = f"each of 0 to {len(ids) - 1} once"
            raise OptionError("token ids", f"up to {max(ids.values())}", allowed=gap)
        return Vocabulary(tuple(sorted(ids, key=ids.__getitem__)))

    @property
    def unknown(self) -> str | None:
        """The definition's unknown token."""
        return self._model.model.unk_token

    @cached_property
    def _upper_case(self) -> dict[int, str]:
        """How each symbol reads, by character code."""
        upper = {symbol: symbol for symbol in self.alphabet.symbols} | dict(self.alphabet.aliases)
        return str.maketrans(upper | {symbol.lower(): read for symbol, read in upper.items()})

    @cached_property
    def _tokenless(self) -> str:
        """The symbols that the definition drops without a word."""
        return "".join(symbol for symbol in self.alphabet.symbols if not self._split(symbol).ids)

    def encode(self, sequences: Sequence[str]) -> Tokens:
        """Tokenizes sequences, in order.

        Raises:
            AlphabetError: a symbol has no token.
        """
        texts = [self._read(sequence) for sequence in sequences]
        encodings = self._model.encode_batch_fast(texts, add_special_tokens=False)
        counts = np.fromiter(map(len, encodings), dtype=np.int64, count=len(encodings))
        ids = chain.from_iterable(encoding.ids for encoding in encodings)
        content = np.fromiter(ids, dtype=self.vocabulary.dtype, count=counts.sum())
        return frame_tokens(content, counts, self)

    def _read(self, sequence: str) -> str:
        self.alphabet.check(sequence)
        text = sequence.translate(self._upper_case)
        places = [place for place in map(text.find, self._tokenless) if place >= 0]
        if places:
            first = min(places)
            raise AlphabetError(sequence[first], position=first + 1, alphabet="model's")
        return text

    def spans(self, sequence: str) -> Int64[np.ndarray, "tokens 2"]:
        """Returns start and end of each token in the sequence.

        Raises:
            AlphabetError: a symbol has no token.
        """
        offsets = self._split(self._read(sequence)).offsets
        return np.array(offsets, dtype=np.int64).reshape(-1, 2)

    def to_config(self) -> dict[str, Any]:
        """Returns plain data from which `build_tokenizer` makes the same tokenizer."""
        return {
            "kind": "bpe",
            "molecule": self.molecule,
            "definition": self.definition,
            "prefix": list(self.prefix),
            "suffix": list(self.suffix),
        }


def _parse_definition(definition: str) -> tokenizers.Tokenizer:
    try:
        model = tokenizers.Tokenizer.from_str(definition)
    except Exception as error:  # the library raises nothing narrower
        raise OptionError("tokenizer definition", str(error), allowed=_FORMAT) from error
    if not isinstance(model.model, tokenizers.models.BPE):
        raise OptionError("tokenizer definition", type(model.model).__name__, allowed=_FORMAT)
    for affix in ("continuing_subword_prefix", "end_of_word_suffix"):
        if getattr(model.model, affix):
            # With one, whether a symbol has a token would depend on its place in the sequence.
            raise OptionError(affix, getattr(model.model, affix), allowed="none")
    return model


def load_bpe_tokenizer(
    path: AnyPath,
    *,
    molecule: Molecule,
    prefix: tuple[str, ...] = (),
    suffix: tuple[str, ...] = (),
) -> BpeTokenizer:
    """Loads a Hugging Face `tokenizer.json`.

    Raises:
        FormatError: the file is not the JSON of a BPE tokenizer.
        OptionError: the tokenizer lacks a special token.
    """
    try:
        definition = Path(path).read_text(encoding="utf-8")
        _parse_definition(definition)
    except (UnicodeDecodeError, OptionError) as error:
        raise FormatError("tokenizer", path=path, found=str(error), expected=_FORMAT) from error
    return BpeTokenizer(molecule=molecule, definition=definition, prefix=prefix, suffix=suffix)
