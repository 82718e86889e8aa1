"""Models on the hub, with a hub on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file

from bioseq.checkpoints import load_model
from bioseq.checkpoints.hub import fetch_repository, find_cached
from bioseq.checkpoints.weights import blobs
from bioseq.embedding import EmbedOptions, embed_files
from bioseq.errors import CheckpointError
from bioseq.shards import compute_shard, plan_shards
from tests.checkpoints.hub import COMMIT, Hub, serve

NAME = "someone/tiny"


@pytest.fixture
def connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Points huggingface_hub to an address, and to a cache of the test's own."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)

    def point(url: str) -> None:
        monkeypatch.setattr(constants, "ENDPOINT", url)
        template = url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)

    return point


@pytest.fixture
def hub(tiny_lstm: Path, connect: Callable[[str], None]) -> Iterator[Hub]:
    files = {path.name: path.read_bytes() for path in tiny_lstm.iterdir()}
    files["pytorch_model.bin"] = b"the same in another format"
    files["README.md"] = b"not needed"
    files["onnx/config.json"] = b"{}"
    with serve(Hub(NAME, files)) as running:
        connect(running.url)
        yield running


def test_a_repository_loads_by_its_name_and_knows_its_revision(hub: Hub, tiny_lstm: Path) -> None:
    model, local = load_model(NAME), load_model(tiny_lstm)
    assert (model.name, model.revision) == (NAME, COMMIT)
    assert model.weights_sha256 == local.weights_sha256
    ours, theirs = model.encoder.state_dict(), local.encoder.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_only_settings_and_safe_weights_are_downloaded(hub: Hub) -> None:
    folder = fetch_repository(NAME)
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors"}


def test_other_weights_are_downloaded_where_there_are_no_safe_ones(
    hub: Hub, tmp_path: Path
) -> None:
    (tmp_path / "w").write_bytes(hub.files["model.safetensors"])
    torch.save(load_file(tmp_path / "w"), tmp_path / "bin")
    config = hub.files["config.json"]
    hub.files = {"config.json": config, "pytorch_model.bin": (tmp_path / "bin").read_bytes()}
    assert load_model(f"{NAME}@main").revision == COMMIT
    assert [path.name for path in fetch_repository(NAME).glob("*.bin")] == ["pytorch_model.bin"]


def test_what_was_fetched_loads_without_a_connection(
    hub: Hub, connect: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_cached(NAME) is None
    folder = fetch_repository(NAME)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.log.clear()
    assert load_model(NAME).revision == COMMIT
    assert hub.log == []
    assert find_cached(NAME) == folder


def test_the_commit_is_in_the_provenance_of_a_store(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "in.fasta").write_text(">a\nMKV\n")
    with embed_files(tmp_path / "in.fasta", tmp_path / "out.h5", EmbedOptions(model=NAME)) as store:
        assert store.provenance["revision"] == COMMIT


def test_shards_of_a_fetched_model_need_no_connection(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_repository(NAME)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.log.clear()
    (tmp_path / "in.fasta").write_text(">a\nMKV\n>b\nMKVLA\n")
    options = EmbedOptions(model=NAME)
    plan = plan_shards(
        tmp_path / "in.fasta",
        tmp_path / "plan.parquet",
        options,
        num_shards=2,
        flops_per_second=1e9,
    )
    with compute_shard(plan, 2, tmp_path / "shard.h5") as store:
        assert store.provenance["revision"] == COMMIT
    assert hub.log == []


def test_a_known_commit_needs_no_look_up(hub: Hub) -> None:
    assert load_model(f"{NAME}@{COMMIT}").revision == COMMIT
    assert f"GET /api/models/{NAME}/revision/main" not in hub.log


def expect(name: str, match: str) -> None:
    with pytest.raises(CheckpointError, match=match) as caught:
        load_model(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["someone/other", "nobody/tiny"])
def test_no_such_repository(hub: Hub, name: str) -> None:
    expect(name, "no such repository on the hub, or a private one")


def test_no_such_revision(hub: Hub) -> None:
    expect(f"{NAME}@v7", "no revision v7")


def test_consent_is_asked_for(hub: Hub) -> None:
    hub.gated = True
    expect(NAME, "asks for consent")


def test_no_network(connect: Callable[[str], None]) -> None:
    connect("http://127.0.0.1:9")
    expect(
        NAME, "not in the cache, and the hub can't be reached; .*bioseq models fetch someone/tiny"
    )


def test_offline_and_not_in_the_cache(
    connect: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect("http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    expect(NAME, "not in the cache, and HF_HUB_OFFLINE is set")


def weights_blob(hub: Hub) -> Path:
    cache = Path(constants.HF_HUB_CACHE) / "models--someone--tiny" / "blobs"
    return cache / hashlib.sha256(hub.files["model.safetensors"]).hexdigest()


@pytest.mark.slow  # the tries of huggingface_hub wait for each other
def test_a_download_that_broke_off_is_said_and_goes_on(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 2)
    hub.cut = 1000
    expect(NAME, "the download broke off .*repeat the command")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    expect(NAME, "half downloaded, and HF_HUB_OFFLINE is set")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    hub.cut = None
    hub.log.clear()
    assert load_model(NAME).revision == COMMIT
    gets = [
        line.rpartition("/")[2] for line in hub.log if line.startswith("GET") and "resolve" in line
    ]
    assert gets == ["model.safetensors"]  # what was whole is not fetched again


def test_a_wrong_file_in_the_cache_is_found_by_its_digest(hub: Hub) -> None:
    fetch_repository(NAME)
    blob = weights_blob(hub)
    content = bytearray(blob.read_bytes())
    content[-1] ^= 1
    blob.write_bytes(content)
    expect(NAME, "not the file that the hub has .*; delete .* and get it again")


def test_a_file_that_was_checked_is_not_read_through_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = load_model(NAME).weights_sha256
    hashed: list[Path] = []
    original = blobs._hash
    monkeypatch.setattr(blobs, "_hash", lambda path: hashed.append(path) or original(path))
    assert load_model(NAME).weights_sha256 == digest == weights_blob(hub).name
    assert hashed == []
    weights_blob(hub).touch()  # another time: it may be another content
    load_model(NAME)
    assert hashed == [weights_blob(hub).resolve()]
