"""Key maps of single OpenFold layers: names of its state dict.

Each function takes where the layer stands in our model and in theirs. OpenFold stores matrices as
torch does.

Source: the module names of OpenFold (Ahdritz et al. 2024).
"""

from __future__ import annotations

from bioseq.checkpoints.axial.transforms import join_sides
from bioseq.checkpoints.keymap import Rule, concatenate, joined, pair

Rules = tuple[Rule, ...]


def attention_rules(ours: str, theirs: str) -> Rules:
    """A gated attention."""
    inputs = tuple(f"{theirs}.linear_{name}.weight" for name in "qkvg")
    return (
        Rule(f"{ours}.projection.weight", inputs, concatenate),
        Rule(f"{ours}.gate_bias", (f"{theirs}.linear_g.bias",)),
        *pair(f"{ours}.output", f"{theirs}.linear_o"),
    )


def row_attention_rules(ours: str, theirs: str) -> Rules:
    """MSA row attention with pair bias."""
    return (
        *pair(f"{ours}.norm", f"{theirs}.layer_norm_m"),
        *pair(f"{ours}.pair_norm", f"{theirs}.layer_norm_z"),
        Rule(f"{ours}.pair_bias.weight", (f"{theirs}.linear_z.weight",)),
        *attention_rules(f"{ours}.attention", f"{theirs}.mha"),
    )


def column_attention_rules(ours: str, theirs: str) -> Rules:
    """MSA column attention."""
    return (
        *pair(f"{ours}.norm", f"{theirs}._msa_att.layer_norm_m"),
        *attention_rules(f"{ours}.attention", f"{theirs}._msa_att.mha"),
    )


def global_attention_rules(ours: str, theirs: str) -> Rules:
    """MSA global column attention."""
    inner = f"{theirs}.global_attention"
    key_value = (f"{inner}.linear_k.weight", f"{inner}.linear_v.weight")
    return (
        *pair(f"{ours}.norm", f"{theirs}.layer_norm_m"),
        Rule(f"{ours}.query.weight", (f"{inner}.linear_q.weight",)),
        Rule(f"{ours}.key_value.weight", key_value, concatenate),
        *pair(f"{ours}.gate", f"{inner}.linear_g"),
        *pair(f"{ours}.output", f"{inner}.linear_o"),
    )


def transition_rules(ours: str, theirs: str) -> Rules:
    """A transition of the MSA or the pair representation."""
    return (
        *pair(f"{ours}.norm", f"{theirs}.layer_norm"),
        *pair(f"{ours}.up", f"{theirs}.linear_1"),
        *pair(f"{ours}.down", f"{theirs}.linear_2"),
    )


def outer_product_rules(ours: str, theirs: str) -> Rules:
    """The outer product mean."""
    return (
        *pair(f"{ours}.norm", f"{theirs}.layer_norm"),
        *joined(f"{ours}.factors", theirs, ("linear_1", "linear_2")),
        *pair(f"{ours}.output", f"{theirs}.linear_out"),
    )


def triangle_attention_rules(ours: str, theirs: str) -> Rules:
    """Triangle attention around the starting or the ending node."""
    return (
        *pair(f"{ours}.norm", f"{theirs}.layer_norm"),
        Rule(f"{ours}.pair_bias.weight", (f"{theirs}.linear.weight",)),
        *attention_rules(f"{ours}.attention", f"{theirs}.mha"),
    )


def triangle_multiplication_rules(ours: str, theirs: str) -> Rules:
    """Triangle multiplication, with separate or with fused projections; sides as in the paper."""
    separate = ("linear_a_p", "linear_a_g", "linear_b_p", "linear_b_g")
    fused = ("linear_ab_p", "linear_ab_g")
    return (
        *pair(f"{ours}.norm", f"{theirs}.layer_norm_in"),
        *joined(f"{ours}.projection", theirs, separate),
        *joined(f"{ours}.projection", theirs, fused, join_sides),
        *pair(f"{ours}.output_norm", f"{theirs}.layer_norm_out"),
        *pair(f"{ours}.output", f"{theirs}.linear_z"),
        *pair(f"{ours}.output_gate", f"{theirs}.linear_g"),
    )


def pair_block_rules(ours: str, theirs: str) -> Rules:
    """The pair part of a block."""
    return (
        *triangle_multiplication_rules(f"{ours}.multiplication_outgoing", f"{theirs}.tri_mul_out"),
        *triangle_multiplication_rules(f"{ours}.multiplication_incoming", f"{theirs}.tri_mul_in"),
        *triangle_attention_rules(f"{ours}.attention_starting", f"{theirs}.tri_att_start"),
        *triangle_attention_rules(f"{ours}.attention_ending", f"{theirs}.tri_att_end"),
        *transition_rules(f"{ours}.transition", f"{theirs}.pair_transition"),
    )


def evoformer_rules(ours: str, theirs: str) -> Rules:
    """A block with full or global column attention, in the first and the second layout."""
    rules = (
        *row_attention_rules(f"{ours}.row_attention", f"{theirs}.msa_att_row"),
        *column_attention_rules(f"{ours}.column_attention", f"{theirs}.msa_att_col"),
        *global_attention_rules(f"{ours}.column_attention", f"{theirs}.msa_att_col"),
        *pair_block_rules(f"{ours}.pair_block", f"{theirs}.pair_stack"),
        *pair_block_rules(f"{ours}.pair_block", f"{theirs}.core"),
    )
    for part in (theirs, f"{theirs}.core"):
        rules += transition_rules(f"{ours}.msa_transition", f"{part}.msa_transition")
        rules += outer_product_rules(f"{ours}.outer_product", f"{part}.outer_product_mean")
    return rules
