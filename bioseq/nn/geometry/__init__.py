"""Rigid frames, torsion angles and atoms, and the attention that is invariant to them."""

from bioseq.nn.geometry.atoms import AtomBuilder
from bioseq.nn.geometry.beta_carbon import virtual_beta
from bioseq.nn.geometry.invariant_point_attention import InvariantPointAttention
from bioseq.nn.geometry.quaternion import quaternion_to_rotation, update_quaternion
from bioseq.nn.geometry.rigid import Rigid

__all__ = [
    "AtomBuilder",
    "InvariantPointAttention",
    "Rigid",
    "quaternion_to_rotation",
    "update_quaternion",
    "virtual_beta",
]
