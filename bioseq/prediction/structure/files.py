"""Structure files of a finished store: one for each record that has a structure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from bioseq.chemistry import ATOM37, ideal_geometry, residue_types
from bioseq.errors import InputError, OptionError, StoreError
from bioseq.files import replacing
from bioseq.io.coordinates import Coordinates
from bioseq.io.mmcif import to_mmcif
from bioseq.io.pdb import to_pdb
from bioseq.prediction.naming import FileNames
from bioseq.prediction.structure.inputs import read_proteins
from bioseq.prediction.structure.prediction import LDDT, POSITIONS
from bioseq.runs import AlignmentRecord, list_alignments
from bioseq.store import Store
from bioseq.typing import AnyPath

_WRITERS: Mapping[str, Callable[[Coordinates], str]] = {"pdb": to_pdb, "cif": to_mmcif}


def write_structures(
    store: Store,
    inputs: AnyPath | Sequence[AnyPath],
    folder: AnyPath,
    *,
    kind: str,
    format: str | None = None,
) -> list[Path]:
    """Writes the structure of each record that has one, as `ID.pdb` or `ID.cif`.

    Args:
        store: What `predict_structures` gave.
        inputs: The files that it was made from: they know the sequences.
        folder: Made if it is not there.
        kind: `pdb` or `cif`.
        format: Of the inputs; None: recognised.

    Raises:
        InputError: the folder can't be made.
        OptionError: there is no such kind, or a structure does not fit the PDB format.
        StoreError: the inputs are not those that the store was made from.
    """
    if kind not in _WRITERS:
        raise OptionError("kind", kind, allowed=_WRITERS)
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(folder, (error.strerror or str(error)).lower()) from None
    paths = [inputs] if isinstance(inputs, str | PathLike) else list(inputs)
    names, written = FileNames(), list[Path]()
    for chain in _chains(store, read_proteins(list_alignments(paths), format=format)):
        path = folder / f"{names.name(chain.name)}.{kind}"
        with replacing(path) as temporary:
            temporary.write_text(_WRITERS[kind](chain))
        written.append(path)
    return written


def _chains(store: Store, records: Iterator[AlignmentRecord]) -> Iterator[Coordinates]:
    """Joins the sequences of the inputs with what the store has for them."""
    positions, lddt = store.predictions[POSITIONS], store.predictions[LDDT]
    for index, row in enumerate(positions.rows.tolist()):
        record = next(records, None)
        if record is None or record.id != store.ids[index]:
            raise StoreError(store.path, "was made from other records than the inputs hold")
        if row >= 0 and record.msa is not None:
            yield _chain(
                name=record.id,
                model=str(positions.attrs["model"]),
                sequence=record.msa.query,
                positions=np.asarray(positions[index]),
                lddt=np.asarray(lddt[index]),
            )


def _chain(
    *, name: str, model: str, sequence: str, positions: np.ndarray, lddt: np.ndarray
) -> Coordinates:
    types = residue_types(sequence)
    return Coordinates(
        name=name,
        model=model,
        residue_types=types,
        numbers=np.arange(1, len(types) + 1),
        positions=positions.reshape(len(types), len(ATOM37), 3),
        exists=ideal_geometry().atom37_mask[types],
        confidence=lddt,
    )
