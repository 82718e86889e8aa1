"""From backbone frames and torsion angles to the atoms.

Source: Jumper et al. 2021, supplementary algorithm 24.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from bioseq.chemistry import ideal_geometry
from bioseq.nn.geometry.rigid import Rigid

_BACKBONE = 0
_CHI2 = 5
_NUM_GROUPS = 8


class AtomBuilder(nn.Module):
    """Places the atoms of ideal residues; holds the constants of chemistry and no weights."""

    atom14_mask: Tensor
    atom14_group: Tensor
    atom14_positions: Tensor
    group_frames: Tensor
    atom37_mask: Tensor
    atom37_slot: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, array in vars(ideal_geometry()).items():
            tensor = torch.from_numpy(array)
            constant = tensor.float() if tensor.is_floating_point() else tensor
            self.register_buffer(name, constant, persistent=False)

    def place_groups(
        self,
        backbone: Rigid,
        angles: Float[Tensor, "*residues 7 2"],
        residue_types: Int64[Tensor, "*residues"],
    ) -> Rigid:
        """Returns the frames of each residue's eight rigid groups.

        Args:
            backbone: Backbone frames, in angstrom.
            angles: Sine and cosine of omega, phi, psi and chi 1 to 4.
            residue_types: Indices into `bioseq.chemistry.RESIDUES`.
        """
        still = angles.new_tensor([0.0, 1.0]).expand(*angles.shape[:-2], 1, 2)
        sine, cosine = torch.cat([still, angles], dim=-2).unbind(-1)
        default = self.group_frames[residue_types].to(angles)
        untwisted = Rigid(default[..., :3, :3], default[..., :3, 3])
        twist = Rigid(_about_first_axis(sine, cosine), torch.zeros_like(untwisted.translation))
        return backbone.insert(-1).compose(_chain(untwisted.compose(twist)))

    def place_atoms(
        self, groups: Rigid, residue_types: Int64[Tensor, "*residues"]
    ) -> Float[Tensor, "*residues 14 3"]:
        """Returns the position of every slot, in angstrom; zero where the residue has no atom."""
        group = self.atom14_group[residue_types]
        frames = Rigid(_take(groups.rotation, group), _take(groups.translation, group))
        positions = frames.apply(self.atom14_positions[residue_types].to(frames.translation))
        return positions * self.atom14_mask[residue_types].unsqueeze(-1)

    def to_atom37(
        self, atom14: Float[Tensor, "*residues 14 3"], residue_types: Int64[Tensor, "*residues"]
    ) -> tuple[Float[Tensor, "*residues 37 3"], Bool[Tensor, "*residues 37"]]:
        """Moves atoms from the slots to their names; gives positions and which ones exist."""
        mask = self.atom37_mask[residue_types]
        return _take(atom14, self.atom37_slot[residue_types]) * mask.unsqueeze(-1), mask


def _about_first_axis(
    sine: Float[Tensor, "*groups"], cosine: Float[Tensor, "*groups"]
) -> Float[Tensor, "*groups 3 3"]:
    zero, one = torch.zeros_like(sine), torch.ones_like(sine)
    entries = [one, zero, zero, zero, cosine, -sine, zero, sine, cosine]
    return torch.stack(entries, dim=-1).unflatten(-1, (3, 3))


def _chain(relative: Rigid) -> Rigid:
    """Makes frames relative to the backbone of chi frames relative to the chi before."""
    groups = [
        Rigid(rotation, translation)
        for rotation, translation in zip(
            relative.rotation.unbind(-3), relative.translation.unbind(-2), strict=True
        )
    ]
    for group in range(_CHI2, _NUM_GROUPS):
        groups[group] = groups[group - 1].compose(groups[group])
    return Rigid(
        torch.stack([group.rotation for group in groups], dim=-3),
        torch.stack([group.translation for group in groups], dim=-2),
    )


def _take(
    values: Float[Tensor, "*items"], index: Int64[Tensor, "*residues chosen"]
) -> Float[Tensor, "*chosen_items"]:
    """Chooses from `[*residues, items, *value]` the items that the index names."""
    value_axes = values.dim() - index.dim()
    expanded = index.reshape(*index.shape, *[1] * value_axes)
    return torch.take_along_dim(values, expanded, dim=index.dim() - 1)
