"""AlphaFold 2 end to end, from its parameter file and from OpenFold's checkpoints."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from bioseq.checkpoints.axial.read_alphafold import read_alphafold, read_openfold
from bioseq.checkpoints.folding import load_folding_model
from bioseq.checkpoints.weights import open_weights
from bioseq.errors import CheckpointError, OptionError
from bioseq.heads import expected_aligned_error, expected_lddt, predicted_tm
from bioseq.models.alphafold import AlphaFold, AlphaFoldConfig
from bioseq.models.alphafold_trunk import AlignmentFeatures, Recycled
from bioseq.models.structure_module import StructureModuleConfig
from tests.parity.record import ParityRecord

FAMILY, REFERENCE = "AlphaFold 2", "alphafold-colabfold 2.3.18, arrays of a run"
Arrays = dict[str, Tensor]
NUM_ROUNDS = 3  # of the tiny models, which no file tells


@pytest.fixture(scope="module")
def network(alphafold_file: Path) -> AlphaFold:
    with open_weights(alphafold_file) as weights:
        return read_alphafold(weights, num_rounds=NUM_ROUNDS)


@pytest.fixture(scope="module")
def types(forward_pass: Arrays) -> Tensor:
    return forward_pass["batch/aatype"].long()


@torch.no_grad()
def test_one_pass_gives_what_alphafold_gives(
    network: AlphaFold,
    features: AlignmentFeatures,
    recycled: Recycled,
    types: Tensor,
    forward_pass: Arrays,
    record_parity: ParityRecord,
) -> None:
    compare = partial(record_parity.of_largest, FAMILY, REFERENCE)
    ours = network([features], types, recycled)
    theirs = {k.removeprefix("out/"): v for k, v in forward_pass.items() if k.startswith("out/")}
    positions, exists = network.structure_module.atoms.to_atom37(ours.folds[-1].positions, types)
    compare(
        "structure_module/final_atom_positions",
        positions,
        theirs["structure_module/final_atom_positions"],
    )
    assert torch.equal(exists.float(), theirs["structure_module/final_atom_mask"])
    compare(
        "representations/structure_module",
        ours.folds[-1].state,
        theirs["representations/structure_module"],
    )
    compare("predicted_lddt/logits", ours.lddt_logits[:, 0], theirs["predicted_lddt/logits"])
    compare("plddt", expected_lddt(ours.lddt_logits[:, 0]), theirs["plddt"])
    assert ours.error_logits is not None
    compare(
        "pae_matrix_with_logits/logits", ours.error_logits, theirs["pae_matrix_with_logits/logits"]
    )
    compare(
        "predicted_aligned_error",
        expected_aligned_error(ours.error_logits),
        theirs["predicted_aligned_error"],
    )
    mask = features.residue_mask[None]
    score = predicted_tm(ours.error_logits[None], mask, scale_dtype=torch.float32)
    compare("ptm", score, theirs["ptm"][None])
    compare("distogram/logits", ours.distogram_logits, theirs["distogram/logits"])
    compare("masked_msa/logits", ours.masked_msa_logits, theirs["masked_msa/logits"])
    compare(
        "experimentally_resolved/logits",
        ours.resolved_logits,
        theirs["experimentally_resolved/logits"],
    )
    compare("prev/prev_msa_first_row", ours.recycled.msa_row, theirs["prev/prev_msa_first_row"])
    compare("prev/prev_pair", ours.recycled.pair, theirs["prev/prev_pair"])


@torch.no_grad()
def test_passes_are_fed_with_the_pass_before(
    network: AlphaFold, features: AlignmentFeatures, types: Tensor
) -> None:
    first = network([features], types)
    second = network([features], types, first.recycled)
    together = network([features, features], types)
    assert torch.equal(together.states.pair, second.states.pair)
    assert not torch.allclose(together.states.pair, first.states.pair)
    with pytest.raises(OptionError, match="passes is 0"):
        network([], types)


@torch.no_grad()
def test_padding_changes_no_real_residue(
    network: AlphaFold, features: AlignmentFeatures, types: Tensor
) -> None:
    real = int(features.residue_mask.sum())
    assert features.residue_mask[:real].all()
    assert real < len(types)
    plain = replace(features, templates=None)
    cut = replace(
        plain,
        target=plain.target[:real],
        residue_index=plain.residue_index[:real],
        residue_mask=plain.residue_mask[:real],
        msa=plain.msa[:, :real],
        msa_mask=plain.msa_mask[:, :real],
        extra=plain.extra[:, :real],
        extra_mask=plain.extra_mask[:, :real],
    )
    padded, alone = network([plain], types), network([cut], types[:real])
    ours, theirs = padded.folds[-1].positions[:real], alone.folds[-1].positions
    assert_close(ours, theirs, rtol=0, atol=1e-5 * float(theirs.abs().max()))
    assert_close(padded.lddt_logits[:real], alone.lddt_logits, rtol=1e-5, atol=1e-5)
    assert padded.error_logits is not None
    assert alone.error_logits is not None
    scores = [
        predicted_tm(padded.error_logits[None], features.residue_mask[None]),
        predicted_tm(alone.error_logits[None], features.residue_mask[None, :real]),
    ]
    assert_close(*scores, rtol=1e-5, atol=1e-6)


def test_gradients_reach_the_whole_network(
    network: AlphaFold, features: AlignmentFeatures, types: Tensor
) -> None:
    network.zero_grad()
    output = network([features], types)
    output.folds[-1].positions.square().sum().backward()
    reached = {name for name, p in network.named_parameters() if p.grad is not None}
    network.zero_grad()
    for part in ("trunk.input.msa", "trunk.extra_input", "structure_module.attention.query"):
        assert f"{part}.weight" in reached


@pytest.mark.parametrize("layout", ["first", "second"])
@torch.no_grad()
def test_openfold_files_give_what_the_parameter_file_gives(
    layout: str,
    network: AlphaFold,
    second_layout: Arrays,
    features: AlignmentFeatures,
    types: Tensor,
    tmp_path: Path,
) -> None:
    state = second_layout
    if layout == "first":
        state = {name.replace("_points.linear.", "_points."): w for name, w in state.items()}
    torch.save(
        {"ema": {"params": {f"model.{name}": w for name, w in state.items()}}}, tmp_path / "x.pt"
    )
    with open_weights(tmp_path / "x.pt") as weights:
        other = read_openfold(weights, num_rounds=NUM_ROUNDS)
    ours, theirs = (n([features], types) for n in (other, network))
    assert torch.equal(ours.folds[-1].positions, theirs.folds[-1].positions)
    assert torch.equal(ours.lddt_logits, theirs.lddt_logits)


def test_a_model_without_aligned_errors_is_recognised(alphafold_file: Path) -> None:
    with open_weights(alphafold_file) as weights:
        names = frozenset(name for name in weights.names if "aligned_error" not in name)
        network = read_alphafold(replace(weights, names=names))
    assert not network.config.has_aligned_error
    assert network.config.structure.num_rounds == 8


def test_a_parameter_file_is_recognised_by_its_content(
    alphafold_file: Path, tmp_path: Path
) -> None:
    renamed = tmp_path / "weights"
    renamed.write_bytes(alphafold_file.read_bytes())
    model = load_folding_model(renamed)
    assert isinstance(model.network, AlphaFold)
    assert (model.name, model.tokenizer) == ("weights", None)


def test_files_without_a_structure_model_are_refused(
    tmp_path: Path, alphafold_file: Path, data_dir: Path
) -> None:
    with pytest.raises(CheckpointError, match="no such file or folder"):
        load_folding_model(tmp_path / "nothing")
    with pytest.raises(CheckpointError, match="predicts no structures that bioseq knows of"):
        load_folding_model(data_dir / "axial" / "structure_openfold.npz")
    with pytest.raises(CheckpointError, match="brings all it needs"):
        load_folding_model(alphafold_file, language_model="protein-lstm")


def test_widths_that_do_not_fit_are_refused() -> None:
    structure = StructureModuleConfig(single_dim=24)
    with pytest.raises(OptionError, match=r"\(24, 128\); allowed: \(384, 128\), the trunk's"):
        AlphaFoldConfig(structure=structure)
