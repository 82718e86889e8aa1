"""What holds for every tokenizer, whatever its tokens are."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioseq.errors import AlphabetError
from bioseq.tokenizer import (
    BpeTokenizer,
    ResidueTokenizer,
    Vocabulary,
    build_codon_tokenizer,
    build_kmer_tokenizer,
    build_residue_tokenizer,
    build_tokenizer,
)

BUILDERS = {
    "residue-protein": lambda _: build_residue_tokenizer("protein"),
    "residue-rna": lambda _: build_residue_tokenizer("rna"),
    "residue-unknown": lambda _: ResidueTokenizer(
        molecule="dna",
        vocabulary=Vocabulary(("<unk>", *"ACGTN")),
        substitutions={"-": "N"},
        unknown="<unk>",
    ),
    "kmer-overlapping-2": lambda _: build_kmer_tokenizer("dna", k=2, stride=1),
    "kmer-overlapping-6": lambda _: build_kmer_tokenizer("dna", k=6, stride=1),
    "kmer-blocks-3": lambda _: build_kmer_tokenizer("rna", k=3, stride=3),
    "kmer-blocks-6": lambda _: build_kmer_tokenizer("dna", k=6, stride=6),
    "kmer-blocks-7": lambda _: build_kmer_tokenizer("dna", k=7, stride=7),
    "codon-dna": lambda _: build_codon_tokenizer("dna"),
    "codon-rna": lambda _: build_codon_tokenizer("rna"),
    "bpe": lambda model: BpeTokenizer(
        molecule="dna", definition=model.to_str(), prefix=("[CLS]",), suffix=("[SEP]", "[SEP]")
    ),
}


@pytest.fixture(scope="module", params=list(BUILDERS))
def tokenizer(request, hugging_face_bpe):
    return BUILDERS[request.param](hugging_face_bpe)


# Eleven tokenizers each: fewer examples than usual for one law, many for all of them together.
few = settings(max_examples=40)


def draw_sequences(data, tokenizer, **sizes):
    """Draws sequences of mostly definite symbols, so that k-mers occur, and of anything."""
    alphabet = tokenizer.alphabet
    anything = alphabet.symbols + "".join(alphabet.aliases)
    mostly = st.sampled_from(alphabet.canonical * 8 + anything + anything.lower())
    sequence = st.one_of(
        st.text(alphabet.canonical, max_size=40),
        st.text(mostly, max_size=40),
        st.text(anything, max_size=12),
    )
    return data.draw(st.lists(sequence, **sizes))


def content_of(tokenizer, sequence):
    ids = tokenizer.encode([sequence]).ids
    return ids[len(tokenizer.prefix) : len(ids) - len(tokenizer.suffix)]


def read_as(tokenizer, text):
    """Gives the letters that a vocabulary of this alphabet spells a piece of sequence with."""
    return text.upper().translate(str.maketrans(dict(tokenizer.alphabet.aliases)))


@few
@given(data=st.data())
def test_spans_are_in_order_and_cover_every_symbol(tokenizer, data):
    (sequence,) = draw_sequences(data, tokenizer, min_size=1, max_size=1)
    spans = tokenizer.spans(sequence)
    assert spans.shape == (len(content_of(tokenizer, sequence)), 2)
    assert (spans[:, 0] < spans[:, 1]).all()
    assert (np.diff(spans, axis=0) >= 0).all()
    covered = {place for start, end in spans for place in range(start, end)}
    assert covered == set(range(len(sequence)))


@few
@given(data=st.data())
def test_a_known_token_spells_the_symbols_of_its_span(tokenizer, data):
    (sequence,) = draw_sequences(data, tokenizer, min_size=1, max_size=1)
    minus = getattr(tokenizer, "substitutions", {}).get("-", "-")
    tokens = [tokenizer.vocabulary.tokens[i] for i in content_of(tokenizer, sequence)]
    for token, (start, end) in zip(tokens, tokenizer.spans(sequence), strict=True):
        if token != tokenizer.unknown:
            assert token == read_as(tokenizer, sequence[start:end]).replace("-", minus)


@few
@given(data=st.data())
def test_a_batch_gives_what_its_sequences_give_alone(tokenizer, data):
    sequences = draw_sequences(data, tokenizer, max_size=6)
    together = tokenizer.encode(sequences)
    alone = [tokenizer.encode([sequence]) for sequence in sequences]
    assert len(together.offsets) == len(sequences) + 1
    assert together.offsets[0] == 0
    assert together.offsets[-1] == len(together.ids)
    for index, tokens in enumerate(alone):
        start, end = together.offsets[index : index + 2]
        np.testing.assert_array_equal(together.ids[start:end], tokens.ids)
    assert together.unknown == sum(tokens.unknown for tokens in alone)


@few
@given(data=st.data())
def test_the_order_of_the_input_is_the_order_of_the_tokens(tokenizer, data):
    sequences = draw_sequences(data, tokenizer, max_size=5)
    order = data.draw(st.permutations(range(len(sequences))))
    straight = tokenizer.encode(sequences)
    turned = tokenizer.encode([sequences[index] for index in order])
    pieces = np.split(straight.ids, straight.offsets[1:-1]) if sequences else []
    expected = np.concatenate([pieces[index] for index in order] or [straight.ids])
    np.testing.assert_array_equal(turned.ids, expected)


@few
@given(data=st.data())
def test_lower_case_reads_as_upper_case(tokenizer, data):
    sequences = draw_sequences(data, tokenizer, max_size=4)
    lower = tokenizer.encode([sequence.lower() for sequence in sequences])
    upper = tokenizer.encode([sequence.upper() for sequence in sequences])
    np.testing.assert_array_equal(lower.ids, upper.ids)


@few
@given(data=st.data())
def test_an_alias_reads_as_what_it_stands_for(tokenizer, data):
    sequences = draw_sequences(data, tokenizer, max_size=4)
    read = [read_as(tokenizer, sequence) for sequence in sequences]
    np.testing.assert_array_equal(tokenizer.encode(sequences).ids, tokenizer.encode(read).ids)


@few
@given(data=st.data())
def test_the_specials_stand_round_every_sequence(tokenizer, data):
    tokens = tokenizer.encode(draw_sequences(data, tokenizer, max_size=5))
    prefix = tokenizer.vocabulary.ids(tokenizer.prefix)
    suffix = tokenizer.vocabulary.ids(tokenizer.suffix)
    for start, end in zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True):
        assert tuple(tokens.ids[start : start + len(prefix)]) == prefix
        assert tuple(tokens.ids[end - len(suffix) : end]) == suffix


@few
@given(data=st.data())
def test_unknown_tokens_are_counted(tokenizer, data):
    tokens = tokenizer.encode(draw_sequences(data, tokenizer, max_size=5))
    if tokenizer.unknown is None:
        assert tokens.unknown == 0
    else:
        unknown = tokenizer.vocabulary.id(tokenizer.unknown)
        assert tokens.unknown == tokens.ids.tolist().count(unknown)


@few
@given(data=st.data())
def test_a_foreign_symbol_is_named_with_its_position(tokenizer, data):
    accepted = tokenizer.alphabet.symbols + "".join(tokenizer.alphabet.aliases)
    accepted += accepted.lower()
    foreign = data.draw(
        st.one_of(st.sampled_from("\n\x00\x01\x02 ?1é\ud800"), st.characters()).filter(
            lambda symbol: symbol not in accepted
        )
    )
    before, good = draw_sequences(data, tokenizer, min_size=2, max_size=2)
    with pytest.raises(AlphabetError) as caught:
        tokenizer.encode([good, before + foreign + good, good])
    assert (caught.value.symbol, caught.value.position) == (foreign, len(before) + 1)


def test_no_sequences_give_no_tokens(tokenizer):
    tokens = tokenizer.encode([])
    assert tokens.ids.tolist() == []
    assert tokens.offsets.tolist() == [0]
    assert tokens.unknown == 0


def test_an_empty_sequence_is_its_specials(tokenizer):
    specials = tokenizer.vocabulary.ids((*tokenizer.prefix, *tokenizer.suffix))
    tokens = tokenizer.encode(["", ""])
    assert tuple(tokens.ids) == specials * 2
    assert tokenizer.spans("").shape == (0, 2)


def test_every_symbol_alone_is_one_token(tokenizer):
    for symbol in tokenizer.alphabet.symbols:
        assert len(content_of(tokenizer, symbol)) == 1
        assert tokenizer.spans(symbol).tolist() == [[0, 1]]


@pytest.mark.parametrize("length", [1, 2, 3, 5, 6, 7, 100])
def test_a_sequence_of_n_is_covered(tokenizer, length):
    spans = tokenizer.spans("N" * length)
    assert spans[0, 0] == 0
    assert spans[-1, 1] == length
    assert len(spans) == len(content_of(tokenizer, "N" * length))


def test_ids_are_writable_and_of_the_vocabularys_type(tokenizer):
    ids = tokenizer.encode(["ACG", "NNN"]).ids
    assert ids.flags.writeable
    assert ids.dtype == tokenizer.vocabulary.dtype


def test_the_config_survives_json(tokenizer):
    again = build_tokenizer(json.loads(json.dumps(tokenizer.to_config())))
    assert again == tokenizer
    assert again.to_config() == tokenizer.to_config()
    sequences = ["ACGTNACGGTAC", "A", ""]
    np.testing.assert_array_equal(again.encode(sequences).ids, tokenizer.encode(sequences).ids)
