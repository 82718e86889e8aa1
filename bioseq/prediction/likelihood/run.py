"""One run: from files of sequences to a store of how likely they are; interrupted, it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bioseq.prediction.language.job import LanguageJob, build_scorer
from bioseq.prediction.likelihood.engine import LikelihoodEngine, choose_strategy
from bioseq.prediction.likelihood.options import LikelihoodOptions
from bioseq.prediction.likelihood.table import write_likelihood_table
from bioseq.prediction.tables import check_table_name
from bioseq.runs import Progress, open_inputs, run_job
from bioseq.store import Store
from bioseq.typing import AnyPath


def predict_likelihood(
    inputs: AnyPath | Sequence[AnyPath],
    output: AnyPath,
    options: LikelihoodOptions | None = None,
    *,
    table: AnyPath | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Store:
    """Asks a language model how likely every record of some files is, and writes it to a store.

    Killed and repeated, it goes on behind the last finished block. A record that can't be computed
    is listed in the store's failures.

    Args:
        inputs: One or more files in any supported format, or `-` for standard input.
        output: The store to write: `token-log-probabilities` of each record's own tokens, their sum
            `log-likelihood`, and `perplexity`, exp(-sum / tokens).
        options: How.
        table: Also write the numbers of each sequence there, as Parquet or CSV.
        overwrite: Replace a finished store of that name.
        progress: Is told how the run goes.

    Returns:
        The finished store, open for reading.

    Raises:
        BioseqError: a file, an option or the model can't be used; the message says which and why.
    """
    options = options or LikelihoodOptions()
    if table is not None:
        check_table_name(Path(table))
    loaded, scorer = build_scorer(options)
    strategy = choose_strategy(scorer, options.strategy)
    engine = LikelihoodEngine(scorer=scorer, strategy=strategy, distribution=options.distribution)
    job = LanguageJob(job=loaded, strategy=strategy, asking=engine)
    store = run_job(
        job,
        open_inputs(job, inputs),
        output,
        made_by="predict likelihood",
        provenance={"strategy": strategy},
        overwrite=overwrite,
        progress=progress,
    )
    if table is not None:
        write_likelihood_table(store, Path(table))
    return store
