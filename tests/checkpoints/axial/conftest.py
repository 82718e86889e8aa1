"""AlphaFold 2 at a tiny size: random parameters in the published layout, inputs and outputs."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bioseq.checkpoints.keymap import Ignored, Rule, fill
from bioseq.checkpoints.weights import Weights, open_weights
from bioseq.heads import DistogramHead, MaskedMSAHead, ResolvedHead
from bioseq.models.alphafold_trunk import (
    AlignmentFeatures,
    AlphaFoldTrunk,
    AlphaFoldTrunkConfig,
    Recycled,
)
from bioseq.models.template import Templates
from bioseq.nn.axial import pseudo_beta

Arrays = dict[str, Tensor]
_MSA_TYPES = 23
_BACKBONE = 3
_TRANSFORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "LinearWeight": lambda w: w.T,
    "LinearWeightMHA": lambda w: w.flatten(1).T,
    "LinearMHAOutputWeight": lambda w: w.flatten(0, 1).T,
    "LinearBiasMHA": lambda w: w.flatten(),
    "LinearWeightOPM": lambda w: w.flatten(0, 1).T,
    "Other": lambda w: w,
}


@pytest.fixture(scope="session")
def alphafold_file(data_dir: Path) -> Path:
    """`params_model_1_ptm.npz` with tiny shapes, templates included."""
    return data_dir / "axial" / "alphafold_tiny_params.npz"


@pytest.fixture(scope="session")
def forward_pass(data_dir: Path) -> Arrays:
    """`batch/...` and `out/...` of one recycled pass with these parameters."""
    with np.load(data_dir / "axial" / "alphafold_tiny_forward.npz") as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


@pytest.fixture(scope="session")
def features(forward_pass: Arrays) -> AlignmentFeatures:
    batch = {name.removeprefix("batch/"): value for name, value in forward_pass.items()}
    extra = functional.one_hot(batch["extra_msa"].long(), _MSA_TYPES)
    deletions = [batch["extra_has_deletion"], batch["extra_deletion_value"]]
    return AlignmentFeatures(
        target=batch["target_feat"],
        residue_index=batch["residue_index"],
        residue_mask=batch["seq_mask"].bool(),
        msa=batch["msa_feat"],
        msa_mask=batch["msa_mask"].bool(),
        extra=torch.cat([extra, *(x[..., None] for x in deletions)], dim=-1),
        extra_mask=batch["extra_msa_mask"].bool(),
        templates=Templates(
            mask=batch["template_mask"].bool(),
            residue_types=batch["template_aatype"].long(),
            pseudo_beta=batch["template_pseudo_beta"],
            pseudo_beta_mask=batch["template_pseudo_beta_mask"].bool(),
            backbone_mask=batch["template_all_atom_masks"][..., :_BACKBONE].bool().all(dim=-1),
            torsions=batch["template_torsion_angles_sin_cos"],
            alternative_torsions=batch["template_alt_torsion_angles_sin_cos"],
            torsion_mask=batch["template_torsion_angles_mask"].bool(),
        ),
    )


@pytest.fixture(scope="session")
def recycled(forward_pass: Arrays) -> Recycled:
    return Recycled(
        msa_row=forward_pass["batch/prev_msa_first_row"],
        pair=forward_pass["batch/prev_pair"],
        pseudo_beta=pseudo_beta(forward_pass["batch/aatype"], forward_pass["batch/prev_pos"]),
    )


@pytest.fixture(scope="session")
def second_layout(alphafold_file: Path, data_dir: Path) -> Arrays:
    """The state dict that OpenFold's importer makes of AlphaFold's file."""
    tensors: Arrays = {}
    with (
        open_weights(alphafold_file) as weights,
        (data_dir / "axial" / "openfold_names.tsv").open() as names,
    ):
        for row in csv.DictReader(names, delimiter="\t"):
            transform, array = _TRANSFORMS[row["transform"]], weights.read(row["alphafold"])
            for block, part in enumerate(array if row["stacked"] else [array]):
                name = row["openfold"].replace("blocks.0", f"blocks.{block}")
                tensors[name] = transform(part).clone()
    return tensors


@pytest.fixture(scope="session")
def build_filled() -> Callable[..., nn.ModuleDict]:
    """Builds the trunk and the heads that read it, filled from foreign tensors."""

    def build(
        config: AlphaFoldTrunkConfig,
        rules: Sequence[Rule | Ignored],
        weights: Weights,
    ) -> nn.ModuleDict:
        heads = {
            "distogram": DistogramHead(config.evoformer.pair.dim),
            "masked_msa": MaskedMSAHead(config.evoformer.msa_dim),
            "resolved": ResolvedHead(config.single_dim),
        }
        parts = {"trunk": AlphaFoldTrunk(config), "heads": nn.ModuleDict(heads)}
        model = nn.ModuleDict(parts).eval()
        names = frozenset(name for name in weights.names if not _is_of_structure(name))
        fill(model, rules, replace(weights, names=names))
        return model

    return build


def _is_of_structure(name: str) -> bool:
    """Tells whether a tensor belongs to the structure module or a head that reads its output."""
    scopes = ("structure_module", "predicted_", "aux_heads.plddt", "aux_heads.tm")
    return any(scope in name for scope in scopes)
