"""The MSA Transformer: axial attention over an alignment, with tied rows.

Source: Rao et al. 2021 (MSA Transformer). Unlike the original, alignments are read one by one, so
that none depends on the depth or length of others in a batch; `Padding` gives the original's
numbers for a batch. Of the attention maps only those of the rows exist, one layer at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from bioseq.errors import OptionError
from bioseq.models.encoding import Encoder
from bioseq.nn.axial import ColumnAttention, TiedRowAttention, add_updates, block_slices


@dataclass(frozen=True, kw_only=True)
class MSATransformerConfig:
    """Shape of an MSA Transformer.

    Attributes:
        vocabulary_size: Tokens.
        dim: Width.
        num_layers: Layers.
        num_heads: Attention heads; each is `dim / num_heads` wide.
        feed_forward_dim: Width inside the feed-forward block.
        max_tokens: Longest row, specials included.
        max_depth: Most rows.
        depth_dim: Width of the embedding of a row's number: `dim`, or 1 in the first release.
        norm_eps: Added to the variance.
    """

    vocabulary_size: int
    dim: int
    num_layers: int
    num_heads: int
    feed_forward_dim: int
    max_tokens: int = 1024
    max_depth: int = 1024
    depth_dim: int
    norm_eps: float = 1e-5

    def __post_init__(self) -> None:
        if self.dim % self.num_heads:
            raise OptionError("dim", self.dim, allowed=f"multiples of num_heads = {self.num_heads}")
        if self.depth_dim not in (1, self.dim):
            raise OptionError("depth_dim", self.depth_dim, allowed=(1, self.dim))


@dataclass(frozen=True, kw_only=True)
class Padding:
    """The batch that the original would have put an alignment in, to compare with its numbers.

    It scales the row attention with the depth of the whole batch, and its padded columns, which
    attend to all real ones alike, count in the average product correction of the contacts.

    Attributes:
        depth: Rows of the deepest alignment.
        num_tokens: Tokens of the longest row.
    """

    depth: int
    num_tokens: int

    def pad(
        self, attention: Float[Tensor, "heads length length"]
    ) -> Float[Tensor, "heads padded padded"]:
        """Returns a row attention map as it stands in the batch."""
        missing = self.num_tokens - attention.shape[-1]
        wide = functional.pad(attention, (0, missing))
        uniform = (wide.new_ones(attention.shape[-1]) / attention.shape[-1]).expand(missing, -1)
        rows = functional.pad(uniform, (0, missing)).expand(len(attention), -1, -1)
        return torch.cat([wide, rows], dim=1)


@dataclass(frozen=True, kw_only=True)
class LayerOutput:
    """What one layer gives.

    Attributes:
        states: Token states; the final norm is applied behind the last layer. In inference the next
            layer overwrites them.
        attention: The map that all rows share; None for the embedded input.
    """

    states: Float[Tensor, "rows tokens dim"]
    attention: Float[Tensor, "heads tokens tokens"] | None


class MSAEmbedding(nn.Module):
    """Embeds tokens, their place in the row, and the number of the row."""

    def __init__(self, config: MSATransformerConfig) -> None:
        super().__init__()
        self.tokens = nn.Embedding(config.vocabulary_size, config.dim)
        self.positions = nn.Embedding(config.max_tokens, config.dim)
        self.rows = nn.Embedding(config.max_depth, config.depth_dim)
        self.norm = nn.LayerNorm(config.dim, eps=config.norm_eps)

    def forward(self, tokens: Int64[Tensor, "rows tokens"]) -> Float[Tensor, "rows tokens dim"]:
        """Returns layer 0."""
        depth, length = tokens.shape
        x = self.tokens(tokens) + self.positions.weight[:length]
        return self.norm(x + self.rows.weight[:depth, None])


class MSATransformerLayer(nn.Module):
    """Tied row attention, column attention and feed-forward, each with a residual."""

    def __init__(self, config: MSATransformerConfig) -> None:
        super().__init__()
        self.row_attention = TiedRowAttention(config.dim, num_heads=config.num_heads)
        self.column_attention = ColumnAttention(config.dim, num_heads=config.num_heads)
        self.feed_forward_norm = nn.LayerNorm(config.dim, eps=config.norm_eps)
        self.up = nn.Linear(config.dim, config.feed_forward_dim)
        self.down = nn.Linear(config.feed_forward_dim, config.dim)

    def forward(
        self, x: Float[Tensor, "rows tokens dim"], *, depth: int | None = None
    ) -> LayerOutput:
        """Transforms the states; in inference it overwrites them.

        Args:
            x: Token states.
            depth: Number of rows that the row attention is scaled for; theirs unless given.
        """
        attention = self.row_attention.map(x, depth=depth)
        x = add_updates(x, self.row_attention.updates(x, attention))
        x = add_updates(x, self.column_attention.updates(x), axis=1)
        return LayerOutput(states=add_updates(x, self._transitions(x)), attention=attention)

    def _transitions(
        self, x: Float[Tensor, "rows tokens dim"]
    ) -> Iterator[Float[Tensor, "block tokens dim"]]:
        floats = 2 * (self.up.in_features + self.up.out_features)
        for rows in block_slices(len(x), x.shape[1] * floats * x.element_size()):
            yield self.down(functional.gelu(self.up(self.feed_forward_norm(x[rows]))))


class MSATransformer(Encoder):
    """Embedding, layers and final norm, for one alignment at a time instead of a packed batch.

    Attributes:
        config: What it was built from.
        num_layers: Layers above the embedded input.
        dim: Width.
        max_tokens: Longest row, specials included.
    """

    def __init__(self, config: MSATransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.max_tokens = config.max_tokens
        self.num_layers = config.num_layers
        self.dim = config.dim
        self.embedding = MSAEmbedding(config)
        self.layers = nn.ModuleList(MSATransformerLayer(config) for _ in range(config.num_layers))
        self.final_norm = nn.LayerNorm(config.dim, eps=config.norm_eps)

    def outputs(
        self, tokens: Int64[Tensor, "rows tokens"], *, padding: Padding | None = None
    ) -> Iterator[LayerOutput]:
        """Yields the embedded input and then what each layer gives, one at a time.

        Args:
            tokens: One alignment, the query first, with the start token in each row.
            padding: The batch whose arithmetic of the original to follow; None for none.

        Raises:
            OptionError: the alignment is deeper or longer than the model reads.
        """
        self._check_size(tokens)
        output = LayerOutput(states=self.embedding(tokens), attention=None)
        yield output
        depth = padding.depth if padding is not None else None
        stack = cast("Iterable[MSATransformerLayer]", self.layers)
        for number, layer in enumerate(stack, start=1):
            output = layer(output.states, depth=depth)
            if number == self.num_layers:
                output = LayerOutput(
                    states=self.final_norm(output.states), attention=output.attention
                )
            yield output

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        tokens: Int64[Tensor, "rows tokens"],
        *,
        layers: Sequence[int] = (-1,),
        padding: Padding | None = None,
    ) -> tuple[Float[Tensor, "rows tokens dim"], ...]:
        """Returns the states of the layers asked for, in that order.

        Args:
            tokens: One alignment, the query first, with the start token in each row.
            layers: Layer 0 is the embedded input, -1 the last.
            padding: The batch whose arithmetic of the original to follow; None for none.

        Raises:
            OptionError: a layer does not exist, or the alignment is larger than the model reads.
        """
        wanted = self.resolve_layers(layers)
        kept = {
            number: output.states.clone()
            for number, output in enumerate(self.outputs(tokens, padding=padding))
            if number in wanted
        }
        return tuple(kept[number] for number in wanted)

    def _check_size(self, tokens: Int64[Tensor, "rows tokens"]) -> None:
        depth, length = tokens.shape
        if depth > self.config.max_depth:
            raise OptionError(
                "depth of the alignment", depth, allowed=f"to {self.config.max_depth}"
            )
        if length > self.config.max_tokens:
            allowed = f"to {self.config.max_tokens}, the start token included"
            raise OptionError("tokens of a row", length, allowed=allowed)
