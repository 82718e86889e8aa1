"""A small input and its plan."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from bioseq.embedding import EmbedOptions, embed_files
from bioseq.shards import ShardPlan, compute_shard, plan_shards, shard_path

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


def write_input(folder: Path) -> Path:
    path = folder / "input.fasta"
    path.write_text("".join(records_of(1, 40)))
    return path


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    """Forty records and two that repeat."""
    return write_input(tmp_path)


@pytest.fixture(scope="session")
def options(tiny_transformer: Path) -> EmbedOptions:
    """Windows, and vectors of both shapes."""
    return EmbedOptions(model=tiny_transformer, per_residue=True)


def plan_four(fasta: Path, options: EmbedOptions) -> ShardPlan:
    path = fasta.with_name("plan.parquet")
    return plan_shards(fasta, path, options, num_shards=4, flops_per_second=RATE)


@pytest.fixture
def plan(fasta: Path, options: EmbedOptions) -> ShardPlan:
    """Four shards."""
    return plan_four(fasta, options)


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory, options: EmbedOptions) -> Path:
    """All shards of that plan, and the store of a single run, made once.

    One sequence at a time, so that no neighbour changes the last digit of its values.
    """
    folder = tmp_path_factory.mktemp("embedded")
    plan = plan_four(write_input(folder), options)
    for shard in plan.shards:
        path = shard_path(folder / "shards", shard.number)
        compute_shard(plan, shard.number, path, tokens_per_batch=1).close()
    alone = replace(options, tokens_per_batch=1)
    embed_files(folder / "input.fasta", folder / "whole.h5", alone).close()
    return folder
