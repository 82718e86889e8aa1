from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from bioseq.heads import LanguageHead
from bioseq.models import TransformerConfig, TransformerEncoder, encoder_config
from bioseq.tokenizer import build_residue_tokenizer

STATUS = Path("/proc/self/status")
NUM_SHARDS = 4
# Prints the bytes that loading added at its highest, and the bytes of the parameters.
MEASURE = """
import sys, torch
from pathlib import Path
from bioseq.checkpoints import load_model

def kilobytes(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))

before = kilobytes("VmRSS")
model = load_model(sys.argv[1], dtype=torch.bfloat16)
parts = (*model.encoder.parameters(), *model.head.parameters())
print((kilobytes("VmHWM") - before) * 1024, sum(p.numel() * p.element_size() for p in parts))
"""


def write_sharded(folder: Path, dtype: torch.dtype) -> None:
    """Writes a model of 75 million parameters, as shards."""
    tokenizer = build_residue_tokenizer("protein")
    size = len(tokenizer.vocabulary)
    config = TransformerConfig(
        vocabulary_size=size, dim=1024, num_layers=6, num_heads=16, feed_forward_dim=4096
    )
    with torch.device("meta"):
        encoder = TransformerEncoder(config)
        head = LanguageHead(encoder.dim, size)
    shapes = nn.ModuleDict({"encoder": encoder, "head": head}).state_dict()
    shards = {name: f"model-{place % NUM_SHARDS}.safetensors" for place, name in enumerate(shapes)}
    for shard in set(shards.values()):
        names = [name for name in shapes if shards[name] == shard]
        save_file(
            {k: torch.full(shapes[k].shape, 0.01, dtype=dtype) for k in names}, folder / shard
        )
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    described = {
        "format": "bioseq-model",
        "format_version": 1,
        "encoder": encoder_config(encoder),
        "tokenizer": tokenizer.to_config(),
        "objective": "masked",
    }
    (folder / "config.json").write_text(json.dumps(described))


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="reads the peak from /proc")
@pytest.mark.parametrize("stored", [torch.bfloat16, torch.float32])
def test_loading_in_bfloat16_never_holds_a_second_copy(stored: torch.dtype, tmp_path: Path) -> None:
    write_sharded(tmp_path, stored)
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path], capture_output=True, text=True, check=True
    )
    added, parameters = map(int, run.stdout.split())
    assert parameters > 140e6
    assert added < 1.5 * parameters
