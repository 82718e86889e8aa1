"""Export: one set of values of a store, in a layout that another tool reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bioseq.errors import OptionError, StoreError
from bioseq.files import replacing
from bioseq.store.embedding import Embedding
from bioseq.store.finished import prepare_output
from bioseq.store.layouts.arrays import write_npy, write_npz
from bioseq.store.layouts.frames import write_anndata, write_parquet
from bioseq.store.layouts.keyed_export import write_bio_embeddings, write_uniprot
from bioseq.store.reader import Store
from bioseq.typing import AnyPath

EXPORTS: Mapping[str, Callable[[Store, Embedding, Path], None]] = {
    "parquet": write_parquet,
    "npy": write_npy,
    "npz": write_npz,
    "uniprot": write_uniprot,
    "bio_embeddings": write_bio_embeddings,
    "anndata": write_anndata,
}


def export_store(
    store: Store, output: AnyPath, *, layout: str, name: str, overwrite: bool = False
) -> Path:
    """Writes the records that have a value, in input order, in another layout.

    Args:
        store: An open store.
        output: The file to write, in one step.
        layout: One of `EXPORTS`.
        name: The embedding, or `predictions/<task>`.
        overwrite: Replace an existing output.

    Raises:
        OptionError: The layout is not known, or can't hold values of this shape.
        StoreError: The layout can't hold these identifiers, or the file can't be written.
        MissingDependencyError: `anndata` is not installed.
    """
    if layout not in EXPORTS:
        raise OptionError(name="layout", value=layout, allowed=EXPORTS)
    output = Path(output)
    view = store.values_at(name) if "/" in name else store[name]
    prepare_output(output, overwrite=overwrite)
    try:
        with replacing(output) as temporary:
            EXPORTS[layout](store, view, temporary)
    except OSError as error:
        raise StoreError(output, f"can't be written: {error.strerror or error}") from error
    return output
