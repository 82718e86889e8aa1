"""A run of structure prediction is complete, durable, and gives what the models give."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from bioseq.batch import pack
from bioseq.checkpoints.folding import load_folding_model
from bioseq.chemistry import ATOM37, ideal_geometry, residue_types
from bioseq.errors import FingerprintError, InputError, OptionError, StoreError
from bioseq.heads import expected_aligned_error, expected_lddt, predicted_tm
from bioseq.io import open_records
from bioseq.models.esmfold import ESMFold
from bioseq.prediction.structure import StructureOptions, predict_structures, write_structures
from bioseq.prediction.structure import run as run_module
from bioseq.store import Store, check_store, content_digest

SEQUENCES = {"a": "MKVACDWX", "b": "ACDEFGHIK", "c": "M"}
CA = ATOM37.index("CA")


@pytest.fixture(scope="module")
def esmfold(data_dir: Path) -> Path:
    return data_dir / "axial" / "esmfold"


@pytest.fixture(scope="module")
def alphafold(data_dir: Path) -> Path:
    return data_dir / "axial" / "alphafold_tiny_params.npz"


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    path = tmp_path / "in.fasta"
    path.write_text("".join(f">{id_} x\n{sequence}\n" for id_, sequence in SEQUENCES.items()))
    return path


def value(store: Store, name: str, record: int = 0) -> np.ndarray:
    return np.asarray(store.predictions[name][record])


def test_the_store_holds_what_esmfold_gives(esmfold: Path, fasta: Path, tmp_path: Path) -> None:
    model = load_folding_model(esmfold)
    assert isinstance(model.network, ESMFold)
    assert model.tokenizer is not None
    types = torch.from_numpy(residue_types(SEQUENCES["b"]))
    with torch.no_grad():
        output = model.network(pack(model.tokenizer.encode([SEQUENCES["b"]])), types)
    atoms = model.network.trunk.structure_module.atoms
    positions, exists = atoms.to_atom37(output.folded.folds[-1].positions, types)
    lddt = expected_lddt(output.lddt_logits)
    score = predicted_tm(output.error_logits[None], torch.ones(1, len(types), dtype=torch.bool))
    with predict_structures(fasta, tmp_path / "o.h5", StructureOptions(model=esmfold)) as store:
        assert store.ids == list(SEQUENCES)
        found = {name: torch.from_numpy(value(store, name, 1)) for name in store.predictions}
        assert store.predictions["scores"].attrs["classes"] == ["mean_lddt", "predicted_tm"]
        distances = store.predictions["distogram"].attrs["classes"]
        assert isinstance(distances, list)
        assert (len(distances), distances[0], distances[-1]) == (64, "<2.3125", ">=21.6875")
    assert_close(found["positions"], positions.flatten(1))
    assert_close(found["lddt"][exists], lddt[exists])
    assert_close(found["lddt"][:, CA], lddt[:, CA])
    assert_close(found["scores"], torch.stack([lddt[:, CA].mean(), score[0]]))
    assert_close(found["aligned_error"], expected_aligned_error(output.error_logits))
    assert_close(found["distogram"], output.distogram_logits.softmax(-1))
    assert check_store(tmp_path / "o.h5") == []


def test_every_record_ends_as_a_structure_or_a_failure(esmfold: Path, tmp_path: Path) -> None:
    path = tmp_path / "in.fasta"
    path.write_text(">good\nacdef\n>stop\nAC*D\n>none\n\n>again\nACDEF\n>odd\nAC9\n")
    with predict_structures(path, tmp_path / "o.h5", StructureOptions(model=esmfold)) as store:
        assert store.rows.tolist() == [0, -1, -1, 0, -1]
        assert dict(store.failures.select("id", "reason").iter_rows()) == {
            "stop": "symbol '*' at position 3 stands for no residue",
            "none": "empty sequence",
            "odd": "symbol '9' at position 3 is not in the protein alphabet",
        }
        files = write_structures(store, path, tmp_path / "pdb", kind="pdb")
    assert [file.name for file in files] == ["good.pdb", "again.pdb"]


def test_an_alignment_is_one_protein_with_its_family(
    alphafold: Path, tmp_path: Path, write_alignment: Callable[..., Path]
) -> None:
    family = write_alignment(tmp_path / "family.a3m", depth=9, length=7)
    options = StructureOptions(model=alphafold, num_passes=2, max_extra=4)
    with predict_structures(family, tmp_path / "o.h5", options) as store:
        assert store.ids == ["family"]
        whole = value(store, "positions")
        assert whole.shape == (7, 111)
        assert value(store, "aligned_error").shape == (7, 7)
    query = tmp_path / "query.fasta"
    query.write_text(f">query\n{family.read_text().splitlines()[1]}\n")
    with predict_structures(query, tmp_path / "q.h5", options) as store:
        alone = value(store, "positions")
    assert np.isfinite(alone).all()
    assert not np.allclose(alone, whole)


def test_a_seed_chooses_the_rows(
    alphafold: Path, tmp_path: Path, write_alignment: Callable[..., Path]
) -> None:
    family = write_alignment(tmp_path / "family.a3m", depth=9, length=7)
    found = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        options = StructureOptions(model=alphafold, num_passes=1, max_extra=2, seed=seed)
        with predict_structures(family, tmp_path / f"{name}.h5", options) as store:
            found.append(value(store, "positions"))
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.allclose(found[0], found[2])


def test_esmfold_reads_the_query_of_an_alignment(
    esmfold: Path, tmp_path: Path, write_alignment: Callable[..., Path]
) -> None:
    family = write_alignment(tmp_path / "family.a3m", depth=3)
    query = tmp_path / "query.fasta"
    query.write_text(f">query\n{family.read_text().splitlines()[1]}\n")
    found = []
    for path in (family, query):
        output = path.with_suffix(".h5")
        with predict_structures(path, output, StructureOptions(model=esmfold)) as store:
            assert len(store) == 1
            found.append(value(store, "positions"))
    np.testing.assert_array_equal(*found)


def test_working_memory_changes_no_result(esmfold: Path, fasta: Path, tmp_path: Path) -> None:
    found = []
    for memory in (None, 1):
        options = StructureOptions(model=esmfold, memory=memory)
        with predict_structures(fasta, tmp_path / f"{memory}.h5", options) as store:
            found.append(value(store, "aligned_error", 1))
    np.testing.assert_allclose(*found, rtol=1e-5)


class Killed(BaseException):
    """The process is gone."""


def test_a_killed_run_goes_on_and_gives_the_same_store(
    esmfold: Path, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = StructureOptions(model=esmfold, distogram=False)
    monkeypatch.setattr(run_module, "PLAN", {"alignments_per_block": 1})
    whole = predict_structures(fasta, tmp_path / "whole.h5", options)
    done: list[str] = []

    def kill(name: str, residues: int) -> None:
        done.append(name)
        if len(done) == 2:
            raise Killed

    with pytest.raises(Killed):
        predict_structures(fasta, tmp_path / "o.h5", options, report=kill)
    with pytest.raises(FingerprintError, match="num_passes was 2, now 1"):
        predict_structures(
            fasta,
            tmp_path / "o.h5",
            StructureOptions(model=esmfold, distogram=False, num_passes=1),
        )

    def note(name: str, residues: int) -> None:
        done.append(name)

    with whole, predict_structures(fasta, tmp_path / "o.h5", options, report=note) as store:
        assert done == ["a", "b", "b", "c"]
        assert content_digest(store) == content_digest(whole)


@pytest.mark.parametrize("kind", ["pdb", "cif"])
def test_files_hold_the_sequence_and_the_stored_atoms(
    esmfold: Path, fasta: Path, tmp_path: Path, kind: str
) -> None:
    with predict_structures(fasta, tmp_path / "o.h5", StructureOptions(model=esmfold)) as store:
        files = write_structures(store, fasta, tmp_path / "files", kind=kind)
        positions = value(store, "positions").reshape(-1, len(ATOM37), 3)
        lddt = value(store, "lddt")
    assert [file.name for file in files] == [f"{id_}.{kind}" for id_ in SEQUENCES]
    for file, sequence in zip(files, SEQUENCES.values(), strict=True):
        with open_records(file) as reader:
            assert [record.sequence for record in reader] == [sequence]
    exists = ideal_geometry().atom37_mask[residue_types(SEQUENCES["a"])]
    rows = [line.split() for line in files[0].read_text().splitlines() if line.startswith("ATOM")]
    columns = slice(6, 9) if kind == "pdb" else slice(10, 13)
    found = np.array([row[columns] for row in rows], float)
    np.testing.assert_allclose(found, positions[exists], atol=5.1e-4)
    bfactors = np.array([row[10 if kind == "pdb" else 14] for row in rows], float)
    np.testing.assert_allclose(bfactors, lddt[exists], atol=5.1e-3)


def test_ids_that_make_the_same_file_name_get_files_of_their_own(
    esmfold: Path, tmp_path: Path
) -> None:
    path = tmp_path / "in.fasta"
    path.write_text(">a/b\nAC\n>a_b\nAD\n>a_b-2\nAE\n>..\nAF\n>a/b\nAC\n")
    with predict_structures(path, tmp_path / "o.h5", StructureOptions(model=esmfold)) as store:
        files = write_structures(store, path, tmp_path / "pdb", kind="pdb")
    names = [file.name for file in files]
    assert names == ["a_b.pdb", "a_b-2.pdb", "a_b-2-2.pdb", "_.pdb", "a_b-3.pdb"]


def test_files_of_other_inputs_are_refused(esmfold: Path, fasta: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.fasta"
    other.write_text(">z\nAC\n")
    with predict_structures(fasta, tmp_path / "o.h5", StructureOptions(model=esmfold)) as store:
        with pytest.raises(StoreError, match="was made from other records"):
            write_structures(store, other, tmp_path / "pdb", kind="pdb")
        with pytest.raises(OptionError, match="kind is 'png'; allowed: pdb, cif"):
            write_structures(store, fasta, tmp_path / "pdb", kind="png")
        with pytest.raises(InputError, match=r"in\.fasta: .*exists"):
            write_structures(store, fasta, fasta, kind="pdb")


@pytest.mark.parametrize("name", ["num_passes", "max_extra", "memory"])
def test_impossible_options_are_refused(name: str) -> None:
    impossible: dict[str, Any] = {name: 0}
    with pytest.raises(OptionError, match=f"{name} is 0"):
        StructureOptions(model="x", **impossible)


def test_a_nucleotide_record_is_a_failure(esmfold: Path, data_dir: Path, tmp_path: Path) -> None:
    shutil.copy(data_dir / "nasty" / "derived_1LCD_trace.pdb", tmp_path / "x.pdb")
    options = StructureOptions(model=esmfold, distogram=False)
    with predict_structures(tmp_path / "x.pdb", tmp_path / "o.h5", options) as store:
        reasons = store.failures["reason"].to_list()
    assert reasons == ["dna, but the model reads protein"] * 2
