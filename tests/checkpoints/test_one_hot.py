"""The one-hot codes are models like the others, but for their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from bioseq.checkpoints import load_model

# Trained predictors name their encoder by these.
DIGESTS = {
    "one-hot-protein": "5e34eaafd70b669250c360ac97cb968b1e9c53ed5108220506c3520280ec43b6",
    "one-hot-dna": "8670564ce1d7a9ce896d77dfc7350bf06d05bd79d0d9b6f5be3a7c2ce72d73eb",
}


@pytest.mark.parametrize("name", DIGESTS)
def test_a_one_hot_code_keeps_its_digest(name: str) -> None:
    assert load_model(name).weights_sha256 == DIGESTS[name]


def test_a_folder_of_its_name_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one-hot-protein").mkdir()
    assert load_model("one-hot-protein").encoder.num_layers == 0
