"""Embedding of alignments: vectors of the query, its residues and their pairs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bioseq.batch import layout_of
from bioseq.checkpoints import Model
from bioseq.embedding.options import EmbedOptions
from bioseq.embedding.outputs import Output, choose_outputs
from bioseq.embedding.pooling import pool_segments
from bioseq.msa import Msa
from bioseq.msa.tokens import encode_msa
from bioseq.runs import (
    PLAN,
    AlignmentMeter,
    AlignmentWork,
    Cut,
    Progress,
    ValueKind,
    choose_device,
    list_alignments,
    read_alignments,
)
from bioseq.store import Store, UnfinishedWork, open_store
from bioseq.typing import AnyPath

PAIR_PATH = "embeddings/pair"
DEFAULT_DEPTH = 256  # what the paper used
_OF_SEQUENCES = ("tokens_per_batch", "window", "overlap", "molecule")


def embed_alignments(
    inputs: Sequence[AnyPath],
    output: AnyPath,
    options: EmbedOptions,
    *,
    model: Model,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Store:
    """Embeds alignments with an MSA Transformer; each file is a record.

    The vectors are those of the query, the first row, which have seen all rows. `pair` is the
    attention map of every layer and head that the rows share.

    Args:
        inputs: A3M or Stockholm files, or folders of them.
        output: The store to write.
        options: How.
        model: The model that the options name.
        overwrite: Replace a finished store of that name.
        progress: Is told how the run goes.

    Raises:
        BioseqError: a file, an option or the model can't be used.
    """
    started = time.monotonic()
    options.refuse(_OF_SEQUENCES, allowed="none; the model reads alignments")
    files = list_alignments(inputs)
    engine = _build_engine(options, model)
    work = UnfinishedWork.open_or_create(
        output, engine.settings(), PLAN, attributes=engine.attributes(), overwrite=overwrite
    )
    meter = AlignmentMeter(len(files), progress)
    meter.begin([engine.model], engine.device, work)
    AlignmentWork(
        work=work,
        kinds=engine.kinds(),
        compute=engine.compute,
        dtype=options.save_as,
        report=meter.advance,
    ).run(read_alignments(files, format=options.format))
    seconds = round(time.monotonic() - started, 3)
    work.assemble({"made_by": "embed alignments", "alignments": len(files), "seconds": seconds})
    return open_store(output)


@dataclass(frozen=True, kw_only=True)
class _Engine:
    """Encodes one alignment at a time."""

    model: Model
    outputs: tuple[Output, ...]
    options: EmbedOptions
    device: torch.device
    cut: Cut

    @torch.inference_mode()
    def compute(self, msa: Msa) -> dict[str, np.ndarray]:
        """Returns all outputs by path."""
        tokens = encode_msa(self.cut.fit(msa), self.model.tokenizer)
        queries: list[Float[Tensor, "tokens dim"]] = []
        maps: list[Float[Tensor, "heads tokens tokens"]] = []
        for given in self.model.alignment_encoder.outputs(torch.from_numpy(tokens).to(self.device)):
            queries.append(given.states[0].clone())
            if self.options.pair and given.attention is not None:
                maps.append(given.attention[:, 1:, 1:])
        found = {f"embeddings/{o.name}": self._take(o, queries[o.layer]) for o in self.outputs}
        if self.options.pair:
            found[PAIR_PATH] = torch.cat(maps).permute(1, 2, 0).float().cpu().numpy()
        return found

    def _take(self, output: Output, query: Float[Tensor, "tokens dim"]) -> np.ndarray:
        if output.per_residue:
            return query[1:].float().cpu().numpy()
        layout = layout_of([len(query)], self.device)
        pooled = pool_segments(output.pooling, query, layout, num_prefix=1, num_suffix=0)
        return pooled.float().cpu().numpy()

    def kinds(self) -> dict[str, ValueKind]:
        """Returns what each output is."""
        encoder = self.model.encoder
        kinds = {
            f"embeddings/{o.name}": ValueKind(
                owner="residue" if o.per_residue else "sequence", dim=encoder.dim
            )
            for o in self.outputs
        }
        if self.options.pair:
            heads = encoder.num_layers * encoder.config.num_heads
            kinds[PAIR_PATH] = ValueKind(owner="pair", dim=heads)
        return kinds

    def settings(self) -> dict[str, object]:
        """Returns everything that changes a number."""
        return {
            "input": "alignment",
            "weights_sha256": self.model.weights_sha256,
            "outputs": {path: kind.dim for path, kind in self.kinds().items()},
            "precision": self.options.precision,
            "save_as": self.options.save_as,
            **self.cut.settings(),
        }

    def attributes(self) -> dict[str, dict[str, object]]:
        """Returns the attributes of each set of values, by path."""
        common: dict[str, object] = {
            "model": self.model.name,
            "weights_sha256": self.model.weights_sha256,
            "tokenizer": "residue",
            "precision": self.options.precision,
        }
        found = {
            f"embeddings/{o.name}": {**common, "layer": o.layer, "pooling": o.pooling}
            for o in self.outputs
        }
        return found | ({PAIR_PATH: {**common, "pooling": "pair"}} if self.options.pair else {})


def _build_engine(options: EmbedOptions, model: Model) -> _Engine:
    device = choose_device(options.device)
    config = model.alignment_encoder.to(device).config
    return _Engine(
        model=model,
        outputs=choose_outputs(
            model, poolings=options.pool, layers=options.layers, per_residue=options.per_residue
        ),
        options=options,
        device=device,
        cut=Cut(
            depth=min(options.max_depth or DEFAULT_DEPTH, config.max_depth),
            max_length=config.max_tokens - 1,
            subsample=options.subsample,
            seed=options.seed,
        ),
    )
