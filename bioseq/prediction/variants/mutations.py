"""Substitutions as the field writes them: `A23C`, several joined by `:`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bioseq.alphabet import Alphabet
from bioseq.errors import VariantError

_PATTERN = re.compile(r"([A-Za-z])(-?[0-9]+)([A-Za-z])")
_SEPARATORS = re.compile(r"[:,]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One residue in place of another.

    Attributes:
        wild_type: The residue that was there.
        position: Its number, as written.
        mutant: The residue that takes its place.
    """

    wild_type: str
    position: int
    mutant: str

    def __str__(self) -> str:
        return f"{self.wild_type}{self.position}{self.mutant}"


@dataclass(frozen=True, kw_only=True)
class WildType:
    """The sequence that variants are variants of.

    Attributes:
        id: Its identifier.
        sequence: Residues, upper case, aliases read as what they stand for.
        alphabet: Of the sequence.
        first_residue: Number of its first residue in the variants' names.
    """

    id: str
    sequence: str
    alphabet: Alphabet
    first_residue: int = 1

    def mutate(self, text: str) -> str:
        """Returns the sequence with the substitutions that a text names.

        Raises:
            VariantError: the text is no list of substitutions, or one does not fit the sequence.
        """
        residues = list(self.sequence)
        seen: set[int] = set()
        for mutation in parse_mutations(text):
            index = self._find(mutation, text)
            if index in seen:
                raise VariantError(text, f"two substitutions at {mutation.position}")
            seen.add(index)
            residues[index] = read_symbol(mutation.mutant, self.alphabet)
        return "".join(residues)

    def _find(self, mutation: Mutation, text: str) -> int:
        last = self.first_residue + len(self.sequence) - 1
        index = mutation.position - self.first_residue
        if not 0 <= index < len(self.sequence):
            numbers = f"{self.first_residue} to {last}"
            raise VariantError(text, f"no position {mutation.position}; {self.id} has {numbers}")
        there = self.sequence[index]
        if read_symbol(mutation.wild_type, self.alphabet) != there:
            found = f"{self.id} has {there} at {mutation.position}"
            raise VariantError(text, f"{found}, not {mutation.wild_type.upper()}")
        self.check_substitution(text, index, read_symbol(mutation.mutant, self.alphabet))
        return index

    def check_substitution(self, variant: str, index: int, mutant: str) -> None:
        """Checks that both residues of a substitution are definite ones.

        Raises:
            VariantError: one stands for several residues, or for none.
        """
        for residue, owner in ((self.sequence[index], self.id), (mutant, "the variant")):
            if residue not in self.alphabet.canonical:
                place = f"{owner} has {residue} at {index + self.first_residue}"
                raise VariantError(variant, f"{place}, not one of {self.alphabet.canonical}")


def read_symbol(symbol: str, alphabet: Alphabet) -> str:
    """Reads a symbol as the alphabet does: upper case, and T or U as the molecule's own."""
    upper = symbol.upper()
    return alphabet.aliases.get(upper, upper)


def read_sequence(sequence: str, alphabet: Alphabet) -> str:
    """Reads a sequence as the alphabet does."""
    return sequence.upper().translate(str.maketrans(dict(alphabet.aliases)))


def parse_mutations(text: str) -> tuple[Mutation, ...]:
    """Reads `A23C` or several substitutions joined by `:` (or `,`).

    Raises:
        VariantError: a part is not residue, number, residue.
    """
    found = []
    for part in _SEPARATORS.split(text.strip()):
        match = _PATTERN.fullmatch(part.strip())
        if match is None:
            raise VariantError(
                text, "not a substitution such as A23C, or several such as A23C:D45E"
            )
        wild_type, position, mutant = match.groups()
        found.append(Mutation(wild_type=wild_type, position=int(position), mutant=mutant))
    return tuple(found)
