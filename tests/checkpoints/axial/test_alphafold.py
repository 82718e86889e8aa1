"""The whole trunk with templates and recycling against AlphaFold 2 in JAX, from its own file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from bioseq.checkpoints.axial.alphafold import STACKED, head_rules, trunk_config, trunk_rules
from bioseq.checkpoints.axial.stacked import unstack
from bioseq.checkpoints.weights import open_weights
from bioseq.errors import CheckpointError, OptionError
from bioseq.heads import DistogramHead
from bioseq.models.alphafold_trunk import AlignmentFeatures, Recycled
from bioseq.nn.axial import block_memory
from tests.parity.record import ParityRecord

RULES = (*trunk_rules(), *head_rules())
FAMILY, REFERENCE = "AlphaFold 2", "alphafold-colabfold 2.3.18, arrays of a run"
Arrays = dict[str, Tensor]


@pytest.fixture(scope="module")
def model(alphafold_file: Path, build_filled: Callable[..., nn.ModuleDict]) -> nn.ModuleDict:
    with open_weights(alphafold_file) as weights:
        return build_filled(trunk_config(weights), RULES, unstack(weights, STACKED))


@pytest.mark.parametrize("num_bytes", [1, 2**24])
@pytest.mark.parametrize("gradients", [True, False])
def test_one_pass_gives_alphafold_representations_and_logits(
    num_bytes: int,
    gradients: bool,
    model: nn.ModuleDict,
    features: AlignmentFeatures,
    recycled: Recycled,
    forward_pass: Arrays,
    record_parity: ParityRecord,
) -> None:
    compare = partial(record_parity.of_largest, FAMILY, REFERENCE)
    heads = model["heads"]
    assert isinstance(heads, nn.ModuleDict)
    with torch.set_grad_enabled(gradients), block_memory(num_bytes):
        states = model["trunk"](features, recycled)
        outputs = {
            "representations/msa": states.msa,
            "representations/pair": states.pair,
            "representations/single": states.single,
            "distogram/logits": heads["distogram"](states.pair),
            "masked_msa/logits": heads["masked_msa"](states.msa),
            "experimentally_resolved/logits": heads["resolved"](states.single),
        }
    for name, value in outputs.items():
        compare(name, value, forward_pass[f"out/{name}"])
    edges = DistogramHead(16).edges
    compare("distogram/bin_edges", edges, forward_pass["out/distogram/bin_edges"])


def test_a_pass_changes_none_of_its_inputs(
    model: nn.ModuleDict, features: AlignmentFeatures, recycled: Recycled
) -> None:
    given = [value for part in (features, recycled) for value in vars(part).values()]
    tensors = [value for value in given if isinstance(value, Tensor)]
    before = [tensor.clone() for tensor in tensors]
    with torch.no_grad():
        first = model["trunk"](features, recycled)
        second = model["trunk"](features, recycled)
    assert all(torch.equal(a, b) for a, b in zip(tensors, before, strict=True))
    assert torch.equal(first.pair, second.pair)


def test_the_first_pass_recycles_zeros(
    model: nn.ModuleDict, features: AlignmentFeatures, recycled: Recycled
) -> None:
    zeros = Recycled(**{name: torch.zeros_like(value) for name, value in vars(recycled).items()})
    with torch.no_grad():
        first, explicit = model["trunk"](features), model["trunk"](features, zeros)
    assert torch.equal(first.pair, explicit.pair)
    assert torch.equal(first.single, explicit.single)


def test_a_model_without_templates_is_recognised_and_refuses_them(
    alphafold_file: Path,
    build_filled: Callable[..., nn.ModuleDict],
    features: AlignmentFeatures,
) -> None:
    with open_weights(alphafold_file) as weights:
        names = frozenset(name for name in weights.names if "/template_" not in name)
        without = replace(weights, names=names)
        config = trunk_config(without)
        model = build_filled(config, RULES, unstack(without, STACKED))
    assert config.templates is None
    with pytest.raises(OptionError, match="templates is 2; allowed: none with this model"):
        model["trunk"](features)
    states = model["trunk"](replace(features, templates=None))
    assert states.single.shape == (11, config.single_dim)


def test_masked_templates_leave_the_pairs_as_without_templates(
    model: nn.ModuleDict, features: AlignmentFeatures
) -> None:
    templates = features.templates
    assert templates is not None
    nothing = replace(
        templates,
        mask=torch.zeros_like(templates.mask),
        torsion_mask=torch.zeros_like(templates.torsion_mask),
    )
    with torch.no_grad():
        ours = model["trunk"](replace(features, templates=nothing))
        without = model["trunk"](replace(features, templates=None))
    real = features.residue_mask  # a column without real cells attends to template rows too
    assert_close(ours.pair, without.pair, rtol=1e-5, atol=1e-5)
    assert_close(ours.single[real], without.single[real], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("block", ["evoformer_iteration", "template_pair_stack"])
def test_a_file_that_lacks_an_array_is_refused_by_its_name(
    block: str, alphafold_file: Path, build_filled: Callable[..., nn.ModuleDict]
) -> None:
    end = "pair_transition/transition2//bias"
    with open_weights(alphafold_file) as weights:
        lost = next(name for name in weights.names if block in name and name.endswith(end))
        rest = replace(weights, names=weights.names - {lost})
        with pytest.raises(CheckpointError, match="missing") as caught:
            build_filled(trunk_config(rest), RULES, unstack(rest, STACKED))
    assert caught.value.missing == (f"{lost}[0]", f"{lost}[1]")


def test_a_file_that_does_not_tell_the_shape_is_refused(alphafold_file: Path) -> None:
    with open_weights(alphafold_file) as weights:
        names = frozenset(name for name in weights.names if "preprocess_1d" not in name)
        with pytest.raises(CheckpointError, match=r"can't tell .* shape; missing: .*_1d"):
            trunk_config(replace(weights, names=names))
