import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.errors import OptionError
from bioseq.tokenizer import CodonTokenizer, Vocabulary, build_codon_tokenizer

DNA_CODONS = build_codon_tokenizer("dna")


def tokens_of(tokenizer, sequence):
    return [tokenizer.vocabulary.tokens[i] for i in tokenizer.encode([sequence]).ids[1:-1]]


@given(st.text(st.sampled_from("ACGT" * 6 + "NRY-*."), max_size=40))
def test_codons_follow_their_rule(sequence):
    codons = re.findall(".{1,3}", sequence)
    expected = [c if re.fullmatch("[ACGT]{3}", c) else "NNN" for c in codons]
    assert tokens_of(DNA_CODONS, sequence) == expected


@pytest.mark.parametrize("stop", ["TAA", "TAG", "TGA", "uga"])
def test_a_stop_codon_is_a_token_like_the_others(stop):
    read = stop.upper().replace("U", "T")
    assert tokens_of(DNA_CODONS, f"ATG{stop}GCC") == ["ATG", read, "GCC"]


def test_all_codons_have_their_own_token():
    codons = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"]
    tokens = DNA_CODONS.encode(["".join(codons)])
    assert len(set(tokens.ids[1:-1].tolist())) == 64
    assert tokens.unknown == 0


@pytest.mark.parametrize(("sequence", "unknown"), [("ATGA", 1), ("ATGAC", 1), ("A", 1), ("ATG", 0)])
def test_what_is_left_of_the_last_codon_is_one_unknown_token(sequence, unknown):
    assert DNA_CODONS.encode([sequence]).unknown == unknown
    assert DNA_CODONS.spans(sequence)[-1, 1] == len(sequence)


def test_the_frame_starts_anew_with_each_sequence():
    tokens = DNA_CODONS.encode(["AT", "GCC", "A"])
    assert tokens.offsets.tolist() == [0, 3, 6, 9]
    assert tokens.unknown == 2


def test_rna_spells_codons_with_u():
    assert tokens_of(build_codon_tokenizer("rna"), "ATGtga") == ["AUG", "UGA"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"molecule": "protein"}, "molecule is 'protein'"),
        ({"molecule": "rna"}, "token is 'AAU'"),
        ({"unknown": "<unk>"}, "token is '<unk>'"),
        ({"vocabulary": Vocabulary(("NNN", "AAA"))}, "token is 'AAC'"),
    ],
)
def test_impossible_options_are_refused(options, named):
    given = {"molecule": "dna", "vocabulary": DNA_CODONS.vocabulary, "unknown": "NNN"}
    with pytest.raises(OptionError, match=named):
        CodonTokenizer(**given | options)
