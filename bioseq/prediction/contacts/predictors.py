"""The ways to predict contacts, all from one alignment to one map."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float

from bioseq.batch import pack
from bioseq.checkpoints import Model, load_model
from bioseq.embedding.alignments import DEFAULT_DEPTH
from bioseq.errors import CheckpointError, OptionError
from bioseq.heads import ContactHead
from bioseq.models.axial_contacts import AxialContactModel
from bioseq.msa import Msa
from bioseq.msa.coevolution import (
    correct_background,
    coupling_factor,
    coupling_norms,
    mutual_information,
)
from bioseq.msa.profile import sequence_weights, states_of
from bioseq.msa.tokens import encode_msa
from bioseq.prediction.contacts.features import contact_inputs
from bioseq.prediction.contacts.network import load_network
from bioseq.prediction.contacts.options import NETWORK
from bioseq.prediction.contacts.sequence import attention_contacts
from bioseq.prediction.contacts.transformer import row_attention_contacts
from bioseq.runs import choose_device
from bioseq.typing import AnyPath


class ContactMethod(ABC):
    """Predicts the contacts of one alignment at a time.

    Attributes:
        name: As the store names it.
        version: Of the method or the weights.
        reads: What it predicts from; from sequences, each row of an alignment is a record.
        gives: What a value is: a probability, or a score without unit.
        depth: Rows that suit the method.
        max_depth: Most rows it can read; None for no limit.
        max_length: Longest query it can read; None for no limit.
    """

    name: str
    version: str
    reads: Literal["alignment", "sequence"] = "alignment"
    gives: str = "score"
    depth: int = 4096
    max_depth: int | None = None
    max_length: int | None = None

    @abstractmethod
    def predict(self, msa: Msa) -> Float[np.ndarray, "length length"]:
        """Returns the map, symmetric; higher means closer."""


class MutualInformation(ContactMethod):
    """Mutual information of columns, sequences weighted, with the average product correction."""

    name = "mi"
    version = "1"

    def predict(self, msa: Msa) -> Float[np.ndarray, "length length"]:
        """Returns corrected mutual information in nats."""
        states = states_of(msa)
        return correct_background(mutual_information(states, sequence_weights(states)))


class MeanFieldCouplings(ContactMethod):
    """Norms of mean-field direct couplings with the average product correction."""

    name = "mfdca"
    version = "1"

    def predict(self, msa: Msa) -> Float[np.ndarray, "length length"]:
        """Returns corrected Frobenius norms."""
        states = states_of(msa)
        return correct_background(coupling_norms(coupling_factor(states, sequence_weights(states))))


class AxialContacts(ContactMethod):
    """The axial network over couplings, mutual information and profile.

    Args:
        network: The network.
        digest: Of its weights.
    """

    name = NETWORK
    gives = "probability"

    def __init__(self, network: AxialContactModel, digest: str) -> None:
        self.version = digest
        self._network = network

    @torch.inference_mode()
    def predict(self, msa: Msa) -> Float[np.ndarray, "length length"]:
        """Returns the probability that C-beta atoms are closer than 8 angstrom."""
        return self._network.contacts(contact_inputs(msa)).numpy()


class RowAttentionContacts(ContactMethod):
    """An MSA Transformer with its contact head.

    Args:
        model: The model.
        head: Its contact head.
        device: Where to compute.
    """

    gives = "probability"
    depth = DEFAULT_DEPTH

    def __init__(self, model: Model, head: ContactHead, device: torch.device) -> None:
        self.name = model.name
        self.version = model.weights_sha256
        self.max_depth = model.encoder.config.max_depth
        self.max_length = model.encoder.config.max_tokens - 1
        self._model = model
        self._head = head.to(device)
        self._encoder = model.alignment_encoder.to(device)
        self._device = device

    def predict(self, msa: Msa) -> Float[np.ndarray, "length length"]:
        """Returns the probability that C-beta atoms are closer than 8 angstrom."""
        tokens = torch.from_numpy(encode_msa(msa, self._model.tokenizer)).to(self._device)
        return row_attention_contacts(self._encoder, self._head, tokens).cpu().numpy()


class SequenceContacts(ContactMethod):
    """A protein language model with its contact head; it reads the query alone.

    Args:
        model: The model.
        device: Where to compute.
    """

    reads = "sequence"
    gives = "probability"
    depth = 1

    def __init__(self, model: Model, device: torch.device) -> None:
        self.name = model.name
        self.version = model.weights_sha256
        specials = len(model.tokenizer.prefix) + len(model.tokenizer.suffix)
        limit = model.encoder.max_tokens
        self.max_length = limit - specials if limit is not None else None
        self._model = model
        self._device = device
        for part in (model.encoder, model.contacts):
            if part is not None:
                part.to(device)

    def predict(self, msa: Msa) -> Float[np.ndarray, "length length"]:
        """Returns the probability that C-beta atoms are closer than 8 angstrom."""
        batch = pack(self._model.tokenizer.encode([msa.query]), self._device)
        (contacts,) = attention_contacts(self._model, batch)
        return contacts.cpu().numpy()


METHODS = {"mfdca": MeanFieldCouplings, "mi": MutualInformation}


def build_predictor(model: AnyPath, *, device: str = "auto") -> ContactMethod:
    """Builds the predictor of a name, or of the files of a model with a contact head.

    Raises:
        CheckpointError: the files are damaged, or lack the contact regression.
        OptionError: there is no such method or file.
    """
    name = str(model)
    if name in METHODS:
        return METHODS[name]()
    if name == NETWORK:
        return AxialContacts(*load_network())
    if not Path(model).exists():
        allowed = ", ".join([NETWORK, *METHODS, "the files of an MSA Transformer, ESM-1b or ESM-2"])
        raise OptionError("model", name, allowed=allowed)
    return _build_published(model, choose_device(device))


def _build_published(path: AnyPath, device: torch.device) -> ContactMethod:
    model = load_model(path)
    if model.reads == "sequence":
        if model.contacts is None:
            raise CheckpointError(path, "has no contact head; ESM-1b and ESM-2 have one")
        return SequenceContacts(model, device)
    if model.contacts is None:
        problem = f"has no contact regression; put {model.name}-contact-regression.pt beside it"
        raise CheckpointError(path, problem)
    return RowAttentionContacts(model, model.contacts, device)
