"""Measures encoders: useful floating-point operations per second, against other implementations.

All have the shape of ESM-2 8M and the same random weights, and give the mean over the residues of
each sequence. They take turns, round by round, so that whatever else the machine does hits all of
them; medians count.

Useful operations are those that real tokens need: for each token of a sequence of L tokens and in
each layer, 8 dim^2 + 4 dim hidden_dim for the linear maps and 4 dim L for attention.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

os.environ["OMP_WAIT_POLICY"] = "passive"  # read when torch loads OpenMP

import esm
import numpy as np
import torch
import transformers
from jaxtyping import Float
from torch import Tensor

from bioseq.batch import pack, plan_batches
from bioseq.checkpoints import load_model
from bioseq.checkpoints.families.esm import build_esm_tokenizer
from bioseq.checkpoints.keymap import Ignored, Rule, fill
from bioseq.checkpoints.weights import Weights
from bioseq.io import open_records
from bioseq.models import Encoder

_LAYERS, _DIM, _HEADS, _HIDDEN = 6, 320, 20, 1280
_PAD, _MASK = 1, 32
_FAIR_ESM_TOKENS = 4096  # its extraction script's default
_INPUT_ORDER_BATCH = 8
_PEAK_SIZE = 2048

Means = Float[Tensor, "sequences dim"]

_FAIR_ESM_MODULES = {
    "layers.{layer}.self_attn.q_proj": "esm.encoder.layer.{layer}.attention.self.query",
    "layers.{layer}.self_attn.k_proj": "esm.encoder.layer.{layer}.attention.self.key",
    "layers.{layer}.self_attn.v_proj": "esm.encoder.layer.{layer}.attention.self.value",
    "layers.{layer}.self_attn.out_proj": "esm.encoder.layer.{layer}.attention.output.dense",
    "layers.{layer}.self_attn_layer_norm": "esm.encoder.layer.{layer}.attention.LayerNorm",
    "layers.{layer}.fc1": "esm.encoder.layer.{layer}.intermediate.dense",
    "layers.{layer}.fc2": "esm.encoder.layer.{layer}.output.dense",
    "layers.{layer}.final_layer_norm": "esm.encoder.layer.{layer}.LayerNorm",
    "emb_layer_norm_after": "esm.encoder.emb_layer_norm_after",
    "contact_head.regression": "esm.contact_head.regression",
    "lm_head.dense": "lm_head.dense",
    "lm_head.layer_norm": "lm_head.layer_norm",
}
_FAIR_ESM_RULES: Sequence[Rule | Ignored] = (
    Rule("embed_tokens.weight", ("esm.embeddings.word_embeddings.weight",)),
    Rule("layers.{layer}.self_attn.rot_emb.inv_freq", ("esm.rotary_embeddings.inv_freq",)),
    Rule("lm_head.weight", ("lm_head.decoder.weight",)),
    Rule("lm_head.bias", ("lm_head.bias",)),
    *(
        Rule(f"{module}.{part}", (f"{source}.{part}",))
        for module, source in _FAIR_ESM_MODULES.items()
        for part in ("weight", "bias")
    ),
)


@dataclass(frozen=True, kw_only=True)
class Result:
    """One implementation's figures.

    Attributes:
        name: The implementation and how it batches.
        seconds: Wall time of each round.
        cpu_seconds: Processor time of each round, over all threads.
        useful_gflops: Useful operations per second in the median round, in 10^9.
        times_bioseq: Median over the rounds of wall time over bioseq's of the same round.
        cpu_times_bioseq: The same for processor time.
        largest_difference: From bioseq's means, over all sequences.
    """

    name: str
    seconds: list[float]
    cpu_seconds: list[float]
    useful_gflops: float
    times_bioseq: float
    cpu_times_bioseq: float
    largest_difference: float


def count_operations(lengths: Sequence[int]) -> float:
    """Returns the useful operations for sequences of so many tokens, specials included."""
    linear = 8 * _DIM**2 + 4 * _DIM * _HIDDEN
    return float(sum(_LAYERS * length * (linear + 4 * _DIM * length) for length in lengths))


def build_transformers() -> transformers.EsmForMaskedLM:
    """Builds the model with random weights."""
    torch.manual_seed(0)
    config = transformers.EsmConfig(
        vocab_size=33,
        mask_token_id=_MASK,
        pad_token_id=_PAD,
        hidden_size=_DIM,
        num_hidden_layers=_LAYERS,
        num_attention_heads=_HEADS,
        intermediate_size=_HIDDEN,
        layer_norm_eps=1e-5,
        position_embedding_type="rotary",
        token_dropout=True,
        emb_layer_norm_before=False,
    )
    return transformers.EsmForMaskedLM(config).eval()


def convert_to_bioseq(model: transformers.EsmForMaskedLM) -> Encoder:
    """Returns the same model as a bioseq encoder, by way of a model folder."""
    transformers.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return load_model(Path(folder)).encoder


def convert_to_fair_esm(model: transformers.EsmForMaskedLM) -> esm.ESM2:
    """Returns the same model in fair-esm."""
    other = esm.ESM2(_LAYERS, _DIM, _HEADS, "ESM-1b").eval()
    state = model.state_dict()
    weights = Weights(path=Path("transformers"), names=frozenset(state), read=state.__getitem__)
    fill(other, _FAIR_ESM_RULES, weights)
    return other


def embed_with_bioseq(encoder: Encoder, sequences: Sequence[str], tokens_per_batch: int) -> Means:
    """Packed batches, planned by length; tokenizing and planning included."""
    tokenizer = build_esm_tokenizer()
    lengths = np.array([len(sequence) + 2 for sequence in sequences])
    means = torch.empty(len(sequences), _DIM)
    for indices in plan_batches(lengths, tokens_per_batch):
        members: list[int] = indices.tolist()
        batch = pack(tokenizer.encode([sequences[i] for i in members]))
        states = encoder(batch).states[0]
        for i, rows in zip(members, batch.layout.split(states), strict=True):
            means[i] = rows[1:-1].mean(dim=0)
    return means


def embed_with_transformers(
    model: transformers.EsmModel, tokens: Sequence[Tensor], batches: Sequence[Sequence[int]]
) -> Means:
    """Padded batches with a mask; tokenizing left out."""
    means = torch.empty(len(tokens), _DIM)
    for members in batches:
        rows = [tokens[i] for i in members]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=_PAD)
        output = model(input_ids=ids, attention_mask=(ids != _PAD).long())
        states = output.last_hidden_state
        for i, state in zip(members, states, strict=True):
            means[i] = state[1 : len(tokens[i]) - 1].mean(dim=0)
    return means


def embed_with_fair_esm(model: esm.ESM2, sequences: Sequence[str]) -> Means:
    """The loop of its extraction script, without the cut at 1022 residues."""
    labels = [str(i) for i in range(len(sequences))]
    data = esm.FastaBatchedDataset(labels, sequences)
    batches = data.get_batch_indices(_FAIR_ESM_TOKENS, extra_toks_per_seq=1)
    converter = model.alphabet.get_batch_converter()
    loader: Iterable[Any] = torch.utils.data.DataLoader(
        cast("Any", data), collate_fn=converter, batch_sampler=batches
    )
    means = torch.empty(len(sequences), _DIM)
    for names, strings, tokens in loader:
        states = model(tokens, repr_layers=[_LAYERS])["representations"][_LAYERS]
        for name, string, state in zip(names, strings, states, strict=True):
            means[int(name)] = state[1 : len(string) + 1].mean(dim=0)
    return means


def plan_padded(lengths: Sequence[int], tokens_per_batch: int) -> list[list[int]]:
    """Groups sequences of similar length so that no padded batch exceeds the budget."""
    batches: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if batches and (len(batches[-1]) + 1) * lengths[i] <= tokens_per_batch:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches


def list_runs(sequences: Sequence[str], tokens_per_batch: int) -> dict[str, Callable[[], Means]]:
    """Returns what is measured, by name; bioseq first."""
    model = build_transformers()
    encoder, other = convert_to_bioseq(model), convert_to_fair_esm(model)
    tokenizer = build_esm_tokenizer()
    tokens = [pack(tokenizer.encode([sequence])).tokens for sequence in sequences]
    order = list(range(len(tokens)))
    as_given = [order[i : i + _INPUT_ORDER_BATCH] for i in order[::_INPUT_ORDER_BATCH]]
    by_length = plan_padded([len(t) for t in tokens], tokens_per_batch)
    return {
        "bioseq": lambda: embed_with_bioseq(encoder, sequences, tokens_per_batch),
        "transformers, input order": lambda: embed_with_transformers(model.esm, tokens, as_given),
        "transformers, length-sorted": lambda: embed_with_transformers(
            model.esm, tokens, by_length
        ),
        "fair-esm": lambda: embed_with_fair_esm(other, sequences),
    }


def measure_peak() -> float:
    """Returns the rate of a float32 matrix product in 10^9 operations per second."""
    a, b = torch.randn(2, _PEAK_SIZE, _PEAK_SIZE)
    start = time.perf_counter()
    torch.mm(a, b)
    return 2 * _PEAK_SIZE**3 / (time.perf_counter() - start) / 1e9


def measure_rounds(
    runs: dict[str, Callable[[], Means]], num_rounds: int
) -> tuple[dict[str, list[tuple[float, float]]], list[float]]:
    """Returns wall and processor seconds of every run in every round, and the peak before each."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    peaks = []
    for number in range(num_rounds):
        peaks.append(max(measure_peak() for _ in range(3)))
        for name, run in runs.items():
            wall, processor = time.perf_counter(), time.process_time()
            run()
            spent = (time.perf_counter() - wall, time.process_time() - processor)
            times[name].append(spent)
            print(f"round {number + 1}: {name}: {spent[0]:.2f} s", flush=True)
    return times, peaks


