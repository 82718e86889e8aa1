"""The cost of a sequence, and shards of equal cost."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from bioseq.batch import PackedBatch, layout_of
from bioseq.models import build_encoder
from bioseq.runs import Window
from bioseq.shards.cost import CostModel
from bioseq.shards.cutting import cut_evenly

COSTS = st.lists(st.floats(0.5, 1e6), min_size=1, max_size=60)


@given(costs=COSTS, num_shards=st.integers(1, 20))
def test_shards_cover_all_records_and_cost_the_mean_up_to_one_record(
    costs: list[float], num_shards: int
) -> None:
    bounds = cut_evenly(np.array(costs), num_shards)
    assert len(bounds) == num_shards + 1
    assert (bounds[0], bounds[-1]) == (0, len(costs))
    assert (np.diff(bounds) >= 0).all()
    mean = sum(costs) / num_shards
    for start, stop in pairwise(bounds):
        assert abs(sum(costs[start:stop]) - mean) <= max(costs) * (1 + 1e-6)


def test_more_shards_than_records_leave_some_empty() -> None:
    assert cut_evenly(np.array([1.0, 1.0]), 4).tolist() == [0, 1, 1, 2, 2]


def test_no_record_gives_empty_shards() -> None:
    assert cut_evenly(np.zeros(0), 3).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("length", [16, 200])
def test_the_cost_of_a_transformer_is_what_torch_counts(length: int) -> None:
    encoder = build_encoder(
        {"architecture": "transformer", "vocabulary_size": 8, "dim": 32}
        | {"num_layers": 2, "num_heads": 2, "feed_forward_dim": 64}
    )
    cost = CostModel(
        flops_per_token=encoder.flops_per_token,
        flops_per_pair=encoder.flops_per_pair,
        num_specials=0,
    )
    batch = PackedBatch(tokens=torch.zeros(length, dtype=torch.int64), layout=layout_of([length]))
    counter = FlopCounterMode(display=False)  # it counts products, not fused attention
    with counter, sdpa_kernel(SDPBackend.MATH), torch.inference_mode():
        encoder(batch)
    predicted = float(cost.flops(np.array([length]))[0])
    assert predicted == pytest.approx(counter.get_total_flops(), rel=0.05)


def test_windows_make_a_long_sequence_linear() -> None:
    window = Window(length=12, overlap=2)
    cost = CostModel(flops_per_token=1.0, flops_per_pair=1.0, num_specials=2, window=window)
    lengths = np.array([10, 11, 18, 19, 1000])
    once = 12 + 12**2
    counts = [len(window.stretches(int(n), 2)) for n in lengths]
    assert cost.flops(lengths).tolist() == [once * count for count in counts]


def test_a_token_of_several_residues_costs_once() -> None:
    cost = CostModel(
        flops_per_token=1.0, flops_per_pair=0.0, num_specials=1, tokens_per_residue=1 / 3
    )
    assert cost.flops(np.array([30])).tolist() == [11]
