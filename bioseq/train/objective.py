"""Language-modelling objectives on packed batches: what to predict, and from which states."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from bioseq.batch import PackedBatch
from bioseq.checkpoints import Objective
from bioseq.errors import OptionError
from bioseq.heads import LanguageHead
from bioseq.models import Encoder, RecurrentEncoder
from bioseq.tokenizer import Tokenizer

_REPLACED_BY_MASK = 0.8
_REPLACED_AT_RANDOM = 0.1


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
        return functional.cross_entropy(self.logits.float(), self.targets)


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
        self.mask_token = vocabulary.id("<mask>") if objective == "masked" else -1
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
        match self.objective:
            case "masked":
                return self._predict_masked(batch, generator)
            case "next-token":
                return self._predict_next(batch)
            case _:
                return self._predict_cloze(batch)

    def _is_residue(self, batch: PackedBatch) -> Bool[Tensor, " tokens"]:
        return ~torch.isin(batch.tokens, self.special_ids)

    def _predict_masked(self, batch: PackedBatch, generator: torch.Generator) -> Prediction:
        hidden, seen = self.hide(batch, generator)
        states = self.encoder(PackedBatch(tokens=seen, layout=batch.layout)).states[0]
        return Prediction(logits=self.head(states[hidden]), targets=batch.tokens[hidden])

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

    def _predict_next(self, batch: PackedBatch) -> Prediction:
        states = self.encoder(batch).states[0]
        last = batch.layout.start_tensor + batch.layout.length_tensor - 1
        has_next = torch.ones_like(batch.tokens, dtype=torch.bool).index_fill(0, last, value=False)
        place = has_next.nonzero()[:, 0]
        return Prediction(logits=self.head(states[place]), targets=batch.tokens[place + 1])

    def _predict_cloze(self, batch: PackedBatch) -> Prediction:
        before, behind = self.encoder(batch).states[0].chunk(2, dim=-1)
        place = self._is_residue(batch).nonzero()[:, 0]
        context = torch.cat([before[place - 1], behind[place + 1]], dim=-1)
        return Prediction(logits=self.head(context), targets=batch.tokens[place])
