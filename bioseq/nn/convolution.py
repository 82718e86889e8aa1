"""Convolution along packed segments, without leakage from one segment into the next."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from bioseq.batch import Layout


class Spacing:
    """Packed segments laid out with zeros between them, wide enough for a convolution's reach.

    Args:
        layout: The segments.
        reach: Zeros on either side of each segment.
    """

    def __init__(self, layout: Layout, reach: int) -> None:
        self.index: Int64[Tensor, " tokens"] = (
            torch.arange(layout.num_tokens, device=layout.device) + (layout.segments + 1) * reach
        )
        self.total = layout.num_tokens + (layout.num_segments + 1) * reach

    def spread(self, x: Float[Tensor, "tokens dim"]) -> Float[Tensor, "1 dim spread"]:
        """Lays the tokens out, channels first."""
        return x.new_zeros(self.total, x.shape[1]).index_copy(0, self.index, x).T[None]

    def gather(self, x: Float[Tensor, "1 dim spread"]) -> Float[Tensor, "tokens dim"]:
        """Takes the tokens back."""
        return x[0].T[self.index]


class SegmentConvolution(nn.Module):
    """A centred convolution along each segment; beyond its ends it sees zeros.

    Args:
        input_dim: Width in.
        output_dim: Width out.
        kernel: Taps; odd.
        dilation: Distance between taps.
    """

    def __init__(self, input_dim: int, output_dim: int, *, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        self.reach = (kernel - 1) // 2 * dilation
        self.convolution = nn.Conv1d(
            input_dim, output_dim, kernel, dilation=dilation, padding=self.reach
        )

    def forward(
        self, x: Float[Tensor, "tokens input"], layout: Layout
    ) -> Float[Tensor, "tokens output"]:
        """Convolves every segment of a batch."""
        spacing = Spacing(layout, self.reach)
        return spacing.gather(self.convolution(spacing.spread(x)))


class ResidualConvolution(nn.Module):
    """A pre-norm residual block: dilated convolution, then a pointwise one.

    Args:
        dim: Width in and out.
        kernel: Taps; odd.
        dilation: Distance between taps.

    Source: Kalchbrenner et al. 2016 (ByteNet), section 3; Yang et al. 2024 (CARP).
    """

    def __init__(self, dim: int, *, kernel: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.convolution = SegmentConvolution(dim, dim, kernel=kernel, dilation=dilation)
        self.inner_norm = nn.LayerNorm(dim)
        self.pointwise = nn.Linear(dim, dim)

    def forward(
        self, x: Float[Tensor, "tokens dim"], layout: Layout
    ) -> Float[Tensor, "tokens dim"]:
        """Adds the block's output to its input."""
        hidden = self.convolution(functional.gelu(self.norm(x)), layout)
        return x + self.pointwise(functional.gelu(self.inner_norm(hidden)))


class ConvolutionStack(nn.Module):
    """Residual convolutions in a row.

    Args:
        dim: Width.
        kernel: Taps; odd.
        dilations: One block for each.
    """

    def __init__(self, dim: int, *, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            ResidualConvolution(dim, kernel=kernel, dilation=dilation) for dilation in dilations
        )
        self.reach = sum((kernel - 1) // 2 * dilation for dilation in dilations)

    def forward(
        self, x: Float[Tensor, "tokens dim"], layout: Layout
    ) -> list[Float[Tensor, "tokens dim"]]:
        """Returns the input and the output of every block."""
        states = [x]
        for block in self.blocks:
            states.append(block(states[-1], layout))
        return states
