"""Measures one Evoformer block: processor time and peak memory, against other implementations.

All have the released shape (256 and 128 wide) and the same random weights. The pair part is
compared with that of transformers' ESMFold block, which is OpenFold's code. With `--openfold
FOLDER`, a checkout of OpenFold, its whole block is measured too: as it is, and with what it does by
default in inference, chunks of 4 in place.

They take turns, round by round, on one thread; the medians of processor times and of the ratios
within a round count. The peak is what a fresh process needs beyond what it held before its first
call: inputs and weights are not in it, copies of the inputs are.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

os.environ["OMP_WAIT_POLICY"] = "passive"  # read when torch loads OpenMP

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from bioseq.checkpoints.axial import openfold_layers
from bioseq.checkpoints.keymap import Rule, fill
from bioseq.checkpoints.keymap import pair as pair_rules
from bioseq.checkpoints.weights import Weights
from bioseq.models.evoformer import EvoformerBlock, EvoformerConfig
from bioseq.nn.axial import PairBlock, PairConfig

assert importlib.util  # OpenFold uses it without importing it

_MSA_DIM, _PAIR_DIM = 256, 128
_PAIRS, _BLOCK = "pairs: bioseq", "block: bioseq"
_OTHER_PAIRS = "pairs: transformers"
_OPENFOLD, _OPENFOLD_CHUNKED = "block: OpenFold", "block: OpenFold, chunks of 4, in place"

_KERNELS = {
    **dict.fromkeys(("mm", "addmm", "bmm", "baddbmm"), "products"),
    "_scaled_dot_product_flash_attention_for_cpu": "attention",
    "copy_": "copies",
    "native_layer_norm": "norms",
}

Run = Callable[[], tuple[Tensor, ...]]


def randomise(module: nn.Module) -> None:
    """Gives every parameter a random value; gates and outputs start at constants otherwise."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            values = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(values * parameter.shape[-1] ** -0.5)


def copy_weights(ours: nn.Module, theirs: nn.Module, rules: tuple[Rule, ...]) -> None:
    """Fills our module with their parameters."""
    tensors = {f"theirs.{name}": value for name, value in theirs.state_dict().items()}
    names = {name for rule in rules for name in rule.foreign} & tensors.keys()
    weights = Weights(path=Path("theirs"), names=frozenset(names), read=tensors.__getitem__)
    fill(nn.ModuleDict({"ours": ours}), rules, weights)


def build_pair_runs(pair: Tensor) -> dict[str, Run]:
    """Returns the pair parts of bioseq and of transformers' ESMFold."""
    from transformers.models.esm.configuration_esm import TrunkConfig
    from transformers.models.esm.modeling_esmfold import EsmFoldTriangularSelfAttentionBlock

    theirs = EsmFoldTriangularSelfAttentionBlock(TrunkConfig()).eval()
    randomise(theirs)
    ours = PairBlock(PairConfig(dim=_PAIR_DIM)).eval()
    mlp = ("norm", "mlp_pair.mlp.0"), ("up", "mlp_pair.mlp.1"), ("down", "mlp_pair.mlp.3")
    transition = (
        rule
        for name, foreign in mlp
        for rule in pair_rules(f"ours.transition.{name}", f"theirs.{foreign}")
    )
    rules = openfold_layers.pair_block_rules("ours", "theirs")
    rules = tuple(rule for rule in rules if not rule.ours.startswith("ours.transition."))
    copy_weights(ours, theirs, (*rules, *transition))
    mask = torch.ones(pair.shape[:2])

    def run_theirs() -> tuple[Tensor, ...]:
        z = pair[None]
        for layer in (theirs.tri_mul_out, theirs.tri_mul_in):
            z = z + layer(z, mask=mask[None])
        for layer in (theirs.tri_att_start, theirs.tri_att_end):
            z = z + layer(z, mask=mask[None], chunk_size=None)
        return (theirs.mlp_pair(z)[0],)

    return {_PAIRS: lambda: (ours(pair, mask.bool()),), _OTHER_PAIRS: run_theirs}


def build_block_runs(msa: Tensor, pair: Tensor, openfold: Path | None) -> dict[str, Run]:
    """Returns the whole block of bioseq and, from a checkout, of OpenFold."""
    ours = EvoformerBlock(EvoformerConfig()).eval()
    randomise(ours)
    masks = torch.ones(msa.shape[:2]), torch.ones(pair.shape[:2])
    runs: dict[str, Run] = {
        _BLOCK: lambda: ours(msa, pair, *(mask.bool() for mask in masks)),
    }
    if openfold is None:
        return runs
    theirs = build_openfold(openfold)
    copy_weights(ours, theirs, openfold_layers.evoformer_rules("ours", "theirs"))
    runs[_OPENFOLD] = lambda: theirs(msa, pair, *masks)
    runs[_OPENFOLD_CHUNKED] = lambda: theirs(
        msa.clone(), pair.clone(), *masks, chunk_size=4, inplace_safe=True
    )
    return runs


