"""The alphabets: which symbols a protein, DNA or RNA sequence may hold, and what they stand for.

One policy for the whole package: lower case reads as upper case (and is counted); every other
symbol is either in the alphabet or makes its record fail. Nothing is dropped or guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, UInt8

from bioseq.errors import AlphabetError, OptionError
from bioseq.typing import Molecule

_DETECTION_RESIDUES = 100_000


@dataclass(frozen=True, kw_only=True)
class Alphabet:
    """The symbols of one kind of molecule.

    Attributes:
        molecule: The molecule's name.
        canonical: The standard residues or bases.
        ambiguous: For each ambiguity code, the symbols it may stand for.
        rare: Symbols that are definite but outside the canonical set.
        marks: Symbols that stand for no residue: stop and gaps.
        aliases: Symbols read as another symbol (U in DNA is T).
        complements: Complement of every symbol; empty for protein.

    Source: IUPAC-IUB 1984 (protein) and 1985 (nucleotides) nomenclature.
    """

    molecule: Molecule
    canonical: str
    ambiguous: Mapping[str, str]
    rare: str = ""
    marks: str = "*-."
    aliases: Mapping[str, str] = field(default_factory=dict)
    complements: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def symbols(self) -> str:
        """Every symbol of the alphabet once, upper case, aliases left out."""
        return self.canonical + "".join(self.ambiguous) + self.rare + self.marks

    @cached_property
    def _accepted(self) -> bytes:
        symbols = self.symbols + "".join(self.aliases)
        return (symbols + symbols.lower()).encode()

    @cached_property
    def _ambiguous_bytes(self) -> Bool[np.ndarray, " 256"]:
        return _members("".join(self.ambiguous))

    @cached_property
    def _complement_table(self) -> dict[int, str]:
        upper = {**self.complements, **{a: self.complements[b] for a, b in self.aliases.items()}}
        return str.maketrans(upper | {a.lower(): b.lower() for a, b in upper.items()})

    def check(self, sequence: str) -> None:
        """Checks that every symbol of a sequence is in the alphabet.

        Raises:
            AlphabetError: names the first symbol that is not, and its position.
        """
        if sequence.isascii() and not sequence.encode().translate(None, self._accepted):
            return
        accepted = self._accepted.decode()
        position = next(i for i, symbol in enumerate(sequence) if symbol not in accepted)
        raise AlphabetError(sequence[position], position=position + 1, alphabet=self.molecule)

    def count(self, sequences: Iterable[str]) -> SymbolCounts:
        """Counts what the policy touches, over sequences that passed `check`."""
        codes = np.frombuffer("".join(sequences).encode(), dtype=np.uint8)
        return SymbolCounts(
            residues=len(codes),
            lower_case=int(np.count_nonzero(codes >= ord("a"))),
            ambiguous=int(np.count_nonzero(self._ambiguous_bytes[codes])),
        )

    def reverse_complement(self, sequence: str) -> str:
        """Returns the other strand, read 5' to 3'; ambiguity codes are complemented, case is kept.

        Raises:
            OptionError: the alphabet is protein.
        """
        if not self.complements:
            raise OptionError("molecule", self.molecule, allowed=("dna", "rna"))
        return sequence.translate(self._complement_table)[::-1]


@dataclass(frozen=True, kw_only=True, slots=True)
class SymbolCounts:
    """How many residues were read, and how many of them the policy touched.

    Attributes:
        residues: All symbols.
        lower_case: Symbols given in lower case, read as upper case.
        ambiguous: Ambiguity codes such as X or N, kept as their own tokens.
    """

    residues: int = 0
    lower_case: int = 0
    ambiguous: int = 0

    def __add__(self, other: SymbolCounts) -> SymbolCounts:
        return SymbolCounts(
            residues=self.residues + other.residues,
            lower_case=self.lower_case + other.lower_case,
            ambiguous=self.ambiguous + other.ambiguous,
        )


def _members(symbols: str) -> Bool[np.ndarray, " 256"]:
    codes: UInt8[np.ndarray, " symbols"] = np.frombuffer(
        (symbols + symbols.lower()).encode(), dtype=np.uint8
    )
    members = np.zeros(256, dtype=bool)
    members[codes] = True
    return members


def _iupac(thymine: str) -> dict[str, str]:
    codes = {"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC"}
    codes |= {"B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT"}
    return {code: bases.replace("T", thymine) for code, bases in codes.items()}


def _complements(thymine: str) -> dict[str, str]:
    return dict(zip(f"A{thymine}CGRYSWKMBDHVN*-.", f"{thymine}AGCYRSWMKVHDBN*-.", strict=True))


PROTEIN = Alphabet(
    molecule="protein",
    canonical="ACDEFGHIKLMNPQRSTVWY",
    ambiguous={"X": "ACDEFGHIKLMNPQRSTVWY", "B": "DN", "Z": "EQ", "J": "IL"},
    rare="UO",
)
DNA = Alphabet(
    molecule="dna",
    canonical="ACGT",
    ambiguous=_iupac("T"),
    aliases={"U": "T"},
    complements=_complements("T"),
)
RNA = Alphabet(
    molecule="rna",
    canonical="ACGU",
    ambiguous=_iupac("U"),
    aliases={"T": "U"},
    complements=_complements("U"),
)
ALPHABETS: Mapping[Molecule, Alphabet] = {a.molecule: a for a in (PROTEIN, DNA, RNA)}


def detect_molecule(sequences: Iterable[str]) -> Molecule | None:
    """Tells the kind of molecule from the symbols of the first sequences.

    Protein when a letter is no IUPAC base code. Nucleotides when at least nine in ten are A, C, G,
    T, U or N; RNA when U occurs and T does not. None when neither holds, or there is no letter.
    """
    sample = ""
    for sequence in sequences:
        sample += sequence[: _DETECTION_RESIDUES - len(sample)].upper()
        if len(sample) >= _DETECTION_RESIDUES:
            break
    letters = "".join(symbol for symbol in sample if symbol.isalpha())
    if not letters:
        return None
    if set(letters) - set("ACGTURYSWKMBDHVN"):
        return "protein"
    definite = sum(letters.count(base) for base in "ACGTUN")
    if definite < 0.9 * len(letters):
        return None
    return "rna" if "U" in letters and "T" not in letters else "dna"
