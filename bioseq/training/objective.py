"""Language-modelling objectives on packed batches: what to predict, and from which states."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from bioseq.batch import PackedBatch, layout_of
from bioseq.checkpoints import Objective
from bioseq.errors import OptionError
from bioseq.heads import LanguageHead
from bioseq.models import Encoder, RecurrentEncoder
from bioseq.tokenizer import Tokenizer

_REPLACED_BY_MASK = 0.8
_REPLACED_AT_RANDOM = 0.1


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the encoder sees of a batch, and what is asked about it.

    Attributes:
        seen: The batch, with some tokens hidden perhaps.
        places: Tokens that are asked about, ascending; `next-token` asks for the one behind.
        targets: The right answers.
    """

    seen: PackedBatch
    places: Int64[Tensor, " predicted"]
    targets: Int64[Tensor, " predicted"]

    def part(self, number: int, count: int) -> Question:
        """Returns one of `count` parts of neighbouring segments; together they ask the same.

        A part for which there is no segment holds the first one and asks nothing.
        """
        layout = self.seen.layout
        bounds = [i * layout.num_segments // count for i in range(number, number + 2)]
        first, last = bounds if bounds[0] < bounds[1] else (0, 1)
        ends = (*layout.starts, layout.num_tokens)
        start, stop = ends[first], ends[last]
        asked = (self.places >= start) & (self.places < stop) & (bounds[0] < bounds[1])
        return Question(
            seen=PackedBatch(
                tokens=self.seen.tokens[start:stop],
                layout=layout_of(layout.lengths[first:last], layout.device),
            ),
            places=self.places[asked] - start,
            targets=self.targets[asked],
        )


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Logits and what they should have said.

    Attributes:
        logits: One row for each predicted token.
        targets: The tokens.
    """

    logits: Float[Tensor, "predicted vocabulary"]
    targets: Int64[Tensor, " predicted"]

    @property
    def loss(self) -> Float[Tensor, ""]:
        """Mean negative log-likelihood in nats."""
        return self.loss_of(len(self.targets))

    def loss_of(self, total: int) -> Float[Tensor, ""]:
        """Returns these tokens' share of the mean over `total` tokens."""
        logits = self.logits.float()
        return functional.cross_entropy(logits, self.targets, reduction="sum") / total


class LanguageModel(nn.Module):
    """An encoder and a head under one objective.

    `masked`: a share of the tokens is hidden and predicted from the rest. `next-token`: each token
    is predicted from those before it. `cloze`: each token is predicted from all those before it and
    all those behind it, in one pass; it needs two independent directions.

    Args:
        encoder: The encoder.
        head: The head.
        tokenizer: Makes the encoder's tokens.
        objective: One of the three.
        mask_rate: Share of tokens hidden by `masked`.

    Raises:
        OptionError: the encoder can't be trained on the objective without seeing the answer.

    Source: masked: Devlin et al. 2019, section 3.1; cloze: Baevski et al. 2019, section 3.
    """

    def __init__(
        self,
        encoder: Encoder,
        head: LanguageHead,
        tokenizer: Tokenizer,
        *,
        objective: Objective,
        mask_rate: float,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.objective = objective
        self.mask_rate = mask_rate
        vocabulary = tokenizer.vocabulary
        self.mask_token = vocabulary.mask_id if objective == "masked" else -1
        specials = {t for t in vocabulary.tokens if t.startswith("<")}
        self.special_ids: Tensor
        self.register_buffer(
            "special_ids", torch.tensor(vocabulary.ids(specials)), persistent=False
        )
        self.num_tokens = len(vocabulary)
        self._check_objective()

    def _check_objective(self) -> None:
        needed = {"next-token": "forward", "cloze": "independent"}.get(self.objective)
        if needed is None:
            return
        config = self.encoder.config if isinstance(self.encoder, RecurrentEncoder) else None
        # Convolutions in front would carry the answer into the states on either side of it.
        if config is None or config.direction != needed or config.dilations:
            allowed = (
                "masked; also next-token with a recurrent encoder of direction 'forward' and cloze "
                "with one of direction 'independent', both without convolutions in front"
            )
            raise OptionError("objective", self.objective, allowed=allowed)

    def predict(self, batch: PackedBatch, generator: torch.Generator) -> Prediction:
        """Predicts the tokens of a batch that the objective asks for."""
        return self.answer(self.ask(batch, generator))

    def ask(self, batch: PackedBatch, generator: torch.Generator) -> Question:
        """Chooses the tokens of a batch to predict; all chance is in here."""
        if self.objective == "masked":
            places, tokens = self.hide(batch, generator)
            seen = PackedBatch(tokens=tokens, layout=batch.layout)
            return Question(seen=seen, places=places, targets=batch.tokens[places])
        if self.objective == "next-token":
            places = self._has_next(batch).nonzero()[:, 0]
            return Question(seen=batch, places=places, targets=batch.tokens[places + 1])
        places = self._is_residue(batch).nonzero()[:, 0]
        return Question(seen=batch, places=places, targets=batch.tokens[places])

    def answer(self, question: Question) -> Prediction:
        """Predicts what is asked."""
        states, places = self.encoder(question.seen).states[0], question.places
        if self.objective == "cloze":
            before, behind = states.chunk(2, dim=-1)
            context = torch.cat([before[places - 1], behind[places + 1]], dim=-1)
        else:
            context = states[places]
        return Prediction(logits=self.head(context), targets=question.targets)

    def _is_residue(self, batch: PackedBatch) -> Bool[Tensor, " tokens"]:
        return ~torch.isin(batch.tokens, self.special_ids)

    def _has_next(self, batch: PackedBatch) -> Bool[Tensor, " tokens"]:
        last = batch.layout.start_tensor + batch.layout.length_tensor - 1
        return torch.ones_like(batch.tokens, dtype=torch.bool).index_fill(0, last, value=False)

    def hide(
        self, batch: PackedBatch, generator: torch.Generator
    ) -> tuple[Int64[Tensor, " hidden"], Int64[Tensor, " tokens"]]:
        """Chooses the tokens to predict and what the encoder sees in their place.

        In training that is the mask token for most of them, the token itself or a random one for
        the rest; in evaluation always the mask token, so that no answer is in sight.
        """
        device = batch.tokens.device
        chance = torch.rand(len(batch.tokens), generator=generator).to(device)
        residues = self._is_residue(batch)
        hidden = ((chance < self.mask_rate) & residues).nonzero()[:, 0]
        if len(hidden) == 0:
            hidden = residues.nonzero()[:1, 0]
        fate = torch.rand(len(hidden), generator=generator).to(device)
        noise = torch.randint(self.num_tokens, (len(hidden),), generator=generator).to(device)
        shown = torch.where(fate < _REPLACED_BY_MASK, self.mask_token, batch.tokens[hidden])
        shown = torch.where(fate > 1 - _REPLACED_AT_RANDOM, noise, shown)
        if not self.training:
            shown = torch.full_like(shown, self.mask_token)
        return hidden, batch.tokens.index_copy(0, hidden, shown)
