"""What a language model says of the tokens of a sequence: log-probabilities and what sums them up.

Source: pseudo-log-likelihood and pseudo-perplexity: Salazar et al. 2020, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from bioseq.batch import pack_parts, plan_batches
from bioseq.checkpoints import Model
from bioseq.errors import OptionError
from bioseq.heads import TokenHead
from bioseq.nn.inference import inference
from bioseq.prediction.language.states import LastStates
from bioseq.runs import EncoderRunner, Window

OWN = -1  # among the vocabulary ids that are asked for: the token's own


def _ignore(tokens: int) -> None:
    """Tells nobody."""


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """Asks a language model how likely the tokens of sequences are; specials are never asked for.

    What a token is predicted from depends on the model's objective. `masked`: all others, the token
    itself hidden or, in one pass, in sight. `cloze`: all others, never the token itself, always in
    one pass. `next-token`: those before it. All numbers are natural logarithms over the whole
    vocabulary, and a sequence's numbers do not depend on what else is scored.

    Attributes:
        model: With a language-model head, both on the device.
        device: Where to compute.
        tokens_per_batch: Tokens that go through the encoder at once; changes no result.
        window: For sequences beyond the encoder's limit; None where it has none. A hidden token is
            read in the window that has it nearest its middle; in one pass, overlapping windows are
            blended as they are for embeddings.
    """

    model: Model
    device: torch.device
    tokens_per_batch: int
    window: Window | None = None

    def __post_init__(self) -> None:
        if self.model.head is None:
            allowed = "a model with a language-model head"
            raise OptionError("model", self.model.name, allowed=allowed)
        tokenizer = self.model.tokenizer
        needs_front = self.model.objective in ("next-token", "cloze")
        if needs_front and not tokenizer.prefix:
            raise OptionError("prefix", tokenizer.prefix, allowed="a token in front to begin with")

    @property
    def num_classes(self) -> int:
        """Tokens that the model can predict: the first ones of its vocabulary."""
        return self._head.output.out_features

    @property
    def hides(self) -> bool:
        """Whether a token has to be hidden before it is predicted from all others."""
        return self.model.objective == "masked"

    @property
    def is_two_sided(self) -> bool:
        """Whether a token is predicted from both of its sides."""
        return self.model.objective != "next-token"

    def log_probabilities(
        self,
        sequences: Sequence[str],
        *,
        kept: Sequence[int] = (OWN,),
        hidden: bool,
        places: Sequence[Int64[np.ndarray, " _"]] | None = None,
        advance: Callable[[int], None] = _ignore,
    ) -> list[Float64[np.ndarray, "_ _"]]:
        """Returns log-probabilities at tokens of some sequences.

        Args:
            sequences: Sequences of which every symbol has a token.
            kept: Vocabulary ids of which to give it, among the classes of the head; `OWN` for the
                token's own.
            hidden: Predict each token with itself out of sight; else all in one pass.
            places: For each sequence, the tokens to predict, specials not counted; all by default.
            advance: Is told after each step how many tokens went through the encoder.

        Returns:
            For each sequence one row for each place and one column for each kept id.

        Raises:
            OptionError: a token that is out of sight is asked of a next-token model.
        """
        if hidden and not self.is_two_sided:
            raise OptionError("hidden", hidden, allowed="False: the model reads from left to right")
        tokens = self._encode(sequences)
        inner = [len(t) - self._num_prefix - self._num_suffix for t in tokens]
        wanted = [np.arange(n) for n in inner] if places is None else list(places)
        wanted = [place + self._num_prefix for place in wanted]
        if hidden and self.hides:
            with inference():
                return self._ask_hidden(tokens, wanted, kept, advance)
        return self._ask_in_one_pass(sequences, tokens, wanted, kept, advance)

    def log_likelihoods(
        self, sequences: Sequence[str], *, advance: Callable[[int], None] = _ignore
    ) -> Float64[np.ndarray, " sequences"]:
        """Returns the sum of each sequence's token log-probabilities.

        For a two-sided model that is the pseudo-log-likelihood: each token out of sight in turn.
        """
        found = self.log_probabilities(sequences, hidden=self.is_two_sided, advance=advance)
        return np.array([values.sum() for values in found])

    def cost(self, sequence: str, *, hidden: bool) -> int:
        """Returns the tokens that go through the encoder to score all tokens of one sequence."""
        (tokens,) = self._encode([sequence])
        if not (hidden and self.hides):
            return len(tokens)
        return (len(tokens) - self._num_prefix - self._num_suffix) * self._read_length(tokens)

    @property
    def _num_prefix(self) -> int:
        return len(self.model.tokenizer.prefix)

    @property
    def _num_suffix(self) -> int:
        return len(self.model.tokenizer.suffix)

    @property
    def _head(self) -> TokenHead:
        assert self.model.head is not None, "checked when built"
        return self.model.head

    @property
    def _sweep(self) -> EncoderRunner:
        return EncoderRunner(
            model=self.model,
            layers=[self.model.encoder.num_layers],
            device=self.device,
            tokens_per_batch=self.tokens_per_batch,
            window=self.window,
        )

    def _encode(self, sequences: Sequence[str]) -> list[Int64[np.ndarray, " _"]]:
        encoded = self.model.tokenizer.encode(sequences)
        return np.split(encoded.ids.astype(np.int64), encoded.offsets[1:-1])[: len(sequences)]

    def _read_length(self, tokens: Int64[np.ndarray, " tokens"]) -> int:
        return min(len(tokens), self.window.length) if self.window else len(tokens)

    def _ask_hidden(
        self,
        tokens: list[Int64[np.ndarray, " _"]],
        places: list[Int64[np.ndarray, " _"]],
        kept: Sequence[int],
        advance: Callable[[int], None],
    ) -> list[Float64[np.ndarray, "_ _"]]:
        """One copy of a sequence for each place, hidden there; copies of one length go together."""
        answers = [np.empty((len(place), len(kept))) for place in places]
        questions = [(s, row) for s, place in enumerate(places) for row in range(len(place))]
        lengths = np.array([self._read_length(tokens[s]) for s, _ in questions], dtype=np.int64)
        for batch in plan_batches(lengths, self.tokens_per_batch):
            members = [questions[i] for i in batch.tolist()]
            copies = [self._hide(tokens[s], int(places[s][row])) for s, row in members]
            packed = pack_parts([copy for copy, _ in copies], self.device)
            rows = packed.layout.start_tensor + torch.tensor(
                [place for _, place in copies], device=self.device
            )
            logits = self._head(self.model.encoder(packed).states[0][rows])
            targets = torch.tensor([int(tokens[s][places[s][row]]) for s, row in members])
            values = _pick(logits, targets, kept)
            for (s, row), value in zip(members, values, strict=True):
                answers[s][row] = value
            advance(packed.layout.num_tokens)
        return answers

    def _hide(
        self, tokens: Int64[np.ndarray, " tokens"], place: int
    ) -> tuple[Int64[np.ndarray, " read"], int]:
        """Cuts the window that has a place nearest its middle, and puts the mask there."""
        front, back = self._num_prefix, len(tokens) - self._num_suffix
        size = self._read_length(tokens) - self._num_prefix - self._num_suffix
        start = min(max(place - size // 2, front), back - size)
        copy = np.concatenate([tokens[:front], tokens[start : start + size], tokens[back:]])
        moved = place - start + front
        copy[moved] = self.model.tokenizer.vocabulary.mask_id
        return copy, moved

    def _ask_in_one_pass(
        self,
        sequences: Sequence[str],
        tokens: list[Int64[np.ndarray, " _"]],
        places: list[Int64[np.ndarray, " _"]],
        kept: Sequence[int],
        advance: Callable[[int], None],
    ) -> list[Float64[np.ndarray, "_ _"]]:
        answers: list[Float64[np.ndarray, "_ _"]] = [np.empty((0, 0))] * len(tokens)

        def answer(index: int, states: Float[Tensor, "tokens dim"]) -> None:
            place = torch.from_numpy(places[index]).to(states.device)
            context = self._context(states, place).to(next(self._head.parameters()))
            targets = torch.from_numpy(tokens[index][places[index]])
            answers[index] = _pick(self._head(context), targets, kept)
            advance(len(tokens[index]))

        self._sweep.run(sequences, LastStates(answer), _ignore)
        return answers

    def _context(self, states: Tensor, place: Tensor) -> Tensor:
        """Returns the states that the head predicts the tokens at some places from."""
        match self.model.objective:
            case "masked":
                return states[place]
            case "next-token":
                return states[place - 1]
            case _:
                before, behind = states.chunk(2, dim=-1)
                return torch.cat([before[place - 1], behind[place + 1]], dim=-1)


def _pick(
    logits: Tensor, targets: Int64[Tensor, " rows"], kept: Sequence[int]
) -> Float64[np.ndarray, "rows kept"]:
    """Returns the log-probabilities of the kept ids; those of each row's target for `OWN`.

    A target that the head has no class for is impossible.
    """
    found = logits.float().log_softmax(dim=-1).cpu()
    last = found.shape[1] - 1
    own = found.gather(1, targets.clamp(max=last)[:, None])
    own = own.masked_fill(targets[:, None] > last, -torch.inf)
    return torch.cat([own if k == OWN else found[:, k, None] for k in kept], 1).double().numpy()
