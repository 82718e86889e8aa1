import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.alphabet import ALPHABETS, DNA, PROTEIN, RNA, Alphabet, SymbolCounts, detect_molecule
from bioseq.errors import AlphabetError, OptionError

NUCLEOTIDES = pytest.mark.parametrize("alphabet", [DNA, RNA], ids=["dna", "rna"])
EVERY = pytest.mark.parametrize("alphabet", list(ALPHABETS.values()), ids=list(ALPHABETS))


def sequences_over(alphabet: Alphabet) -> st.SearchStrategy[str]:
    return st.text(alphabet.symbols + alphabet.symbols.lower(), max_size=50)


def bases_of(alphabet: Alphabet, symbol: str) -> set[str]:
    return set(alphabet.ambiguous.get(symbol, symbol))


@EVERY
def test_no_symbol_stands_twice(alphabet):
    assert len(set(alphabet.symbols)) == len(alphabet.symbols)
    assert not set(alphabet.symbols) & set(alphabet.aliases)


@EVERY
def test_ambiguity_codes_stand_for_canonical_symbols(alphabet):
    for possible in alphabet.ambiguous.values():
        assert set(possible) <= set(alphabet.canonical)
        assert len(set(possible)) == len(possible) >= 2


@NUCLEOTIDES
def test_nucleotide_codes_are_all_sets_of_two_or_more_bases(alphabet):
    sets = {frozenset(possible) for possible in alphabet.ambiguous.values()}
    assert len(sets) == len(alphabet.ambiguous) == 6 + 4 + 1


def test_nucleotide_codes_stand_for_the_bases_of_the_iupac_table():
    table = "R=AG Y=CT S=CG W=AT K=GT M=AC B=CGT D=AGT H=ACT V=ACG N=ACGT"
    expected = {entry[0]: entry[2:] for entry in table.split()}
    assert {code: "".join(sorted(bases)) for code, bases in DNA.ambiguous.items()} == expected
    assert {code: bases.replace("U", "T") for code, bases in RNA.ambiguous.items()} == expected


@NUCLEOTIDES
@given(data=st.data())
def test_the_reverse_complement_of_the_reverse_complement_is_the_sequence(alphabet, data):
    sequence = data.draw(sequences_over(alphabet))
    assert alphabet.reverse_complement(alphabet.reverse_complement(sequence)) == sequence


@NUCLEOTIDES
@given(data=st.data())
def test_the_reverse_complement_turns_the_order_round(alphabet, data):
    left, right = data.draw(sequences_over(alphabet)), data.draw(sequences_over(alphabet))
    joined = alphabet.reverse_complement(left + right)
    assert joined == alphabet.reverse_complement(right) + alphabet.reverse_complement(left)


@NUCLEOTIDES
def test_the_complement_of_a_code_stands_for_the_complements_of_its_bases(alphabet):
    for symbol in alphabet.symbols:
        complement = alphabet.reverse_complement(symbol)
        expected = {alphabet.reverse_complement(base) for base in bases_of(alphabet, symbol)}
        assert bases_of(alphabet, complement) == expected


def test_the_reverse_complement_covers_ambiguity_codes_case_and_aliases():
    assert DNA.reverse_complement("ACGTRYN") == "NRYACGT"
    assert DNA.reverse_complement("acGTu-") == "-aACgt"
    assert RNA.reverse_complement("ACGUt") == "aACGU"


def test_protein_has_no_reverse_complement():
    with pytest.raises(OptionError, match="molecule is 'protein'"):
        PROTEIN.reverse_complement("MKV")


@EVERY
def test_every_symbol_alias_and_lower_case_letter_passes(alphabet):
    symbols = alphabet.symbols + "".join(alphabet.aliases)
    alphabet.check(symbols + symbols.lower())


@EVERY
@given(data=st.data())
def test_the_first_foreign_symbol_is_named_with_its_position(alphabet, data):
    accepted = alphabet.symbols + "".join(alphabet.aliases)
    accepted += accepted.lower()
    before = data.draw(sequences_over(alphabet))
    foreign = data.draw(st.characters().filter(lambda symbol: symbol not in accepted))
    behind = data.draw(st.text(max_size=5))
    with pytest.raises(AlphabetError) as caught:
        alphabet.check(before + foreign + behind)
    assert caught.value.symbol == foreign
    assert caught.value.position == len(before) + 1
    assert caught.value.alphabet == alphabet.molecule


@pytest.mark.parametrize(
    "foreign", ["1", " ", "\n", "\x00", "é", "\u017f", "\u2028", "\ud800", "🧬"]
)
def test_characters_that_only_look_harmless_fail(foreign):
    for alphabet in ALPHABETS.values():
        with pytest.raises(AlphabetError, match="position 3"):
            alphabet.check("AC" + foreign)


def test_a_protein_letter_is_not_dna():
    with pytest.raises(AlphabetError, match="symbol 'E' at position 2 is not in the dna alphabet"):
        DNA.check("AEF")


def test_counts_tell_lower_case_and_ambiguity_codes():
    counts = DNA.count(["ACGTNn", "", "rU-*"])
    assert counts == SymbolCounts(residues=10, lower_case=2, ambiguous=3)
    assert PROTEIN.count(["MxUB"]) == SymbolCounts(residues=4, lower_case=1, ambiguous=2)


@given(st.lists(sequences_over(DNA)), st.lists(sequences_over(DNA)))
def test_counts_of_parts_add_up(first, second):
    assert DNA.count(first) + DNA.count(second) == DNA.count(first + second)


@pytest.mark.parametrize(
    ("sequences", "molecule"),
    [
        (["MKVLAAGIVGLLLAQPSE"], "protein"),
        (["ACGT" * 5, "mkvl" * 20], "protein"),
        (["acgtnACGT"], "dna"),
        (["ACGUACGN"], "rna"),
        (["ACGTACGU"], "dna"),
        (["NNNNNNNN"], "dna"),
        (["AAAA"], "dna"),
        (["ACGTACGTACGTACGTACGR"], "dna"),
        (["ARNDARNDRRDD"], None),
        (["", "-AC.GT*"], "dna"),
        (["---...***"], None),
        (["", ""], None),
        ([], None),
    ],
)
def test_the_molecule_is_told_from_the_letters(sequences, molecule):
    assert detect_molecule(sequences) == molecule


def test_detection_reads_only_the_first_hundred_thousand_residues():
    def endless():
        while True:
            yield "ACGT" * 1000

    assert detect_molecule(endless()) == "dna"
