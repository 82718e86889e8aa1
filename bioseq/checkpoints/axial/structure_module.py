"""Key maps of the structure module.

AlphaFold 2's names are those of the published parameter files; OpenFold's serve ESMFold too. All
rounds share one iteration's weights.
"""

from __future__ import annotations

from collections.abc import Iterable

from bioseq.checkpoints.axial.alphafold_layers import linear_rules, norm_rules
from bioseq.checkpoints.axial.shapes import Shapes
from bioseq.checkpoints.keymap import Rule, pair
from bioseq.models.structure_module import StructureModuleConfig

_Names = tuple[str, str, str]  # ours, AlphaFold 2's, OpenFold's

_NORMS: tuple[_Names, ...] = (
    ("single_norm", "single_layer_norm", "layer_norm_s"),
    ("pair_norm", "pair_layer_norm", "layer_norm_z"),
    ("attention_norm", "fold_iteration/attention_layer_norm", "layer_norm_ipa"),
    ("transition_norm", "fold_iteration/transition_layer_norm", "transition.layer_norm"),
)
_ATTENTION: tuple[_Names, ...] = (
    ("query", "q_scalar", "linear_q"),
    ("key_value", "kv_scalar", "linear_kv"),
    ("query_points", "q_point_local", "linear_q_points"),
    ("key_value_points", "kv_point_local", "linear_kv_points"),
    ("pair_bias", "attention_2d", "linear_b"),
    ("output", "output_projection", "linear_out"),
)
_ITERATION: tuple[_Names, ...] = (
    ("transition.0.first", "transition", "transition.layers.0.linear_1"),
    ("transition.0.second", "transition_1", "transition.layers.0.linear_2"),
    ("transition.0.third", "transition_2", "transition.layers.0.linear_3"),
    ("backbone_update", "affine_update", "bb_update.linear"),
)
_ANGLES: tuple[_Names, ...] = (
    ("state", "input_projection", "linear_in"),
    ("initial", "input_projection_1", "linear_initial"),
    ("blocks.0.first", "resblock1", "layers.0.linear_1"),
    ("blocks.0.second", "resblock2", "layers.0.linear_2"),
    ("blocks.1.first", "resblock1_1", "layers.1.linear_1"),
    ("blocks.1.second", "resblock2_1", "layers.1.linear_2"),
    ("output", "unnormalized_angles", "linear_out"),
)
_OPENFOLD_EPSILON = 1e-8  # AlphaFold 2 has 1e-12
_POINT_ATTENTION = "fold_iteration/invariant_point_attention"
_LINEARS: tuple[_Names, ...] = (
    ("input", "initial_projection", "linear_in"),
    *((f"attention.{a}", f"{_POINT_ATTENTION}/{b}", f"ipa.{c}") for a, b, c in _ATTENTION),
    *((a, f"fold_iteration/{b}", c) for a, b, c in _ITERATION),
    *(
        (f"torsion_angles.{a}", f"fold_iteration/rigid_sidechain/{b}", f"angle_resnet.{c}")
        for a, b, c in _ANGLES
    ),
)


def alphafold_rules(ours: str, theirs: str) -> tuple[Rule, ...]:
    """Returns the rules for AlphaFold 2's parameters.

    Args:
        ours: Name of the structure module in our model, with its dot.
        theirs: Its scope in the file, with its slash.
    """
    weights = Rule(
        f"{ours}attention.point_weights", (f"{theirs}{_POINT_ATTENTION}//trainable_point_weights",)
    )
    linears = [linear_rules(f"{ours}{a}", f"{theirs}{b}") for a, b, _ in _LINEARS]
    norms = [norm_rules(f"{ours}{a}", f"{theirs}{b}") for a, b, _ in _NORMS]
    return weights, *_flatten(linears), *_flatten(norms)


def openfold_rules(ours: str, theirs: str) -> tuple[Rule, ...]:
    """Returns the rules for OpenFold's and ESMFold's state dicts.

    OpenFold 2 keeps the linear maps of the points one level deeper than version 1 and ESMFold.

    Args:
        ours: Name of the structure module in our model, with its dot.
        theirs: Its name in the file, with its dot.
    """
    weights = Rule(f"{ours}attention.point_weights", (f"{theirs}ipa.head_weights",))
    layers = [pair(f"{ours}{a}", f"{theirs}{c}") for a, _, c in _LINEARS + _NORMS]
    deeper = [
        pair(f"{ours}attention.{a}", f"{theirs}ipa.{c}.linear")
        for a, _, c in _ATTENTION
        if a.endswith("_points")
    ]
    return weights, *_flatten(layers), *_flatten(deeper)