def summarise(
    times: dict[str, list[tuple[float, float]]], means: dict[str, Means], operations: float
) -> list[Result]:
    """Makes the table."""
    own = times["bioseq"]
    results = []
    for name, spent in times.items():
        wall, processor = (list(column) for column in zip(*spent, strict=True))
        ratios = [(s[0] / o[0], s[1] / o[1]) for s, o in zip(spent, own, strict=True)]
        results.append(
            Result(
                name=name,
                seconds=wall,
                cpu_seconds=processor,
                useful_gflops=operations / statistics.median(wall) / 1e9,
                times_bioseq=statistics.median(r[0] for r in ratios),
                cpu_times_bioseq=statistics.median(r[1] for r in ratios),
                largest_difference=float((means[name] - means["bioseq"]).abs().max()),
            )
        )
    return results


def describe_machine(num_threads: int) -> dict[str, Any]:
    """Returns what the figures were measured on."""
    models = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "threads": num_threads,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def print_table(results: Sequence[Result], peak: float) -> None:
    """Prints the figures for a reader."""
    print(f"\nmatrix product {_PEAK_SIZE}^3: {peak:.0f} GFLOP/s")
    header = ("seconds", "useful GFLOP/s", "time / bioseq", "CPU / bioseq", "difference")
    print(f"{'':<30}" + "".join(f"{title:>16}" for title in header))
    for r in results:
        print(
            f"{r.name:<30}{statistics.median(r.seconds):>16.2f}{r.useful_gflops:>16.1f}"
            f"{r.times_bioseq:>16.2f}{r.cpu_times_bioseq:>16.2f}{r.largest_difference:>16.1e}"
        )


def parse_arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fasta", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="JSON file")
    parser.add_argument("--limit", type=int, help="so many sequences, evenly spaced; default all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens-per-batch", type=int, default=4096)
    return parser.parse_args()


def main() -> None:
    """Measures, prints the table and writes it."""
    arguments = parse_arguments()
    warnings.simplefilter("ignore")
    torch.set_num_threads(arguments.threads)
    sequences = [record.sequence for record in open_records(arguments.fasta)]
    step = max(1, len(sequences) // (arguments.limit or len(sequences)))
    sequences = sequences[::step][: arguments.limit]
    operations = count_operations([len(sequence) + 2 for sequence in sequences])
    runs = list_runs(sequences, arguments.tokens_per_batch)
    with torch.inference_mode():
        means = {name: run() for name, run in runs.items()}
        times, peaks = measure_rounds(runs, arguments.rounds)
    results = summarise(times, means, operations)
    peak = statistics.median(peaks)
    print_table(results, peak)
    report = {
        "machine": describe_machine(arguments.threads),
        "sequences": len(sequences),
        "tokens_per_batch": arguments.tokens_per_batch,
        "useful_operations": operations,
        "peak_gflops": peak,
        "results": [asdict(result) for result in results],
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
