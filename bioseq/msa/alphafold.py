"""The features that AlphaFold 2 makes of an alignment.

Source: Jumper et al. 2021, supplement, sections 1.2.6 (masking), 1.2.7 (clustering) and 1.2.9
(features). The draws are NumPy's and not TensorFlow's: with the same rows and masks the features
are AlphaFold's, but a seed does not choose the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, Shaped

from bioseq.errors import OptionError
from bioseq.msa.alignment import GAP, Msa

RESIDUES = "ARNDCQEGHILKMFPSTWYV"
"""AlphaFold's order; then come the unknown residue, the gap and the mask."""

UNKNOWN_CODE, GAP_CODE, MASK_CODE = 20, 21, 22
NUM_CODES = 23
_NUM_RAW = 22  # without the mask
_READ_AS = {"B": "D", "U": "C", "Z": "E"}  # HHblits reads them so; the query keeps X
_CODE_OF = np.full(256, UNKNOWN_CODE, np.int32)
_CODE_OF[np.frombuffer(RESIDUES.encode(), np.uint8)] = np.arange(20)
_QUERY_CODE_OF = _CODE_OF.copy()
_CODE_OF[GAP] = GAP_CODE
for _symbol, _residue in _READ_AS.items():
    _CODE_OF[ord(_symbol)] = RESIDUES.index(_residue)

