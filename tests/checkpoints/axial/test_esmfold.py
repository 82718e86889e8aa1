"""ESMFold against transformers: its parts, the whole, both file layouts, and padding."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.testing import assert_close

from bioseq.batch import pack
from bioseq.checkpoints.folding import FoldingModel, load_folding_model
from bioseq.chemistry import RESIDUES
from bioseq.errors import CheckpointError, OptionError
from bioseq.models.esmfold import ESMFold, ESMFoldOutput
from bioseq.models.folding_trunk import FoldingBlock
from bioseq.nn.axial import block_memory
from tests.parity.record import ParityRecord

FAMILY, REFERENCE = "ESMFold", "transformers 5.23, arrays of a run"
Arrays = dict[str, Tensor]
LENGTHS = (9, 6)  # of the two sequences; the second is padded


@pytest.fixture(scope="module")
def folder(data_dir: Path) -> Path:
    return data_dir / "axial" / "esmfold"


@pytest.fixture(scope="module")
def model(folder: Path) -> FoldingModel:
    return load_folding_model(folder)


@pytest.fixture(scope="module")
def network(model: FoldingModel) -> ESMFold:
    assert isinstance(model.network, ESMFold)
    return model.network


@pytest.fixture(scope="module")
def arrays(folder: Path) -> Arrays:
    with np.load(folder / "outputs.npz") as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def assert_positions(ours: Tensor, theirs: Tensor, exact: Tensor) -> None:
    """At most a millionth of the largest value beyond the reference's own rounding error."""
    ours, theirs = ours.double(), theirs.double()
    scale = float(exact.abs().max())
    rounding = float((theirs - exact).abs().max())
    assert rounding < 1e-6 * scale
    assert_close(ours, theirs, rtol=0, atol=1e-6 * scale + rounding)
    assert_close(ours, exact, rtol=0, atol=1e-6 * scale)


def fold(model: FoldingModel, arrays: Arrays, member: int, **options: Any) -> ESMFoldOutput:
    """Folds one member of the batch by itself."""
    length = LENGTHS[member]
    types = arrays["in/aa"][member, :length].long()
    sequence = "".join(RESIDUES[index] for index in types.tolist())
    assert model.tokenizer is not None
    assert isinstance(model.network, ESMFold)
    tokens = pack(model.tokenizer.encode([sequence]))
    positions = arrays["in/pos"][member, :length].long()
    with torch.no_grad():
        return model.network(tokens, types, positions=positions, **options)


def first_block(network: ESMFold) -> FoldingBlock:
    block = network.trunk.blocks[0]
    assert isinstance(block, FoldingBlock)
    return block


@pytest.mark.parametrize("member", [0, 1])
@torch.no_grad()
def test_a_block_is_that_of_transformers(
    network: ESMFold, arrays: Arrays, member: int, record_parity: ParityRecord
) -> None:
    compare = partial(record_parity.of_largest, FAMILY, REFERENCE)
    block, mask = first_block(network), arrays["block0/in/mask"][member] > 0
    given = [arrays[f"block0/in/{part}"][member] for part in (0, 1)]
    before = [part.clone() for part in given]
    for ours, part in zip(block(*given, mask), (0, 1), strict=True):
        compare("a block", ours, arrays[f"block0/out/{part}"][member])
    assert all(torch.equal(a, b) for a, b in zip(given, before, strict=True))


@torch.no_grad()
def test_the_parts_of_a_block_are_those_of_transformers(
    network: ESMFold, arrays: Arrays, record_parity: ParityRecord
) -> None:
    compare = partial(record_parity.of_largest, FAMILY, REFERENCE)
    block = first_block(network)
    length = LENGTHS[1]
    positions, mask = arrays["relpos/in/0"][1].long(), arrays["relpos/in/mask"][1] > 0
    ours = network.trunk.relative_position(positions, mask)
    compare("relative positions", ours, arrays["relpos/out/0"][1])
    sequence = arrays["block0.sequence_to_pair/in/0"][1]
    compare(
        "sequence to pair",
        block.sequence_to_pair(sequence),
        arrays["block0.sequence_to_pair/out/0"][1],
    )
    sequence = arrays["block0.mlp_seq/in/0"][1, None]
    ours = sequence + block.transition(sequence)
    compare("sequence transition", ours[0], arrays["block0.mlp_seq/out/0"][1])
    pair = arrays["block0.mlp_pair/in/0"][1, :length]
    ours = pair + block.pairs.transition(pair)
    compare("pair transition", ours, arrays["block0.mlp_pair/out/0"][1, :length])


