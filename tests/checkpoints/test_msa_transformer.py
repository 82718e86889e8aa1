"""Files of the MSA Transformer load as they are published."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from bioseq.checkpoints import load_model
from bioseq.embedding import EmbedOptions
from bioseq.embedding.job import build_job
from bioseq.errors import CheckpointError


@pytest.fixture
def published(data_dir: Path, tmp_path: Path) -> Path:
    for name in ("tiny.pt", "tiny-contact-regression.pt"):
        shutil.copy(data_dir / "msa_transformer" / name, tmp_path / name)
    return tmp_path / "tiny.pt"


def load(path: Path) -> dict[str, Any]:
    with torch.serialization.safe_globals([argparse.Namespace]):
        return torch.load(path, weights_only=True)


def test_row_and_column_are_swapped_back(published: Path) -> None:
    saved = load(published)["model"]
    model = load_model(published)
    row = saved["encoder.sentence_encoder.layers.1.column_self_attention.layer.q_proj.weight"]
    assert torch.equal(model.encoder.state_dict()["layers.1.row_attention.query.weight"], row)


def test_names_without_the_published_prefix_are_not_swapped(published: Path) -> None:
    saved = load(published)
    swap = {"row_self": "column_self", "column_self": "row_self"}
    plain = {}
    for name, tensor in saved["model"].items():
        short = name.removeprefix("encoder.sentence_encoder.").removeprefix("encoder.")
        kind = next((k for k in swap if k in short), None)
        plain[short.replace(kind, swap[kind]) if kind else short] = tensor
    expected = load_model(published).encoder.state_dict()
    torch.save(saved | {"model": plain}, published)
    found = load_model(published).encoder.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_the_contact_regression_comes_from_its_own_file(published: Path) -> None:
    path = published.with_name("tiny-contact-regression.pt")
    regression = load(path)
    name = "encoder.sentence_encoder.contact_head.regression.bias"
    regression["model"][name] = torch.tensor([7.0])
    torch.save(regression, path)
    head = load_model(published).contacts
    assert head is not None
    assert head.regression.bias.tolist() == [7.0]


def test_without_a_contact_regression_there_is_no_contact_head(published: Path) -> None:
    published.with_name("tiny-contact-regression.pt").unlink()
    saved = load(published)
    model = {name: t for name, t in saved["model"].items() if "contact_head" not in name}
    torch.save(saved | {"model": model}, published)
    assert load_model(published).contacts is None


def test_another_model_is_named_as_such(tmp_path: Path) -> None:
    torch.save({"model": {"weight": torch.zeros(2)}}, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match="none of the families"):
        load_model(tmp_path / "other.pt")


def test_missing_settings_are_named(published: Path) -> None:
    saved = load(published)
    del saved["args"].attention_heads
    torch.save(saved, published)
    with pytest.raises(CheckpointError, match="attention_heads"):
        load_model(published)


def test_it_reads_alignments_and_jobs_for_sequences_refuse_it(published: Path) -> None:
    assert load_model(published).reads == "alignment"
    with pytest.raises(CheckpointError, match="reads alignments"):
        build_job(EmbedOptions(model=published))


def test_the_contact_regression_may_lack_the_prefix(published: Path) -> None:
    path = published.with_name("tiny-contact-regression.pt")
    parts = load(path)["model"].items()
    plain = {name.removeprefix("encoder.sentence_encoder."): part + 1 for name, part in parts}
    before = load_model(published).contacts
    torch.save({"model": plain}, path)
    after = load_model(published).contacts
    assert before is not None
    assert after is not None
    assert torch.equal(after.regression.bias, before.regression.bias + 1)
