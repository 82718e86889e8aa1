"""AlphaFold 2 parameter files (`params_model_*.npz`): names, key map and shape of the trunk.

Source: the parameter layout of AlphaFold 2's released monomer models.
"""

from __future__ import annotations

from bioseq.checkpoints.axial.alphafold_layers import (
    Rules,
    evoformer_rules,
    linear_rules,
    norm_rules,
    pair_block_rules,
)
from bioseq.checkpoints.axial.shapes import Shapes
from bioseq.checkpoints.axial.transforms import join_heads, merge_heads
from bioseq.checkpoints.keymap import Rule
from bioseq.checkpoints.weights import Weights
from bioseq.models.alphafold_trunk import AlphaFoldTrunkConfig
from bioseq.models.evoformer import EvoformerConfig
from bioseq.models.template import TemplateConfig
from bioseq.nn.axial import PairConfig

ROOT = "alphafold/alphafold_iteration"
_TRUNK = f"{ROOT}/evoformer"
_MAIN = f"{_TRUNK}/evoformer_iteration"
_EXTRA = f"{_TRUNK}/extra_msa_stack"
_TEMPLATE = f"{_TRUNK}/template_embedding"
_SINGLE_TEMPLATE = f"{_TEMPLATE}/single_template_embedding"
_TEMPLATE_BLOCK = f"{_SINGLE_TEMPLATE}/template_pair_stack/__layer_stack_no_state"
_BLOCK = "[{layer}]"

STACKED = (f"{_MAIN}/", f"{_EXTRA}/", f"{_TEMPLATE_BLOCK}/")


def trunk_rules(ours: str = "trunk") -> Rules:
    """The whole trunk, with and without templates; for names that `unstack` gave."""
    return (
        *linear_rules(f"{ours}.input.target", f"{_TRUNK}/preprocess_1d"),
        *linear_rules(f"{ours}.input.msa", f"{_TRUNK}/preprocess_msa"),
        *linear_rules(f"{ours}.input.left", f"{_TRUNK}/left_single"),
        *linear_rules(f"{ours}.input.right", f"{_TRUNK}/right_single"),
        *norm_rules(f"{ours}.recycling.row_norm", f"{_TRUNK}/prev_msa_first_row_norm"),
        *norm_rules(f"{ours}.recycling.pair_norm", f"{_TRUNK}/prev_pair_norm"),
        *linear_rules(f"{ours}.recycling.distance", f"{_TRUNK}/prev_pos_linear"),
        *linear_rules(f"{ours}.relative_position.linear", f"{_TRUNK}/pair_activiations"),
        *linear_rules(f"{ours}.extra_input", f"{_TRUNK}/extra_msa_activations"),
        *linear_rules(f"{ours}.single", f"{_TRUNK}/single_activations"),
        *evoformer_rules(f"{ours}.extra.blocks.{{layer}}", _EXTRA, _BLOCK),
        *evoformer_rules(f"{ours}.evoformer.blocks.{{layer}}", _MAIN, _BLOCK),
        *_template_rules(ours),
    )


def head_rules(ours: str = "heads") -> Rules:
    """The heads that read the trunk alone."""
    names = {
        "distogram": "distogram_head/half_logits",
        "masked_msa": "masked_msa_head/logits",
        "resolved": "experimentally_resolved_head/logits",
    }
    return tuple(
        rule
        for name, scope in names.items()
        for rule in linear_rules(f"{ours}.{name}.linear", f"{ROOT}/{scope}")
    )


