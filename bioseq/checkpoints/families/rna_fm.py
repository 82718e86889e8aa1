"""RNA-FM in its authors' file: an ESM-1b over the bases, laid out as in fair-esm.

Source: Chen et al. 2022 (RNA-FM); names and vocabulary as its `fm` package reads them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from torch import Tensor

from bioseq.checkpoints.families.fair_esm import FAIR_ESM1
from bioseq.checkpoints.families.family import Family
from bioseq.checkpoints.keymap import Ignored, Rule
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.models import Encoder, TransformerEncoder
from bioseq.tokenizer import ResidueTokenizer, Tokenizer, Vocabulary

_TOKENS = (
    *("<cls>", "<pad>", "<eos>", "<unk>"),
    *"ACGURYKMSWBDHVN-",
    *(f"<null_{number}>" for number in (1, 2, 3, 4)),
    "<mask>",
)
_MASK = _TOKENS.index("<mask>")
_TABLE = "sentence_encoder.embed_tokens.weight"


def _without_mask(table: Tensor) -> Tensor:
    """Zeroes the mask token's row, as the authors' code does."""
    table = table.clone()
    table[_MASK] = 0
    return table


_RULES: Sequence[Rule | Ignored] = (
    Rule("encoder.embedding.tokens.weight", (_TABLE,), _without_mask),
    Rule("head.output.weight", ("lm_head.weight",), _without_mask),
    *FAIR_ESM1.rules,
)


def build_rna_fm_tokenizer() -> ResidueTokenizer:
    """Builds the tokenizer of RNA-FM; T reads as U, which the authors' code reads as unknown."""
    return ResidueTokenizer(
        molecule="rna",
        vocabulary=Vocabulary(_TOKENS),
        prefix=("<cls>",),
        suffix=("<eos>",),
        unknown="<unk>",  # the stop mark and the dot
    )


def _matches(snapshot: Snapshot) -> bool:
    name = f"{FAIR_ESM1.prefix}{_TABLE}"
    if not FAIR_ESM1.matches(snapshot) or name not in snapshot.weights.names:
        return False
    return len(snapshot.weights.read(name)) == len(_TOKENS)


def _build_tokenizer(snapshot: Snapshot) -> Tokenizer:
    return build_rna_fm_tokenizer()


def _build_encoder(snapshot: Snapshot) -> Encoder:
    config = FAIR_ESM1.build_encoder(snapshot).config
    mask = None if config.mask_token is None else _MASK
    return TransformerEncoder(
        dataclasses.replace(config, vocabulary_size=len(_TOKENS), mask_token=mask)
    )


RNA_FM = Family(
    name="RNA-FM",
    matches=_matches,
    build_encoder=_build_encoder,
    build_tokenizer=_build_tokenizer,
    build_head=FAIR_ESM1.build_head,
    rules=_RULES,
    prefix=FAIR_ESM1.prefix,
    head_mark=FAIR_ESM1.head_mark,
)
