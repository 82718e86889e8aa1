"""AlphaFold 2's features as the tensors that its trunk reads."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from bioseq.models.alphafold_trunk import AlignmentFeatures
from bioseq.msa.alphafold import NUM_CODES, AlphaFoldFeatures


def to_tensors(features: AlphaFoldFeatures, device: torch.device) -> AlignmentFeatures:
    """Brings features to the model; without padding, every cell is real.

    A protein without extra rows gets one that is masked: the original pads with such rows.
    """
    extra = _extra_features(features)
    num_extra, length = len(extra), len(features.aatype)
    if not num_extra:
        extra = extra.new_zeros(1, *extra.shape[1:])
    msa = torch.from_numpy(features.msa_feat)
    return AlignmentFeatures(
        target=torch.from_numpy(features.target_feat).to(device),
        residue_index=torch.from_numpy(features.residue_index).to(device),
        residue_mask=torch.ones(length, dtype=torch.bool, device=device),
        msa=msa.to(device),
        msa_mask=torch.ones(len(msa), length, dtype=torch.bool, device=device),
        extra=extra.to(device),
        extra_mask=torch.full((len(extra), length), bool(num_extra), device=device),
    )


def _extra_features(features: AlphaFoldFeatures) -> Float[Tensor, "extra length 25"]:
    residues = functional.one_hot(torch.from_numpy(features.extra_msa).long(), NUM_CODES)
    has_deletion = torch.from_numpy(features.extra_has_deletion)
    deletions = torch.from_numpy(features.extra_deletion_value)
    return torch.cat([residues.float(), has_deletion[..., None], deletions[..., None]], dim=-1)
