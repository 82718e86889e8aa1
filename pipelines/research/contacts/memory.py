"""Peak memory of the contacts of an MSA Transformer, ours beside fair-esm's, in fresh processes.

    OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive python pipelines/research/contacts/memory.py

Random weights in 768 dimensions and 12 heads, 4 layers unless told. The peak is the highest
resident size less that before the first call; CPU time is that of the call.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

DIM, HEADS = 768, 12
MAX_POSITIONS = 1024


def _settings(layers: int) -> dict[str, Any]:
    return {
        "arch": "msa_transformer",
        "layers": layers,
        "embed_dim": DIM,
        "ffn_embed_dim": 4 * DIM,
        "attention_heads": HEADS,
        "dropout": 0.0,
        "attention_dropout": 0.0,
        "activation_dropout": 0.0,
        "max_tokens": 2**14,
        "max_positions": MAX_POSITIONS,
        "embed_positions_msa": True,
        "embed_positions_msa_dim": DIM,
    }


def _resident() -> dict[str, int]:
    """Returns VmRSS and VmHWM in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = (line.split() for line in lines if line.startswith(("VmRSS", "VmHWM")))
    return {words[0].rstrip(":"): int(words[1]) for words in fields}


def _theirs(path: Path, layers: int) -> Callable[[torch.Tensor], torch.Tensor]:
    import esm

    alphabet = esm.Alphabet.from_architecture("msa_transformer")
    model = esm.MSATransformer(Namespace(**_settings(layers)), alphabet).eval()
    model.load_state_dict(torch.load(path, weights_only=False)["model"])
    return lambda tokens: model.predict_contacts(tokens[None])[0]


def _ours(path: Path, layers: int) -> Callable[[torch.Tensor], torch.Tensor]:
    from bioseq.checkpoints import load_model
    from bioseq.prediction.contacts.transformer import row_attention_contacts

    model = load_model(path)
    head = model.contacts
    assert head is not None
    return lambda tokens: row_attention_contacts(model.alignment_encoder, head, tokens)


def measure(kind: str, path: Path, *, layers: int, rows: int, length: int) -> None:
    """Prints peak, CPU time and a checksum of one call, as JSON."""
    predict = {"ours": _ours, "theirs": _theirs}[kind](path, layers)
    tokens = torch.randint(4, 24, (rows, length), generator=torch.Generator().manual_seed(0))
    tokens[:, 0] = 0
    before, started = _resident()["VmRSS"], time.process_time()
    with torch.inference_mode():
        contacts = predict(tokens)
    found = {
        "MiB": (_resident()["VmHWM"] - before) / 1024,
        "CPU s": time.process_time() - started,
        "mean": contacts.double().mean().item(),
    }
    sys.stdout.write(json.dumps(found))


def _write_model(path: Path, layers: int) -> None:
    import esm

    torch.manual_seed(0)
    alphabet = esm.Alphabet.from_architecture("msa_transformer")
    settings = Namespace(**_settings(layers))
    torch.save(
        {"args": settings, "model": esm.MSATransformer(settings, alphabet).state_dict()}, path
    )


def main() -> None:
    """Measures each size with both, one process after the other."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--sizes", nargs="+", default=["64x128", "128x128", "128x192"])
    parser.add_argument("--run", nargs=2, metavar=("KIND", "MODEL"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        rows, length = map(int, arguments.sizes[0].split("x"))
        kind, path = arguments.run
        measure(kind, Path(path), layers=arguments.layers, rows=rows, length=length)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.pt"
        _write_model(path, arguments.layers)
        for size in arguments.sizes:
            found = {}
            for kind in ("theirs", "ours"):
                options = ["--layers", str(arguments.layers), "--sizes", size]
                command = [sys.executable, __file__, *options, "--run", kind, str(path)]
                output = subprocess.run(command, check=True, capture_output=True, text=True)
                found[kind] = json.loads(output.stdout)
            ratio = found["ours"]["MiB"] / found["theirs"]["MiB"]
            print(f"{size}\t{found['theirs']}\t{found['ours']}\tmemory x{ratio:.3f}", flush=True)


if __name__ == "__main__":
    main()
