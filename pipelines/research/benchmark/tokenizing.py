"""Measures tokenizers: megabytes of residues per second on one core.

Sequences are drawn at random from a fixed seed; one in a thousand bases is N. Time is the process's
own (one thread), and the best of several runs counts, since whatever else the machine does only
ever makes a run slower.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Iterator, Sequence

os.environ["RAYON_NUM_THREADS"] = "1"  # read when the BPE library starts its threads

import numpy as np
import tokenizers

from bioseq.tokenizer import (
    BpeTokenizer,
    Tokenizer,
    build_codon_tokenizer,
    build_kmer_tokenizer,
    build_residue_tokenizer,
)

_BPE_RESIDUES = 2_000_000  # byte pair encoding is some thirty times slower than the others


def draw_sequences(num_residues: int, length: int, symbols: str, seed: int) -> list[str]:
    """Draws random sequences of one length."""
    codes = np.frombuffer(symbols.encode(), dtype=np.uint8)
    drawn = np.random.default_rng(seed).choice(codes, size=(max(num_residues // length, 1), length))
    return [row.tobytes().decode() for row in drawn]


def train_bpe(seed: int) -> BpeTokenizer:
    """Trains a small vocabulary on random motifs, with the settings of DNABERT-2."""
    draw = random.Random(seed)
    motifs = ["".join(draw.choices("ACGT", k=draw.randint(4, 12))) for _ in range(2000)]
    model = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="[UNK]"))
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=4096, special_tokens=["[UNK]"], show_progress=False
    )
    corpus = ("".join(draw.choices(motifs, k=100)) for _ in range(1000))
    model.train_from_iterator(corpus, trainer)
    return BpeTokenizer(molecule="dna", definition=model.to_str())


def list_cases(
    num_residues: int, length: int, seed: int
) -> Iterator[tuple[str, Tokenizer, list[str]]]:
    """Yields name, tokenizer and sequences of each measurement."""
    protein = draw_sequences(num_residues, length, "ACDEFGHIKLMNPQRSTVWY", seed)
    yield "residue", build_residue_tokenizer("protein"), protein
    dna = draw_sequences(num_residues, length, "ACGT" * 250 + "N", seed)
    for k in (3, 6):
        yield f"{k}-mer overlapping", build_kmer_tokenizer("dna", k=k, stride=1), dna
    yield "6-mer blocks", build_kmer_tokenizer("dna", k=6, stride=6), dna
    yield "codon", build_codon_tokenizer("dna"), dna
    yield "bpe", train_bpe(seed), dna[: max(_BPE_RESIDUES // length, 1)]


def measure_rate(tokenizer: Tokenizer, sequences: Sequence[str], repeats: int) -> float:
    """Returns residues per second of processor time, of the fastest run."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        tokenizer.encode(sequences)
        times.append(time.process_time() - start)
    return sum(map(len, sequences)) / min(times)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residues", type=int, default=10_000_000, help="of each measurement")
    parser.add_argument("--length", type=int, default=1000, help="residues of a sequence")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(f"{'tokenizer':<20}{'MB/s':>8}")
    for name, tokenizer, sequences in list_cases(
        arguments.residues, arguments.length, arguments.seed
    ):
        rate = measure_rate(tokenizer, sequences, arguments.repeats)
        print(f"{name:<20}{rate / 1e6:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
