"""One embedding run, from files of sequences to a store; interrupted anywhere, it goes on."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from bioseq.checkpoints import Model, load_model
from bioseq.embed.blocks import RecordBlock, cut_blocks
from bioseq.embed.budget import BLOCK_RECORDS, choose_tokens_per_batch, choose_tokens_per_block
from bioseq.embed.engine import BlockValues, Engine
from bioseq.embed.inputs import CheckedRecord, Inputs
from bioseq.embed.options import EmbedOptions, choose_device
from bioseq.embed.outputs import Output, plan_outputs
from bioseq.embed.windows import Window
from bioseq.errors import OptionError, StoreError
from bioseq.models import StreamingEncoder
from bioseq.store import Store, UnfinishedWork, open_store
from bioseq.typing import AnyPath


class Progress(Protocol):
    """Is told how a run goes."""

    def begin(self, *, model: Model, device: str, resumed_records: int) -> None:
        """The run begins, behind the records that are already done."""
        ...

    def advance(self, *, residues: int, fraction: float | None) -> None:
        """Residues were computed; a fraction of the input has been read, None where unknown."""
        ...


def embed_files(
    inputs: AnyPath | Sequence[AnyPath],
    output: AnyPath,
    options: EmbedOptions | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Store:
    """Embeds every record of some files and writes the vectors to a store.

    Killed and repeated, it goes on behind the last finished block. A record that can't be computed
    is listed in the store's failures.

    Args:
        inputs: One or more files in any supported format, or `-` for standard input.
        output: The store to write.
        options: How; the bundled model's mean vectors by default.
        overwrite: Replace a finished store of that name.
        progress: Is told how the run goes.

    Returns:
        The finished store, open for reading; its `provenance` has the counts of the run.

    Raises:
        BioseqError: a file, an option or the model can't be used; the message says which and why.
    """
    paths = [inputs] if isinstance(inputs, str) or not isinstance(inputs, Sequence) else inputs
    return _Run(list(paths), Path(output), options or EmbedOptions()).execute(
        overwrite=overwrite, progress=progress
    )


class _Run:
    """The state of a run between its steps."""

    def __init__(self, paths: list[AnyPath], output: Path, options: EmbedOptions) -> None:
        self.started = time.monotonic()
        self.output = output
        self.options = options
        self.device = choose_device(options.device)
        self.model = _place(load_model(options.model), self.device, options.precision)
        self.outputs = plan_outputs(
            self.model, poolings=options.pool, layers=options.layers, per_residue=options.per_residue
        )
        self.window = _choose_window(self.model, options)
        self.inputs = Inputs(paths, self.model.tokenizer, format=options.format)
        if options.molecule is None:
            self.inputs.check_molecule()
        elif (options.molecule == "protein") != (self.model.molecule == "protein"):
            raise OptionError("molecule", options.molecule, allowed=self.model.molecule)

    def execute(self, *, overwrite: bool, progress: Progress | None) -> Store:
        work = UnfinishedWork.open_or_create(
            self.output,
            self._settings(),
            {
                "tokens_per_batch": self.options.tokens_per_batch
                or choose_tokens_per_batch(self.model.encoder, self.device),
                "residues_per_block": choose_tokens_per_block(
                    self.model.encoder, self.outputs, self.device
                ),
                "records_per_block": BLOCK_RECORDS,
            },
            attributes={f"embeddings/{o.name}": self._attributes(o) for o in self.outputs},
            overwrite=overwrite,
        )
        records = iter(self.inputs)
        _skip_done(work, records)
        if progress is not None:
            progress.begin(
                model=self.model, device=str(self.device), resumed_records=work.num_records
            )
        computed = self._compute(work, records, progress)
        work.assemble(self._provenance(computed))
        return open_store(self.output)

    def _compute(
        self, work: UnfinishedWork, records: Iterator[CheckedRecord], progress: Progress | None
    ) -> int:
        """Computes the rest of the input; the writing of a block hides behind the next one's work."""
        engine = Engine(
            model=self.model,
            outputs=self.outputs,
            device=self.device,
            tokens_per_batch=work.plan["tokens_per_batch"],
            window=self.window,
            dtype=np.dtype(self.options.save_as),
        )
        known = {digest.decode(): row for row, digest in enumerate(work.digests().tolist())}
        done, computed = work.num_records, 0
        pending: Future[None] | None = None
        blocks = cut_blocks(
            records,
            known,
            residues_per_block=work.plan["residues_per_block"],
            records_per_block=work.plan["records_per_block"],
        )
        with ThreadPoolExecutor(max_workers=1) as writer:
            for block in blocks:
                if work.is_finished:
                    raise _other_input(work, done, "the input goes on")
                residues = sum(map(len, block.new.values()))
                ready = block.finish(_run_block(engine, block), known, first_record=done)
                if pending is not None:
                    pending.result()
                pending = writer.submit(work.write, ready)
                done, computed = done + len(block.ids), computed + residues
                if progress is not None:
                    progress.advance(residues=residues, fraction=self.inputs.fraction)
            if pending is not None:
                pending.result()
        if not work.parts:  # an empty input gives an empty store with all its columns
            work.write(RecordBlock().finish(engine.run([]), known, first_record=0))
        return computed

    def _settings(self) -> dict[str, object]:
        """Everything that changes a number."""
        return {
            "weights_sha256": self.model.weights_sha256,
            "tokenizer": self.model.tokenizer.to_config(),
            "outputs": {o.name: [o.pooling, o.layer] for o in self.outputs},
            "precision": self.options.precision,
            "save_as": self.options.save_as,
            "window": asdict(self.window) if self.window else None,
        }

    def _attributes(self, output: Output) -> dict[str, object]:
        return {
            "model": self.model.name,
            "weights_sha256": self.model.weights_sha256,
            "layer": output.layer,
            "pooling": output.pooling,
            "tokenizer": self.model.tokenizer.to_config()["kind"],
            "precision": self.options.precision,
            "window": self.window.length if self.window else 0,
        }

    def _provenance(self, computed: int) -> dict[str, object]:
        return {
            "made_by": "embed",
            "model": self.model.name,
            "inputs": self.inputs.files,
            "molecule": self.inputs.molecule or self.model.molecule,
            "symbols": asdict(self.inputs.counts),
            "unknown_tokens": self.inputs.unknown_tokens,
            "computed_residues": computed,
            "seconds": round(time.monotonic() - self.started, 3),
            "device": str(self.device),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "machine": platform.machine(),
        }


