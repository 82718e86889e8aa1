"""How good are few labels: a trained head, the nearest neighbours, and no labels at all.

    python pipelines/research/predictors/few_labels.py \
        pipelines/research/predictors/gb1.toml gb1.csv runs/few \
        --labels 16 50 100 500 --draws 3 --wild-type gb1.fasta
    python pipelines/research/predictors/few_labels.py \
        pipelines/research/predictors/localization.toml tables/localization.parquet runs/few \
        --labels 600 --test 200

The settings are those of a predictor with one target per sequence; `--labels` rows are drawn from
the table's parts `train` and `valid`, every fifth of them to end the head's fitting, and all
methods are judged on the same rows of its part `test`. Zero-shot scores are log p(mutant) - log
p(wild type) of the encoder, at the differing sites of sequences as long as the wild type.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import torch

from bioseq.batch import layout_of
from bioseq.embedding import EmbedOptions, embed_files
from bioseq.evaluation.bootstrap import estimate
from bioseq.evaluation.metrics import metrics_of
from bioseq.io import open_records
from bioseq.labels.columns import label_rows, read_labels
from bioseq.prediction.nearest.options import NearestOptions
from bioseq.prediction.nearest.reference import open_reference
from bioseq.prediction.nearest.search import find_nearest
from bioseq.prediction.nearest.vote import fit_vote
from bioseq.prediction.tasks import load_predictor
from bioseq.prediction.variants import VariantOptions, predict_variants
from bioseq.store import Store, open_store
from bioseq.tables import read_frame
from bioseq.training.predictor import load_predictor_settings, train_predictor
from bioseq.training.predictor.settings import PredictorSettings
from bioseq.training.predictor.states import StoredStates
from bioseq.training.predictor.table import load_table


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Some labelled rows, and the rows to be judged by.

    Attributes:
        table: CSV of these rows with id, sequence, label and part.
        settings: Of the head that is trained on them.
        folder: For the head.
        store: States and mean vectors of all sequences, by id.
        frame: The table.
    """

    table: Path
    settings: PredictorSettings
    folder: Path
    store: Store
    frame: pl.DataFrame

    @property
    def tested(self) -> np.ndarray:
        """Numbers of the rows to be judged by."""
        return np.flatnonzero(self.frame["split"].to_numpy() == "test")


def predict_with_head(draw: Draw) -> np.ndarray:
    """Trains a head on the encoder's states and predicts the rows of the test part."""
    result = train_predictor(draw.settings, draw.folder, lambda line: None)
    predictor = load_predictor(result.folder)
    names = [f"residue_layer{k}" for k in predictor.encoder.layers]
    names = [name if name in draw.store.names else "residue" for name in names]
    table = load_table(draw.settings)
    states, rows = StoredStates(draw.store, names, table), []
    with torch.inference_mode():
        for row in draw.tested:
            found = states(np.array([row]))
            [prediction] = predictor(found, layout_of([len(found)])).values()
            rows.append(prediction.numpy())
    return np.concatenate(rows)


def predict_with_neighbours(draw: Draw, neighbours: int) -> np.ndarray:
    """Does what `bioseq predict nearest` does, with vectors that are there already."""
    [target] = draw.settings.targets
    known = draw.table.with_suffix(".known.csv")
    draw.frame.filter(pl.col("split") != "test").write_csv(known)
    options = NearestOptions(
        store=draw.store.path,
        labels=known,
        column=target.column,
        kind="value" if target.kind == "value" else "classes",
        embedding="mean",
        neighbours=neighbours,
    )
    reference = open_reference(draw.store, options)
    vote = fit_vote(reference, count=neighbours, metric=options.metric)
    rows = draw.store["mean"].rows[[int(id) for id in draw.frame["id"][draw.tested.tolist()]]]
    queries = np.asarray(draw.store["mean"].of_rows(rows)).astype(np.float64)
    found = find_nearest(queries, reference, count=neighbours, metric=options.metric)
    predicted = vote.predict(found.distances, reference.labels[found.entries])
    if target.kind == "value":
        return predicted
    columns = [
        reference.known.classes.index(c) if c in reference.known.classes else -1
        for c in target.classes
    ]
    return np.pad(predicted, ((0, 0), (0, 1)))[:, columns]


def score_without_labels(draw: Draw, wild_type: Path, folder: Path) -> np.ndarray:
    """Returns the encoder's own scores of the rows of the test part."""
    with open_records(wild_type) as reader:
        [wild] = list(reader)
    names = []
    for sequence in draw.frame["sequence"].to_list():
        sites = enumerate(zip(wild.sequence, sequence, strict=True), start=1)
        names.append(":".join(f"{a}{i}{b}" for i, (a, b) in sites if a != b))
    variants = folder / "variants.csv"
    pl.DataFrame({"mutant": [names[i] for i in draw.tested]}).write_csv(variants)
    options = VariantOptions(model=draw.settings.encoder.model)
    output = folder / "zero-shot.h5"
    with predict_variants(wild_type, output, options, variants=variants, overwrite=True) as store:
        [view] = store.predictions.values()
        return np.asarray(view.to_numpy())


