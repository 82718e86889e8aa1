"""From a tokenizer's plain data back to the tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from bioseq.errors import OptionError
from bioseq.tokenizer.bpe import BpeTokenizer
from bioseq.tokenizer.codon import CodonTokenizer
from bioseq.tokenizer.kmer import KmerTokenizer
from bioseq.tokenizer.residue import ResidueTokenizer
from bioseq.tokenizer.tokens import Tokenizer
from bioseq.tokenizer.vocabulary import Vocabulary

_CLASSES: Mapping[str, type] = {
    "residue": ResidueTokenizer,
    "kmer": KmerTokenizer,
    "codon": CodonTokenizer,
    "bpe": BpeTokenizer,
}


def build_tokenizer(config: Mapping[str, Any]) -> Tokenizer:
    """Builds the tokenizer that `to_config` described.

    Args:
        config: Plain data, as read back from JSON.

    Raises:
        OptionError: the kind is unknown, or a field is missing, unknown or impossible.
    """
    options = dict(config)
    kind = options.pop("kind", None)
    if kind not in _CLASSES:
        raise OptionError("tokenizer kind", kind, allowed=_CLASSES)
    if "tokens" in options:
        options["vocabulary"] = Vocabulary(tuple(options.pop("tokens")))
    for specials in {"prefix", "suffix"} & options.keys():
        options[specials] = tuple(options[specials])
    _check_fields(_CLASSES[kind], options)
    return _CLASSES[kind](**options)


def _check_fields(tokenizer: type, options: Mapping[str, Any]) -> None:
    optional = {
        field.name: field.default is not MISSING or field.default_factory is not MISSING
        for field in fields(tokenizer)
    }
    missing = [name for name, may_miss in optional.items() if not may_miss and name not in options]
    if missing or options.keys() - optional.keys():
        raise OptionError("tokenizer fields", sorted(options), allowed=optional)
