"""States of a frozen encoder, computed once and kept in a store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from bioseq.checkpoints import Model
from bioseq.embedding.job import Job
from bioseq.embedding.options import EmbedOptions
from bioseq.embedding.outputs import choose_outputs
from bioseq.errors import StoreError
from bioseq.files import replacing
from bioseq.records import refget_digest
from bioseq.runs import choose_device, choose_window, open_inputs, run_job
from bioseq.store import Store, open_store
from bioseq.training.predictor.states import States
from bioseq.training.predictor.table import LabelTable


class StoredStates(States):
    """States read from a store as they are needed.

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