@pytest.mark.parametrize("member", [0, 1])
@torch.no_grad()
def test_the_trunk_with_padding_is_that_of_transformers(
    network: ESMFold, arrays: Arrays, member: int, record_parity: ParityRecord
) -> None:
    compare = partial(record_parity.of_largest, FAMILY, REFERENCE)
    sequence, types, positions, mask = (arrays[f"trunk/in/{i}"][member] for i in (0, 2, 3, 4))
    folded = network.trunk(sequence, types.long(), positions.long(), mask > 0)
    compare("sequence states of the trunk", folded.sequence, arrays["trunk/out/s_s"][member])
    compare("pair states of the trunk", folded.pair, arrays["trunk/out/s_z"][member])


@pytest.mark.parametrize("member", [0, 1])
def test_the_whole_model_is_that_of_transformers(
    model: FoldingModel, arrays: Arrays, member: int, record_parity: ParityRecord
) -> None:
    compare = partial(record_parity.of_largest, FAMILY, REFERENCE)
    ours, length = fold(model, arrays, member), LENGTHS[member]
    theirs = {name: value[member, :length] for name, value in arrays.items() if _is_single(name)}
    theirs |= {
        name: arrays[name][member, :length, :length]
        for name in ("out/s_z", "out/distogram_logits", "out/ptm_logits")
    }
    compare("sequence states", ours.folded.sequence, theirs["out/s_s"])
    compare("pair states", ours.folded.pair, theirs["out/s_z"])
    compare("distogram logits", ours.distogram_logits, theirs["out/distogram_logits"])
    compare("aligned-error logits", ours.error_logits, theirs["out/ptm_logits"])
    compare("lDDT logits", ours.lddt_logits, theirs["out/lddt_head"])
    compare("language-model logits", ours.language_logits, theirs["out/lm_logits"])


def _is_single(name: str) -> bool:
    return name in ("out/s_s", "out/lddt_head", "out/lm_logits", "out/positions")


@pytest.mark.parametrize("member", [0, 1])
def test_atoms_are_where_transformers_puts_them(
    folder: Path, model: FoldingModel, arrays: Arrays, member: int
) -> None:
    double = load_folding_model(folder)
    double.network.double()
    ours = fold(model, arrays, member).folded.folds[-1].positions
    exact = fold(double, arrays, member).folded.folds[-1].positions
    assert_positions(ours, arrays["out/positions"][member, : LENGTHS[member]], exact)


@pytest.mark.parametrize("num_bytes", [1, 4096])
def test_the_size_of_a_block_changes_nothing(
    model: FoldingModel, arrays: Arrays, num_bytes: int
) -> None:
    whole = fold(model, arrays, 0)
    with block_memory(num_bytes):
        blocked = fold(model, arrays, 0)
    assert_close(blocked.folded.pair, whole.folded.pair, rtol=1e-5, atol=1e-5)
    ours, theirs = (output.folded.folds[-1].positions for output in (blocked, whole))
    assert_close(ours, theirs, rtol=0, atol=1e-5 * float(theirs.abs().max()))


@torch.no_grad()
def test_padding_changes_no_real_residue(network: ESMFold, arrays: Arrays) -> None:
    sequence, types, positions, mask = (arrays[f"trunk/in/{i}"][1] for i in (0, 2, 3, 4))
    padded = network.trunk(sequence, types.long(), positions.long(), mask > 0)
    length = LENGTHS[1]
    cut = [x[:length] for x in (sequence, types.long(), positions.long(), mask > 0)]
    alone = network.trunk(*cut)
    assert_close(padded.pair[:length, :length], alone.pair, rtol=1e-5, atol=1e-5)
    assert_close(padded.sequence[:length], alone.sequence, rtol=1e-5, atol=1e-5)
    ours, theirs = (f.folds[-1].positions for f in (padded, alone))
    assert_close(ours[:length], theirs, rtol=1e-5, atol=1e-4)