def build_openfold(folder: Path) -> nn.Module:
    """Builds OpenFold's block, with a stand-in for the CUDA extension that it imports."""
    sys.path.insert(0, str(folder))
    stand_in = ModuleType("attn_core_inplace_cuda")
    stand_in.forward_ = lambda logits, *_: logits.copy_(logits.softmax(dim=-1))  # type: ignore[attr-defined]
    sys.modules[stand_in.__name__] = stand_in
    from openfold.model.evoformer import (  # pyright: ignore[reportMissingImports]
        EvoformerBlock as OpenFoldBlock,
    )

    block = OpenFoldBlock(
        c_m=_MSA_DIM,
        c_z=_PAIR_DIM,
        c_hidden_msa_att=32,
        c_hidden_opm=32,
        c_hidden_mul=128,
        c_hidden_pair_att=32,
        no_heads_msa=8,
        no_heads_pair=4,
        transition_n=4,
        msa_dropout=0.15,
        pair_dropout=0.25,
        no_column_attention=False,
        opm_first=False,
        fuse_projection_weights=False,
        inf=1e9,
        eps=1e-8,
    )
    randomise(block)
    return block.eval()


def build_runs(rows: int, length: int, openfold: Path | None) -> dict[str, Run]:
    """Returns everything that is measured at one size."""
    generator = torch.Generator().manual_seed(1)
    msa = torch.randn(rows, length, _MSA_DIM, generator=generator)
    pair = torch.randn(length, length, _PAIR_DIM, generator=generator)
    return build_pair_runs(pair) | build_block_runs(msa, pair, openfold)


def measure_times(runs: dict[str, Run], num_rounds: int) -> dict[str, list[float]]:
    """Returns the processor seconds of every run in every round."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(num_rounds):
        for name, run in runs.items():
            start = time.process_time()
            run()
            seconds[name].append(time.process_time() - start)
            print(f"  {name}: {seconds[name][-1]:.2f} s", flush=True)
    return seconds


def read_status(field: str) -> float:
    """Returns a memory figure of this process in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))


def print_peak(run: Run) -> None:
    """Prints how much one call needs, in MiB; the process must be fresh."""
    # What importing and building needed is no part of it: the heap's free pages go back to the
    # system, and the peak is counted anew.
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = read_status("VmRSS")
    run()
    print(read_status("VmHWM") - before)


def measure_peak(name: str, size: str, openfold: Path | None) -> float:
    """Returns the peak of one run in a process of its own, in MiB."""
    command = [sys.executable, __file__, "--peak-of", name, "--sizes", size]
    command += ["--openfold", str(openfold)] if openfold else []
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(printed.splitlines()[-1])


def kernel_shares(run: Run) -> dict[str, float]:
    """Returns the share of the processor time that each kind of kernel takes in one call."""
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        run()
    shares = dict.fromkeys([*_KERNELS.values(), "rest"], 0.0)
    for event in profiler.key_averages():
        kind = _KERNELS.get(event.key.removeprefix("aten::"), "rest")
        shares[kind] += event.self_cpu_time_total
    total = sum(shares.values())
    return {kind: time / total for kind, time in shares.items()}


def measure_size(size: str, num_rounds: int, openfold: Path | None) -> list[dict[str, object]]:
    """Returns one line of the table for every run at one size."""
    rows, length = map(int, size.split("x"))
    runs = build_runs(rows, length, openfold)
    references = {_PAIRS: runs[_PAIRS](), _BLOCK: runs[_BLOCK]()}
    seconds = measure_times(runs, num_rounds)
    table = []
    for name, run in runs.items():
        own = _PAIRS if name.startswith("pairs") else _BLOCK
        ratios = [theirs / ours for theirs, ours in zip(seconds[name], seconds[own], strict=True)]
        differences = [
            float((a - b).abs().max() / b.abs().max())
            for a, b in zip(references[own], run(), strict=True)
        ]
        table.append(
            {
                "size": size,
                "name": name,
                "cpu_seconds": seconds[name],
                "cpu_times_bioseq": statistics.median(ratios),
                "peak_mib": measure_peak(name, size, openfold),
                "relative_difference": max(differences),
            }
        )
        print("{size:>8} {name:<40}".format(**table[-1]), end="")
        print(f"{statistics.median(seconds[name]):>8.2f} s", end="")
        print("{cpu_times_bioseq:>7.2f} {peak_mib:>7.0f} MiB".format(**table[-1]), end="")
        print("  {relative_difference:.0e}".format(**table[-1]), flush=True)
    shares = kernel_shares(runs[_BLOCK])
    print(
        f"{size:>8} {_BLOCK}: " + ", ".join(f"{k} {v:.0%}" for k, v in shares.items()), flush=True
    )
    table.append({"size": size, "name": _BLOCK, "kernel_shares": shares})
    return table


def parse_arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, help="JSON file")
    parser.add_argument("--sizes", nargs="+", default=["64x128"], help="rows x length")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--openfold", type=Path, help="checkout of OpenFold; left out by default")
    parser.add_argument("--peak-of", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measures, prints the table and writes it."""
    arguments = parse_arguments()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with torch.inference_mode():
        if arguments.peak_of:
            rows, length = map(int, arguments.sizes[0].split("x"))
            print_peak(build_runs(rows, length, arguments.openfold)[arguments.peak_of])
            return
        table = [
            line
            for size in arguments.sizes
            for line in measure_size(size, arguments.rounds, arguments.openfold)
        ]
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
