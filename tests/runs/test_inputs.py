from __future__ import annotations

import gzip
import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.errors import FormatError, InputError, OptionError
from bioseq.runs import Inputs
from bioseq.tokenizer import (
    ResidueTokenizer,
    Vocabulary,
    build_kmer_tokenizer,
    build_residue_tokenizer,
)

PROTEIN = build_residue_tokenizer("protein")
DNA = build_kmer_tokenizer("dna", k=3, stride=1)


def write(path, text):
    path.write_text(text)
    return path


@pytest.fixture
def two_files(tmp_path):
    first = write(tmp_path / "a.fasta", ">a one\nMKVlX\n>b\n\n>c\nMK1\n")
    second = tmp_path / "b.fasta.gz"
    second.write_bytes(gzip.compress(b">d\nMMM\n"))
    return [first, second]


def test_records_of_all_files_come_in_order_with_their_problems(two_files):
    inputs = Inputs(two_files, PROTEIN)
    found = [(c.record.id, c.record.description, c.problem) for c in inputs]
    assert found == [
        ("a", "one", None),
        ("b", "", "empty sequence"),
        ("c", "", "symbol '1' at position 3 is not in the protein alphabet"),
        ("d", "", None),
    ]
    assert [(f["name"], f["format"], f["compression"]) for f in inputs.files] == [
        ("a.fasta", "fasta", None),
        ("b.fasta.gz", "fasta", "gzip"),
    ]
    counts = inputs.counts
    assert (counts.residues, counts.lower_case, counts.ambiguous) == (8, 1, 1)


def test_the_fraction_rises_from_file_to_file(tmp_path):
    paths = [write(tmp_path / f"{i}.fasta", f">{i}\n" + "MKV" * 2_000_000) for i in range(3)]
    inputs = Inputs(paths, PROTEIN)
    fractions = [inputs.fraction or 0.0 for _ in inputs]
    assert fractions == sorted(fractions)
    assert fractions[0] == pytest.approx(1 / 3, abs=0.01)
    assert fractions[-1] == 1


def test_the_fraction_asks_the_file_system_once(two_files, monkeypatch):
    inputs = Inputs(two_files, PROTEIN)
    monkeypatch.setattr("pathlib.Path.stat", None)
    assert inputs.fraction is not None


def test_standard_input_has_no_fraction(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b">a\nMKV\n")))
    inputs = Inputs(["-"], PROTEIN)
    assert [c.record.id for c in inputs] == ["a"]
    assert inputs.fraction is None
    assert inputs.files[0]["name"] == "<stdin>"


def test_only_the_first_chromosome_is_held_to_tell_the_molecule(tmp_path):
    path = write(tmp_path / "genome.fasta", "".join(f">{i}\n{'ACGT' * 50_000}\n" for i in range(9)))
    inputs = Inputs([path], DNA)
    assert inputs.molecule == "dna"
    assert len(inputs._sample) == 1
    assert len(list(inputs)) == 9


def test_a_missing_file_is_found_before_the_first_record_is_read(two_files, tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.fasta: no such file or directory"):
        Inputs([*two_files, tmp_path / "nowhere.fasta"], PROTEIN)
    with pytest.raises(InputError, match="is a directory"):
        Inputs([*two_files, tmp_path], PROTEIN)


def test_no_input_is_refused():
    with pytest.raises(OptionError, match="inputs"):
        Inputs([], PROTEIN)


def test_damage_behind_the_first_records_is_found_when_it_comes(tmp_path):
    text = ">a\n" + "MKV" * 100_000 + "\n"
    path = tmp_path / "cut.fasta.gz"
    path.write_bytes(gzip.compress(text.encode() * 3, compresslevel=0)[:-500_000])
    inputs = Inputs([path], PROTEIN)
    with pytest.raises(FormatError, match="truncated"):
        list(inputs)


@pytest.mark.parametrize(
    ("tokenizer", "text"), [(PROTEIN, "ACGT" * 20), (PROTEIN, "ACGU" * 20), (DNA, "MKVLH" * 20)]
)
def test_another_molecule_than_the_model_reads_is_refused(tmp_path, tokenizer, text):
    path = write(tmp_path / "in.fasta", f">a\n{text}\n")
    reads = tokenizer.alphabet.molecule
    with pytest.raises(OptionError, match=rf"in\.fasta.* say --molecule {reads}"):
        Inputs([path], tokenizer)


def test_the_user_knows_better_what_the_molecule_is(tmp_path):
    path = write(tmp_path / "in.fasta", f">a\n{'ACGT' * 20}\n")
    inputs = Inputs([path], PROTEIN, molecule="protein")
    assert inputs.molecule == "protein"
    assert [c.problem for c in inputs] == [None]
    with pytest.raises(OptionError, match="molecule of the input is 'dna'"):
        Inputs([path], PROTEIN, molecule="dna")


def test_short_sequences_may_be_anything(tmp_path):
    path = write(tmp_path / "in.fasta", ">a\nACGT\n>b\nGATTACA\n")
    assert [c.problem for c in Inputs([path], PROTEIN)] == [None, None]


def test_dna_models_read_rna(tmp_path):
    path = write(tmp_path / "in.fasta", f">a\n{'ACGU' * 20}\n")
    inputs = Inputs([path], DNA)
    assert [c.problem for c in inputs] == [None]
    assert inputs.molecule == "rna"


def test_chains_of_another_molecule_fail_and_the_others_do_not(data_dir):
    path = data_dir / "nasty" / "derived_1LCD_trace.pdb"
    problems = {c.record.id: c.problem for c in Inputs([path], PROTEIN)}
    other = "dna, but the model reads protein"
    assert problems == {"1LCD:B": other, "1LCD:C": other, "1LCD:A": None}
    problems = {c.record.id: c.problem for c in Inputs([path], DNA)}
    assert problems["1LCD:A"] == "protein, but the model reads dna"


@given(sequence=st.text("ACDEFJjBb", min_size=1, max_size=30))
def test_a_symbol_without_a_token_is_a_problem_of_its_record(sequence, tmp_path_factory):
    """The alphabet has B and J, the model only B."""
    tokenizer = ResidueTokenizer(molecule="protein", vocabulary=Vocabulary(tuple("ACDEFB")))
    tokenless = "".join(tokenizer.alphabet.symbols).translate(str.maketrans("", "", "ACDEFB"))
    assert "J" in tokenless
    path = write(tmp_path_factory.getbasetemp() / "tokenless.fasta", f">a\n{sequence}\n")
    found = next(iter(Inputs([path], tokenizer))).problem
    places = [i for i, symbol in enumerate(sequence) if symbol in "Jj"]
    if not places:
        assert found is None
        tokenizer.encode([sequence])
    else:
        symbol, position = sequence[places[0]], places[0] + 1
        assert found == f"symbol {symbol!r} at position {position} is not in the model's alphabet"


def test_unknown_tokens_are_counted_over_all_records(tmp_path):
    path = write(tmp_path / "in.fasta", ">a\nACGN\n>b\nACGN\n>c\nACGT\n")
    inputs = Inputs([path], DNA)
    list(inputs)
    assert inputs.unknown_tokens == 2 * 1
    assert inputs.counts.ambiguous == 2
