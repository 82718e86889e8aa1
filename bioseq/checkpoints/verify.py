"""Does a model give the numbers it should, on this machine and from these files?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import torch
from torch import Tensor

from bioseq.batch import pack
from bioseq.checkpoints.load import load_model
from bioseq.checkpoints.model import Model
from bioseq.typing import AnyPath, Molecule

REFERENCE_FILE = "reference.json"
_PROTEINS = (
    "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV",
    "M",
    "ACDEFGHIKLMNPQRSTVWY",
    "MXBZUOJXX",
    "GGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGG",
    "mkvlatgkr",
)
_DNA = (
    "ATGACCGAATTCGGATCCAAGCTTGCGGCCGCTAGCTAGGATTACAGGCATGAGCC",
    "A",
    "ACGTACGTACG",
    "ACGNNNNNNNNNNNNACGTRYSWKM",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "acgtacgga",
)
PROBES: Mapping[Molecule, Sequence[str]] = {
    "protein": _PROTEINS,
    "dna": _DNA,
    "rna": tuple(probe.replace("T", "U").replace("t", "u") for probe in _DNA),
}
"""Short and odd sequences that every model can read."""

_REFERENCE_BOUND = 1e-4
_BATCH_BOUND = 1e-4
_HALF_BOUND = 0.1


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was checked.

    Attributes:
        name: What.
        difference: The largest difference found.
        bound: What it may be.
    """

    name: str
    difference: float
    bound: float

    @property
    def passed(self) -> bool:
        """Whether the difference is a number within the bound."""
        return self.difference <= self.bound


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was found about a model.

    Attributes:
        model: The model, in float32.
        reference: Where the recorded values come from; None where there are none.
        checks: What was checked.
    """

    model: Model
    reference: str | None
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether everything is within its bound."""
        return all(check.passed for check in self.checks)


@torch.no_grad()
def verify_model(name_or_path: AnyPath) -> Verification:
    """Runs the probes through a model and compares what comes out.

    With the values recorded for these very weights, where there are any; each probe alone with all
    probes in one batch; and float32 with bfloat16. Differences of states are shares of the largest
    state, that of bfloat16 is the root of the mean square over that of the states.

    Args:
        name_or_path: As `load_model` takes it.

    Raises:
        CheckpointError: the model can't be had or loaded.
    """
    model = load_model(name_or_path)
    model.require_sequences()
    probes = PROBES[model.molecule]
    alone = [encode_probe(model, probe) for probe in probes]
    reference = recorded_values().get(model.weights_sha256)
    checks = [
        Check(name="numbers that are not finite", difference=_count_bad(model, alone), bound=0.0),
        Check(name="alone or in a batch", difference=_batch_gap(model, alone), bound=_BATCH_BOUND),
    ]
    if reference is not None:
        gap = max(
            _gap(summarise(states)[: len(values)], torch.tensor(values))
            for states, values in zip(alone, reference["values"], strict=True)
        )
        checks.insert(0, Check(name="recorded values", difference=gap, bound=_REFERENCE_BOUND))
    half = load_model(name_or_path, dtype=torch.bfloat16)
    gap = _relative_error(torch.cat([encode_probe(half, p) for p in probes]), torch.cat(alone))
    checks.append(Check(name="float32 or bfloat16", difference=gap, bound=_HALF_BOUND))
    source = reference["source"] if reference is not None else None
    return Verification(model=model, reference=source, checks=tuple(checks))


def encode_probe(model: Model, probe: str) -> Tensor:
    """Returns the last layer's states `[tokens, dim]` of one probe by itself, in float32."""
    return model.encoder(pack(model.tokenizer.encode([probe]))).states[0].float()


def summarise(states: Tensor) -> Tensor:
    """Returns what is recorded of a probe: the mean state of all tokens."""
    return states.mean(dim=0)


def recorded_values() -> dict[str, dict]:
    """Gives, by digest of the weights, the first numbers of each probe's mean and their source."""
    return json.loads(files("bioseq.checkpoints").joinpath(REFERENCE_FILE).read_text())


def _count_bad(model: Model, alone: Sequence[Tensor]) -> float:
    tensors = list(alone)
    if model.head is not None:
        tensors += [model.head(states) for states in alone]
    return float(sum((~tensor.isfinite()).sum().item() for tensor in tensors))


def _batch_gap(model: Model, alone: Sequence[Tensor]) -> float:
    batch = pack(model.tokenizer.encode(PROBES[model.molecule]))
    together = batch.layout.split(model.encoder(batch).states[0])
    return max(
        _gap(ours, theirs) / max(1.0, theirs.abs().max().item())
        for ours, theirs in zip(together, alone, strict=True)
    )


def _gap(ours: Tensor, theirs: Tensor) -> float:
    return (ours - theirs).abs().max().item()


def _relative_error(ours: Tensor, theirs: Tensor) -> float:
    return ((ours - theirs).square().mean() / theirs.square().mean()).sqrt().item()
