"""OpenFold checkpoints: key map and shape of the trunk, for both layouts of its state dict.

The first layout (`finetuning_*.pt`) has a `core` in each block and the template modules at the top;
the second has a `pair_stack` and a `template_embedder`.

Source: the module names of OpenFold (Ahdritz et al. 2024).
"""

from __future__ import annotations

from bioseq.checkpoints.axial.openfold_layers import (
    Rules,
    evoformer_rules,
    pair_block_rules,
)
from bioseq.checkpoints.axial.shapes import Shapes
from bioseq.checkpoints.keymap import Rule, concatenate, pair
from bioseq.checkpoints.weights import Weights
from bioseq.models.alphafold_trunk import AlphaFoldTrunkConfig
from bioseq.models.evoformer import EvoformerConfig
from bioseq.models.template import TemplateConfig
from bioseq.nn.axial import PairConfig

_WRAPPERS = ("module.", "model.")  # what training frameworks put before every name
_EVOFORMER = "evoformer.blocks"
_EXTRA = "extra_msa_stack.blocks"
# Where the template modules stand, and what the rows' embedder is called: second layout, first.
_TEMPLATES = (
    ("template_embedder.", "template_single_embedder"),
    ("", "template_angle_embedder"),
)


def unwrap_names(weights: Weights) -> Weights:
    """Takes off what training frameworks put before every name."""
    for wrapper in _WRAPPERS:
        if all(name.startswith(wrapper) for name in weights.names):
            weights = weights.renamed(lambda name, wrapper=wrapper: name.removeprefix(wrapper))
    return weights


def trunk_rules(ours: str = "trunk") -> Rules:
    """The whole trunk, with and without templates."""
    return (
        *pair(f"{ours}.input.target", "input_embedder.linear_tf_m"),
        *pair(f"{ours}.input.msa", "input_embedder.linear_msa_m"),
        *pair(f"{ours}.input.left", "input_embedder.linear_tf_z_i"),
        *pair(f"{ours}.input.right", "input_embedder.linear_tf_z_j"),
        *pair(f"{ours}.recycling.row_norm", "recycling_embedder.layer_norm_m"),
        *pair(f"{ours}.recycling.pair_norm", "recycling_embedder.layer_norm_z"),
        *pair(f"{ours}.recycling.distance", "recycling_embedder.linear"),
        *pair(f"{ours}.relative_position.linear", "input_embedder.linear_relpos"),
        *pair(f"{ours}.extra_input", "extra_msa_embedder.linear"),
        *pair(f"{ours}.single", "evoformer.linear"),
        *evoformer_rules(f"{ours}.extra.blocks.{{layer}}", f"{_EXTRA}.{{layer}}"),
        *evoformer_rules(f"{ours}.evoformer.blocks.{{layer}}", f"{_EVOFORMER}.{{layer}}"),
        *(rule for place, rows in _TEMPLATES for rule in _template_rules(ours, place, rows)),
    )


def head_rules(ours: str = "heads") -> Rules:
    """The heads that read the trunk alone."""
    names = {
        "distogram": "distogram",
        "masked_msa": "masked_msa",
        "resolved": "experimentally_resolved",
    }
    return tuple(
        rule
        for name, theirs in names.items()
        for rule in pair(f"{ours}.{name}.linear", f"aux_heads.{theirs}.linear")
    )


def _template_rules(ours: str, place: str, rows: str) -> Rules:
    attention = f"{place}template_pointwise_att.mha"
    stack = f"{place}template_pair_stack"
    key_value = (f"{attention}.linear_k.weight", f"{attention}.linear_v.weight")
    return (
        *pair(f"{ours}.template_pairs.linear", f"{place}template_pair_embedder.linear"),
        *pair_block_rules(f"{ours}.template_pairs.blocks.{{layer}}", f"{stack}.blocks.{{layer}}"),
        *pair(f"{ours}.template_pairs.norm", f"{stack}.layer_norm"),
        Rule(f"{ours}.template_attention.query.weight", (f"{attention}.linear_q.weight",)),
        Rule(f"{ours}.template_attention.key_value.weight", key_value, concatenate),
        *pair(f"{ours}.template_attention.output", f"{attention}.linear_o"),
        *pair(f"{ours}.template_rows.up", f"{place}{rows}.linear_1"),
        *pair(f"{ours}.template_rows.output", f"{place}{rows}.linear_2"),
    )


