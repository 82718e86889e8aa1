"""A run of contact prediction is complete, durable and the same however it is cut."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bioseq.checkpoints import load_model
from bioseq.errors import CheckpointError, FingerprintError, InputError, OptionError, StoreError
from bioseq.io import read_alignment
from bioseq.msa import Msa, Subsampling
from bioseq.msa.tokens import encode_msa
from bioseq.prediction.contacts import ContactOptions, predict_contacts
from bioseq.prediction.contacts.predictors import METHODS, MeanFieldCouplings
from bioseq.prediction.contacts.transformer import row_attention_contacts
from bioseq.store import check_store, content_digest, open_store

TRANSFORMER = Path("msa_transformer") / "tiny.pt"


@pytest.mark.parametrize("method", METHODS)
def test_the_pair_that_goes_together_scores_highest(
    tmp_path: Path, write_alignment: Callable[..., Path], method: str
) -> None:
    path = write_alignment(tmp_path / "family.a3m")
    with predict_contacts(path, tmp_path / "o.h5", ContactOptions(model=method)) as store:
        found = store.predictions["contacts"][0]
        assert isinstance(found, np.ndarray)
        assert found.shape == (12, 12)
        assert np.unravel_index(found.argmax(), found.shape) in [(0, 11), (11, 0)]
        np.testing.assert_allclose(found, found.T, atol=1e-5)
        assert store.ids == ["family"]
        assert store.records["description"].to_list() == ["r0 row"]
    assert check_store(tmp_path / "o.h5") == []


def test_an_msa_transformer_gives_its_contacts(
    tmp_path: Path, data_dir: Path, write_alignment: Callable[..., Path]
) -> None:
    path = write_alignment(tmp_path / "family.a3m", depth=5)
    options = ContactOptions(model=data_dir / TRANSFORMER)
    with predict_contacts(path, tmp_path / "o.h5", options) as store:
        found = store.predictions["contacts"][0]
    model = load_model(data_dir / TRANSFORMER)
    assert model.contacts is not None
    tokens = torch.from_numpy(encode_msa(Msa.from_alignment(read_alignment(path)), model.tokenizer))
    expected = row_attention_contacts(model.alignment_encoder, model.contacts, tokens)
    np.testing.assert_allclose(np.asarray(found), expected.numpy(), rtol=1e-6)


def test_alignments_without_a_result_are_listed(
    tmp_path: Path, data_dir: Path, write_alignment: Callable[..., Path]
) -> None:
    good = write_alignment(tmp_path / "good.a3m", depth=4)
    ragged = tmp_path / "ragged.a3m"
    ragged.write_text(">a\nACDE\n>b\nAC\n")
    strange = tmp_path / "strange.a3m"
    strange.write_text(">a\nACDE\n>b\nAC1E\n")
    cut_short = tmp_path / "cut.a3m.gz"
    cut_short.write_bytes(gzip.compress(b">a\nACDE\n" * 9000)[:60])
    long = write_alignment(tmp_path / "long.a3m", depth=3, length=70)
    options = ContactOptions(model=data_dir / TRANSFORMER)
    inputs = [ragged, good, strange, cut_short, long]
    with predict_contacts(inputs, tmp_path / "o.h5", options) as store:
        reasons = dict(store.failures.select("id", "reason").iter_rows())
        assert [id_ for id_, _ in store.predictions["contacts"]] == ["good"]
        assert len(store) == 5
    assert "match columns" in reasons["ragged"]
    assert "cut.a3m.gz" in reasons["cut"]
    assert "'1' at position 3" in reasons["strange"]
    assert reasons["long"] == "length of the query is 70; allowed: to 63 residues with this model"


def test_a_folder_gives_each_of_its_alignments_in_order(folder: Path, tmp_path: Path) -> None:
    (folder / "notes.txt").write_text("no alignment")
    with gzip.open(folder / "zipped.sto.gz", "wt") as file:
        file.write("# STOCKHOLM 1.0\nq ACDE\nr A.DE\n//\n")
    with predict_contacts(folder, tmp_path / "o.h5") as store:
        assert store.ids == [*(f"f{number:02d}" for number in range(11)), "zipped"]
        assert store.tables.lengths.tolist() == [*range(8, 19), 4]
        alone = predict_contacts(folder / "f07.a3m", tmp_path / "one.h5").predictions["contacts"][0]
        np.testing.assert_array_equal(store.predictions["contacts"].by_id("f07"), alone)


def test_equal_alignments_are_computed_once(
    tmp_path: Path, write_alignment: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [write_alignment(tmp_path / f"{name}.a3m") for name in "ab"]
    calls: list[int] = []
    predict = MeanFieldCouplings.predict

    def count(self: MeanFieldCouplings, msa: Msa) -> np.ndarray:
        calls.append(msa.depth)
        return predict(self, msa)

    monkeypatch.setattr(MeanFieldCouplings, "predict", count)
    with predict_contacts(files, tmp_path / "o.h5", ContactOptions(model="mfdca")) as store:
        assert (len(store), store.num_sequences) == (2, 1)
    assert calls == [60]


def test_an_interrupted_run_goes_on_behind_its_last_block(folder: Path, tmp_path: Path) -> None:
    whole = predict_contacts(folder, tmp_path / "whole.h5")
    seen: list[str] = []

    def stop(name: str, _: int) -> None:
        seen.append(name)
        if len(seen) == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_contacts(folder, tmp_path / "o.h5", report=stop)
    again: list[str] = []
    store = predict_contacts(folder, tmp_path / "o.h5", report=lambda name, _: again.append(name))
    assert again == ["f08", "f09", "f10"]
    assert content_digest(store) == content_digest(whole)
    assert (
        predict_contacts(folder, tmp_path / "o.h5", report=lambda name, _: again.append(name)).ids
        == whole.ids
    )
    assert len(again) == 3


def test_other_settings_or_alignments_do_not_go_on(
    folder: Path, tmp_path: Path, write_alignment: Callable[..., Path]
) -> None:
    def stop(name: str, _: int) -> None:
        if name == "f09":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_contacts(folder, tmp_path / "o.h5", report=stop)
    with pytest.raises(FingerprintError, match="model was 'axial-contacts', now 'mi'"):
        predict_contacts(folder, tmp_path / "o.h5", ContactOptions(model="mi"))
    write_alignment(folder / "f03.a3m", seed=99)
    with pytest.raises(StoreError, match="number 4 was 'f03'"):
        predict_contacts(folder, tmp_path / "o.h5")


def test_a_finished_store_of_fewer_alignments_is_protected(folder: Path, tmp_path: Path) -> None:
    predict_contacts(folder / "f00.a3m", tmp_path / "o.h5").close()
    with pytest.raises(StoreError, match="other alignments"):
        predict_contacts([folder / "f00.a3m", folder / "f01.a3m"], tmp_path / "o.h5")


def test_the_choice_of_rows_is_recorded_and_counts(folder: Path, tmp_path: Path) -> None:
    path = folder / "f04.a3m"
    found: dict[tuple[str, int], Any] = {}
    choices: list[tuple[Subsampling, int]] = [("first", 0), ("random", 1), ("random", 2)]
    for method, seed in choices:
        options = ContactOptions(max_depth=10, subsample=method, seed=seed)
        with predict_contacts(path, tmp_path / f"{method}{seed}.h5", options) as store:
            found[method, seed] = store.predictions["contacts"][0]
            recorded = [store.settings[name] for name in ("max_depth", "subsample", "seed")]
            assert recorded == [10, method, seed]
    assert not np.array_equal(found["random", 1], found["random", 2])
    short = folder / "short.a3m"
    short.write_text("".join(path.read_text().splitlines(keepends=True)[:20]))
    with predict_contacts(short, tmp_path / "short.h5") as store:
        np.testing.assert_array_equal(store.predictions["contacts"][0], found["first", 0])


def test_half_precision_is_stored_when_asked_for(folder: Path, tmp_path: Path) -> None:
    options = ContactOptions(save_as="float16")
    with predict_contacts(folder / "f00.a3m", tmp_path / "o.h5", options) as store:
        assert store.predictions["contacts"].dtype == np.float16


@pytest.mark.parametrize(
    ("inputs", "error"), [([], OptionError), (["missing.a3m"], InputError), ([""], InputError)]
)
def test_inputs_that_are_not_there_are_named(
    tmp_path: Path, inputs: list[str], error: type[Exception]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(error):
        predict_contacts([empty / name for name in inputs], tmp_path / "o.h5")


def test_a_model_that_does_not_exist_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="mfdca, mi"):
        predict_contacts(folder, tmp_path / "o.h5", ContactOptions(model="psicov"))


def test_a_transformer_without_contact_regression_is_refused(
    folder: Path, tmp_path: Path, data_dir: Path
) -> None:
    path = tmp_path / "lone.pt"
    saved = torch.load(data_dir / TRANSFORMER, weights_only=False)
    saved["model"] = {k: v for k, v in saved["model"].items() if "contact_head" not in k}
    torch.save(saved, path)
    with pytest.raises(CheckpointError, match=r"lone-contact-regression\.pt"):
        predict_contacts(folder, tmp_path / "o.h5", ContactOptions(model=path))


def test_the_maps_are_exported_as_they_are(folder: Path, tmp_path: Path) -> None:
    from bioseq.store.layouts import export_store

    predict_contacts(folder, tmp_path / "o.h5").close()
    with open_store(tmp_path / "o.h5") as store:
        name = "predictions/contacts"
        path = export_store(store, tmp_path / "o.npz", layout="npz", name=name)
        with np.load(path) as file:
            first = file["values"][: file["offsets"][1]].reshape(8, 8)
            np.testing.assert_array_equal(first, store.predictions["contacts"][0])