def _template_rules(ours: str) -> Rules:
    attention, theirs = f"{ours}.template_attention", f"{_TEMPLATE}/attention"
    pairs, rows = f"{ours}.template_pairs", f"{ours}.template_rows"
    return (
        *linear_rules(f"{pairs}.linear", f"{_SINGLE_TEMPLATE}/embedding2d"),
        *pair_block_rules(f"{pairs}.blocks.{{layer}}", _TEMPLATE_BLOCK, _BLOCK),
        *norm_rules(f"{pairs}.norm", f"{_SINGLE_TEMPLATE}/output_layer_norm"),
        Rule(f"{attention}.query.weight", (f"{theirs}//query_w",), join_heads),
        Rule(
            f"{attention}.key_value.weight",
            (f"{theirs}//key_w", f"{theirs}//value_w"),
            join_heads,
        ),
        Rule(f"{attention}.output.weight", (f"{theirs}//output_w",), merge_heads),
        Rule(f"{attention}.output.bias", (f"{theirs}//output_b",)),
        *linear_rules(f"{rows}.up", f"{_TRUNK}/template_single_embedding"),
        *linear_rules(f"{rows}.output", f"{_TRUNK}/template_projection"),
    )


def trunk_config(weights: Weights) -> AlphaFoldTrunkConfig:
    """Reads the shape of the trunk off the arrays of a parameter file.

    Raises:
        CheckpointError: an array that every model has is missing.
    """
    shapes = Shapes(weights)
    target_features, _ = shapes[f"{_TRUNK}/preprocess_1d//weights"]
    extra_features, _ = shapes[f"{_TRUNK}/extra_msa_activations//weights"]
    msa_features, _ = shapes[f"{_TRUNK}/preprocess_msa//weights"]
    _, single_dim = shapes[f"{_TRUNK}/single_activations//weights"]
    positions, _ = shapes[f"{_TRUNK}/pair_activiations//weights"]
    return AlphaFoldTrunkConfig(
        target_features=target_features,
        msa_features=msa_features,
        extra_features=extra_features,
        single_dim=single_dim,
        evoformer=_evoformer_config(shapes, _MAIN),
        extra=_evoformer_config(shapes, _EXTRA),
        templates=_template_config(shapes),
        max_distance=positions // 2,
    )


def _evoformer_config(shapes: Shapes, scope: str) -> EvoformerConfig:
    query = shapes[f"{scope}/msa_row_attention_with_pair_bias/attention//query_w"]
    num_blocks, msa_dim, num_heads, head_dim = query
    *_, hidden_dim = shapes[f"{scope}/msa_transition/transition1//weights"]
    *_, outer_dim = shapes[f"{scope}/outer_product_mean/left_projection//weights"]
    full = f"{scope}/msa_column_attention/attention//query_w" in shapes
    return EvoformerConfig(
        num_blocks=num_blocks,
        msa_dim=msa_dim,
        num_heads=num_heads,
        head_dim=head_dim,
        column="full" if full else "global",
        outer_dim=outer_dim,
        transition_factor=hidden_dim // msa_dim,
        pair=_pair_config(shapes, scope),
    )


def _pair_config(shapes: Shapes, scope: str, *, attention_first: bool = False) -> PairConfig:
    query = shapes[f"{scope}/triangle_attention_starting_node/attention//query_w"]
    _, dim, num_heads, head_dim = query
    *_, hidden_dim = shapes[f"{scope}/pair_transition/transition1//weights"]
    multiplication = f"{scope}/triangle_multiplication_outgoing/output_projection//weights"
    return PairConfig(
        dim=dim,
        multiplication_dim=shapes[multiplication][1],
        num_heads=num_heads,
        head_dim=head_dim,
        transition_factor=hidden_dim // dim,
        attention_first=attention_first,
    )


def _template_config(shapes: Shapes) -> TemplateConfig | None:
    query = f"{_TEMPLATE}/attention//query_w"
    if query not in shapes:
        return None
    _, num_heads, head_dim = shapes[query]
    stacked = f"{_TEMPLATE_BLOCK}/pair_transition/transition1//weights"
    return TemplateConfig(
        num_blocks=shapes[stacked][0],
        pair=_pair_config(shapes, _TEMPLATE_BLOCK, attention_first=True),
        num_heads=num_heads,
        head_dim=head_dim,
    )
