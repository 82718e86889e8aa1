"""The record: one sequence as the user gave it, and the identity of its content."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from bioseq.typing import Molecule


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of an input file.

    Attributes:
        id: The identifier exactly as given; it may repeat, hold any character, or be empty.
        description: The rest of the header exactly as given, without the id and the blank between.
        sequence: Residues or bases as given, without white space; case is kept. May be empty.
        molecule: What the file says the molecule is; None where the format does not say.
    """

    id: str
    description: str
    sequence: str
    molecule: Molecule | None = None


def refget_digest(sequence: str) -> str:
    """Returns the GA4GH refget digest of a sequence: `SQ.` and 32 base64url characters.

    The digest is that of the upper-cased sequence, so records that differ in case only are equal.

    Source: GA4GH refget sequences 2.0 (sha512t24u).
    """
    digest = hashlib.sha512(sequence.upper().encode()).digest()[:24]
    return "SQ." + base64.urlsafe_b64encode(digest).decode()
