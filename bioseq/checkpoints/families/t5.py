"""ProtT5, ProstT5 and Ankh: the encoder of a T5 model, in the layout of Hugging Face.

Source: Elnaggar et al. 2022 (ProtT5); Heinzinger et al. 2024 (ProstT5); Elnaggar et al. 2023
(Ankh); names and arithmetic as in transformers' `T5EncoderModel` (Raffel et al. 2020).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from bioseq.alphabet import PROTEIN
from bioseq.checkpoints.families.family import Family
from bioseq.checkpoints.families.pieces import read_pieces
from bioseq.checkpoints.keymap import Ignored, Rule, concatenate
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.errors import CheckpointError
from bioseq.models import Encoder, TransformerConfig, TransformerEncoder
from bioseq.nn.feed_forward import Activation
from bioseq.tokenizer import ResidueTokenizer, Tokenizer, Vocabulary

_SPECIALS = ("<pad>", "</s>", "<unk>")
_RESIDUES = "ALGVSREDTIPKFQNYMHWC"  # in the order of their ids, in all of these models
_BLANK = "▁"
_TO_PROTEIN = "<AA2fold>"  # tells ProstT5 that residues follow, not the letters of structure
_EXTRA_IDS = 100
_READ_AS_X = "UZOB"

# The published vocabulary of ProtT5, and what ProstT5 added to it.
_PROTT5_TOKENS = (
    *_SPECIALS,
    *(f"{_BLANK}{symbol}" for symbol in f"{_RESIDUES}XBOUZ"),
    *(f"<extra_id_{number}>" for number in reversed(range(_EXTRA_IDS))),
)
_PROSTT5_TOKENS = (*_PROTT5_TOKENS, *"algvsredtipkfqnymhwc", "<fold2AA>", _TO_PROTEIN)

_ACTIVATIONS: Mapping[str, tuple[Activation, bool]] = {
    "relu": ("relu", False),
    "gated-gelu": ("gelu_tanh", True),
}

_OURS = "encoder.layers.{layer}"
_ATTENTION = "encoder.block.{layer}.layer.0"
_FEED_FORWARD = "encoder.block.{layer}.layer.1"
_PROJECTIONS = tuple(f"{_ATTENTION}.SelfAttention.{name}.weight" for name in "qkv")
_TABLE = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
_DECODER = "decoder.block.{layer}.layer"
_NO_DECODER = "the decoder is not used"
_RULES: Sequence[Rule | Ignored] = (
    Rule("encoder.embedding.tokens.weight", ("shared.weight",)),
    Rule("encoder.embedding.tokens.weight", ("encoder.embed_tokens.weight",)),
    Rule("encoder.relative.weight", (_TABLE,)),
    Rule(f"{_OURS}.attention_norm.weight", (f"{_ATTENTION}.layer_norm.weight",)),
    Rule(f"{_OURS}.attention.query_key_value.weight", _PROJECTIONS, concatenate),
    Rule(f"{_OURS}.attention.output.weight", (f"{_ATTENTION}.SelfAttention.o.weight",)),
    Rule(f"{_OURS}.feed_forward_norm.weight", (f"{_FEED_FORWARD}.layer_norm.weight",)),
    Rule(f"{_OURS}.feed_forward.up.weight", (f"{_FEED_FORWARD}.DenseReluDense.wi.weight",)),
    Rule(
        f"{_OURS}.feed_forward.up.weight",
        tuple(f"{_FEED_FORWARD}.DenseReluDense.wi_{half}.weight" for half in (0, 1)),
        concatenate,
    ),
    Rule(f"{_OURS}.feed_forward.down.weight", (f"{_FEED_FORWARD}.DenseReluDense.wo.weight",)),
    Rule("encoder.final_norm.weight", ("encoder.final_layer_norm.weight",)),
    Ignored("encoder.embed_tokens.weight", "the same as shared.weight"),
    *(
        Ignored(f"{_DECODER}.{block}.{attention}.{name}.weight", _NO_DECODER)
        for block, attention in ((0, "SelfAttention"), (1, "EncDecAttention"))
        for name in (*"qkvo", "relative_attention_bias")
    ),
    *(
        Ignored(f"{_DECODER}.2.DenseReluDense.{name}.weight", _NO_DECODER)
        for name in ("wi", "wi_0", "wi_1", "wo")
    ),
    *(Ignored(f"{_DECODER}.{block}.layer_norm.weight", _NO_DECODER) for block in range(3)),
    Ignored("decoder.embed_tokens.weight", _NO_DECODER),
    Ignored("decoder.final_layer_norm.weight", _NO_DECODER),
    Ignored("lm_head.weight", _NO_DECODER),
)


def build_t5_tokenizer(
    pieces: Mapping[str, int], *, size: int, blank: bool, replace: bool, prefix: tuple[str, ...]
) -> ResidueTokenizer:
    """Builds the tokenizer of a T5 model of proteins: one piece a residue, `</s>` behind.

    Args:
        pieces: Ids by piece.
        size: Rows of the model's table of tokens.
        blank: Whether the pieces of residues have a blank in front.
        replace: Whether U, Z, O and B read as X.
        prefix: Special tokens in front.
    """
    named = {number: piece for piece, number in pieces.items()}
    tokens = tuple(named.get(number, f"<unused_{number}>") for number in range(size))
    read_as = {symbol: symbol for symbol in PROTEIN.symbols}
    read_as |= dict.fromkeys(_READ_AS_X, "X") if replace else {}
    spelt = {symbol: f"{_BLANK if blank else ''}{read}" for symbol, read in read_as.items()}
    return ResidueTokenizer(
        molecule="protein",
        vocabulary=Vocabulary(tokens),
        prefix=prefix,
        suffix=("</s>",),
        substitutions={symbol: piece for symbol, piece in spelt.items() if piece in tokens},
        unknown="<unk>",
    )


def _check_pieces(pieces: Mapping[str, int], snapshot: Snapshot, *, blank: bool) -> None:
    """Checks that the specials and residues have the ids that the weights were trained with."""
    mark = _BLANK if blank else ""
    expected = (*_SPECIALS, *(f"{mark}{symbol}" for symbol in _RESIDUES))
    for number, piece in enumerate(expected):
        if pieces.get(piece) != number:
            found = f"gives {piece} the id {pieces.get(piece)}"
            problem = f"the vocabulary beside the weights {found}, the published one {number}"
            raise CheckpointError(snapshot.path, f"{problem}; get the model again")


def _is_t5(snapshot: Snapshot) -> bool:
    return snapshot.config.get("model_type") == "t5"


def _is_gated(snapshot: Snapshot) -> bool:
    return str(snapshot.config.get("feed_forward_proj")).startswith("gated")


def _has_blanks(snapshot: Snapshot, *, published: tuple[str, ...]) -> bool:
    """Tells whether a model is one of those whose pieces have a blank in front, by their number."""
    size = snapshot.config.get("vocab_size")
    return _is_t5(snapshot) and not _is_gated(snapshot) and size == len(published)


def _is_ankh(snapshot: Snapshot) -> bool:
    return _is_t5(snapshot) and _is_gated(snapshot)


def _build_blank_tokenizer(
    snapshot: Snapshot, *, published: tuple[str, ...], prefix: tuple[str, ...]
) -> Tokenizer:
    pieces = read_pieces(snapshot) or {piece: number for number, piece in enumerate(published)}
    _check_pieces(pieces, snapshot, blank=True)
    size = snapshot.config["vocab_size"]
    return build_t5_tokenizer(pieces, size=size, blank=True, replace=True, prefix=prefix)


def _build_ankh_tokenizer(snapshot: Snapshot) -> Tokenizer:
    pieces = read_pieces(snapshot)
    if not pieces:
        problem = "no tokenizer.json, which tells Ankh's tokens; get the model again"
        raise CheckpointError(snapshot.path, problem)
    _check_pieces(pieces, snapshot, blank=False)
    size = snapshot.config["vocab_size"]
    return build_t5_tokenizer(pieces, size=size, blank=False, replace=False, prefix=())


def _build_encoder(snapshot: Snapshot) -> Encoder:
    config = snapshot.config
    if config["feed_forward_proj"] not in _ACTIVATIONS:
        problem = f"feed_forward_proj is {config['feed_forward_proj']!r}"
        known = ", ".join(_ACTIVATIONS)
        raise CheckpointError(snapshot.config_path, f"{problem}; bioseq reads {known}")
    activation, gated = _ACTIVATIONS[config["feed_forward_proj"]]
    return TransformerEncoder(
        TransformerConfig(
            vocabulary_size=config["vocab_size"],
            dim=config["d_model"],
            num_layers=config["num_layers"],
            num_heads=config["num_heads"],
            head_dim=config["d_kv"],
            feed_forward_dim=config["d_ff"],
            norm_kind="rms",
            norm_eps=config["layer_norm_epsilon"],
            attention_bias=False,
            attention_scale=1.0,
            position="relative",
            relative_buckets=config["relative_attention_num_buckets"],
            relative_distance=config["relative_attention_max_distance"],
            activation=activation,
            gated=gated,
            feed_forward_bias=False,
        )
    )


PROTT5 = Family(
    name="ProtT5",
    matches=partial(_has_blanks, published=_PROTT5_TOKENS),
    build_encoder=_build_encoder,
    build_tokenizer=partial(_build_blank_tokenizer, published=_PROTT5_TOKENS, prefix=()),
    rules=_RULES,
)
PROSTT5 = Family(
    name="ProstT5",
    matches=partial(_has_blanks, published=_PROSTT5_TOKENS),
    build_encoder=_build_encoder,
    build_tokenizer=partial(
        _build_blank_tokenizer, published=_PROSTT5_TOKENS, prefix=(_TO_PROTEIN,)
    ),
    rules=_RULES,
)
ANKH = Family(
    name="Ankh",
    matches=_is_ankh,
    build_encoder=_build_encoder,
    build_tokenizer=_build_ankh_tokenizer,
    rules=_RULES,
)
