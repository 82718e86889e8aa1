"""A small input and its plan."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bioseq.embed import EmbedOptions
from bioseq.plan import ShardPlan, plan_shards

RATE = 1e9  # measuring it takes seconds


def records_of(seed: int, count: int) -> list[str]:
    """FASTA entries: some sequences repeat, some can't be computed, one is empty."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        length = chance.choice([3, 30, 60, 90])
        sequence = "".join(chance.choices("ACDEFGHIKLMNPQRSTVWY", k=length))
        sequence = {3: "MKV", 7: "", 11: "MK!V"}.get(number, sequence)
        found.append(f">r{number} number {number}\n{sequence}\n")
    return [*found, found[0], ">last\nMKV\n"]


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    """Forty records and two that repeat."""
    path = tmp_path / "input.fasta"
    path.write_text("".join(records_of(1, 40)))
    return path


@pytest.fixture
def options(tiny_transformer: Path) -> EmbedOptions:
    """One sequence at a time, so that the company a sequence is in can't change the last digit."""
    return EmbedOptions(model=tiny_transformer, per_residue=True)


@pytest.fixture
def plan(fasta: Path, options: EmbedOptions, tmp_path: Path) -> ShardPlan:
    """Four shards."""
    return plan_shards(
        fasta, tmp_path / "plan.parquet", options, num_shards=4, flops_per_second=RATE
    )
