"""Pictures of contact maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from bioseq.errors import InputError, MissingDependencyError
from bioseq.files import replacing
from bioseq.prediction.naming import FileNames
from bioseq.store import Store

_INCHES, _DPI = 5.0, 120


def draw_contacts(store: Store, folder: Path, *, task: str = "contacts") -> list[Path]:
    """Draws the map of each record that has one, as `ID.png`.

    Args:
        store: An open store with contact maps.
        folder: Made if it is not there.
        task: The prediction to draw.

    Raises:
        InputError: the folder can't be made.
        MissingDependencyError: matplotlib is not installed.
    """
    view = store.predictions[task]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(folder, (error.strerror or str(error)).lower()) from None
    names, paths = FileNames(), list[Path]()
    for id_, value in view:
        paths.append(folder / f"{names.name(id_)}.png")
        title = f"{id_} ({view.attrs['model']})"
        _draw(value, paths[-1], title=title, gives=str(view.attrs["gives"]))
    return paths


def _draw(
    values: Float[np.ndarray, "length length"], path: Path, *, title: str, gives: str
) -> None:
    figure_type = _figure_type()
    figure = figure_type(figsize=(_INCHES, _INCHES), dpi=_DPI, layout="constrained")
    axes = figure.add_subplot()
    edge = len(values) + 0.5
    top = 1.0 if gives == "probability" else None
    image = axes.imshow(
        values.astype(np.float32),
        cmap="Blues",
        vmin=0.0,
        vmax=top,
        origin="lower",
        extent=(0.5, edge, 0.5, edge),
    )
    axes.set(title=title, xlabel="residue", ylabel="residue")
    figure.colorbar(image, ax=axes, shrink=0.8, label=gives)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")


def _figure_type() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("matplotlib", extra="plot") from error
    return Figure
