"""Corresponding residues of two proteins."""

from __future__ import annotations

from bioseq.io.pairwise import pair_residues


def test_equal_parts_correspond() -> None:
    found = pair_residues("GGGGWKYHMCDEFGG", "WKYHMCDEF")
    assert found.query.tolist() == list(range(4, 13))
    assert found.other.tolist() == list(range(9))


def test_a_gap_has_no_counterpart() -> None:
    whole = "MKWVTFISLLFLFSSAYSRGVFRRDAHKSEVAHRFKDLGEENFKALVLIAFAQYLQQCPFEDHVK"
    found = pair_residues(whole, whole[:30] + whole[34:])
    assert found.query.tolist() == [*range(30), *range(34, len(whole))]
    assert found.other.tolist() == list(range(len(whole) - 4))


def test_nothing_corresponds_to_nothing() -> None:
    assert pair_residues("", "ACD").query.tolist() == []
    assert pair_residues("WWWW", "GGGG").score == 0


def test_unusual_letters_are_read_as_unknown() -> None:
    found = pair_residues("WKYHMUCDEFW", "WKYHMOCDEFW")
    assert found.query.tolist() == list(range(11))
