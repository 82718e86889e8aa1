"""lDDT, aligned error and TM-score against AlphaFold 2, OpenFold and ESMFold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from bioseq.checkpoints.axial.alphafold_layers import linear_rules, norm_rules
from bioseq.checkpoints.keymap import Rule, fill
from bioseq.checkpoints.weights import Weights
from bioseq.heads import LDDTHead, expected_aligned_error, expected_lddt, predicted_tm

Arrays = dict[str, Tensor]


def load(path: Path) -> Arrays:
    with np.load(path) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


@pytest.fixture(scope="module")
def alphafold(data_dir: Path) -> Arrays:
    return load(data_dir / "axial" / "structure_alphafold.npz")


@pytest.fixture(scope="module")
def openfold(data_dir: Path) -> Arrays:
    return load(data_dir / "axial" / "structure_openfold.npz")


@pytest.fixture(scope="module")
def esmfold(data_dir: Path) -> Arrays:
    return load(data_dir / "axial" / "esmfold" / "outputs.npz")


def fill_head(head: nn.Module, arrays: Arrays, name: str, *rules: tuple[Rule, ...]) -> None:
    prefix = f"{name}/param/{name}/"
    tensors = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    weights = Weights(path=Path("tiny"), names=frozenset(tensors), read=tensors.__getitem__)
    fill(head, [rule for layer in rules for rule in layer], weights)


def assert_relatively_close(ours: Tensor, theirs: Tensor) -> None:
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= 1e-6 * theirs.abs().max()


@torch.no_grad()
def test_lddt_logits_are_those_of_alphafold(alphafold: Arrays) -> None:
    name, head = "predicted_lddt_head", LDDTHead(24, 18)
    layers = (("first", "act_0"), ("second", "act_1"), ("output", "logits"))
    rules = [linear_rules(ours, theirs) for ours, theirs in layers]
    fill_head(head, alphafold, name, norm_rules("norm", "input_layer_norm"), *rules)
    ours = head(alphafold[f"{name}/in/act"][None])
    assert_relatively_close(ours[0, :, 0], alphafold[f"{name}/out/logits"])


def test_scores_are_those_of_openfold(openfold: Arrays) -> None:
    logits = openfold["final/tm_logits"][None]
    assert_relatively_close(
        expected_aligned_error(logits)[0], openfold["final/predicted_aligned_error"]
    )
    assert_relatively_close(expected_lddt(openfold["final/lddt_logits"]), openfold["final/plddt"])
    mask = openfold["in/seq_mask"][None] > 0
    theirs = predicted_tm(logits, mask, padding_counts=True)[0]
    assert_relatively_close(theirs, openfold["final/ptm_score"])


def test_scores_are_those_of_esmfold(esmfold: Arrays) -> None:
    logits, mask = esmfold["out/ptm_logits"], esmfold["in/mask"] > 0
    assert_relatively_close(expected_aligned_error(logits), esmfold["out/predicted_aligned_error"])
    assert_relatively_close(expected_lddt(esmfold["out/lddt_head"]), esmfold["out/plddt"] * 100)
    theirs = predicted_tm(logits, mask, padding_counts=True)
    assert_relatively_close(theirs, esmfold["out/ptm"].expand(2))


def test_the_tm_score_of_a_sequence_does_not_depend_on_its_batch() -> None:
    logits = torch.randn(2, 30, 30, 64, generator=torch.Generator().manual_seed(0)) * 3
    mask = torch.ones(2, 30, dtype=torch.bool)
    mask[1, 22:] = False
    together = predicted_tm(logits, mask)
    assert_close(together[0], predicted_tm(logits[:1], mask[:1])[0])
    assert_close(together[1], predicted_tm(logits[1:, :22, :22], mask[1:, :22])[0])
    assert together[0] != together[1]


def test_scores_reach_the_ends_of_their_ranges() -> None:
    worst, best = torch.full((2, 1, 40, 40, 64), -50.0)
    worst[..., -1], best[..., 0] = 50, 50
    mask = torch.ones(1, 40, dtype=torch.bool)
    assert_close(expected_aligned_error(worst), torch.full((1, 40, 40), 31.75))
    assert_close(expected_aligned_error(best), torch.full((1, 40, 40), 0.25))
    assert predicted_tm(best, mask) > 0.98
    assert predicted_tm(worst, mask) < 0.01
    assert_close(expected_lddt(best[..., -50:]), torch.full((1, 40, 40), 50.0))
    assert_close(expected_lddt(worst[..., -50:]), torch.full((1, 40, 40), 99.0))
