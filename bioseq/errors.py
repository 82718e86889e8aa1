"""Every error a user can cause, with the facts as fields and one line that says what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike

_NAMES_SHOWN = 3


class BioseqError(Exception):
    """Base of all errors that come from the input, the options or the files, not from a defect."""


class InputError(BioseqError):
    """An input can't be opened or read at all: missing, a directory, no permission, a failing disk.

    Args:
        path: The file, or `"<stdin>"`.
        problem: What is wrong.
    """

    def __init__(self, path: str | PathLike[str], problem: str) -> None:
        self.path = str(path)
        self.problem = problem
        super().__init__(f"{self.path}: {problem}")


class FormatError(BioseqError):
    """A file does not follow the format it claims or was recognised as.

    Args:
        format: The format's name, for example `"FASTA"`.
        path: The file, or `"<stdin>"`.
        line: 1-based line number, where one is known.
        found: What stands there.
        expected: What should stand there, or what to do.
    """

    def __init__(
        self,
        format: str,
        *,
        path: str | PathLike[str],
        found: str,
        line: int | None = None,
        expected: str | None = None,
    ) -> None:
        self.format = format
        self.path = str(path)
        self.line = line
        self.found = found
        self.expected = expected
        place = f"{self.path}, line {line}" if line is not None else self.path
        hint = f"; expected {expected}" if expected else ""
        super().__init__(f"{place}: not valid {format}: {found}{hint}")


class AlphabetError(BioseqError):
    """A sequence holds a symbol that its alphabet does not have.

    Args:
        symbol: The offending character.
        position: 1-based position in the sequence.
        alphabet: The alphabet's name.
    """

    def __init__(self, symbol: str, *, position: int, alphabet: str) -> None:
        self.symbol = symbol
        self.position = position
        self.alphabet = alphabet
        super().__init__(
            f"symbol {symbol!r} at position {position} is not in the {alphabet} alphabet"
        )


class OptionError(BioseqError):
    """An option or a config field has a value that is not allowed.

    Args:
        name: The option or field.
        value: What was given.
        allowed: The allowed values, or a sentence that describes them.
    """

    def __init__(self, name: str, value: object, *, allowed: str | Iterable[object]) -> None:
        self.name = name
        self.value = value
        self.allowed = allowed if isinstance(allowed, str) else ", ".join(str(a) for a in allowed)
        super().__init__(f"{name} is {value!r}; allowed: {self.allowed}")


class MissingDependencyError(BioseqError):
    """A feature needs an optional package that is not installed.

    Args:
        package: The package that could not be imported.
        extra: The extra of bioseq that brings it.
    """

    def __init__(self, package: str, *, extra: str) -> None:
        self.package = package
        self.extra = extra
        super().__init__(f"{package} is not installed; run: pip install 'bioseq[{extra}]'")


class StoreError(BioseqError):
    """A store file is missing, unreadable, incomplete or breaks a rule of the format.

    Args:
        path: The file.
        problem: What is wrong, and what to do.
    """

    def __init__(self, path: str | PathLike[str], problem: str) -> None:
        self.path = str(path)
        self.problem = problem
        super().__init__(f"{self.path}: {problem}")


class FingerprintError(StoreError):
    """Unfinished work was made with other inputs or settings than the ones given now.

    Args:
        path: The unfinished work.
        differences: For each differing field, its value there and its value now.
    """

    def __init__(
        self, path: str | PathLike[str], differences: Mapping[str, tuple[object, object]]
    ) -> None:
        self.differences = dict(differences)
        listed = "; ".join(f"{k} was {a!r}, now {b!r}" for k, (a, b) in self.differences.items())
        super().__init__(
            path,
            f"unfinished work with other settings ({listed}); "
            "repeat the first command, choose another output, or delete it",
        )


class OtherInputError(StoreError):
    """A store, finished or not, was made from other records than the ones given now.

    Args:
        path: The store.
        record: 1-based number of the first record that differs.
        what: How it differs.
        is_finished: Whether the store is finished.
    """

    def __init__(
        self, path: str | PathLike[str], *, record: int, what: str, is_finished: bool
    ) -> None:
        self.record = record
        self.is_finished = is_finished
        state = "exists, made" if is_finished else "is unfinished work"
        advice = "--overwrite" if is_finished else f"delete {path}.parts"
        super().__init__(
            path,
            f"{state} from another input (record {record}: {what}); "
            f"choose another name or {advice}",
        )


class PlanError(BioseqError):
    """A plan of shards can't be read, or does not fit what it is used for.

    Args:
        path: The plan.
        problem: What is wrong, and what to do.
    """

    def __init__(self, path: str | PathLike[str], problem: str) -> None:
        self.path = str(path)
        self.problem = problem
        super().__init__(f"{self.path}: {problem}")


class ShardError(BioseqError):
    """Shards of a plan that can't be merged.

    Args:
        problems: What is wrong with each of them, by file.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        lines = [f"{path} {problem}" for path, problem in self.problems.items()]
        more = len(lines) - _NAMES_SHOWN
        tail = f"; and {more:,} more shards" if more > 0 else ""
        super().__init__("; ".join(lines[:_NAMES_SHOWN]) + tail)


class ClusterError(BioseqError):
    """The cluster that a profile asks for is not there, or would leave jobs unnoticed.

    Args:
        profile: The profile.
        problem: What is wrong, and what to do.
    """

    def __init__(self, profile: str | PathLike[str], problem: str) -> None:
        self.profile = str(profile)
        self.problem = problem
        super().__init__(f"profile {self.profile}: {problem}")


class CheckpointError(BioseqError):
    """A model file or folder can't be loaded.

    Args:
        path: The file or folder, or the model's name.
        problem: What is wrong, and what to do.
        missing: Parameters the model needs and the file lacks.
        unexpected: Parameters the file has and the model does not.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        problem: str,
        *,
        missing: Iterable[str] = (),
        unexpected: Iterable[str] = (),
    ) -> None:
        self.path = str(path)
        self.problem = problem
        self.missing = tuple(missing)
        self.unexpected = tuple(unexpected)
        lists = "".join(
            f"; {label}: {_first_names(names)}"
            for label, names in (("missing", self.missing), ("unexpected", self.unexpected))
            if names
        )
        super().__init__(f"{self.path}: {problem}{lists}")


class VariantError(BioseqError):
    """A variant can't be read, or does not fit its wild type.

    Args:
        variant: As it was given.
        problem: What is wrong with it.
    """

    def __init__(self, variant: str, problem: str) -> None:
        self.variant = variant
        self.problem = problem
        super().__init__(f"{variant!r}: {problem}")


def _first_names(names: tuple[str, ...]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
