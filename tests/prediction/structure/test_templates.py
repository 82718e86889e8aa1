"""Known structures as templates: found by sequence, aligned, and read by AlphaFold 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from bioseq.chemistry import ATOM37, residue_types
from bioseq.errors import InputError, OptionError, StoreError
from bioseq.io.chains import read_chains
from bioseq.msa.alphafold import GAP_CODE
from bioseq.prediction.structure import StructureOptions, predict_structures
from bioseq.prediction.structure.templates import MOST_TEMPLATES, TemplateLibrary, to_templates
from bioseq.store import content_digest


@pytest.fixture(scope="module")
def entry(data_dir: Path) -> Path:
    return data_dir / "nasty" / "biopython" / "PDB_1A8O.cif"


@pytest.fixture(scope="module")
def sequence(entry: Path) -> str:
    return read_chains(entry)[0].sequence


@pytest.fixture(scope="module")
def alphafold(data_dir: Path) -> Path:
    return data_dir / "axial" / "alphafold_tiny_params.npz"


def test_a_part_of_the_chain_is_found_where_it_lies(entry: Path, sequence: str) -> None:
    query = "GGGG" + sequence[20:50] + "WWWW"
    (hit,) = TemplateLibrary([entry]).find(query)
    assert hit.name == "PDB_1A8O.cif:A"
    assert hit.pairing.query.tolist() == list(range(4, 34))
    assert hit.pairing.other.tolist() == list(range(20, 50))
    assert hit.identity == 1
    assert hit.coverage == pytest.approx(30 / len(query))


def test_a_stranger_has_no_template(entry: Path) -> None:
    assert TemplateLibrary([entry]).find("G" * 40) == []


def test_a_folder_gives_its_structures_and_the_best_are_taken(
    entry: Path, sequence: str, tmp_path: Path
) -> None:
    for number in range(MOST_TEMPLATES + 1):
        (tmp_path / f"{number}.cif").write_bytes(entry.read_bytes())
    (tmp_path / "notes.txt").write_text("not a structure")
    library = TemplateLibrary([tmp_path])
    assert len(library.chains) == MOST_TEMPLATES + 1
    assert [hit.name[0] for hit in library.find(sequence)] == list("0123")


def test_features_stand_at_the_places_of_the_query(entry: Path, sequence: str) -> None:
    (chain,) = read_chains(entry)
    query = "GGGG" + sequence[20:50] + "WWWW"
    (hit,) = TemplateLibrary([entry]).find(query)
    found = to_templates([hit, hit], len(query), torch.device("cpu"))
    inner = slice(4, 34)
    types = residue_types(sequence[20:50])
    assert found.residue_types[0, inner].tolist() == types.tolist()
    assert found.residue_types[0, :4].tolist() == [GAP_CODE] * 4
    assert not found.backbone_mask[:, :4].any()
    assert not found.torsion_mask[:, :4].any()
    carbon = np.where(types == residue_types("G")[0], ATOM37.index("CA"), ATOM37.index("CB"))
    expected = chain.positions[20:50][np.arange(30), carbon]
    np.testing.assert_array_equal(found.pseudo_beta[1, inner].numpy(), expected)
    assert found.pseudo_beta_mask[0, inner].all()
    lengths = found.torsions.norm(dim=-1)
    np.testing.assert_allclose(lengths[found.torsion_mask].numpy(), 1, atol=1e-6)
    assert not lengths[~found.torsion_mask].any()


def test_templates_change_the_prediction_and_belong_to_the_run(
    alphafold: Path, entry: Path, sequence: str, tmp_path: Path
) -> None:
    query = tmp_path / "query.fasta"
    query.write_text(f">near\n{sequence[:30]}\n>far\n{'G' * 12}\n")
    with_templates = StructureOptions(model=alphafold, num_passes=1, templates=[entry])
    without = StructureOptions(model=alphafold, num_passes=1)
    found = {}
    for name, options in (("with", with_templates), ("without", without)):
        with predict_structures(query, tmp_path / f"{name}.h5", options) as store:
            positions = store.predictions["positions"]
            found[name] = [np.asarray(positions.by_id(id_)) for id_ in ("near", "far")]
            digest = content_digest(store)
    assert not np.allclose(found["with"][0], found["without"][0], atol=0.1)
    np.testing.assert_array_equal(found["with"][1], found["without"][1])
    with pytest.raises(StoreError, match="templates was None"):
        predict_structures(query, tmp_path / "without.h5", with_templates)
    with predict_structures(query, tmp_path / "without.h5", without) as store:
        assert content_digest(store) == digest


def test_models_without_templates_refuse_them(data_dir: Path, entry: Path, tmp_path: Path) -> None:
    query = tmp_path / "query.fasta"
    query.write_text(">q\nACDEFGHIKLMN\n")
    options = StructureOptions(model=data_dir / "axial" / "esmfold", templates=[entry])
    with pytest.raises(OptionError, match="templates is 1; allowed: none with this model"):
        predict_structures(query, tmp_path / "o.h5", options)


def test_files_without_a_protein_are_refused(tmp_path: Path, data_dir: Path) -> None:
    with pytest.raises(InputError, match="holds no protein chain"):
        TemplateLibrary([tmp_path])


def test_an_alignment_with_templates_ends_as_one_structure(
    alphafold: Path, entry: Path, tmp_path: Path, write_alignment: Callable[..., Path]
) -> None:
    family = write_alignment(tmp_path / "family.a3m", depth=4, length=12)
    options = StructureOptions(model=alphafold, num_passes=2, templates=[entry])
    with predict_structures(family, tmp_path / "o.h5", options) as store:
        assert store.ids == ["family"]
        assert np.isfinite(np.asarray(store.predictions["positions"][0])).all()