def trunk_config(weights: Weights) -> AlphaFoldTrunkConfig:
    """Reads the shape of the trunk off the tensors of a state dict, in either layout.

    The state dict does not tell how the heads of the template attention divide its width; they are
    as many as those of the template pair stack, as in every published model.

    Raises:
        CheckpointError: a tensor that every model has is missing.
    """
    shapes = Shapes(weights)
    _, target_features = shapes["input_embedder.linear_tf_m.weight"]
    _, extra_features = shapes["extra_msa_embedder.linear.weight"]
    _, msa_features = shapes["input_embedder.linear_msa_m.weight"]
    single_dim, _ = shapes["evoformer.linear.weight"]
    _, positions = shapes["input_embedder.linear_relpos.weight"]
    return AlphaFoldTrunkConfig(
        target_features=target_features,
        msa_features=msa_features,
        extra_features=extra_features,
        single_dim=single_dim,
        evoformer=_evoformer_config(shapes, _EVOFORMER),
        extra=_evoformer_config(shapes, _EXTRA),
        templates=_template_config(shapes),
        max_distance=positions // 2,
    )


def _evoformer_config(shapes: Shapes, stack: str) -> EvoformerConfig:
    first = f"{stack}.0"
    second_layout = f"{first}.msa_transition.linear_1.weight" in shapes
    core = first if second_layout else f"{first}.core"
    num_heads, _ = shapes[f"{first}.msa_att_row.linear_z.weight"]
    inner_dim, msa_dim = shapes[f"{first}.msa_att_row.mha.linear_q.weight"]
    hidden_dim, _ = shapes[f"{core}.msa_transition.linear_1.weight"]
    outer_dim, _ = shapes[f"{core}.outer_product_mean.linear_1.weight"]
    full = f"{first}.msa_att_col._msa_att.mha.linear_q.weight" in shapes
    return EvoformerConfig(
        num_blocks=shapes.count_blocks(stack),
        msa_dim=msa_dim,
        num_heads=num_heads,
        head_dim=inner_dim // num_heads,
        column="full" if full else "global",
        outer_dim=outer_dim,
        transition_factor=hidden_dim // msa_dim,
        pair=_pair_config(shapes, f"{first}.pair_stack" if second_layout else core),
    )


def _pair_config(shapes: Shapes, block: str, *, attention_first: bool = False) -> PairConfig:
    num_heads, dim = shapes[f"{block}.tri_att_start.linear.weight"]
    inner_dim, _ = shapes[f"{block}.tri_att_start.mha.linear_q.weight"]
    hidden_dim, _ = shapes[f"{block}.pair_transition.linear_1.weight"]
    _, multiplication_dim = shapes[f"{block}.tri_mul_out.linear_z.weight"]
    return PairConfig(
        dim=dim,
        multiplication_dim=multiplication_dim,
        num_heads=num_heads,
        head_dim=inner_dim // num_heads,
        transition_factor=hidden_dim // dim,
        attention_first=attention_first,
    )


def _template_config(shapes: Shapes) -> TemplateConfig | None:
    for place, _ in _TEMPLATES:
        query = f"{place}template_pointwise_att.mha.linear_q.weight"
        if query in shapes:
            inner_dim, _ = shapes[query]
            stack = f"{place}template_pair_stack.blocks"
            pair = _pair_config(shapes, f"{stack}.0", attention_first=True)
            return TemplateConfig(
                num_blocks=shapes.count_blocks(stack),
                pair=pair,
                num_heads=pair.num_heads,
                head_dim=inner_dim // pair.num_heads,
            )
    return None
