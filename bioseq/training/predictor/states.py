"""States of the labelled sequences, a head's input: of a trained encoder, or read from a store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from bioseq.batch import pack_parts
from bioseq.checkpoints import Model
from bioseq.embedding.job import Job
from bioseq.embedding.options import EmbedOptions
from bioseq.embedding.outputs import choose_outputs
from bioseq.errors import OptionError, StoreError
from bioseq.files import replacing
from bioseq.models import Encoder
from bioseq.records import refget_digest
from bioseq.runs import choose_device, choose_window, open_inputs, run_job
from bioseq.store import Store, open_store
from bioseq.tokenizer import Tokenizer
from bioseq.training.predictor.table import LabelTable

_MEANS_AT_ONCE = 32


class States(nn.Module, ABC):
    """Joined states of some layers of the labelled sequences; its parameters are trained.

    Attributes:
        dim: Width of the states.
        groups_lengths: Whether sequences of similar length are read faster together.
    """

    dim: int
    groups_lengths: bool = False

    @abstractmethod
    def forward(self, members: Int64[np.ndarray, " members"]) -> Float[Tensor, "residues dim"]:
        """Returns the states of some sequences, end to end, in float32."""

    def means(
        self,
        members: Int64[np.ndarray, " members"],
        lengths: Int64[np.ndarray, " sequences"],
    ) -> Float[Tensor, "members dim"]:
        """Returns the mean state of each of some sequences.

        Args:
            members: Their numbers.
            lengths: Residues of every sequence.
        """
        found = []
        with torch.inference_mode():
            for start in range(0, len(members), _MEANS_AT_ONCE):
                chosen = members[start : start + _MEANS_AT_ONCE]
                parts = self(chosen).split(lengths[chosen].tolist())
                found += [part.mean(dim=0) for part in parts]
        return torch.stack(found)


class ComputedStates(States):
    """States that an encoder gives anew in every step; gradients go through it.

    Args:
        encoder: What is trained, on its device.
        tokenizer: Makes its tokens, one for each residue.
        layers: Layers to join, as numbers from 0.
        table: Whose states are wanted, by index.
        mask_rate: Share of the residues that training hides behind the mask token.

    Raises:
        OptionError: a sequence to train on is longer than the encoder can read, or residues are to
            be masked and the vocabulary has no mask token.
    """

    groups_lengths = True

    def __init__(
        self,
        encoder: Encoder,
        tokenizer: Tokenizer,
        layers: Sequence[int],
        table: LabelTable,
        *,
        mask_rate: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.layers = tuple(layers)
        self.dim = sum(encoder.layer_dim(layer) for layer in layers)
        self._mask_rate = mask_rate
        self._mask_token = tokenizer.vocabulary.mask_id if mask_rate else -1
        self._num_specials = len(tokenizer.prefix), len(tokenizer.suffix)
        # Those of the test part are never read.
        read = [s if p != "test" else "" for s, p in zip(table.sequences, table.parts, strict=True)]
        self._tokens = tokenizer.encode(read)
        longest = int(np.diff(self._tokens.offsets).max())
        if encoder.max_tokens is not None and longest > encoder.max_tokens:
            found = f"{longest:,} tokens in the longest sequence"
            raise OptionError("table", found, allowed=f"to {encoder.max_tokens:,}, by the encoder")

    def forward(self, members: Int64[np.ndarray, " members"]) -> Float[Tensor, "residues dim"]:
        """Encodes some sequences."""
        bounds, device = self._tokens.offsets, next(self.encoder.parameters()).device
        parts = [self._tokens.ids[bounds[i] : bounds[i + 1]] for i in members]
        batch = pack_parts(parts, device)
        places, _ = batch.layout.without_specials(*self._num_specials)
        if self.training and self._mask_rate:
            hidden = places[torch.rand(len(places), device=device) < self._mask_rate]
            tokens = batch.tokens.index_fill(0, hidden, self._mask_token)
            batch = replace(batch, tokens=tokens)
        encoding = self.encoder(batch, layers=self.layers)
        return torch.cat([states[places] for states in encoding.states], dim=-1).float()


class StoredStates(States):
    """States of a frozen encoder, read from a store as they are needed.

    Args:
        store: Has per-residue values of every layer.
        names: Of the values, one for each layer.
        table: Whose states are wanted, by index; those of the test part are not.

    Raises:
        StoreError: the store lacks a sequence.
    """

    def __init__(self, store: Store, names: Sequence[str], table: LabelTable) -> None:
        super().__init__()
        self._views = [store[name] for name in names]
        rows = {d: row for row, d in enumerate(store.tables.digests)}
        digests = [refget_digest(sequence) for sequence in table.sequences]
        for digest, part in zip(digests, table.parts, strict=True):
            if digest not in rows and part != "test":
                raise StoreError(store.path, f"has no states of the sequence {digest}")
        self._rows = np.array([rows.get(digest, -1) for digest in digests], np.int64)
        self.dim = sum(view.dim for view in self._views)

    def forward(self, members: Int64[np.ndarray, " members"]) -> Float[Tensor, "residues dim"]:
        """Reads the states of some sequences."""
        parts = [np.concatenate(list(view.of_rows(self._rows[members]))) for view in self._views]
        return torch.from_numpy(np.concatenate(parts, axis=1).astype(np.float32))


def open_states(
    model: Model, layers: Sequence[int], table: LabelTable, path: Path
) -> tuple[Store, StoredStates]:
    """Opens the store of the states, after computing what is missing of it.

    Args:
        model: Encoder and tokenizer.
        layers: Layers to keep, as numbers from 0.
        table: The labelled sequences.
        path: The store; the sequence file is written beside it.
    """
    outputs = choose_outputs(model, poolings=(), layers=layers, per_residue=True)
    if not path.exists():
        options = EmbedOptions(model=model.name, pool=(), save_as="float16")
        device = choose_device("auto")
        model.encoder.to(device)
        job = Job(
            options=options,
            model=model,
            device=device,
            outputs=outputs,
            window=choose_window(model, options),
        )
        source = path.with_suffix(".fasta")
        with replacing(source) as temporary:
            wanted = (table.sequences[i] for i in np.flatnonzero(table.parts != "test"))
            distinct = dict.fromkeys(wanted)
            temporary.write_text("".join(f">{i}\n{s}\n" for i, s in enumerate(distinct)))
        run_job(job, open_inputs(job, source), path, made_by="train").close()
    store = open_store(path)
    return store, StoredStates(store, [output.name for output in outputs], table)
