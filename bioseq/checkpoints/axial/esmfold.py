"""ESMFold's key map and settings: the same names in Hugging Face's layout and in fair-esm's.

Source: Lin et al. 2023; names as in transformers' `EsmForProteinFolding`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from bioseq.checkpoints.axial.openfold_layers import (
    triangle_attention_rules,
    triangle_multiplication_rules,
)
from bioseq.checkpoints.axial.structure_module import openfold_rules
from bioseq.checkpoints.keymap import Ignored, Rule, pair
from bioseq.errors import OptionError
from bioseq.models.esmfold import ESMFoldConfig
from bioseq.models.folding_trunk import FoldingTrunkConfig
from bioseq.models.structure_module import StructureModuleConfig

Rules = tuple[Rule, ...]

_BLOCK = "trunk.blocks.{layer}"
_LAYERS = (
    ("mixture.norm", "esm_s_mlp.0"),
    ("mixture.first", "esm_s_mlp.1"),
    ("mixture.second", "esm_s_mlp.3"),
    ("trunk.recycled_sequence_norm", "trunk.recycle_s_norm"),
    ("trunk.recycled_pair_norm", "trunk.recycle_z_norm"),
    ("trunk.structure_single", "trunk.trunk2sm_s"),
    ("trunk.structure_pair", "trunk.trunk2sm_z"),
    ("aligned_error", "ptm_head"),
    ("language", "lm_head"),
    ("lddt.norm", "lddt_head.0"),
    ("lddt.first", "lddt_head.1"),
    ("lddt.second", "lddt_head.2"),
    ("lddt.output", "lddt_head.3"),
    (f"{_BLOCK}.attention.norm", f"{_BLOCK}.layernorm_1"),
    (f"{_BLOCK}.attention.pair_norm", f"{_BLOCK}.pair_to_sequence.layernorm"),
    (f"{_BLOCK}.attention.attention.output", f"{_BLOCK}.seq_attention.o_proj"),
    (f"{_BLOCK}.sequence_to_pair.norm", f"{_BLOCK}.sequence_to_pair.layernorm"),
    (f"{_BLOCK}.sequence_to_pair.projection", f"{_BLOCK}.sequence_to_pair.proj"),
    (f"{_BLOCK}.sequence_to_pair.output", f"{_BLOCK}.sequence_to_pair.o_proj"),
)
_MATRICES = (
    ("mixture.weights", "esm_s_combine"),
    ("residue_embedding.weight", "embedding.weight"),
    (
        "trunk.relative_position.offsets.weight",
        "trunk.pairwise_positional_embedding.embedding.weight",
    ),
    ("trunk.recycled_distances.weight", "trunk.recycle_disto.weight"),
    (f"{_BLOCK}.attention.pair_bias.weight", f"{_BLOCK}.pair_to_sequence.linear.weight"),
    (f"{_BLOCK}.attention.attention.gate_bias", f"{_BLOCK}.seq_attention.g_proj.bias"),
)
_IGNORED = (
    Ignored("af2_to_esm", "a table of tokens"),
    Ignored("trunk.structure_module.default_frames", "constants of chemistry"),
    Ignored("trunk.structure_module.group_idx", "constants of chemistry"),
    Ignored("trunk.structure_module.atom_mask", "constants of chemistry"),
    Ignored("trunk.structure_module.lit_positions", "constants of chemistry"),
)

# Another value means another arithmetic.
_REQUIRED: Mapping[str, object] = {
    "embed_aa": True,
    "bypass_lm": False,
    "esm_ablate_pairwise": False,
    "esm_ablate_sequence": False,
    "use_esm_attn_map": False,
}
_EPSILON, _LENGTH_UNIT = 1e-8, 10.0
_TRUNK_FIELDS: Mapping[str, str] = {
    "dim": "sequence_state_dim",
    "pair_dim": "pairwise_state_dim",
    "num_blocks": "num_blocks",
    "head_dim": "sequence_head_width",
    "pair_head_dim": "pairwise_head_width",
    "max_offset": "position_bins",
    "num_passes": "max_recycles",
    "dropout": "dropout",
}
_STRUCTURE_FIELDS: Mapping[str, str] = {
    "single_dim": "sequence_dim",
    "pair_dim": "pairwise_dim",
    "num_rounds": "num_blocks",
    "num_heads": "num_heads_ipa",
    "head_dim": "ipa_dim",
    "num_query_points": "num_qk_points",
    "num_value_points": "num_v_points",
    "num_transition_blocks": "num_transition_layers",
    "angle_dim": "resnet_dim",
    "num_angle_blocks": "num_resnet_blocks",
    "dropout": "dropout_rate",
}


def esmfold_rules(config: FoldingTrunkConfig) -> tuple[Rule | Ignored, ...]:
    """Returns the rules for all but the language model."""
    joined = (f"{_BLOCK}.seq_attention.proj.weight", f"{_BLOCK}.seq_attention.g_proj.weight")
    join = partial(_join_projections, head_dim=config.head_dim)
    halves = [
        Rule(f"distogram.linear.{part}", (f"distogram_head.{part}",), _halve)
        for part in ("weight", "bias")
    ]
    return (
        *_flatten(pair(ours, theirs) for ours, theirs in _LAYERS),
        *(Rule(ours, (theirs,)) for ours, theirs in _MATRICES),
        Rule(f"{_BLOCK}.attention.attention.projection.weight", joined, join),
        *_transition_rules(f"{_BLOCK}.transition", f"{_BLOCK}.mlp_seq"),
        *_pair_rules(f"{_BLOCK}.pairs", _BLOCK),
        *openfold_rules("trunk.structure_module.", "trunk.structure_module."),
        *halves,
        *_IGNORED,
    )


def esmfold_config(settings: Mapping[str, Any]) -> ESMFoldConfig:
    """Reads the shape of ESMFold from its settings; what they leave out is as in `esmfold_v1`.

    Raises:
        OptionError: a setting stands for another arithmetic, or the shape is impossible.
    """
    for name, wanted in _REQUIRED.items():
        if (found := settings.get(name, wanted)) != wanted:
            raise OptionError(name, found, allowed=(wanted,))
    trunk = settings.get("trunk", {})
    structure = trunk.get("structure_module", {})
    return ESMFoldConfig(
        **_translate(settings, {"lddt_dim": "lddt_head_hid_dim"}),
        trunk=FoldingTrunkConfig(
            **_translate(trunk, _TRUNK_FIELDS),
            structure=StructureModuleConfig(
                **_translate(structure, _STRUCTURE_FIELDS),
                angle_epsilon=float(structure.get("epsilon", _EPSILON)),
                length_unit=float(structure.get("trans_scale_factor", _LENGTH_UNIT)),
            ),
        ),
    )


def _translate(settings: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Returns the values of the settings under the names of our fields."""
    return {ours: settings[theirs] for ours, theirs in fields.items() if theirs in settings}


