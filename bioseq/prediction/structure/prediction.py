"""A predicted structure in the shapes that the store keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from bioseq.chemistry import ATOM37
from bioseq.heads import DistogramHead, expected_aligned_error, expected_lddt, predicted_tm
from bioseq.runs import ValueKind

POSITIONS, LDDT, SCORES = "positions", "lddt", "scores"
ALIGNED_ERROR, DISTOGRAM = "aligned_error", "distogram"
MEAN_LDDT, PREDICTED_TM = "mean_lddt", "predicted_tm"
NUM_DISTANCES = 64
CA = ATOM37.index("CA")


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """What a model says of one protein, on the way to the store.

    Attributes:
        positions: Atoms by name, in angstrom.
        exists: Which atoms the residues have.
        lddt_logits: Over bins of the lDDT of each atom name, or of the residue.
        error_logits: Over bins of the aligned error; None for models without.
        distogram_logits: Over bins of the distance between beta carbons.
    """

    positions: Float[Tensor, "length 37 3"]
    exists: Bool[Tensor, "length 37"]
    lddt_logits: Float[Tensor, "length atoms 50"]
    error_logits: Float[Tensor, "length length 64"] | None
    distogram_logits: Float[Tensor, "length length 64"]


def value_kinds(*, aligned_error: bool, distogram: bool) -> dict[str, ValueKind]:
    """Lists what a run keeps of each protein."""
    kinds = {
        POSITIONS: ValueKind(owner="residue", dim=3 * len(ATOM37)),
        LDDT: ValueKind(owner="residue", dim=len(ATOM37)),
        SCORES: ValueKind(owner="sequence", dim=1 + aligned_error),
    }
    if aligned_error:
        kinds[ALIGNED_ERROR] = ValueKind(owner="pair", dim=1)
    if distogram:
        kinds[DISTOGRAM] = ValueKind(owner="pair", dim=NUM_DISTANCES)
    return kinds


def value_attributes(kinds: Mapping[str, ValueKind]) -> dict[str, dict[str, object]]:
    """Returns what the numbers of each set of values are."""
    scores = [MEAN_LDDT, PREDICTED_TM][: kinds[SCORES].dim]
    named: dict[str, dict[str, object]] = {
        POSITIONS: {"classes": [f"{atom}.{axis}" for atom in ATOM37 for axis in "xyz"]},
        LDDT: {"classes": list(ATOM37)},
        SCORES: {"classes": scores},
        ALIGNED_ERROR: {"classes": []},
        DISTOGRAM: {"classes": _distance_names()},
    }
    return {name: named[name] for name in kinds}


def values_of(
    predicted: Predicted, kinds: Mapping[str, ValueKind]
) -> dict[str, Float32[np.ndarray, "*shape"]]:
    """Returns the values that are kept of a prediction."""
    lddt = expected_lddt(predicted.lddt_logits).expand(-1, len(ATOM37))
    scores = [lddt[:, CA].mean()]
    kept = predicted.exists.clone()
    kept[:, CA] = True  # an unknown residue has no atoms, but a confidence
    values = {POSITIONS: predicted.positions.flatten(1), LDDT: lddt * kept}
    if predicted.error_logits is not None:
        logits = predicted.error_logits
        values[ALIGNED_ERROR] = expected_aligned_error(logits)
        mask = torch.ones(1, len(logits), dtype=torch.bool, device=logits.device)
        scores.append(predicted_tm(logits[None], mask)[0])
    values[SCORES] = torch.stack(scores)
    if DISTOGRAM in kinds:
        values[DISTOGRAM] = predicted.distogram_logits.softmax(dim=-1)
    return {name: values[name].float().cpu().numpy() for name in kinds}


def _distance_names() -> list[str]:
    """Names the bins of a distogram by their edges in angstrom."""
    edges = [f"{edge:g}" for edge in DistogramHead(1, num_bins=NUM_DISTANCES).edges.tolist()]
    between = [f"{lower}-{upper}" for lower, upper in pairwise(edges)]
    return [f"<{edges[0]}", *between, f">={edges[-1]}"]
