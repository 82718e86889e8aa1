"""The models that bioseq knows by name: facts and sources, from one data file."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path
from typing import Literal

from bioseq.errors import CheckpointError
from bioseq.typing import Molecule

_FILE = "registry.toml"
_SUGGESTIONS = 3


@dataclass(frozen=True, kw_only=True)
class RegistryEntry:
    """One model.

    Attributes:
        name: What to call it.
        family: Which family it belongs to, as its authors write it.
        dim: Width of the encoder's output.
        layers: Layers of the encoder.
        molecule: What it reads.
        reads: Whether it encodes sequences or alignments.
        parameters: Of the encoder, without heads and decoder; None where not sure.
        max_tokens: Longest input, special tokens included; None for no limit.
        licence: Of the weights, as their source says; None where not sure.
        bundled: Whether its weights come with bioseq.
        made: Whether it has no weights and is made where it is asked for.
        repository: On the Hugging Face hub.
        package: Python package whose installed files hold the weights.
        file: The weights in that package.
        aliases: Other names.
    """

    name: str
    family: str
    dim: int
    layers: int
    molecule: Molecule
    reads: Literal["sequence", "alignment"] = "sequence"
    parameters: int | None = None
    max_tokens: int | None = None
    licence: str | None = None
    bundled: bool = False
    made: bool = False
    repository: str | None = None
    package: str | None = None
    file: str | None = None
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that the model goes by, however it is capitalised."""
        repository = self.repository or ""
        own = (self.name, *self.aliases, repository, repository.rpartition("/")[2])
        spelt = {name.casefold(): name for name in reversed(own) if name}
        return tuple(reversed(spelt.values()))


@cache
def read_registry() -> dict[str, RegistryEntry]:
    """Returns every known model by name, in the order of the file."""
    content = tomllib.loads(files("bioseq.checkpoints").joinpath(_FILE).read_text())
    entries = [
        RegistryEntry(**{**fields, "aliases": tuple(fields.get("aliases", ()))})
        for fields in content["model"]
    ]
    return {entry.name: entry for entry in entries}


def find_entry(name: str) -> RegistryEntry | None:
    """Gives the model that goes by a name, however it is capitalised; None where there is none."""
    wanted = name.casefold()
    for entry in read_registry().values():
        if wanted in map(str.casefold, entry.names):
            return entry
    return None


def get_entry(name: str) -> RegistryEntry:
    """Returns the model that goes by a name.

    Raises:
        CheckpointError: there is none; the message has the nearest names.
    """
    entry = find_entry(name)
    if entry is None:
        raise CheckpointError(name, f"no such model; {suggest_names(name)}")
    return entry


def suggest_names(name: str) -> str:
    """Returns which known names are near a wrong one, or where to find them all."""
    spelt = {known.casefold(): known for e in read_registry().values() for known in e.names}
    near = difflib.get_close_matches(name.casefold(), spelt, n=_SUGGESTIONS)
    if near:
        return f"did you mean {' or '.join(spelt[match] for match in near)}?"
    bundled = ", ".join(entry.name for entry in read_registry().values() if entry.bundled)
    return f"with bioseq come {bundled}; for the others, run: bioseq models list"


def package_file(entry: RegistryEntry) -> Path | None:
    """Returns the weights of a model in an installed package; None where it is not installed.

    The package is not imported.
    """
    if entry.package is None or entry.file is None:
        return None
    try:
        path = Path(str(distribution(entry.package).locate_file(entry.file)))
    except PackageNotFoundError:
        return None
    return path if path.is_file() else None
