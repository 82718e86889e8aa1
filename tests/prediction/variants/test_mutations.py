"""Substitutions as text, and the sequences they make."""

from __future__ import annotations

import pytest

from bioseq.alphabet import PROTEIN, RNA
from bioseq.errors import VariantError
from bioseq.prediction.variants.mutations import WildType, parse_mutations

WILD_TYPE = WildType(id="p", sequence="MKTX", alphabet=PROTEIN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("M1A", "AKTX"),
        ("M1A:T3C", "AKCX"),
        ("T3C,m1a", "AKCX"),
        (" K2R ", "MRTX"),
        ("K2K", "MKTX"),
    ],
)
def test_substitutions_change_their_residues(text: str, expected: str) -> None:
    assert WILD_TYPE.mutate(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("A2C", "p has K at 2, not A"),
        ("M0A", "no position 0; p has 1 to 4"),
        ("M5A", "no position 5"),
        ("K2A:K2C", "two substitutions at 2"),
        ("K2B", "the variant has B at 2"),
        ("X4A", "p has X at 4, not one of"),
        ("K2", "not a substitution"),
        ("", "not a substitution"),
        ("K2A:", "not a substitution"),
        ("K2*", "not a substitution"),
        ("p.Lys2Ala", "not a substitution"),
    ],
)
def test_what_does_not_fit_says_why(text: str, problem: str) -> None:
    with pytest.raises(VariantError, match=problem):
        WILD_TYPE.mutate(text)


def test_numbering_may_begin_anywhere() -> None:
    shifted = WildType(id="p", sequence="MKT", alphabet=PROTEIN, first_residue=-1)
    assert shifted.mutate("M-1A:T1C") == "AKC"


def test_thymine_reads_as_uracil_in_rna() -> None:
    assert WildType(id="r", sequence="ACGU", alphabet=RNA).mutate("T4A:A1T") == "UCGA"


def test_a_mutation_prints_as_it_was_written() -> None:
    assert [str(mutation) for mutation in parse_mutations("A23C:D45E")] == ["A23C", "D45E"]
