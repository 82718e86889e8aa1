"""Draws what a sample's store holds, and whether its shards took the time that was planned.

    python pipelines/report/figure.py STORE.h5 PLAN.parquet FIGURE.svg

Needs the extra `plot`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bioseq import open_store
from bioseq.shards import ShardPlan, read_plan
from bioseq.store import Store

MOST_POINTS = 5_000


def principal_components(
    vectors: Float[np.ndarray, "sequences dim"],
) -> Float[np.ndarray, "sequences 2"]:
    """Projects vectors on the two directions in which they differ most."""
    centred = vectors - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    return centred @ directions[:2].T


def draw_lengths(axes: Axes, store: Store) -> None:
    """Draws how long the sequences are."""
    lengths = store.tables.lengths
    if len(lengths):
        axes.hist(lengths, bins=np.geomspace(lengths.min(), lengths.max() + 1, 40).tolist())
    axes.set(xscale="log", xlabel="residues", ylabel="sequences", title="Lengths")


def draw_vectors(axes: Axes, store: Store) -> None:
    """Draws the first pooled vectors on their principal components, coloured by length."""
    pooled = [name for name in store.names if not store[name].is_per_residue]
    step = max(1, store.num_sequences // MOST_POINTS)
    axes.set(title="Vectors", xlabel="first component", ylabel="second component")
    if not pooled or store.num_sequences < 3:
        axes.text(0.5, 0.5, "no vectors", ha="center", transform=axes.transAxes)
        return
    vectors = np.asarray(store[pooled[0]].distinct(0, store.num_sequences))[::step]
    x, y = principal_components(vectors.astype(np.float32)).T
    axes.scatter(x, y, c=np.log(store.tables.lengths[::step]), s=3, rasterized=True)


def draw_shards(axes: Axes, store: Store, plan: ShardPlan) -> None:
    """Draws the measured against the planned time of every shard, both without the start."""
    planned = [shard.flops / plan.flops_per_second for shard in plan.shards]
    measured = store.provenance["shard_seconds"]
    assert isinstance(measured, list), "merging the shards of a plan notes their times"
    limit = 1.1 * max(*planned, *measured)
    axes.plot([0, limit], [0, limit], color="grey", linewidth=0.8)
    axes.scatter(planned, measured, s=9)
    axes.set(title="Shards", xlabel="planned seconds", ylabel="measured seconds")


def main() -> None:
    """Writes the figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("store", "plan", "figure"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    figure = Figure(figsize=(12, 4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    with open_store(arguments.store) as store:
        draw_lengths(left, store)
        draw_vectors(middle, store)
        draw_shards(right, store, read_plan(arguments.plan))
    arguments.figure.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(arguments.figure)


if __name__ == "__main__":
    main()
