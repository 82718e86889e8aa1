"""A model that is about to be read is built without weights, and without torch's compiler."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from bioseq.checkpoints.skeleton import without_weights
from bioseq.models import build_encoder

CONFIGS = {
    "recurrent": {"cell": "lstm", "direction": "independent", "hidden_dim": 4, "num_layers": 1}
    | {"embedding_dim": 4},
    "transformer": {"dim": 8, "num_layers": 1, "num_heads": 2, "feed_forward_dim": 8},
}


@pytest.mark.parametrize("architecture", CONFIGS)
def test_a_skeleton_has_the_shapes_and_draws_no_random_number(architecture: str) -> None:
    config = {"architecture": architecture, "vocabulary_size": 5, **CONFIGS[architecture]}
    before = torch.get_rng_state()
    with without_weights():
        skeleton = build_encoder(config)
    assert torch.equal(torch.get_rng_state(), before)
    full = build_encoder(config).state_dict()
    assert {k: v.shape for k, v in skeleton.state_dict().items()} == {
        k: v.shape for k, v in full.items()
    }
    assert {p.device.type for p in skeleton.parameters()} == {"meta"}


def test_embedding_on_a_cpu_does_not_import_the_compiler_of_torch() -> None:
    code = (
        "import sys; from bioseq.embedding.job import build_job;"
        "from bioseq.embedding import EmbedOptions;"
        "job = build_job(EmbedOptions(device='cpu'));"
        "job.engine(job.block_sizes()).run(['MKV'], lambda _: None);"
        "print('torch._dynamo' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert answer.stdout.strip() == "False"
