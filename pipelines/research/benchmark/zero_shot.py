"""How well models rank measured variants without having seen a measurement.

Gives Spearman's correlation of variant effects with deep mutational scans, with bootstrap
intervals, beside the figures that ProteinGym publishes for the same assays. A finished assay of a
model is kept in the results, so that the same command goes on where it stopped.

    python pipelines/research/benchmark/zero_shot.py ../shared/data/dms zero_shot.csv \
        --model protein-lstm

Needs the extra `train` (scipy). Source of the published figures: ProteinGym, 2023.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float64
from scipy.stats import rankdata

from bioseq.alphabet import PROTEIN
from bioseq.prediction.variants.effects import Effects, build_effects
from bioseq.prediction.variants.mutations import WildType
from bioseq.prediction.variants.options import VariantOptions

FIELDS = ("model", "strategy", "assay", "variants", "of", "spearman", "low", "high", "seconds")
PUBLISHED_FILE = "proteingym_zero_shot_spearman.csv"


@dataclass(frozen=True, kw_only=True)
class Assay:
    """A deep mutational scan.

    Attributes:
        name: Of the file, without its ending.
        score: Column of the measured fitness; more is fitter.
        published: Its name in the published figures; empty where there are none.
        wild_type: Its entry among the wild types; its own name unless given.
        sites: Column that spells the residues at a few fixed sites, in place of substitutions.
    """

    name: str
    score: str
    published: str = ""
    wild_type: str = ""
    sites: str = ""


ASSAYS = (
    Assay(
        name="blat_ecolx_stiffler2015",
        score="score_ampicillin2500",
        published="BLAT_ECOLX_Stiffler_2015",
    ),
    Assay(
        name="gb1_olson2014_singles",
        score="score_log_enrichment_vs_wt",
        published="SPG1_STRSG_Olson_2014",
    ),
    Assay(
        name="b2l11_human_dutta2010",
        score="score",
        published="B2L11_HUMAN_Dutta_2010_binding-Mcl-1",
    ),
    Assay(
        name="pabp_yeast_melamed2013_singles",
        score="score_log",
        published="PABP_YEAST_Melamed_2013",
    ),
    Assay(name="avgfp", score="score", published="GFP_AEQVI_Sarkisyan_2016"),
    Assay(
        name="gb1_4site_full149k",
        score="fitness",
        published="SPG1_STRSG_Wu_2016",
        wild_type="gb1_4site_flip",
        sites="v39_d40_g41_v54",
    ),
    Assay(name="bgl3", score="score"),
)


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """The variants of an assay as whole sequences, and how fit each was found.

    Attributes:
        wild_type: What they are variants of.
        sequences: The variants.
        fitness: One number each.
    """

    wild_type: str
    sequences: list[str]
    fitness: Float64[np.ndarray, " variants"]

    def sample(self, most: int | None, seed: int) -> Measurements:
        """Returns at most so many of them, drawn at random."""
        if most is None or len(self.sequences) <= most:
            return self
        drawn = np.random.default_rng(seed).permutation(len(self.sequences))[:most]
        sequences = [self.sequences[i] for i in drawn.tolist()]
        return Measurements(
            wild_type=self.wild_type, sequences=sequences, fitness=self.fitness[drawn]
        )


def read_assay(folder: Path, assay: Assay) -> Measurements:
    """Reads an assay; every variant has to fit its wild type.

    Variants cut short by a stop are left out, as in the published figures.
    """
    known = json.loads((folder / "wildtypes.json").read_text())
    entry = known[assay.wild_type or assay.name]
    table = pl.read_csv(folder / f"{assay.name}.tsv.gz", separator="\t", infer_schema=False)
    table = table.filter(~pl.nth(0).str.contains("*", literal=True))
    fitness = table[assay.score].cast(pl.Float64).to_numpy()
    if assay.sites:
        sites = entry["mutated_0based"]
        sequences = [place_residues(entry["wt"], sites, text) for text in table[assay.sites]]
    else:
        first = entry["index_of_first_residue"]
        wild_type = WildType(
            id=assay.name, sequence=entry["wt"], alphabet=PROTEIN, first_residue=first
        )
        sequences = [wild_type.mutate(text) for text in table["variant"]]
    measured = np.isfinite(fitness)
    kept = [sequence for sequence, is_there in zip(sequences, measured, strict=True) if is_there]
    return Measurements(wild_type=entry["wt"], sequences=kept, fitness=fitness[measured])


def place_residues(sequence: str, sites: list[int], residues: str) -> str:
    """Puts residues in their sites, counted from 0."""
    changed = list(sequence)
    for site, residue in zip(sites, residues, strict=True):
        changed[site] = residue
    return "".join(changed)


def correlate_ranks(
    a: Float64[np.ndarray, " variants"], b: Float64[np.ndarray, " variants"]
) -> float:
    """Returns Spearman's correlation."""
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def bootstrap_interval(
    a: Float64[np.ndarray, " variants"],
    b: Float64[np.ndarray, " variants"],
    *,
    rounds: int,
    seed: int,
) -> tuple[float, float]:
    """Returns the 95 % percentile interval of Spearman's correlation over resampled variants."""
    rng = np.random.default_rng(seed)
    draws = (rng.integers(0, len(a), len(a)) for _ in range(rounds))
    found = [correlate_ranks(a[drawn], b[drawn]) for drawn in draws]
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def measure(
    effects: Effects, assay: Assay, options: argparse.Namespace
) -> dict[str, str | int | float]:
    """Scores one assay with one model."""
    everything = read_assay(options.folder, assay)
    some = everything.sample(options.max_variants, options.seed)
    started = time.monotonic()
    scores = effects.of_variants(some.wild_type, some.sequences, lambda _: None)
    seconds = time.monotonic() - started
    low, high = bootstrap_interval(scores, some.fitness, rounds=options.rounds, seed=options.seed)
    return {
        "strategy": effects.strategy,
        "assay": assay.name,
        "variants": len(some.sequences),
        "of": len(everything.sequences),
        "spearman": round(correlate_ranks(scores, some.fitness), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "seconds": round(seconds, 1),
    }


def read_results(path: Path) -> list[dict[str, str]]:
    """Reads the lines written so far."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def append_result(path: Path, line: dict[str, str | int | float]) -> None:
    """Adds a line, with the header in front of the first."""
    is_new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(FIELDS)
        writer.writerow([line[field] for field in FIELDS])


def format_table(results: list[dict[str, str]], folder: Path, published: list[str]) -> str:
    """Returns the results in Markdown, one line for each model, published ones at the end."""
    assays = [a for a in ASSAYS if any(line["assay"] == a.name for line in results)]
    lines = [
        f"| model, strategy | {' | '.join(a.name for a in assays)} |",
        f"| --- |{' --- |' * len(assays)}",
    ]
    for key in dict.fromkeys((line["model"], line["strategy"]) for line in results):
        found = {x["assay"]: x for x in results if (x["model"], x["strategy"]) == key}
        cells = [format_cell(found.get(assay.name)) for assay in assays]
        lines.append(f"| {', '.join(key)} | {' | '.join(cells)} |")
    figures = pl.read_csv(folder / PUBLISHED_FILE, infer_schema=False)
    for name in published:
        row = figures.filter(pl.col(figures.columns[0]) == name).row(0, named=True)
        cells = [row[assay.published] if assay.published else "" for assay in assays]
        lines.append(f"| published: {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def format_cell(line: dict[str, str] | None) -> str:
    """Returns correlation, interval, and how many variants where these are not all."""
    if line is None:
        return ""
    interval = f"({float(line['low']):.3f} to {float(line['high']):.3f})"
    some = "" if line["variants"] == line["of"] else f", {int(line['variants']):,} variants"
    return f"{float(line['spearman']):.3f} {interval}{some}"


def read_options() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder of the assays")
    parser.add_argument("results", type=Path, help="CSV to write, or to go on with")
    parser.add_argument("--model", action="append", default=[], help="name, folder or weights file")
    parser.add_argument("--name", help="of the model in the results; the model as given by default")
    parser.add_argument("--strategy", help="the model's usual one by default")
    parser.add_argument("--assay", action="append", default=[], help="all by default")
    parser.add_argument("--max-variants", type=int, help="draw at most so many of an assay")
    parser.add_argument("--rounds", type=int, default=500, help="of the bootstrap")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--published",
        action="append",
        default=[],
        help="model among the published figures to put beside",
    )
    return parser.parse_args()


def main() -> None:
    """Measures what is not measured yet and prints the table."""
    options = read_options()
    for model in options.model:
        name = options.name or model
        _, effects = build_effects(VariantOptions(model=model, strategy=options.strategy))
        for assay in ASSAYS:
            if options.assay and assay.name not in options.assay:
                continue
            key = (name, effects.strategy, assay.name)
            done = {(x["model"], x["strategy"], x["assay"]) for x in read_results(options.results)}
            if key not in done:
                line = measure(effects, assay, options)
                append_result(options.results, {"model": name, **line})
                print(*key, line["spearman"], f"{line['seconds']} s", flush=True)
    print(format_table(read_results(options.results), options.folder, options.published))


if __name__ == "__main__":
    main()
