"""The plain language-model head."""

from __future__ import annotations

import torch

from bioseq.heads import LinearHead


@torch.no_grad()
def test_the_head_is_one_linear_map() -> None:
    torch.manual_seed(0)
    head = LinearHead(6, 11)
    x = torch.randn(4, 6)
    torch.testing.assert_close(head(x), x @ head.output.weight.T + head.output.bias)
