"""`embed` with a model that reads alignments: each file is a record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bioseq.checkpoints import load_model
from bioseq.embedding import EmbedOptions, embed_files
from bioseq.errors import OptionError, StoreError
from bioseq.io import read_alignment
from bioseq.msa import Msa
from bioseq.msa.tokens import encode_msa
from bioseq.runs import Owner, ValueKind
from bioseq.store import Store, check_store

FIRST = ">q the query\nACDEFGHIKL\n>r\nAC-EFGaaHIKL\n>s\nACDEYGHI-L\n"
SECOND = ">p\nMKTAY\n>r\nMKT-Y\n"


@pytest.fixture
def model(data_dir: Path) -> Path:
    return data_dir / "msa_transformer" / "tiny.pt"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "families"
    folder.mkdir()
    (folder / "first.a3m").write_text(FIRST)
    (folder / "second.a3m").write_text(SECOND)
    return folder


def embed(path: Path, output: Path, model: Path, **options: object) -> Store:
    return embed_files(path, output, EmbedOptions(model=model, **options))  # pyright: ignore[reportArgumentType]


@torch.no_grad()
def test_the_vectors_are_those_of_the_query_that_has_seen_all_rows(
    folder: Path, tmp_path: Path, model: Path
) -> None:
    options = {"per_residue": True, "pool": ("mean", "cls"), "layers": (-1, 1), "pair": True}
    loaded = load_model(model)
    with embed(folder, tmp_path / "o.h5", model, **options) as store:
        assert store.ids == ["first", "second"]
        assert store.records["description"].to_list() == ["q the query", "p"]
        for number, name in enumerate(store.ids):
            msa = Msa.from_alignment(read_alignment(folder / f"{name}.a3m"))
            tokens = torch.from_numpy(encode_msa(msa, loaded.tokenizer))
            first, last = (state[0].numpy() for state in loaded.encoder(tokens, layers=(1, -1)))
            for key, expected in (
                ("residue", last[1:]),
                ("mean", last[1:].mean(axis=0)),
                ("cls", last[0]),
                ("residue_layer1", first[1:]),
            ):
                np.testing.assert_allclose(store[key][number], expected, rtol=1e-5, atol=1e-6)
            maps = [
                o.attention
                for o in loaded.alignment_encoder.outputs(tokens)
                if o.attention is not None
            ]
            pair = torch.cat(maps)[:, 1:, 1:].permute(1, 2, 0).numpy()
            np.testing.assert_allclose(store["pair"][number], pair, rtol=1e-5, atol=1e-7)
    assert check_store(tmp_path / "o.h5") == []


def test_an_alignment_alone_gives_what_it_gives_among_others(
    folder: Path, tmp_path: Path, model: Path
) -> None:
    together = embed(folder, tmp_path / "all.h5", model)["mean"][1]
    alone = embed(folder / "second.a3m", tmp_path / "one.h5", model)["mean"][0]
    np.testing.assert_array_equal(together, alone)


def test_the_rows_count(folder: Path, tmp_path: Path, model: Path) -> None:
    path = folder / "first.a3m"
    full = embed(path, tmp_path / "full.h5", model)["mean"][0]
    single = embed(path, tmp_path / "single.h5", model, max_depth=1)["mean"][0]
    assert not np.allclose(full, single)
    with pytest.raises(StoreError, match="max_depth was 256, now 2"):
        embed(path, tmp_path / "full.h5", model, max_depth=2)


def test_a_query_that_is_too_long_is_a_failure(folder: Path, tmp_path: Path, model: Path) -> None:
    (folder / "long.a3m").write_text(f">long\n{'A' * 64}\n")
    with embed(folder, tmp_path / "o.h5", model) as store:
        assert store.failures["id"].to_list() == ["long"]
        assert "to 63 residues" in store.failures["reason"][0]
        assert [id_ for id_, _ in store["mean"]] == ["first", "second"]


@pytest.mark.parametrize("options", [{"window": 20}, {"molecule": "protein"}])
def test_options_of_sequences_are_refused(
    folder: Path, tmp_path: Path, model: Path, options: dict[str, object]
) -> None:
    with pytest.raises(OptionError, match="the model reads alignments"):
        embed(folder, tmp_path / "o.h5", model, **options)


@pytest.mark.parametrize("options", [{"pair": True}, {"max_depth": 5}, {"seed": 1}])
def test_options_of_alignments_are_refused_with_other_models(
    folder: Path, tmp_path: Path, tiny_lstm: Path, options: dict[str, object]
) -> None:
    with pytest.raises(OptionError, match="does not read alignments"):
        embed(folder / "first.a3m", tmp_path / "o.h5", tiny_lstm, **options)


def test_other_models_take_every_row_as_a_record(
    folder: Path, tmp_path: Path, tiny_lstm: Path
) -> None:
    with embed(folder / "first.a3m", tmp_path / "o.h5", tiny_lstm) as store:
        assert store.ids == ["q", "r", "s"]


@pytest.mark.parametrize("owner", ["sequence", "residue", "pair"])
def test_a_value_that_is_no_number_is_a_mistake_unless_there_may_be_gaps(owner: Owner) -> None:
    kind, gappy = ValueKind(owner=owner, dim=1), ValueKind(owner=owner, dim=1, has_gaps=True)
    for value, sound in ((1.0, (True, True)), (np.nan, (False, True)), (np.inf, (False, False))):
        values = np.array([[0.0, value]])
        assert (kind.is_sound(values), gappy.is_sound(values)) == sound
