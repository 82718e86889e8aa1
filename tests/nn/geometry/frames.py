"""Random frames."""

from __future__ import annotations

import torch

from bioseq.nn.geometry import Rigid, quaternion_to_rotation


def make_frames(
    *shape: int, generator: torch.Generator, dtype: torch.dtype = torch.float64
) -> Rigid:
    quaternions = torch.randn(*shape, 4, generator=generator).to(dtype)
    unit = quaternions / quaternions.norm(dim=-1, keepdim=True)
    origins = torch.randn(*shape, 3, generator=generator).to(dtype)
    return Rigid(quaternion_to_rotation(unit), origins)
