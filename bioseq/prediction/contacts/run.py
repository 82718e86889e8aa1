"""One run, from alignments to a store of contact maps; interrupted anywhere, it goes on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from os import PathLike

from bioseq.prediction.contacts.options import ContactOptions
from bioseq.prediction.contacts.predictors import ContactMethod, build_predictor
from bioseq.runs import (
    PLAN,
    AlignmentWork,
    Cut,
    Report,
    ValueKind,
    list_alignments,
    read_alignments,
    read_sequences,
)
from bioseq.store import Store, UnfinishedWork, open_store
from bioseq.typing import AnyPath

TASK = "contacts"
_PATH = f"predictions/{TASK}"


def predict_contacts(
    inputs: AnyPath | Sequence[AnyPath],
    output: AnyPath,
    options: ContactOptions | None = None,
    *,
    overwrite: bool = False,
    report: Report | None = None,
) -> Store:
    """Predicts the contacts of some alignments, or sequences, and writes the maps to a store.

    Killed and repeated, it goes on behind the last finished block. An alignment without a result is
    listed in the store's failures.

    Args:
        inputs: A3M or Stockholm files, or folders of them; for a model that reads sequences, files
            of those.
        output: The store to write; the maps are `predictions/contacts`, per pair.
        options: How; the default method unless given.
        overwrite: Replace a finished store of that name.
        report: Is told of each alignment when it is done.

    Returns:
        The finished store, open for reading.

    Raises:
        BioseqError: a file, an option or the model can't be used; the message says which and why.
    """
    started = time.monotonic()
    paths = [inputs] if isinstance(inputs, str | PathLike) else list(inputs)
    options = options or ContactOptions()
    files = list_alignments(paths)
    predictor = build_predictor(options.model, device=options.device)
    read = read_sequences if predictor.reads == "sequence" else read_alignments
    cut = _cut(options, predictor)
    work = UnfinishedWork.open_or_create(
        output,
        _settings(options, predictor, cut),
        PLAN,
        attributes={_PATH: _attributes(predictor)},
        overwrite=overwrite,
    )
    AlignmentWork(
        work=work,
        kinds={_PATH: ValueKind(owner="pair", dim=1)},
        compute=lambda msa: {_PATH: predictor.predict(cut.fit(msa))},
        dtype=options.save_as,
        report=report,
    ).run(read(files, format=options.format))
    seconds = round(time.monotonic() - started, 3)
    work.assemble({"made_by": "predict contacts", "alignments": len(files), "seconds": seconds})
    return open_store(output)


def _cut(options: ContactOptions, predictor: ContactMethod) -> Cut:
    wanted = options.max_depth or predictor.depth
    return Cut(
        depth=min(wanted, predictor.max_depth or wanted),
        max_length=predictor.max_length,
        subsample=options.subsample,
        seed=options.seed,
    )


def _settings(options: ContactOptions, predictor: ContactMethod, cut: Cut) -> dict[str, object]:
    return {
        "task": TASK,
        "input": predictor.reads,
        "model": predictor.name,
        "version": predictor.version,
        **cut.settings(),
        "save_as": options.save_as,
    }


def _attributes(predictor: ContactMethod) -> dict[str, object]:
    return {
        "classes": ["contact"] if predictor.gives == "probability" else [],
        "model": predictor.name,
        "version": predictor.version,
        "gives": predictor.gives,
    }