def _pair_rules(ours: str, theirs: str) -> Rules:
    """The pair part of a block, which the files do not gather under one name."""
    return (
        *triangle_multiplication_rules(f"{ours}.multiplication_outgoing", f"{theirs}.tri_mul_out"),
        *triangle_multiplication_rules(f"{ours}.multiplication_incoming", f"{theirs}.tri_mul_in"),
        *triangle_attention_rules(f"{ours}.attention_starting", f"{theirs}.tri_att_start"),
        *triangle_attention_rules(f"{ours}.attention_ending", f"{theirs}.tri_att_end"),
        *_transition_rules(f"{ours}.transition", f"{theirs}.mlp_pair"),
    )


def _transition_rules(ours: str, theirs: str) -> Rules:
    names = (("norm", "mlp.0"), ("up", "mlp.1"), ("down", "mlp.3"))
    return _flatten(pair(f"{ours}.{a}", f"{theirs}.{b}") for a, b in names)


def _flatten(rules: Iterable[Rules]) -> Rules:
    return tuple(rule for layer in rules for rule in layer)


def _join_projections(query_key_value: Tensor, gate: Tensor, *, head_dim: int) -> Tensor:
    """Joins the gates' matrix with one that holds each head's queries, keys and values in turn."""
    separate = rearrange(query_key_value, "(h part d) c -> (part h d) c", part=3, d=head_dim)
    return torch.cat([separate, gate])


def _halve(tensor: Tensor) -> Tensor:
    """Makes of a mean over both orders of a pair a sum."""
    return tensor / 2
