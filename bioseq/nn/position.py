"""Positional encodings: what tells an attention encoder the order of its tokens."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn


def sinusoidal_positions(
    positions: Int64[Tensor, " tokens"], dim: int
) -> Float[Tensor, "tokens dim"]:
    """Returns the fixed encoding: sines in the even columns, cosines in the odd ones.

    Source: Vaswani et al. 2017, section 3.5.
    """
    rates = torch.exp(
        torch.arange(0, dim, 2, device=positions.device) * (-math.log(10_000.0) / dim)
    )
    angles = positions[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


class Rotary(nn.Module):
    """Turns queries and keys by an angle that grows with the position.

    The two halves of a head are the coordinates that turn together.

    Args:
        head_dim: Width of a head; even.
        base: Wavelength of the slowest pair over 2 pi.

    Source: Su et al. 2021, section 3.4.2.
    """

    def __init__(self, head_dim: int, base: float = 10_000.0) -> None:
        super().__init__()
        # On the CPU even where the rest of a model is still without memory (the meta device).
        steps = torch.arange(0, head_dim, 2, dtype=torch.float32, device="cpu")
        rates = base ** (-steps / head_dim)
        self.rates: Tensor
        self.register_buffer("rates", rates)

    def angles(
        self, positions: Int64[Tensor, " tokens"]
    ) -> tuple[Float[Tensor, "tokens 1 head_dim"], Float[Tensor, "tokens 1 head_dim"]]:
        """Returns cosine and sine for each position; computed once and used by every layer."""
        half = positions[:, None, None].float() * self.rates.float()
        angles = torch.cat([half, half], dim=-1)
        return angles.cos(), angles.sin()


def rotate(
    x: Float[Tensor, "tokens heads head_dim"],
    cosine: Float[Tensor, "tokens 1 head_dim"],
    sine: Float[Tensor, "tokens 1 head_dim"],
) -> Float[Tensor, "tokens heads head_dim"]:
    """Turns each head by its token's angle."""
    first, second = x.chunk(2, dim=-1)
    # In place on the tensor made here: fresh memory costs more than the arithmetic.
    return torch.cat([-second, first], dim=-1).mul_(sine.to(x)).addcmul_(x, cosine.to(x))


def alibi_slopes(num_heads: int) -> Float[Tensor, " heads"]:
    """Returns each head's slope: a geometric sequence, filled up from the next power of two.

    Source: Press et al. 2022, section 3.
    """
    power = 2 ** math.floor(math.log2(num_heads))
    slopes = [2 ** (-8 * (i + 1) / power) for i in range(power)]
    finer = [2 ** (-4 * (i + 1) / power) for i in range(0, 2 * power, 2)]
    return torch.tensor((slopes + finer)[:num_heads])


def alibi_bias(num_heads: int, length: int, device: torch.device) -> Float[Tensor, "heads l l"]:
    """Returns the symmetric ALiBi bias: minus slope times distance."""
    place = torch.arange(length, device=device)
    distance = (place[None, :] - place[:, None]).abs()
    return -alibi_slopes(num_heads).to(device)[:, None, None] * distance


class RelativeBias(nn.Module):
    """A learned bias per head and bucket of signed distance, logarithmic beyond half the buckets.

    Args:
        num_heads: Heads.
        num_buckets: Buckets, half of them for keys after the query.
        max_distance: Distances from here on share the last bucket.

    Source: Raffel et al. 2020, section 2.1.
    """

    def __init__(self, num_heads: int, num_buckets: int, max_distance: int) -> None:
        super().__init__()
        self.num_buckets = num_buckets
        self.max_distance = max_distance
        self.weight = nn.Parameter(torch.randn(num_buckets, num_heads) * 0.02)

    def buckets(self, length: int) -> Int64[Tensor, "length length"]:
        """Returns the bucket of each query and key."""
        place = torch.arange(length, device=self.weight.device)
        relative = place[None, :] - place[:, None]
        half = self.num_buckets // 2
        exact = half // 2
        distance = relative.abs()
        far = torch.log(distance.clamp(min=1).float() / exact)
        far = exact + (far / math.log(self.max_distance / exact) * (half - exact)).long()
        bucket = torch.where(distance < exact, distance, far.clamp(max=half - 1))
        return bucket + half * (relative > 0)

    def forward(self, length: int) -> Float[Tensor, "heads length length"]:
        """Returns the bias of every query and key up to a length."""
        return self.weight[self.buckets(length)].permute(2, 0, 1)
