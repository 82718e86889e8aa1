"""What all tests share: one thread, the data folders, how hypothesis runs, the parity record."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Read by OpenMP and MKL when torch loads them, here and in subprocesses.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from bioseq.tokenizer import Tokenizer
    from tests.parity.record import ParityRecord

ROOT = Path(__file__).parent.parent

# A shared machine stalls now and then: a slow example is not a failure.
settings.register_profile("bioseq", deadline=None)
settings.load_profile("bioseq")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The small files that only tests read."""
    return ROOT / "tests" / "data"


@pytest.fixture(scope="session")
def bundled_dir() -> Path:
    """The data that ships with the project."""
    return ROOT / "data"


_PARITY = pytest.StashKey["ParityRecord"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--parity-table", type=Path, metavar="PAGE", help="bring the tables in this page up to date"
    )


def pytest_configure(config: pytest.Config) -> None:
    if _parity_page(config) and config.getoption("numprocesses", None):
        message = "--parity-table needs all tests in one process: leave out -n"
        raise pytest.UsageError(message)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    page = _parity_page(session.config)
    if page and exitstatus == pytest.ExitCode.OK:
        from tests.parity.record import rewrite_table

        rewrite_table(page, session.config.stash[_PARITY])


def _parity_page(config: pytest.Config) -> Path | None:
    return config.getoption("--parity-table", None)


@pytest.fixture
def record_parity(request: pytest.FixtureRequest) -> ParityRecord:
    """Asserts closeness and keeps it: `record_parity(family, compared_with, quantity, a, b)`."""
    from tests.parity.record import ParityRecord

    return request.config.stash.setdefault(_PARITY, ParityRecord())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    gpu_items = [item for item in items if item.get_closest_marker("gpu")]
    if gpu_items and not has_cuda():
        for item in gpu_items:
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))


def has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


@pytest.fixture(scope="session")
def save_tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a model folder with random weights, the same ones every time."""
    import torch

    from bioseq.checkpoints import save_model
    from bioseq.heads import LanguageHead
    from bioseq.models import build_encoder

    folder = tmp_path_factory.mktemp("models")

    def save(name: str, tokenizer: Tokenizer, **config: Any) -> Path:
        size = len(tokenizer.vocabulary)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            encoder = build_encoder({**config, "vocabulary_size": size})
            head = LanguageHead(encoder.dim, size)
        save_model(
            folder / name, encoder=encoder, tokenizer=tokenizer, head=head, objective="masked"
        )
        return folder / name

    return save


TINY_LSTM = {"cell": "lstm", "embedding_dim": 6, "hidden_dim": 8, "num_layers": 2}
TINY_TRANSFORMER = {"dim": 16, "num_layers": 2, "num_heads": 2, "feed_forward_dim": 24}


@pytest.fixture(scope="session")
def tiny_lstm(save_tiny: Callable[..., Path]) -> Path:
    """A model folder: protein, two independent directions; reads any length."""
    from bioseq.tokenizer import build_residue_tokenizer

    config = {"architecture": "recurrent", "direction": "independent", **TINY_LSTM}
    return save_tiny("tiny-lstm", build_residue_tokenizer("protein"), **config)


@pytest.fixture(scope="session")
def tiny_transformer(save_tiny: Callable[..., Path]) -> Path:
    """A model folder: protein, at most 64 tokens at once, so that longer ones need windows."""
    from bioseq.tokenizer import build_residue_tokenizer

    config = {"architecture": "transformer", "max_tokens": 64, **TINY_TRANSFORMER}
    return save_tiny("tiny-transformer", build_residue_tokenizer("protein"), **config)


@pytest.fixture(scope="session")
def tiny_convolution(save_tiny: Callable[..., Path]) -> Path:
    """A model folder: protein, every residue sees seven on either side; reads any length."""
    from bioseq.tokenizer import build_residue_tokenizer

    config = {"architecture": "convolutional", "dim": 8, "kernel": 3, "dilations": (1, 2, 4)}
    return save_tiny("tiny-convolution", build_residue_tokenizer("protein"), **config)


@pytest.fixture(scope="session")
def tiny_dna_kmer(save_tiny: Callable[..., Path]) -> Path:
    """A model folder: DNA, a Transformer over overlapping 3-mers, at most 64 at once."""
    from bioseq.tokenizer import build_kmer_tokenizer

    config = {"architecture": "transformer", "max_tokens": 64, **TINY_TRANSFORMER}
    return save_tiny("tiny-dna-kmer", build_kmer_tokenizer("dna", k=3, stride=1), **config)
