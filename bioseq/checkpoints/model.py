"""A model ready to use: encoder, tokenizer and heads, with where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bioseq.errors import CheckpointError
from bioseq.heads import ContactHead, TokenHead
from bioseq.models import Encoder, MSATransformer
from bioseq.tokenizer import Tokenizer
from bioseq.typing import Molecule

Objective = Literal["masked", "next-token", "cloze"]
Reads = Literal["sequence", "alignment"]


@dataclass(frozen=True, kw_only=True)
class Model:
    """An encoder with the tokenizer it was trained with.

    Attributes:
        name: What it was asked for by, or that of its folder or file.
        encoder: In evaluation mode.
        tokenizer: Makes the encoder's tokens.
        head: Language-model head; None where the file has none.
        objective: What the head was trained on; None without a head.
        weights_sha256: Digest of the weights file.
        contacts: Contact head over the encoder's attention maps; None where the file has none.
        reads: Whether it encodes sequences, each by itself, or the rows of one alignment together.
        revision: Commit of the repository that it came from; None for other sources.
    """

    name: str
    encoder: Encoder
    tokenizer: Tokenizer
    head: TokenHead | None
    objective: Objective | None
    weights_sha256: str
    contacts: ContactHead | None = None
    reads: Reads = "sequence"
    revision: str | None = None

    @property
    def molecule(self) -> Molecule:
        """What the model reads."""
        return self.tokenizer.alphabet.molecule

    @property
    def alignment_encoder(self) -> MSATransformer:
        """The encoder of a model that reads alignments.

        Raises:
            CheckpointError: the model reads sequences.
        """
        if not isinstance(self.encoder, MSATransformer):
            raise CheckpointError(self.name, "reads sequences; give a model that reads alignments")
        return self.encoder

    def require_sequences(self) -> None:
        """Checks that the model reads sequences.

        Raises:
            CheckpointError: it reads alignments.
        """
        if self.reads != "sequence":
            raise CheckpointError(self.name, "reads alignments; give a model that reads sequences")
