"""Models on the Hugging Face hub, in the cache that its own tools share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bioseq.errors import CheckpointError

# Settings and vocabulary; weights of the same model in other formats stay where they are.
_SMALL_FILES = ("*.json", "*.txt", "*.model")
_SAFE_WEIGHTS = ("model*.safetensors",)
_OTHER_WEIGHTS = ("pytorch_model*.bin",)
_SUBFOLDERS = ("*/*",)
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def is_repository_name(name: str) -> bool:
    """Returns whether a name is spelt like a repository: `owner/name`."""
    return _REPOSITORY.fullmatch(name) is not None


def fetch_repository(repository: str, revision: str | None = None) -> Path:
    """Returns the local files of a repository; those not in the cache are downloaded.

    The environment variables of `huggingface_hub` hold: HF_HOME (the cache), HF_TOKEN, HF_ENDPOINT,
    HF_HUB_OFFLINE. A broken connection is taken up again; after a break that ends the download,
    files that are whole are kept. Weights come as safetensors, or as PyTorch's own file where there
    are none.

    Args:
        repository: `owner/name`.
        revision: Branch, tag or commit; the main branch by default.

    Returns:
        The snapshot's folder, called after its commit.

    Raises:
        CheckpointError: there is no such repository or revision, it asks for consent, or there is
            no connection and the cache has it not or not all.
    """
    folder = _download(repository, revision, (*_SMALL_FILES, *_SAFE_WEIGHTS))
    if not any(folder.glob(_SAFE_WEIGHTS[0])):
        commit = folder.name if _COMMIT.fullmatch(folder.name) else revision
        folder = _download(repository, commit, (*_SMALL_FILES, *_OTHER_WEIGHTS))
    return folder


def find_cached(repository: str) -> Path | None:
    """Gives the cached snapshot of a repository's main branch; None where there are no weights."""
    from huggingface_hub import constants

    storage = Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"
    reference = storage / "refs" / "main"
    if not reference.is_file():
        return None
    folder = storage / "snapshots" / reference.read_text().strip()
    weights = (*_SAFE_WEIGHTS, *_OTHER_WEIGHTS)
    return folder if any(next(folder.glob(p), None) for p in weights) else None


def _download(repository: str, revision: str | None, patterns: Sequence[str]) -> Path:
    from huggingface_hub import errors, snapshot_download

    try:
        folder = snapshot_download(
            repository,
            revision=revision,
            allow_patterns=list(patterns),
            ignore_patterns=list(_SUBFOLDERS),
        )
    except errors.GatedRepoError:
        problem = "its owner asks for consent; give it on its page there, then run: hf auth login"
    except errors.RepositoryNotFoundError:
        problem = (
            "no such repository on the hub, or a private one; check the name, or hf auth login"
        )
    except errors.RevisionNotFoundError:
        problem = f"the repository has no revision {revision}; leave it out for the newest"
    except errors.LocalEntryNotFoundError as error:
        is_partial = isinstance(error, getattr(errors, "IncompleteSnapshotError", ()))
        problem = _explain_missing(repository, is_partial=is_partial)
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        problem = f"the hub answers with status {status}; try again later"
    except Exception as error:  # of the transport, which is another library in each version
        problem = f"the download broke off ({error}); repeat the command; whole files are kept"
    else:
        return Path(folder)
    raise CheckpointError(repository, problem)


def _explain_missing(repository: str, *, is_partial: bool) -> str:
    """Returns why a repository without connection can't be used."""
    from huggingface_hub import constants

    why = "HF_HUB_OFFLINE is set" if constants.is_offline_mode() else "the hub can't be reached"
    what = "only half downloaded" if is_partial else "not in the cache"
    return f"{what}, and {why}; with a connection, run: bioseq models fetch {repository}"
