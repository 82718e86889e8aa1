from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from bioseq.checkpoints import bundled_models, load_model, save_model
from bioseq.errors import CheckpointError
from bioseq.heads import LanguageHead
from bioseq.models import build_encoder
from bioseq.tokenizer import build_residue_tokenizer

TOKENIZER = build_residue_tokenizer("protein")
CONFIG = {
    "architecture": "recurrent",
    "vocabulary_size": len(TOKENIZER.vocabulary),
    "embedding_dim": 4,
    "hidden_dim": 6,
    "num_layers": 1,
    "cell": "gru",
    "direction": "bidirectional",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    encoder = build_encoder(CONFIG)
    head = LanguageHead(encoder.dim, len(TOKENIZER.vocabulary))
    save_model(tmp_path, encoder=encoder, tokenizer=TOKENIZER, head=head, objective="masked")
    return tmp_path


def edit_weights(folder: Path, **changes: torch.Tensor | None) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path) | changes
    save_file({name: w for name, w in weights.items() if w is not None}, path)


def test_a_model_is_read_as_it_was_written(folder: Path) -> None:
    first, second = load_model(folder), load_model(str(folder))
    assert first.encoder.config == second.encoder.config
    assert first.weights_sha256 == second.weights_sha256
    assert not first.encoder.training
    torch.testing.assert_close(
        first.encoder.state_dict(), second.encoder.state_dict(), rtol=0, atol=0
    )


def test_a_model_without_a_head_is_read_without_one(tmp_path: Path) -> None:
    encoder = build_encoder(CONFIG)
    save_model(tmp_path, encoder=encoder, tokenizer=TOKENIZER, head=None, objective=None)
    model = load_model(tmp_path)
    assert (model.head, model.objective) == (None, None)
    torch.testing.assert_close(model.encoder.state_dict(), encoder.state_dict(), rtol=0, atol=0)


def test_a_write_that_fails_leaves_the_model_that_was_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def write_half(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_half)
    encoder = build_encoder(CONFIG)
    with pytest.raises(OSError, match="No space"):
        save_model(folder, encoder=encoder, tokenizer=TOKENIZER, head=None, objective=None)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_others_may_read_a_model_as_they_may_read_its_config(folder: Path) -> None:
    modes = {path.stat().st_mode for path in folder.iterdir()}
    assert len(modes) == 1


def test_half_precision_files_load_in_single_precision(tmp_path: Path, folder: Path) -> None:
    whole = load_model(folder)
    assert isinstance(whole.head, LanguageHead)
    half = tmp_path / "half"
    save_model(
        half,
        encoder=whole.encoder,
        tokenizer=whole.tokenizer,
        head=whole.head,
        objective="masked",
        dtype=torch.float16,
    )
    loaded = load_model(half).encoder.state_dict()
    for name, weight in whole.encoder.state_dict().items():
        assert loaded[name].dtype == torch.float32
        assert torch.equal(loaded[name], weight.half().float())


def test_missing_and_unexpected_tensors_are_named(folder: Path) -> None:
    edit_weights(folder, **{"head.dense.bias": None, "extra": torch.zeros(1)})
    with pytest.raises(CheckpointError, match=r"missing: head\.dense\.bias; unexpected: extra"):
        load_model(folder)


def test_a_wrong_shape_is_named_with_both_shapes(folder: Path) -> None:
    edit_weights(folder, **{"head.dense.bias": torch.zeros(5)})
    with pytest.raises(CheckpointError, match=r"head\.dense\.bias has shape \[5\].*\[12\]"):
        load_model(folder)


def test_a_truncated_file_is_named_as_damaged(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"model\.safetensors: damaged"):
        load_model(folder)


def test_missing_files_are_named(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(
        CheckpointError,
        match=r"nor .*the model folder is incomplete",
    ):
        load_model(folder)
    (folder / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        load_model(folder)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"format": "other"}, r"none of the families .* bioseq's own"),
        ({"format_version": 99}, "format version 99"),
        ({"encoder": {"architecture": "none"}}, "unusable config"),
        ({"tokenizer": {}}, "unusable config"),
    ],
)
def test_a_config_that_can_not_be_used_says_why(
    folder: Path, changes: dict[str, object], problem: str
) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(CheckpointError, match=problem):
        load_model(folder)


def test_an_unknown_name_is_answered_with_the_names_there_are() -> None:
    with pytest.raises(CheckpointError, match=", ".join(bundled_models())):
        load_model("no-such-model")


@pytest.mark.parametrize("name", bundled_models())
def test_bundled_models_load_and_have_a_card(name: str) -> None:
    model = load_model(name)
    assert model.name == name
    assert model.head is not None
    card = (bundled_models()[name] / "README.md").read_text()
    assert all(word in card for word in ("perplexity", "unigram", "Licence"))


def test_bundled_models_stay_small() -> None:
    size = sum(f.stat().st_size for path in bundled_models().values() for f in path.iterdir())
    assert size <= 20_000_000