def _place(model: Model, device: torch.device, precision: str) -> Model:
    return replace(model, encoder=model.encoder.to(device, getattr(torch, precision)))


def _choose_window(model: Model, options: EmbedOptions) -> Window | None:
    if isinstance(model.encoder, StreamingEncoder):
        return None
    limit = model.encoder.max_tokens
    length = options.window or limit
    if length is None:
        return None
    if limit is not None and length > limit:
        raise OptionError("window", length, allowed=f"up to {limit}, the model's limit")
    overlap = length // 4 if options.overlap is None else options.overlap
    window = Window(length=length, overlap=overlap)
    window.check(len(model.tokenizer.prefix) + len(model.tokenizer.suffix))
    return window


def _run_block(engine: Engine, block: RecordBlock) -> BlockValues:
    return engine.run(list(block.new.values()))


def _skip_done(work: UnfinishedWork, records: Iterator[CheckedRecord]) -> None:
    """Reads past the records that are done, and checks that they are the ones that were done.

    Raises:
        StoreError: the input is not the one that the work began with.
    """
    for number, done in enumerate(work.records()):
        checked = next(records, None)
        if checked is None:
            raise _other_input(work, number, "the input ends there")
        now = (checked.record.id, checked.record.description, checked.digest)
        then = (done.id, done.description, done.digest)
        for name, before, after in zip(("id", "description", "sequence"), then, now, strict=True):
            if before != after:
                raise _other_input(work, number, f"its {name} was {before!r}, now {after!r}")


def _other_input(work: UnfinishedWork, number: int, what: str) -> StoreError:
    state = "exists, made" if work.is_finished else "is unfinished work"
    advice = "choose another name or --overwrite" if work.is_finished else "choose another name"
    return StoreError(
        work.path, f"{state} from another input (record {number + 1}: {what}); {advice}"
    )