def alphafold_head_rules(ours: str, theirs: str) -> tuple[Rule, ...]:
    """Returns the rules for the heads of confidence in AlphaFold 2's parameters."""
    scope = f"{theirs}predicted_lddt_head"
    return (
        *norm_rules(f"{ours}lddt.norm", f"{scope}/input_layer_norm"),
        *linear_rules(f"{ours}lddt.first", f"{scope}/act_0"),
        *linear_rules(f"{ours}lddt.second", f"{scope}/act_1"),
        *linear_rules(f"{ours}lddt.output", f"{scope}/logits"),
        *linear_rules(f"{ours}aligned_error", f"{theirs}predicted_aligned_error_head/logits"),
    )


def openfold_head_rules(ours: str, theirs: str) -> tuple[Rule, ...]:
    """Returns the rules for the heads of confidence in OpenFold's state dict."""
    names = (
        ("lddt.norm", "plddt.layer_norm"),
        ("lddt.first", "plddt.linear_1"),
        ("lddt.second", "plddt.linear_2"),
        ("lddt.output", "plddt.linear_3"),
        ("aligned_error", "tm.linear"),
    )
    return _flatten(pair(f"{ours}{a}", f"{theirs}{b}") for a, b in names)


def alphafold_structure(shapes: Shapes, theirs: str, *, num_rounds: int) -> StructureModuleConfig:
    """Reads the shape of the structure module off AlphaFold 2's parameters.

    Args:
        shapes: Of the file's arrays.
        theirs: The structure module's scope, with its slash.
        num_rounds: Times that the shared iteration runs, which no array tells.
    """
    attention, angles = f"{theirs}{_POINT_ATTENTION}", f"{theirs}fold_iteration/rigid_sidechain"
    single_dim, query = shapes[f"{attention}/q_scalar//weights"]
    pair_dim, num_heads = shapes[f"{attention}/attention_2d//weights"]
    _, query_points = shapes[f"{attention}/q_point_local//weights"]
    _, all_points = shapes[f"{attention}/kv_point_local//weights"]
    _, angle_dim = shapes[f"{angles}/input_projection//weights"]
    return StructureModuleConfig(
        single_dim=single_dim,
        pair_dim=pair_dim,
        num_rounds=num_rounds,
        angle_dim=angle_dim,
        **_attention_shape(num_heads, query, query_points, all_points),
    )


def openfold_structure(shapes: Shapes, theirs: str, *, num_rounds: int) -> StructureModuleConfig:
    """Reads the shape of the structure module off OpenFold's state dict; see above."""
    deeper = ".linear" if f"{theirs}ipa.linear_q_points.linear.weight" in shapes else ""
    query, single_dim = shapes[f"{theirs}ipa.linear_q.weight"]
    num_heads, pair_dim = shapes[f"{theirs}ipa.linear_b.weight"]
    query_points, _ = shapes[f"{theirs}ipa.linear_q_points{deeper}.weight"]
    all_points, _ = shapes[f"{theirs}ipa.linear_kv_points{deeper}.weight"]
    angle_dim, _ = shapes[f"{theirs}angle_resnet.linear_in.weight"]
    return StructureModuleConfig(
        single_dim=single_dim,
        pair_dim=pair_dim,
        num_rounds=num_rounds,
        angle_dim=angle_dim,
        angle_epsilon=_OPENFOLD_EPSILON,
        **_attention_shape(num_heads, query, query_points, all_points),
    )


def _attention_shape(
    num_heads: int, query: int, query_points: int, all_points: int
) -> dict[str, int]:
    """Divides the widths of the point attention's projections among heads and coordinates."""
    return {
        "num_heads": num_heads,
        "head_dim": query // num_heads,
        "num_query_points": query_points // (3 * num_heads),
        "num_value_points": (all_points - query_points) // (3 * num_heads),
    }


def _flatten(rules: Iterable[tuple[Rule, ...]]) -> tuple[Rule, ...]:
    return tuple(rule for layer in rules for rule in layer)
