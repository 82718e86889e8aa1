"""Unfinished work: the folder of parts beside the file that will be.

Two processes on one output are harmless. Parts are named by index, what they hold is decided by
the stored sizes, and each appears in one step, so whichever is renamed last is as good as the
other. The first to assemble takes the folder away; the other then finds a complete file of the
same fingerprint and is content with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from bioseq.errors import StoreError
from bioseq.files import remove_orphans
from bioseq.store.assembly import assemble_parts
from bioseq.store.block import Block
from bioseq.store.columns import open_readable, read_numbers, read_text
from bioseq.store.fingerprint import fingerprint_of
from bioseq.store.finished import finished_summary, remove_store
from bioseq.store.folder import claim_folder, discard_parts, parts_folder, remove_leftovers
from bioseq.store.format import DIGEST, NO_ROW
from bioseq.store.part import PartSummary, part_path, read_part, write_part
from bioseq.typing import AnyPath


@dataclass(frozen=True, slots=True)
class DoneRecord:
    """A record that is already done, to compare with the input at hand.

    Attributes:
        id: Identifier.
        description: Description.
        digest: Refget digest of its sequence; empty where a failed record has none.
    """

    id: str
    description: str
    digest: str


class UnfinishedWork:
    """The work on one store, from the first block to the finished file; safe to kill at any time.

    Attributes:
        path: The final file.
        settings: Every setting that changes a number.
        block_sizes: How the input is cut into blocks; the stored sizes win over those given.
        parts: The good parts, in order, from the beginning of the input without a gap.
        is_finished: Whether the final file is already there, with these settings.
    """

    def __init__(
        self,
        path: Path,
        settings: Mapping[str, object],
        block_sizes: Mapping[str, int],
        *,
        attributes: Mapping[str, Mapping[str, object]],
        finished: PartSummary | None = None,
    ) -> None:
        self.path = path
        self.settings = dict(settings)
        self.block_sizes = dict(block_sizes)
        self.is_finished = self._was_finished = finished is not None
        self.parts: list[PartSummary] = [finished] if finished is not None else []
        self._attributes = {name: dict(values) for name, values in attributes.items()}
        self._fingerprint = fingerprint_of(settings)
        self._folder = parts_folder(path)

    @classmethod
    def open_or_create(
        cls,
        path: AnyPath,
        settings: Mapping[str, object],
        block_sizes: Mapping[str, int],
        *,
        attributes: Mapping[str, Mapping[str, object]] | None = None,
        overwrite: bool = False,
    ) -> UnfinishedWork:
        """Continues the work on `path`, or begins it.

        Args:
            path: The final file; its folder is made if need be.
            settings: Every setting that changes a number; JSON values only.
            block_sizes: How the input is cut into blocks.
            attributes: Attributes of each set of values, by path such as `embeddings/mean`.
            overwrite: Remove a finished store of that name, and unfinished work with other
                settings. Unfinished work with the same settings is continued.

        Raises:
            FingerprintError: The unfinished work has other settings.
            StoreError: The file exists and is something else, or can't be written.
        """
        path = Path(path)
        fingerprint_of(settings)
        if overwrite:
            remove_store(path)
        remove_leftovers(path)
        while (summary := finished_summary(path, settings)) is None:
            try:
                stored = claim_folder(path, settings, block_sizes, overwrite=overwrite)
                work = cls(path, settings, stored, attributes=attributes or {})
                work._find_parts()
            except StoreError:
                if not path.exists():
                    raise
                continue  # another process has just finished
            if not path.exists():
                return work
        return cls(path, settings, block_sizes, attributes=attributes or {}, finished=summary)

    def records(self) -> Iterator[DoneRecord]:
        """Goes through the records that are done, in input order.

        The caller compares them with the input: it has to begin with the same records.
        """
        count = 0
        try:
            for record in self._stored_records():
                yield record
                count += 1
        except StoreError as error:
            self._accept_finished_elsewhere(error)
            yield from islice(self._stored_records(), count, None)

    def digests(self) -> np.ndarray:
        """Returns the refget digests (ASCII) of all sequences that are done; index = row."""
        try:
            return self._stored_digests()
        except StoreError as error:
            self._accept_finished_elsewhere(error)
            return self._stored_digests()

    @property
    def num_records(self) -> int:
        """Records that are done, failed ones included."""
        return self.parts[-1].next_record if self.parts else 0

    @property
    def num_sequences(self) -> int:
        """Distinct sequences that are done; the row of the next new sequence."""
        return self.parts[-1].next_row if self.parts else 0

    def write(self, block: Block) -> None:
        """Makes the next block permanent.

        Does nothing when another process has finished the work in the meantime; `is_finished`
        then says so.

        Raises:
            StoreError: The block does not fit behind the parts, the disk is full, or the store was
                finished from the beginning. The parts before it are good; the same command
                continues behind them.
        """
        if self.is_finished:
            if self._was_finished:
                raise StoreError(self.path, "is finished; nothing can be added")
            return
        try:
            part = write_part(
                self._folder,
                block,
                index=len(self.parts),
                first_record=self.num_records,
                first_row=self.num_sequences,
                fingerprint=self._fingerprint,
                attributes=self._attributes,
            )
        except StoreError as error:
            self._accept_finished_elsewhere(error)
            return
        self.parts.append(part)

    def assemble(self, provenance: Mapping[str, object]) -> Path:
        """Makes the final file of the parts and removes them.

        Args:
            provenance: What made the file: command, inputs, counts, versions; JSON values only.

        Raises:
            StoreError: A part is damaged (repeat the command) or the disk is full.
        """
        if not self.is_finished:
            try:
                assemble_parts(
                    self.parts,
                    self.path,
                    fingerprint=self._fingerprint,
                    attributes=self._attributes,
                    provenance=provenance,
                    folder=self._folder,
                )
            except StoreError as error:
                self._accept_finished_elsewhere(error)
        discard_parts(self.path)
        return self.path

    def _find_parts(self) -> None:
        with suppress(FileNotFoundError):
            remove_orphans(self._folder)
        while (path := part_path(self._folder, len(self.parts))).exists():
            try:
                part = read_part(path, fingerprint=self._fingerprint)
            except StoreError:  # it is made anew and replaced
                return
            place = (len(self.parts), self.num_records, self.num_sequences)
            if (part.index, part.first_record, part.first_row) != place:
                return
            self.parts.append(part)

    def _stored_records(self) -> Iterator[DoneRecord]:
        known = self._stored_digests().tolist()
        for part in list(self.parts):
            with open_readable(part.path) as file:
                ids, descriptions = (read_text(file, f"records/{n}") for n in ("id", "description"))
                rows = read_numbers(file, "records/row")
                failed = iter(read_numbers(file, "failures/digest").tolist())
            for id_, description, row in zip(ids, descriptions, rows.tolist(), strict=True):
                digest: bytes = next(failed) if row == NO_ROW else known[row]
                yield DoneRecord(id_, description, digest.decode())

    def _stored_digests(self) -> np.ndarray:
        found = []
        for part in self.parts:
            with open_readable(part.path) as file:
                found.append(read_numbers(file, "sequences/digest"))
        return np.concatenate(found) if found else np.empty(0, DIGEST)

    def _accept_finished_elsewhere(self, error: StoreError) -> None:
        """Takes the file of another process for ours, if that is why the parts are gone."""
        summary = None if self._folder.exists() else finished_summary(self.path, self.settings)
        if summary is None:
            raise error
        self.parts = [summary]
        self.is_finished = True
