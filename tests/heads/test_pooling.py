"""Pooling over packed segments."""

from __future__ import annotations

import pytest
import torch

from bioseq.batch import layout_of
from bioseq.heads.pooling import segment_softmax, segment_sum


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_a_long_segment_adds_up_in_every_number_format(dtype: torch.dtype) -> None:
    layout = layout_of([1_000, 24])
    ones = torch.ones(1_024, 3, dtype=dtype)
    sums = segment_sum(ones, layout)
    assert sums.dtype == dtype
    torch.testing.assert_close(sums[:, 0].double(), torch.tensor([1_000.0, 24.0]).double())
    weights = segment_softmax(ones, layout)
    torch.testing.assert_close(
        weights[:, 0].float() * torch.tensor([1_000.0] * 1_000 + [24.0] * 24),
        torch.ones(1_024),
        rtol=4e-3,
        atol=0,
    )