def test_gradients_reach_every_parameter_of_the_trunk(network: ESMFold, arrays: Arrays) -> None:
    sequence, types, positions, mask = (arrays[f"trunk/in/{i}"][0] for i in (0, 2, 3, 4))
    folded = network.trunk(sequence, types.long(), positions.long(), mask > 0)
    (folded.folds[-1].positions.square().sum() + folded.folds[-1].angles[..., 0].sum()).backward()
    unreached = {
        name.split(".")[0]
        for name, parameter in network.trunk.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    }
    network.zero_grad()
    assert unreached == set()


def test_more_passes_give_another_fold(model: FoldingModel, arrays: Arrays) -> None:
    once, twice = (fold(model, arrays, 0, num_passes=count) for count in (1, 2))
    assert not torch.allclose(once.folded.pair, twice.folded.pair)
    assert torch.equal(twice.folded.pair, fold(model, arrays, 0).folded.pair)  # as configured
    with pytest.raises(OptionError, match="num_passes is 0"):
        fold(model, arrays, 0, num_passes=0)


def test_tokens_of_another_sequence_are_refused(model: FoldingModel, network: ESMFold) -> None:
    assert model.tokenizer is not None
    tokens = pack(model.tokenizer.encode(["ACDEF"]))
    with pytest.raises(OptionError, match="tokens is '7 in 1 sequences'; allowed: 6 in 1"):
        network(tokens, torch.zeros(4, dtype=torch.int64))


@pytest.fixture
def split(folder: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The same weights in fair-esm's layout, and the language model in a folder of its own."""
    tensors = load_file(folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    settings = config.pop("esmfold_config")
    file, language = tmp_path / "esmfold_3B_v1.pt", tmp_path / "esm2"
    own = {name: value for name, value in tensors.items() if not name.startswith("esm.")}
    torch.save({"cfg": {"model": settings}, "model": own}, file)
    language.mkdir()
    (language / "config.json").write_text(json.dumps(config | {"is_folding_model": False}))
    theirs = {name: value for name, value in tensors.items() if name.startswith("esm.")}
    save_file(theirs, language / "model.safetensors")
    return file, language


def test_both_layouts_give_the_same_numbers(
    model: FoldingModel, arrays: Arrays, split: tuple[Path, Path]
) -> None:
    file, language = split
    other = load_folding_model(file, language_model=language)
    assert other.name == "esmfold_3B_v1"
    ours, theirs = (fold(m, arrays, 0) for m in (other, model))
    assert torch.equal(ours.lddt_logits, theirs.lddt_logits)
    assert torch.equal(ours.folded.folds[-1].positions, theirs.folded.folds[-1].positions)


def test_a_language_model_too_few_or_too_many_is_named(
    folder: Path, split: tuple[Path, Path]
) -> None:
    file, language = split
    with pytest.raises(CheckpointError, match="leaves the language model out; name the ESM-2"):
        load_folding_model(file)
    with pytest.raises(CheckpointError, match="holds its own language model"):
        load_folding_model(folder, language_model=language)


Change = Callable[[dict[str, Any]], None]


def _ablate(config: dict[str, Any]) -> None:
    config["esmfold_config"]["esm_ablate_sequence"] = True


def _widen(config: dict[str, Any]) -> None:
    config["esmfold_config"]["trunk"]["sequence_head_width"] = 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_ablate, "esm_ablate_sequence is True; allowed: False"),
        (_widen, "dim is 32; allowed: multiples of head_dim = 5"),
    ],
)
def test_another_arithmetic_is_refused(
    folder: Path, tmp_path: Path, change: Change, message: str
) -> None:
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (tmp_path / "config.json").write_text(json.dumps(config))
    shutil.copy(folder / "model.safetensors", tmp_path)
    with pytest.raises(CheckpointError, match=message):
        load_folding_model(tmp_path)


def test_a_missing_tensor_is_named(folder: Path, tmp_path: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["trunk.blocks.1.seq_attention.g_proj.bias"]
    save_file(tensors, tmp_path / "model.safetensors")
    shutil.copy(folder / "config.json", tmp_path)
    with pytest.raises(CheckpointError) as caught:
        load_folding_model(tmp_path)
    assert caught.value.missing == ("trunk.blocks.1.seq_attention.g_proj.bias",)
