"""Published models through the command."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bioseq.store import open_store

esm = pytest.importorskip("esm")

pytestmark = pytest.mark.parity

SEQUENCES = ("MKTAYIAKQRQISFVKSHFSRQ", "GAVLIM", "M")


def test_a_file_of_fair_esm_embeds_like_fair_esm(
    bioseq: Callable[..., Any], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model = esm.ESM2(num_layers=2, embed_dim=32, attention_heads=2).eval()
    settings = Namespace(
        encoder_layers=2, encoder_embed_dim=32, encoder_attention_heads=2, token_dropout=True
    )
    state = {
        f"encoder.{k}" if k.startswith("lm_head.") else f"encoder.sentence_encoder.{k}": v
        for k, v in model.state_dict().items()
        if not k.startswith("contact_head.")
    }
    path = tmp_path / "esm2_t2_tiny.pt"
    torch.save({"cfg": {"model": settings}, "model": state}, path)
    fasta = tmp_path / "proteins.fasta"
    fasta.write_text("".join(f">{i}\n{s}\n" for i, s in enumerate(SEQUENCES)))
    store = tmp_path / "out.h5"
    outcome = bioseq("embed", fasta, "-o", store, "--model", path)
    assert outcome.status == 0, outcome.err
    convert = model.alphabet.get_batch_converter()
    with open_store(store) as embedded:
        for record, sequence in enumerate(SEQUENCES):
            with torch.no_grad():
                states = model(convert([("", sequence)])[2], repr_layers=[2])["representations"][2]
            expected = states[0, 1:-1].mean(dim=0).numpy()
            np.testing.assert_allclose(embedded["mean"][record], expected, rtol=1e-5, atol=1e-5)
