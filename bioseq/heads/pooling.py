"""From residue states to one vector per sequence, learned or not, over packed segments."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bioseq.batch import Layout
from bioseq.nn.convolution import SegmentConvolution


class MeanPooling(nn.Module):
    """The mean over each segment, with the largest value beside it if asked for.

    Args:
        dim: Width of the states.
        with_max: Whether to join the maxima.
    """

    def __init__(self, dim: int, *, with_max: bool) -> None:
        super().__init__()
        self.with_max = with_max
        self.output_dim = dim * (2 if with_max else 1)

    def forward(
        self, x: Float[Tensor, "tokens dim"], layout: Layout
    ) -> Float[Tensor, "segments pooled"]:
        """Pools every segment of a batch."""
        mean = segment_sum(x, layout) / layout.length_tensor[:, None]
        return torch.cat([mean, segment_max(x, layout)], dim=-1) if self.with_max else mean


class LightAttention(nn.Module):
    """A mean with learned weights for each channel and residue, and the largest value beside it.

    Args:
        dim: Width of the states.
        kernel: Taps of the two convolutions; odd.

    Source: Stärk et al. 2021 (Light attention), section 2.3.
    """

    def __init__(self, dim: int, *, kernel: int) -> None:
        super().__init__()
        self.values = SegmentConvolution(dim, dim, kernel=kernel)
        self.scores = SegmentConvolution(dim, dim, kernel=kernel)
        self.output_dim = 2 * dim

    def forward(
        self, x: Float[Tensor, "tokens dim"], layout: Layout
    ) -> Float[Tensor, "segments pooled"]:
        """Pools every segment of a batch."""
        values = self.values(x, layout)
        weights = segment_softmax(self.scores(x, layout), layout)
        attended = segment_sum(weights * values, layout)
        return torch.cat([attended, segment_max(values, layout)], dim=-1)


def segment_sum(x: Float[Tensor, "tokens dim"], layout: Layout) -> Float[Tensor, "segments dim"]:
    """Adds up each segment, in float32 at least: beyond 256, bfloat16 can't count."""
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    sums = wide.new_zeros(layout.num_segments, x.shape[1]).index_add(0, layout.segments, wide)
    return sums.to(x.dtype)


def segment_max(x: Float[Tensor, "tokens dim"], layout: Layout) -> Float[Tensor, "segments dim"]:
    """Returns each segment's largest values."""
    index = layout.segments[:, None].expand_as(x)
    return x.new_zeros(layout.num_segments, x.shape[1]).scatter_reduce(
        0, index, x, "amax", include_self=False
    )


def segment_softmax(x: Float[Tensor, "tokens dim"], layout: Layout) -> Float[Tensor, "tokens dim"]:
    """Normalises each channel over each segment."""
    exponents = (x - segment_max(x, layout).detach()[layout.segments]).exp()
    return exponents / segment_sum(exponents, layout)[layout.segments]
