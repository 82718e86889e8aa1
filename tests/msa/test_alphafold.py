"""AlphaFold's features, against arrays of its own pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bioseq.io import read_alignment
from bioseq.msa import Msa
from bioseq.msa.alphafold import (
    MASK_CODE,
    RESIDUES,
    AlphaFoldFeatures,
    Draw,
    alphafold_codes,
    alphafold_features,
    draw_rows,
    drop_duplicates,
)

HHBLITS = "ACDEFGHIKLMNPQRSTVWYX-"
OURS = f"{RESIDUES}X-"
SAME_NAMES = ("aatype", "residue_index", "target_feat", "msa_feat", "extra_msa")
SAME_NAMES += ("extra_has_deletion", "extra_deletion_value", "true_msa", "bert_mask")


@pytest.fixture(scope="module")
def reference(data_dir: Path) -> dict[str, np.ndarray]:
    with np.load(data_dir / "alphafold" / "features.npz") as file:
        return {name: file[name] for name in file.files}


@pytest.fixture(scope="module")
def msa(reference: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Msa:
    path = tmp_path_factory.mktemp("a3m") / "x.a3m"
    path.write_text(str(reference["a3m"]))
    return Msa.from_alignment(read_alignment(path))


def variant(reference: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """Gives the arrays of one variant, without the axis of the ensemble."""
    prefix = f"{name}/"
    return {k.removeprefix(prefix): v[0] for k, v in reference.items() if k.startswith(prefix)}


def rows_in(msa: Msa, codes: np.ndarray, deletions: np.ndarray) -> np.ndarray:
    """Finds the rows that AlphaFold drew; equal rows are as good as each other."""
    ours = alphafold_codes(msa)
    found = [
        next(
            row
            for row in range(msa.depth)
            if (ours[row] == code).all() and (msa.deletions[row] == deletion).all()
        )
        for code, deletion in zip(codes, deletions, strict=True)
    ]
    return np.array(found, np.int64)


def draw_of(msa: Msa, theirs: dict[str, np.ndarray]) -> Draw:
    return Draw(
        clusters=rows_in(msa, theirs["true_msa"], theirs["deletion_matrix"]),
        extra=rows_in(msa, theirs["extra_msa"], theirs["extra_deletion_matrix"]),
        msa=theirs["msa"],
        mask=theirs["bert_mask"] > 0,
    )


def test_codes_and_deletions_are_those_of_the_reference(
    reference: dict[str, np.ndarray], msa: Msa
) -> None:
    translate = np.array([OURS.index(letter) for letter in HHBLITS])
    np.testing.assert_array_equal(alphafold_codes(msa), translate[reference["raw/msa"]])
    np.testing.assert_array_equal(msa.deletions, reference["raw/deletion_matrix_int"])


@pytest.mark.parametrize("name", ["plain", "clustered", "bert"])
def test_features_are_those_of_the_reference(
    reference: dict[str, np.ndarray], msa: Msa, name: str
) -> None:
    theirs = variant(reference, name)
    ours = alphafold_features(msa, draw_of(msa, theirs))
    for key in SAME_NAMES:
        found: Any = getattr(ours, key)
        np.testing.assert_allclose(found, theirs[key], rtol=1e-6, atol=1e-7, err_msg=key)
        assert found.shape == theirs[key].shape


def test_the_variants_exercise_clusters_and_masks(reference: dict[str, np.ndarray]) -> None:
    assert len(variant(reference, "clustered")["extra_msa"]) == 3
    assert (variant(reference, "bert")["msa"] == MASK_CODE).any()


def test_a_draw_is_a_function_of_its_seed(msa: Msa) -> None:
    first, again = (draw_rows(msa, num_clusters=3, seed=5) for _ in range(2))
    for name in ("clusters", "extra", "msa", "mask"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    orders = {tuple(draw_rows(msa, num_clusters=3, seed=seed).clusters) for seed in range(20)}
    assert len(orders) > 5


def test_a_draw_holds_every_row_once_and_the_query_first(msa: Msa) -> None:
    draw = draw_rows(msa, num_clusters=4)
    assert draw.clusters[0] == 0
    assert sorted([*draw.clusters, *draw.extra]) == list(range(msa.depth))
    assert len(draw.clusters) == 4


def deep_msa() -> Msa:
    rng = np.random.default_rng(3)
    symbols = rng.choice(np.frombuffer(f"{RESIDUES}-".encode(), np.uint8), (400, 50))
    ids = tuple(str(row) for row in range(400))
    return Msa(ids=ids, symbols=symbols, deletions=np.zeros(symbols.shape, np.int32))


def test_masking_replaces_in_the_published_shares() -> None:
    msa = deep_msa()
    draw = draw_rows(msa, num_clusters=400)
    assert abs(draw.mask.mean() - 0.15) < 0.01
    chosen, true = draw.msa[draw.mask], alphafold_codes(msa)[draw.clusters][draw.mask]
    assert abs((chosen == MASK_CODE).mean() - 0.7) < 0.03
    assert abs((chosen == true).mean() - 0.1 - 0.1 / 20 - 0.1 / 21) < 0.03
    np.testing.assert_array_equal(
        draw.msa[~draw.mask], alphafold_codes(msa)[draw.clusters][~draw.mask]
    )


def test_without_masking_the_centres_are_the_rows() -> None:
    msa = deep_msa()
    draw = draw_rows(msa, num_clusters=7, masked=False)
    np.testing.assert_array_equal(draw.msa, alphafold_codes(msa)[draw.clusters])
    assert not draw.mask.any()


def test_a_cluster_profile_adds_up_to_one_row() -> None:
    msa = deep_msa()
    features: AlphaFoldFeatures = alphafold_features(msa, draw_rows(msa, num_clusters=9))
    np.testing.assert_allclose(features.msa_feat[..., 25:48].sum(axis=-1), 1, rtol=1e-5)
    assert len(features.extra_msa) == 391
    few = alphafold_features(msa, draw_rows(msa, num_clusters=9), num_extra=10)
    np.testing.assert_array_equal(few.msa_feat, features.msa_feat)
    assert len(few.extra_msa) == 10


def test_duplicates_go_but_the_first_stays(msa: Msa) -> None:
    assert drop_duplicates(msa).ids == ("query", "h2", "h3", "h4")
