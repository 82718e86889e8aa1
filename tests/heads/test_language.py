"""The language-model head."""

from __future__ import annotations

import torch
from torch.nn import functional

from bioseq.heads import LanguageHead


@torch.no_grad()
def test_the_head_is_dense_gelu_norm_linear() -> None:
    torch.manual_seed(0)
    head = LanguageHead(6, 11)
    head.norm.weight.normal_()
    head.norm.bias.normal_()
    x = torch.randn(4, 6)
    hidden = functional.gelu(x @ head.dense.weight.T + head.dense.bias)
    centred = hidden - hidden.mean(dim=1, keepdim=True)
    normed = centred / (hidden.var(dim=1, keepdim=True, unbiased=False) + 1e-5).sqrt()
    scaled = normed * head.norm.weight + head.norm.bias
    torch.testing.assert_close(head(x), scaled @ head.output.weight.T + head.output.bias)
