"""The structure module: from single and pair representations to atoms.

Source: Jumper et al. 2021, supplementary section 1.8 and algorithm 20. As in the published code and
unlike the paper, the side-chain network reads its inputs through ReLU.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from bioseq.errors import OptionError
from bioseq.nn.geometry import (
    AtomBuilder,
    InvariantPointAttention,
    Rigid,
    quaternion_to_rotation,
    update_quaternion,
)

_NUM_TORSIONS = 7


@dataclass(frozen=True, kw_only=True)
class StructureModuleConfig:
    """Shape of a structure module; the defaults are AlphaFold 2's.

    Attributes:
        single_dim: Width of the single representation (the paper's c_s).
        pair_dim: Width of the pair representation (c_z).
        num_rounds: Times that the shared iteration runs.
        num_heads: Heads of invariant point attention.
        head_dim: Width of a head.
        num_query_points: Points of a head's query and key.
        num_value_points: Points of a head's value.
        num_transition_blocks: Residual blocks after the attention.
        angle_dim: Width of the side-chain network.
        num_angle_blocks: Its residual blocks.
        angle_epsilon: Least squared length that an angle's vector is divided by.
        length_unit: Angstrom that one unit of the backbone frames stands for.
        dropout: Share of values dropped in training.
    """

    single_dim: int = 384
    pair_dim: int = 128
    num_rounds: int = 8
    num_heads: int = 12
    head_dim: int = 16
    num_query_points: int = 4
    num_value_points: int = 8
    num_transition_blocks: int = 1
    angle_dim: int = 128
    num_angle_blocks: int = 2
    angle_epsilon: float = 1e-12
    length_unit: float = 10.0
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.num_rounds < 1:
            raise OptionError("num_rounds", self.num_rounds, allowed="1 and more")


@dataclass(frozen=True, kw_only=True)
class Fold:
    """What one round of the structure module gives.

    Attributes:
        frames: Backbone frames: unit quaternion (w, x, y, z) and origin in angstrom.
        angles: Sine and cosine of omega, phi, psi and chi 1 to 4.
        raw_angles: The same before they were made unit vectors; the training loss reads them.
        positions: Atoms by slot of the residue, in angstrom; zero where there is none.
        state: Single representation.
    """

    frames: Float[Tensor, "*batch length 7"]
    angles: Float[Tensor, "*batch length 7 2"]
    raw_angles: Float[Tensor, "*batch length 7 2"]
    positions: Float[Tensor, "*batch length 14 3"]
    state: Float[Tensor, "*batch length dim"]


class TransitionBlock(nn.Module):
    """Three linear maps with ReLU between, around which the input is carried."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.first = nn.Linear(dim, dim)
        self.second = nn.Linear(dim, dim)
        self.third = nn.Linear(dim, dim)

    def forward(self, x: Float[Tensor, "*residues dim"]) -> Float[Tensor, "*residues dim"]:
        """Transforms each residue by itself."""
        return x + self.third(self.second(self.first(x).relu()).relu())


class AngleBlock(nn.Module):
    """A residual block of the side-chain network."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.first = nn.Linear(dim, dim)
        self.second = nn.Linear(dim, dim)

    def forward(self, x: Float[Tensor, "*residues dim"]) -> Float[Tensor, "*residues dim"]:
        """Transforms each residue by itself."""
        return x + self.second(self.first(x.relu()).relu())


class TorsionAngles(nn.Module):
    """Gives the torsion angles of each residue.

    Source: algorithm 20, lines 11 to 14.
    """

    def __init__(self, config: StructureModuleConfig) -> None:
        super().__init__()
        self.epsilon = config.angle_epsilon
        self.state = nn.Linear(config.single_dim, config.angle_dim)
        self.initial = nn.Linear(config.single_dim, config.angle_dim)
        self.blocks = nn.ModuleList(
            AngleBlock(config.angle_dim) for _ in range(config.num_angle_blocks)
        )
        self.output = nn.Linear(config.angle_dim, 2 * _NUM_TORSIONS)

    def forward(
        self,
        state: Float[Tensor, "*residues dim"],
        initial: Float[Tensor, "*residues dim"],
    ) -> tuple[Float[Tensor, "*residues 7 2"], Float[Tensor, "*residues 7 2"]]:
        """Returns sine and cosine, and the vectors that they are the directions of.

        Args:
            state: Single representation of this round.
            initial: The structure module's input, normalised.
        """
        x = self.state(state.relu()) + self.initial(initial.relu())
        for block in self.blocks:
            x = block(x)
        raw = self.output(x.relu()).unflatten(-1, (_NUM_TORSIONS, 2))
        length = raw.square().sum(-1, keepdim=True).clamp(min=self.epsilon).sqrt()
        return raw / length, raw


class StructureModule(nn.Module):
    """Folds: in every round residues attend to each other in space and each moves its frame."""

    def __init__(self, config: StructureModuleConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.single_dim
        self.single_norm = nn.LayerNorm(dim)
        self.pair_norm = nn.LayerNorm(config.pair_dim)
        self.input = nn.Linear(dim, dim)
        self.attention = InvariantPointAttention(
            dim,
            config.pair_dim,
            num_heads=config.num_heads,
            head_dim=config.head_dim,
            num_query_points=config.num_query_points,
            num_value_points=config.num_value_points,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.attention_norm = nn.LayerNorm(dim)
        self.transition = nn.Sequential(
            *(TransitionBlock(dim) for _ in range(config.num_transition_blocks))
        )
        self.transition_norm = nn.LayerNorm(dim)
        self.backbone_update = nn.Linear(dim, 6)
        self.torsion_angles = TorsionAngles(config)
        self.atoms = AtomBuilder()

    def forward(
        self,
        single: Float[Tensor, "*batch length single_dim"],
        pair: Float[Tensor, "*batch length length pair_dim"],
        residue_types: Int64[Tensor, "*batch length"],
        mask: Bool[Tensor, "*batch length"],
    ) -> tuple[Fold, ...]:
        """Folds each sequence, from all residues at the origin.

        Args:
            single: Single representation.
            pair: Pair representation.
            residue_types: Indices into `bioseq.chemistry.RESIDUES`.
            mask: Real residues.

        Returns:
            Every round's fold; the last is the prediction.
        """
        initial = self.single_norm(single)
        pair = self.pair_norm(pair)
        state = self.input(initial)
        quaternion = state.new_tensor([1.0, 0.0, 0.0, 0.0]).expand(*state.shape[:-1], 4)
        translation = state.new_zeros(*state.shape[:-1], 3)
        folds = []
        for _ in range(self.config.num_rounds):
            # A round learns by what it does to the origins, not through the turns before it.
            quaternion = quaternion.detach()
            frames = Rigid(quaternion_to_rotation(quaternion), translation)
            state = self._attend(state, pair, frames, mask)
            turn, shift = self.backbone_update(state).split(3, dim=-1)
            quaternion = update_quaternion(quaternion, turn)
            translation = frames.apply(shift)
            folds.append(self._build(state, initial, quaternion, translation, residue_types))
        return tuple(folds)

    def _attend(
        self,
        state: Float[Tensor, "*batch length single_dim"],
        pair: Float[Tensor, "*batch length length pair_dim"],
        frames: Rigid,
        mask: Bool[Tensor, "*batch length"],
    ) -> Float[Tensor, "*batch length single_dim"]:
        state = self.dropout(state + self.attention(state, pair, frames, mask))
        state = self.transition(self.attention_norm(state))
        return self.transition_norm(self.dropout(state))

    def _build(
        self,
        state: Float[Tensor, "*batch length single_dim"],
        initial: Float[Tensor, "*batch length single_dim"],
        quaternion: Float[Tensor, "*batch length 4"],
        translation: Float[Tensor, "*batch length 3"],
        residue_types: Int64[Tensor, "*batch length"],
    ) -> Fold:
        """Turns the side chains and places the atoms on the backbone."""
        origin = translation * self.config.length_unit
        backbone = Rigid(quaternion_to_rotation(quaternion), origin)
        angles, raw_angles = self.torsion_angles(state, initial)
        groups = self.atoms.place_groups(backbone, angles, residue_types)
        return Fold(
            frames=torch.cat([quaternion, origin], dim=-1),
            angles=angles,
            raw_angles=raw_angles,
            positions=self.atoms.place_atoms(groups, residue_types),
            state=state,
        )
