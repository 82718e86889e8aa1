"""One run, from proteins to a store of structures; interrupted anywhere, it goes on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from os import PathLike

import numpy as np

from bioseq.checkpoints.folding import FoldingModel
from bioseq.msa import Msa
from bioseq.nn.axial import block_memory
from bioseq.prediction.structure.inputs import read_proteins
from bioseq.prediction.structure.options import StructureOptions
from bioseq.prediction.structure.prediction import value_attributes, value_kinds, values_of
from bioseq.prediction.structure.predictors import StructureModel, build_predictor
from bioseq.runs import (
    PLAN,
    AlignmentWork,
    Report,
    ValueKind,
    list_alignments,
)
from bioseq.store import Store, UnfinishedWork, open_store
from bioseq.typing import AnyPath

_MEBIBYTE = 2**20


def predict_structures(
    inputs: AnyPath | Sequence[AnyPath],
    output: AnyPath,
    options: StructureOptions,
    *,
    overwrite: bool = False,
    report: Report | None = None,
) -> Store:
    """Predicts the structures of some proteins and writes them to a store.

    Killed and repeated, it goes on behind the last finished block. A protein without a result is
    listed in the store's failures.

    Args:
        inputs: Files of sequences, alignments, or folders of alignments; see `read_proteins`.
        output: The store to write, with `predictions/positions`, `lddt`, `scores`, `aligned_error`
            and `distogram`.
        options: How.
        overwrite: Replace a finished store of that name.
        report: Is told the id and the residues of each protein when it is done.

    Returns:
        The finished store, open for reading.

    Raises:
        BioseqError: a file, an option or the model can't be used; the message says which and why.
    """
    started = time.monotonic()
    paths = [inputs] if isinstance(inputs, str | PathLike) else list(inputs)
    files = list_alignments(paths)
    predictor, model = build_predictor(options)
    kinds = value_kinds(aligned_error=predictor.has_aligned_error, distogram=options.distogram)
    work = UnfinishedWork.open_or_create(
        output,
        _settings(options, predictor, model),
        PLAN,
        attributes=_attributes(kinds, model),
        overwrite=overwrite,
    )

    def compute(msa: Msa) -> dict[str, np.ndarray]:
        with _memory(options):
            values = values_of(predictor.predict(msa), kinds)
        return {_path(name): value for name, value in values.items()}

    AlignmentWork(
        work=work,
        kinds={_path(name): kind for name, kind in kinds.items()},
        compute=compute,
        report=report,
    ).run(read_proteins(files, format=options.format))
    seconds = round(time.monotonic() - started, 3)
    work.assemble({"made_by": "predict structure", "files": len(files), "seconds": seconds})
    return open_store(output)


def _path(name: str) -> str:
    return f"predictions/{name}"


def _memory(options: StructureOptions) -> AbstractContextManager[None]:
    return block_memory(options.memory * _MEBIBYTE) if options.memory else nullcontext()


def _settings(
    options: StructureOptions, predictor: StructureModel, model: FoldingModel
) -> dict[str, object]:
    return {
        "task": "structure",
        "model": model.name,
        "version": model.weights_sha256,
        "distogram": options.distogram,
        **predictor.settings,
    }


def _attributes(
    kinds: Mapping[str, ValueKind], model: FoldingModel
) -> dict[str, dict[str, object]]:
    of_model = {"model": model.name, "version": model.weights_sha256}
    return {_path(name): {**own, **of_model} for name, own in value_attributes(kinds).items()}
