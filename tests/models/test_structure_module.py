"""The structure module against AlphaFold 2, OpenFold and ESMFold, and its own laws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from bioseq.checkpoints.axial.structure_module import alphafold_rules, openfold_rules
from bioseq.checkpoints.keymap import fill
from bioseq.checkpoints.weights import Weights
from bioseq.errors import OptionError
from bioseq.models.structure_module import Fold, StructureModule, StructureModuleConfig
from bioseq.nn.geometry import Rigid, quaternion_to_rotation

CONFIG = StructureModuleConfig(
    single_dim=24,
    pair_dim=16,
    num_rounds=3,
    num_heads=3,
    head_dim=4,
    num_query_points=3,
    num_value_points=5,
    angle_dim=14,
)
Arrays = dict[str, Tensor]


def as_weights(tensors: Arrays) -> Weights:
    return Weights(path=Path("tiny"), names=frozenset(tensors), read=tensors.__getitem__)


def load(path: Path, prefix: str = "") -> Arrays:
    with np.load(path) as arrays:
        return {
            name.removeprefix(prefix): torch.from_numpy(arrays[name])
            for name in arrays.files
            if name.startswith(prefix)
        }


@pytest.fixture(scope="module")
def alphafold(data_dir: Path) -> Arrays:
    return load(data_dir / "axial" / "structure_alphafold.npz", "structure_module/")


@pytest.fixture(scope="module")
def openfold(data_dir: Path) -> Arrays:
    return load(data_dir / "axial" / "structure_openfold.npz")


@pytest.fixture(scope="module")
def module(alphafold: Arrays) -> StructureModule:
    module = StructureModule(CONFIG).eval()
    parameters = {k.removeprefix("param/"): v for k, v in alphafold.items() if "param/" in k}
    fill(module, alphafold_rules("", "structure_module/"), as_weights(parameters))
    return module


def assert_relatively_close(ours: Tensor, theirs: Tensor) -> None:
    """At most a millionth of the largest value: as two implementations of the original agree."""
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= 1e-6 * theirs.abs().max()


def assert_directions_close(ours: Fold, angles: Tensor, raw: Tensor) -> None:
    """A direction is as exact as its vector is long."""
    error = (ours.angles - angles).abs() * raw.norm(dim=-1, keepdim=True)
    assert error.max() <= 1e-6 * raw.abs().max()


@torch.no_grad()
def test_folds_are_those_of_alphafold(module: StructureModule, alphafold: Arrays) -> None:
    single, pair, mask, types = (
        alphafold[f"in/{name}"][None] for name in ("single", "pair", "seq_mask", "aatype")
    )
    folds = module(single, pair, types.long(), mask > 0)
    for number, fold in enumerate(folds):
        raw = alphafold["out/unnormalized_angles"][number, None]
        assert_relatively_close(fold.frames[0], alphafold["out/traj"][number])
        assert_relatively_close(fold.raw_angles, raw)
        assert_directions_close(fold, alphafold["out/angles"][number, None], raw)
    assert_relatively_close(folds[-1].state[0], alphafold["out/act"])
    assert_relatively_close(folds[-1].positions[0], alphafold["out/atom14"])
    positions, exists = module.atoms.to_atom37(folds[-1].positions, types.long())
    assert_relatively_close(positions[0], alphafold["out/atom37"])
    assert torch.equal(exists[0].float(), alphafold["in/atom37_atom_exists"])


@torch.no_grad()
def test_attention_is_that_of_alphafold(data_dir: Path) -> None:
    arrays = load(data_dir / "axial" / "structure_alphafold.npz", "invariant_point_attention/")
    attention = StructureModule(CONFIG).attention
    rules = alphafold_rules("", "")
    scope = "fold_iteration/"
    parameters = {
        k.replace("param/", scope): v for k, v in arrays.items() if k.startswith("param/")
    }
    wanted = [rule for rule in rules if rule.ours.startswith("attention.")]
    holder = torch.nn.ModuleDict({"attention": attention})
    fill(holder, wanted, as_weights(parameters))
    affine = arrays["in/affine"][None]
    frames = Rigid(quaternion_to_rotation(affine[..., :4]), affine[..., 4:])
    single, pair, mask = (arrays[f"in/{name}"][None] for name in ("single", "pair", "seq_mask"))
    ours = attention(single, pair, frames, mask[..., 0] > 0)
    assert_relatively_close(ours[0], arrays["out/y"])


def fill_from_openfold(arrays: Arrays, names: dict[str, str]) -> StructureModule:
    module = StructureModule(CONFIG).eval()
    prefix = "param/structure_module."
    state = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    for old, new in names.items():
        state = {name.replace(old, new): value for name, value in state.items()}
    fill(module, openfold_rules("", ""), as_weights(state))
    return module


@pytest.mark.parametrize("renamed", [{}, {"_points.linear.": "_points."}], ids=["v2", "v1"])
@torch.no_grad()
def test_folds_are_those_of_openfold(openfold: Arrays, renamed: dict[str, str]) -> None:
    module = fill_from_openfold(openfold, renamed)
    folds = module(
        openfold["final/single"][None],
        openfold["final/pair"][None],
        openfold["in/aatype"][None].long(),
        openfold["in/seq_mask"][None] > 0,
    )
    for number, fold in enumerate(folds):
        assert_relatively_close(fold.frames[0], openfold["final/sm.frames"][number])
        assert_relatively_close(fold.state[0], openfold["final/sm.states"][number])
        assert_relatively_close(fold.positions[0], openfold["final/sm.positions"][number])


def inputs(length: int = 6, dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(4)
    single = torch.randn(1, length, 24, generator=generator).to(dtype)
    pair = torch.randn(1, length, length, 16, generator=generator).to(dtype)
    types = torch.randint(0, 21, (1, length), generator=generator)
    return single, pair, types, torch.ones(1, length, dtype=torch.bool)


@torch.no_grad()
def test_padding_changes_no_real_residue(module: StructureModule) -> None:
    single, pair, types, mask = inputs()
    mask[:, 4:] = False
    padded = module(single, pair, types, mask)[-1]
    alone = module(single[:, :4], pair[:, :4, :4], types[:, :4], mask[:, :4])[-1]
    assert_close(padded.positions[:, :4], alone.positions, rtol=1e-5, atol=1e-5)
    assert_close(padded.state[:, :4], alone.state, rtol=1e-5, atol=1e-5)


def test_gradients_reach_every_parameter(module: StructureModule) -> None:
    module.zero_grad()
    folds = module(*inputs())
    loss = folds[-1].positions.square().sum() + folds[-1].angles[..., 0].sum()
    loss.backward()
    unreached = [
        name for name, p in module.named_parameters() if p.grad is None or not p.grad.any()
    ]
    assert unreached == []


def test_gradients_are_those_of_finite_differences(alphafold: Arrays) -> None:
    config = StructureModuleConfig(
        single_dim=4,
        pair_dim=3,
        num_rounds=1,
        num_heads=1,
        head_dim=2,
        num_query_points=1,
        num_value_points=1,
        angle_dim=3,
        num_angle_blocks=1,
    )
    with torch.random.fork_rng():
        torch.manual_seed(2)
        tiny = StructureModule(config).double().eval()
    single, pair = (torch.randn(1, *s, 4 if len(s) == 1 else 3).double() for s in ((2,), (2, 2)))
    types, mask = torch.tensor([[17, 1]]), torch.ones(1, 2, dtype=torch.bool)

    def fold(single: Tensor, pair: Tensor) -> tuple[Tensor, Tensor]:
        last = tiny(single, pair, types, mask)[-1]
        return last.positions, last.state

    assert torch.autograd.gradcheck(fold, (single.requires_grad_(), pair.requires_grad_()))


def test_no_round_is_refused() -> None:
    with pytest.raises(OptionError, match="num_rounds is 0"):
        StructureModuleConfig(num_rounds=0)
