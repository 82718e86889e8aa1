"""Every axial layer against AlphaFold 2 in JAX, with random parameters and random masks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from bioseq.checkpoints.axial import alphafold_layers as maps
from bioseq.nn.axial import (
    MSAColumnAttention,
    MSAGlobalColumnAttention,
    MSARowAttention,
    OuterProductMean,
    Transition,
    TriangleAttention,
    TriangleMultiplication,
    block_memory,
)

PARITY = 1e-6  # of the largest value

CASES: dict[str, tuple[Callable[[], nn.Module], maps.MakeRules, tuple[str, ...]]] = {
    "msa_row_attention_with_pair_bias": (
        lambda: MSARowAttention(32, 16, num_heads=8, head_dim=4),
        maps.row_attention_rules,
        ("msa", "pair", "msa_mask"),
    ),
    "msa_column_attention": (
        lambda: MSAColumnAttention(32, num_heads=8, head_dim=4),
        maps.column_attention_rules,
        ("msa", "msa_mask"),
    ),
    "msa_column_global_attention": (
        lambda: MSAGlobalColumnAttention(16, num_heads=8, head_dim=2),
        maps.global_attention_rules,
        ("msa", "msa_mask"),
    ),
    "msa_transition": (lambda: Transition(32), maps.transition_rules, ("msa",)),
    "pair_transition": (lambda: Transition(16), maps.transition_rules, ("pair",)),
    "outer_product_mean": (
        lambda: OuterProductMean(32, 16, outer_dim=6),
        maps.outer_product_rules,
        ("msa", "msa_mask"),
    ),
    "triangle_multiplication_outgoing": (
        lambda: TriangleMultiplication(16, hidden_dim=10, outgoing=True),
        partial(maps.triangle_multiplication_rules, outgoing=True),
        ("pair", "pair_mask"),
    ),
    "triangle_multiplication_incoming": (
        lambda: TriangleMultiplication(16, hidden_dim=10, outgoing=False),
        partial(maps.triangle_multiplication_rules, outgoing=False),
        ("pair", "pair_mask"),
    ),
    "triangle_attention_starting_node": (
        lambda: TriangleAttention(16, num_heads=4, head_dim=4, starting=True),
        maps.triangle_attention_rules,
        ("pair", "pair_mask"),
    ),
    "triangle_attention_ending_node": (
        lambda: TriangleAttention(16, num_heads=4, head_dim=4, starting=False),
        maps.triangle_attention_rules,
        ("pair", "pair_mask"),
    ),
}


@pytest.mark.parametrize("num_bytes", [1, 2**14, 2**24])
@pytest.mark.parametrize("module", CASES)
def test_a_layer_gives_alphafold_numbers_at_any_block_size(
    module: str, num_bytes: int, reference: dict[str, Tensor], fill_layer: Callable[..., None]
) -> None:
    build, make_rules, names = CASES[module]
    layer = build()
    fill_layer(layer, make_rules, module)
    inputs = [reference[f"{module}/in/{name}"] for name in names]
    inputs = [x.bool() if "mask" in name else x for name, x in zip(names, inputs, strict=True)]
    expected = reference[f"{module}/out/y"]
    tolerance = {"rtol": 0, "atol": PARITY * float(expected.abs().max())}
    assert_close(layer(*inputs), expected, **tolerance)
    with torch.no_grad(), block_memory(num_bytes):
        assert_close(layer(*inputs), expected, **tolerance)
