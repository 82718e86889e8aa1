"""A scan as a picture: places from left to right, substitutions from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bioseq.errors import MissingDependencyError, OptionError
from bioseq.files import replacing
from bioseq.store import Store

_INCHES_PER_PLACE = 0.14
_NARROWEST, _WIDEST = 6.0, 300.0  # inches
_HEIGHT = 4.2
_DOTS_PER_INCH = 120
_NAMED_PLACES = 150  # more letters would run into each other


def draw_heatmap(
    store: Store, path: Path, sequences: Sequence[str], *, strategy: str, first_residue: int
) -> None:
    """Draws the scan of a single sequence; the wild type's own residues are marked.

    Args:
        store: The scan.
        path: The picture; its ending chooses the format.
        sequences: Of the store's records.
        strategy: Name of the predictions.
        first_residue: Number of the first residue.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        OptionError: there is not exactly one sequence with a result.
    """
    if len(sequences) != 1 or store.num_sequences != 1:
        allowed = f"scans of one sequence; this one has {store.num_sequences} of {len(sequences)}"
        raise OptionError("heatmap", str(path), allowed=allowed)
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("matplotlib", extra="plot") from error
    view, sequence = store.predictions[strategy], sequences[0]
    scores = np.asarray(view[0]).T
    residues = [str(name) for name in np.array(view.attrs["classes"])]
    width = min(_WIDEST, max(_NARROWEST, _INCHES_PER_PLACE * len(sequence) + 2))
    figure = Figure(figsize=(width, _HEIGHT), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    limit = float(np.nanmax(np.abs(scores), initial=1e-6))
    extent = (first_residue - 0.5, first_residue + len(sequence) - 0.5, len(residues) - 0.5, -0.5)
    image = axes.imshow(
        scores, cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto", extent=extent,
        interpolation="nearest",
    )  # fmt: skip
    rows = [residues.index(letter) if letter in residues else np.nan for letter in sequence]
    numbers = np.arange(first_residue, first_residue + len(sequence))
    axes.scatter(numbers, rows, s=6, color="black", linewidths=0)
    axes.set_yticks(range(len(residues)), residues, fontsize=7)
    axes.set_title(f"{store.ids[0]}: {strategy}, {view.attrs['model']}", fontsize=9)
    if len(sequence) <= _NAMED_PLACES:
        axes.set_xticks(numbers, list(sequence), fontsize=7)
    bar = figure.colorbar(image, ax=axes, pad=0.01)
    bar.set_label("against the wild type, ln")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=_DOTS_PER_INCH, format=path.suffix.lstrip(".") or "png")
