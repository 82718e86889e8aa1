from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bioseq.prediction.naming import FileNames


def names_of(*ids: str) -> list[str]:
    names = FileNames()
    return [names.name(id_) for id_ in ids]


def test_an_id_that_looks_like_a_numbered_one_keeps_its_own_file() -> None:
    assert names_of("a", "a", "a-2", "a-2") == ["a", "a-2", "a-2-2", "a-2-3"]


def test_names_differ_where_a_file_system_does_not_tell_case() -> None:
    assert names_of("P1", "p1") == ["P1", "p1-2"]


@given(st.lists(st.text(max_size=200), max_size=12))
def test_names_are_safe_and_never_the_same(ids: list[str]) -> None:
    names = names_of(*ids, *ids)
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert name
        assert not name.startswith(".")
        assert not set(name) & set("/\\\0:")
        assert len(name) <= 130