_MASK_RATE = 0.15
_UNIFORM, _PROFILE, _SAME = 0.1, 0.1, 0.1  # the rest is masked
_ROWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draw:
    """All that chance decides about the features.

    Attributes:
        clusters: Rows of the alignment that become cluster centres, the query first.
        extra: Other rows, for the extra MSA; they are also what the clusters are made of.
        msa: Codes of the centres, some of them masked or replaced.
        mask: Which cells of the centres were chosen for that.
    """

    clusters: Int64[np.ndarray, " clusters"]
    extra: Int64[np.ndarray, " extra"]
    msa: Int32[np.ndarray, "clusters length"]
    mask: Bool[np.ndarray, "clusters length"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AlphaFoldFeatures:
    """Inputs of AlphaFold 2, under its own names.

    Attributes:
        aatype: Code of each residue of the query.
        residue_index: Place of each residue.
        target_feat: `[length, 22]`: no chain break, and the query one-hot.
        msa_feat: `[clusters, length, 49]`: residue one-hot with mask, has deletion, deletion value,
            cluster profile, mean deletion value of the cluster.
        extra_msa: Codes of the extra rows.
        extra_has_deletion: 1 where residues were deleted before the column.
        extra_deletion_value: How many, squeezed to 0 to 1.
        true_msa: Codes of the centres before masking.
        bert_mask: 1 where a centre was masked or replaced.
    """

    aatype: Int32[np.ndarray, " length"]
    residue_index: Int32[np.ndarray, " length"]
    target_feat: Float32[np.ndarray, "length 22"]
    msa_feat: Float32[np.ndarray, "clusters length 49"]
    extra_msa: Int32[np.ndarray, "extra length"]
    extra_has_deletion: Float32[np.ndarray, "extra length"]
    extra_deletion_value: Float32[np.ndarray, "extra length"]
    true_msa: Int32[np.ndarray, "clusters length"]
    bert_mask: Float32[np.ndarray, "clusters length"]


def alphafold_codes(msa: Msa) -> Int32[np.ndarray, "depth length"]:
    """Returns each cell's code: `RESIDUES`, unknown, gap; B is read as D, Z as E, U as C."""
    return _CODE_OF[msa.symbols]


def drop_duplicates(msa: Msa) -> Msa:
    """Keeps the first of the rows that are equal in the query's columns, as DeepMind's code does.

    The re-implementation of its pipeline in `alphafold-colabfold` keeps them all.
    """
    _, first = np.unique(msa.symbols, axis=0, return_index=True)
    return msa.take(np.sort(first))


def draw_rows(msa: Msa, *, num_clusters: int = 512, masked: bool = True, seed: int = 0) -> Draw:
    """Draws cluster centres, extra rows and masks.

    Args:
        msa: The alignment.
        num_clusters: Most centres; 508 for the published models with templates, 512 for others.
        masked: Whether 15 % of the centres' cells are hidden, as in training and inference.
        seed: The same seed gives the same draw everywhere.

    Raises:
        OptionError: no centre is asked for.
    """
    if num_clusters < 1:
        raise OptionError("num_clusters", num_clusters, allowed="1 or more")
    rng = np.random.Generator(np.random.Philox(seed))
    order = np.concatenate([[0], rng.permutation(msa.depth - 1) + 1])
    codes = alphafold_codes(msa)
    centres = codes[order[:num_clusters]]
    mask = (rng.random(centres.shape) < _MASK_RATE) & masked
    return Draw(
        clusters=order[:num_clusters],
        extra=order[num_clusters:],
        msa=np.where(mask, _replacements(centres, _raw_profile(codes), rng), centres),
        mask=mask,
    )


def alphafold_features(msa: Msa, draw: Draw, *, num_extra: int = 1024) -> AlphaFoldFeatures:
    """Makes the features of what was drawn; nothing here is left to chance.

    Args:
        msa: The alignment that was drawn from.
        draw: Centres, extra rows and masks.
        num_extra: Most extra rows to give, 1,024 or 5,120 in the published models; the clusters are
            made of all of them.
    """
    codes, deletions = alphafold_codes(msa), msa.deletions.astype(np.float32)
    aatype = _QUERY_CODE_OF[msa.symbols[0]]
    profile, mean_deletion = _summarize(codes, deletions, draw)
    centre_deletions = deletions[draw.clusters]
    kept = draw.extra[:num_extra]
    parts = (
        _one_hot(draw.msa, NUM_CODES),
        np.minimum(centre_deletions, 1)[..., None],
        _deletion_value(centre_deletions)[..., None],
        profile,
        _deletion_value(mean_deletion)[..., None],
    )
    return AlphaFoldFeatures(
        aatype=aatype,
        residue_index=np.arange(msa.length, dtype=np.int32),
        target_feat=np.pad(_one_hot(aatype, UNKNOWN_CODE + 1), ((0, 0), (1, 0))),
        msa_feat=np.concatenate(parts, axis=-1),
        extra_msa=codes[kept],
        extra_has_deletion=np.minimum(deletions[kept], 1),
        extra_deletion_value=_deletion_value(deletions[kept]),
        true_msa=codes[draw.clusters],
        bert_mask=draw.mask.astype(np.float32),
    )


def _replacements(
    centres: Int32[np.ndarray, "clusters length"],
    profile: Float32[np.ndarray, "length 22"],
    rng: np.random.Generator,
) -> Int32[np.ndarray, "clusters length"]:
    """Draws for each cell: any residue, one of its column, itself, or the mask."""
    residue = rng.integers(len(RESIDUES), size=centres.shape)
    bounds = np.cumsum(profile, axis=1)
    column = (rng.random((*centres.shape, 1)) * bounds[:, -1:] >= bounds).sum(axis=-1)
    kind = rng.random(centres.shape)
    return np.select(
        [kind < _UNIFORM, kind < _UNIFORM + _PROFILE, kind < _UNIFORM + _PROFILE + _SAME],
        [residue, column, centres],
        MASK_CODE,
    ).astype(np.int32)


def _raw_profile(codes: Int32[np.ndarray, "depth length"]) -> Float32[np.ndarray, "length 22"]:
    shares = [(codes == code).mean(axis=0) for code in range(_NUM_RAW)]
    return np.stack(shares, axis=1).astype(np.float32)


def _summarize(
    codes: Int32[np.ndarray, "depth length"],
    deletions: Float32[np.ndarray, "depth length"],
    draw: Draw,
) -> tuple[Float32[np.ndarray, "clusters length 23"], Float32[np.ndarray, "clusters length"]]:
    """Returns each centre's profile and mean deletions, over itself and the rows nearest to it."""
    profile, deletion = _one_hot(draw.msa, NUM_CODES), deletions[draw.clusters].copy()
    count = np.full(len(draw.clusters), 1.0 + 1e-6, np.float32)
    nearest = _nearest_centres(codes[draw.extra], draw.msa)
    np.add.at(count, nearest, 1)
    np.add.at(deletion, nearest, deletions[draw.extra])
    for row, centre in zip(draw.extra.tolist(), nearest.tolist(), strict=True):
        profile[centre] += _one_hot(codes[row], NUM_CODES)
    return profile / count[:, None, None], deletion / count[:, None]


def _nearest_centres(
    extra: Int32[np.ndarray, "extra length"], centres: Int32[np.ndarray, "clusters length"]
) -> Int64[np.ndarray, " extra"]:
    """Returns each row's centre with most equal residues, gaps and masks not counted."""
    flat = _one_hot(centres, NUM_CODES)[..., :GAP_CODE].reshape(len(centres), -1)
    nearest = [
        (_one_hot(some, NUM_CODES)[..., :GAP_CODE].reshape(len(some), -1) @ flat.T).argmax(axis=1)
        for some in (extra[i : i + _ROWS_AT_ONCE] for i in range(0, len(extra), _ROWS_AT_ONCE))
    ]
    return np.concatenate([np.empty(0, np.int64), *nearest])


def _one_hot(codes: Int32[np.ndarray, "*cells"], size: int) -> Float32[np.ndarray, "*cells {size}"]:
    return np.eye(size, dtype=np.float32)[codes]


def _deletion_value(
    deletions: Shaped[np.ndarray, "*cells"],
) -> Float32[np.ndarray, "*cells"]:
    return (np.arctan(deletions / 3) * (2 / np.pi)).astype(np.float32)
