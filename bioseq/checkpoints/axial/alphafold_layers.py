"""Key maps of single AlphaFold 2 layers: names of the parameter files, `scope//name`.

Each function takes where the layer stands in our model and in the file, and how the file's names
end: with `[{layer}]` in a stack, whose blocks the files keep in one array.

Source: the scopes that AlphaFold 2's Haiku modules give their parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bioseq.checkpoints.axial.transforms import (
    flatten,
    join_heads,
    join_sides,
    merge_factors,
    merge_heads,
    transpose_all,
)
from bioseq.checkpoints.keymap import Rule, concatenate, transpose

Rules = tuple[Rule, ...]
MakeRules = Callable[..., Rules]


def norm_rules(ours: str, scope: str, end: str = "") -> Rules:
    """A layer norm."""
    return (
        Rule(f"{ours}.weight", (f"{scope}//scale{end}",)),
        Rule(f"{ours}.bias", (f"{scope}//offset{end}",)),
    )


def linear_rules(ours: str, scope: str, end: str = "") -> Rules:
    """A linear map."""
    return (
        Rule(f"{ours}.weight", (f"{scope}//weights{end}",), transpose),
        Rule(f"{ours}.bias", (f"{scope}//bias{end}",)),
    )


def attention_rules(ours: str, scope: str, end: str = "") -> Rules:
    """A gated attention."""
    inputs = ("query_w", "key_w", "value_w", "gating_w")
    return (
        Rule(
            f"{ours}.projection.weight",
            tuple(f"{scope}//{name}{end}" for name in inputs),
            join_heads,
        ),
        Rule(f"{ours}.gate_bias", (f"{scope}//gating_b{end}",), flatten),
        Rule(f"{ours}.output.weight", (f"{scope}//output_w{end}",), merge_heads),
        Rule(f"{ours}.output.bias", (f"{scope}//output_b{end}",)),
    )


def row_attention_rules(ours: str, scope: str, end: str = "") -> Rules:
    """MSA row attention with pair bias."""
    return (
        *norm_rules(f"{ours}.norm", f"{scope}/query_norm", end),
        *norm_rules(f"{ours}.pair_norm", f"{scope}/feat_2d_norm", end),
        Rule(f"{ours}.pair_bias.weight", (f"{scope}//feat_2d_weights{end}",), transpose),
        *attention_rules(f"{ours}.attention", f"{scope}/attention", end),
    )


def column_attention_rules(ours: str, scope: str, end: str = "") -> Rules:
    """MSA column attention."""
    return (
        *norm_rules(f"{ours}.norm", f"{scope}/query_norm", end),
        *attention_rules(f"{ours}.attention", f"{scope}/attention", end),
    )


def global_attention_rules(ours: str, scope: str, end: str = "") -> Rules:
    """MSA global column attention, whose keys and values have one head."""
    inner = f"{scope}/attention"
    return (
        *norm_rules(f"{ours}.norm", f"{scope}/query_norm", end),
        Rule(f"{ours}.query.weight", (f"{inner}//query_w{end}",), join_heads),
        Rule(
            f"{ours}.key_value.weight",
            (f"{inner}//key_w{end}", f"{inner}//value_w{end}"),
            transpose_all,
        ),
        Rule(f"{ours}.gate.weight", (f"{inner}//gating_w{end}",), join_heads),
        Rule(f"{ours}.gate.bias", (f"{inner}//gating_b{end}",), flatten),
        Rule(f"{ours}.output.weight", (f"{inner}//output_w{end}",), merge_heads),
        Rule(f"{ours}.output.bias", (f"{inner}//output_b{end}",)),
    )


def transition_rules(ours: str, scope: str, end: str = "") -> Rules:
    """A transition of the MSA or the pair representation."""
    return (
        *norm_rules(f"{ours}.norm", f"{scope}/input_layer_norm", end),
        *linear_rules(f"{ours}.up", f"{scope}/transition1", end),
        *linear_rules(f"{ours}.down", f"{scope}/transition2", end),
    )


def outer_product_rules(ours: str, scope: str, end: str = "") -> Rules:
    """The outer product mean."""
    sides = (f"{scope}/left_projection", f"{scope}/right_projection")
    return (
        *norm_rules(f"{ours}.norm", f"{scope}/layer_norm_input", end),
        Rule(
            f"{ours}.factors.weight",
            tuple(f"{side}//weights{end}" for side in sides),
            transpose_all,
        ),
        Rule(f"{ours}.factors.bias", tuple(f"{side}//bias{end}" for side in sides), concatenate),
        Rule(f"{ours}.output.weight", (f"{scope}//output_w{end}",), merge_factors),
        Rule(f"{ours}.output.bias", (f"{scope}//output_b{end}",)),
    )


def triangle_attention_rules(ours: str, scope: str, end: str = "") -> Rules:
    """Triangle attention around the starting or the ending node."""
    return (
        *norm_rules(f"{ours}.norm", f"{scope}/query_norm", end),
        Rule(f"{ours}.pair_bias.weight", (f"{scope}//feat_2d_weights{end}",), transpose),
        *attention_rules(f"{ours}.attention", f"{scope}/attention", end),
    )


def triangle_multiplication_rules(ours: str, scope: str, end: str = "", *, outgoing: bool) -> Rules:
    """Triangle multiplication, with separate projections or with the fused ones of version 3.

    In the files, the left side of the incoming multiplication belongs to j.
    """
    sides = ("left", "right") if outgoing else ("right", "left")
    parts = [f"{scope}/{side}_{kind}" for side in sides for kind in ("projection", "gate")]
    fused = (f"{scope}/projection", f"{scope}/gate")
    return (
        *norm_rules(f"{ours}.norm", f"{scope}/layer_norm_input", end),
        *norm_rules(f"{ours}.norm", f"{scope}/left_norm_input", end),
        Rule(
            f"{ours}.projection.weight",
            tuple(f"{part}//weights{end}" for part in parts),
            transpose_all,
        ),
        Rule(
            f"{ours}.projection.weight",
            tuple(f"{part}//weights{end}" for part in fused),
            partial(join_sides, swapped=not outgoing, transposed=True),
        ),
        Rule(f"{ours}.projection.bias", tuple(f"{part}//bias{end}" for part in parts), concatenate),
        Rule(
            f"{ours}.projection.bias",
            tuple(f"{part}//bias{end}" for part in fused),
            partial(join_sides, swapped=not outgoing),
        ),
        *norm_rules(f"{ours}.output_norm", f"{scope}/center_layer_norm", end),
        *norm_rules(f"{ours}.output_norm", f"{scope}/center_norm", end),
        *linear_rules(f"{ours}.output", f"{scope}/output_projection", end),
        *linear_rules(f"{ours}.output_gate", f"{scope}/gating_linear", end),
    )


def pair_block_rules(ours: str, scope: str, end: str = "") -> Rules:
    """The pair part of a block."""
    rules: list[Rule] = []
    for side in ("outgoing", "incoming"):
        rules += triangle_multiplication_rules(
            f"{ours}.multiplication_{side}",
            f"{scope}/triangle_multiplication_{side}",
            end,
            outgoing=side == "outgoing",
        )
    for node in ("starting", "ending"):
        rules += triangle_attention_rules(
            f"{ours}.attention_{node}", f"{scope}/triangle_attention_{node}_node", end
        )
    return (*rules, *transition_rules(f"{ours}.transition", f"{scope}/pair_transition", end))


def evoformer_rules(ours: str, scope: str, end: str = "") -> Rules:
    """A block with full or global column attention."""
    full, whole = "msa_column_attention", "msa_column_global_attention"
    return (
        *row_attention_rules(
            f"{ours}.row_attention", f"{scope}/msa_row_attention_with_pair_bias", end
        ),
        *column_attention_rules(f"{ours}.column_attention", f"{scope}/{full}", end),
        *global_attention_rules(f"{ours}.column_attention", f"{scope}/{whole}", end),
        *transition_rules(f"{ours}.msa_transition", f"{scope}/msa_transition", end),
        *outer_product_rules(f"{ours}.outer_product", f"{scope}/outer_product_mean", end),
        *pair_block_rules(f"{ours}.pair_block", scope, end),
    )