def main() -> None:
    """Prints a row for each method and number of labels."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("settings", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--labels", type=int, nargs="+", required=True)
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--test", type=int)
    parser.add_argument("--wild-type", type=Path)
    parser.add_argument("--neighbours", type=int, default=5)
    arguments = parser.parse_args()
    settings = load_predictor_settings(arguments.settings)
    [target] = settings.targets
    folder = arguments.folder / settings.predictor.task
    folder.mkdir(parents=True, exist_ok=True)
    frame = choose_rows(read_frame(arguments.table), max(arguments.labels), arguments.test)
    with embed(frame, settings, folder) as store:
        print(
            "| labels | method | " + " | ".join(metrics_of(target.kind, len(target.classes))) + " |"
        )
        for count in arguments.labels:
            draws = [
                draw_labels(frame, count, i, settings, folder, store)
                for i in range(arguments.draws)
            ]
            tell(count, "head", draws, [predict_with_head(d) for d in draws])
            near = [predict_with_neighbours(d, min(arguments.neighbours, count)) for d in draws]
            tell(count, "nearest", draws, near)
        if arguments.wild_type:
            draw = draw_labels(frame, arguments.labels[0], 0, settings, folder, store)
            found = score_without_labels(draw, arguments.wild_type, folder)
            tell(0, "zero-shot", [draw], [found])


def choose_rows(frame: pl.DataFrame, labels: int, tested: int | None) -> pl.DataFrame:
    """Returns the rows that any draw uses, each with its number as id."""
    tests = frame.filter(pl.col("split") == "test").sample(fraction=1, seed=0, shuffle=True)
    pool = frame.filter(pl.col("split") != "test").sample(fraction=1, seed=0, shuffle=True)
    joined = pl.concat([pool.head(labels), tests.head(tested or len(tests))])
    return joined.with_row_index("id")


def embed(frame: pl.DataFrame, settings: PredictorSettings, folder: Path) -> Store:
    """Returns the store of states and mean vectors, made once; record i is row i."""
    path = folder / "states.h5"
    if not path.exists():
        fasta = folder / "sequences.fasta"
        rows = zip(frame["id"], frame["sequence"], strict=True)
        fasta.write_text("".join(f">{id}\n{sequence}\n" for id, sequence in rows))
        options = EmbedOptions(
            model=settings.encoder.model,
            pool=("mean",),
            per_residue=True,
            layers=sorted({*settings.encoder.layers, -1}, key=lambda k: (k < 0, k)),
            save_as="float16",
        )
        embed_files(fasta, path, options).close()
    return open_store(path)


def draw_labels(
    frame: pl.DataFrame,
    count: int,
    number: int,
    settings: PredictorSettings,
    folder: Path,
    store: Store,
) -> Draw:
    """Draws labelled rows, and writes them with the test rows to a table."""
    pool = frame.filter(pl.col("split") != "test")
    chosen = pool.sample(count, seed=number, shuffle=True)
    parts = ["valid" if i % 5 == 0 else "train" for i in range(count)]
    tests = frame.filter(pl.col("split") == "test")
    drawn = pl.concat([chosen.with_columns(split=pl.Series(parts)), tests])
    table = folder / f"labels-{count}-{number}.csv"
    drawn.write_csv(table)
    encoder = replace(settings.encoder, embeddings=str(store.path.resolve()))
    data = replace(settings.data, table=table.name, split="column")
    return Draw(
        table=table,
        settings=replace(settings, encoder=encoder, data=data, folder=folder),
        folder=folder / f"head-{count}-{number}",
        store=store,
        frame=drawn,
    )


def tell(count: int, method: str, draws: list[Draw], found: list[np.ndarray]) -> None:
    """Prints the figures of one draw with their intervals, of several with their range."""
    [target] = draws[0].settings.targets
    cells = []
    for metric in metrics_of(target.kind, len(target.classes)).values():
        estimates = []
        for draw, rows in zip(draws, found, strict=True):
            tests = draw.frame[draw.tested.tolist()]
            read = read_labels(tests, target, tests["sequence"].to_list(), draw.table)
            labels = [label_rows(label) for label in read]
            estimates.append(estimate(metric, labels, [row[None] for row in rows], resamples=200))
        values = [e.value for e in estimates]
        spread = f"{np.mean(values):.3f} ({min(values):.3f}-{max(values):.3f})"
        cells.append(str(estimates[0]) if len(draws) == 1 else spread)
    print(f"| {count} | {method} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
