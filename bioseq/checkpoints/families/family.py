"""What a family of published models is, and the one way to read its members."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from bioseq.checkpoints.keymap import Ignored, Rule, fill
from bioseq.checkpoints.model import Model, Objective, Reads
from bioseq.checkpoints.skeleton import without_weights
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.checkpoints.weights import Weights
from bioseq.errors import BioseqError, CheckpointError
from bioseq.heads import ContactHead, TokenHead
from bioseq.models import Encoder
from bioseq.tokenizer import Tokenizer


@dataclass(frozen=True, kw_only=True)
class Family:
    """All that tells one family from the others.

    Attributes:
        name: As its authors write it.
        matches: Tells whether a snapshot is of this family and layout.
        build_encoder: Builds the encoder that a snapshot's settings describe.
        build_tokenizer: Builds the tokenizer that a snapshot's model was trained with.
        build_head: Builds the language-model head; None where the family has none.
        build_contacts: Builds the contact head; None where the family has none, or gives None where
            the model has none.
        rules: From the file's names, prefix taken off, to the parameters of `encoder`, `head` and
            `contacts`.
        prefix: Of the encoder's names in files that also hold heads.
        rename: Gives the encoder's tensors the names of `rules`, where taking the prefix off is not
            enough.
        head_mark: A tensor that only files with a language-model head hold.
        contacts_mark: A tensor that only files with a contact head hold.
        objective: What the head was trained on.
        reads: What its members encode.
    """

    name: str
    matches: Callable[[Snapshot], bool]
    build_encoder: Callable[[Snapshot], Encoder]
    build_tokenizer: Callable[[Snapshot], Tokenizer]
    build_head: Callable[[Encoder], TokenHead] | None = None
    build_contacts: Callable[[Encoder], ContactHead | None] | None = None
    rules: Sequence[Rule | Ignored]
    prefix: str = ""
    rename: Callable[[Weights], Weights] | None = None
    head_mark: str = ""
    contacts_mark: str = ""
    objective: Objective = "masked"
    reads: Reads = "sequence"

    def renamed(self, weights: Weights) -> Weights:
        """Returns a file's tensors under the names that `rules` has for them."""
        if self.rename is not None:
            return self.rename(weights)
        return weights.renamed(lambda full: full.removeprefix(self.prefix))


def read_published(
    family: Family, snapshot: Snapshot, *, name: str | None, dtype: torch.dtype
) -> Model:
    """Reads a member of a family, in evaluation mode.

    Args:
        family: The family.
        snapshot: The member's files.
        name: What the user asked for; the folder's own name by default.
        dtype: Number format of the weights.

    Raises:
        CheckpointError: the settings describe another arithmetic, or the weights do not fit.
    """
    weights = family.renamed(snapshot.weights)
    try:
        with without_weights():
            encoder = family.build_encoder(snapshot)
            head = contacts = None
            if family.build_head and family.head_mark in weights.names:
                head = family.build_head(encoder)
            if family.build_contacts and family.contacts_mark in weights.names:
                contacts = family.build_contacts(encoder)
        tokenizer = family.build_tokenizer(snapshot)
    except CheckpointError:
        raise
    except (BioseqError, KeyError, TypeError) as error:
        problem = f"unusable config of {family.name}: {type(error).__name__}: {error}"
        raise CheckpointError(snapshot.config_path, problem) from None
    parts = {"encoder": encoder, "head": head, "contacts": contacts}
    present = nn.ModuleDict({name: part for name, part in parts.items() if part is not None})
    fill(present.eval(), family.rules, weights, dtype=dtype)
    return Model(
        name=name or snapshot.name,
        encoder=encoder,
        tokenizer=tokenizer,
        head=head,
        objective=family.objective if head is not None else None,
        contacts=contacts,
        reads=family.reads,
        weights_sha256=snapshot.digest(),
    )
