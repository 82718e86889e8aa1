import numpy as np
import pytest

from bioseq.errors import AlphabetError, OptionError
from bioseq.tokenizer import ResidueTokenizer, Vocabulary, build_residue_tokenizer

ESM_TOKENS = (
    *("<cls>", "<pad>", "<eos>", "<unk>"),
    *"LAGVSERTIDPKQNFYMHWCXBUZO.-",
    *("<null_1>", "<mask>"),
)


def build_esm_tokenizer(**options):
    return ResidueTokenizer(
        molecule="protein",
        vocabulary=Vocabulary(ESM_TOKENS),
        prefix=("<cls>",),
        suffix=("<eos>",),
        **options,
    )


def test_the_esm_vocabulary_has_its_published_ids():
    tokenizer = build_esm_tokenizer()
    tokens = tokenizer.encode(["MKX", "-"])
    assert tokens.ids.tolist() == [0, 20, 15, 24, 2, 0, 30, 2]
    assert tokens.offsets.tolist() == [0, 5, 8]
    assert tokenizer.vocabulary.id("<mask>") == 32


@pytest.mark.parity
def test_esm_ids_equal_those_of_fair_esm():
    alphabet = pytest.importorskip("esm").data.Alphabet.from_architecture("ESM-1b")
    assert tuple(alphabet.all_toks) == ESM_TOKENS
    sequences = ["MKVLAAGIVG", "ACDEFGHIKLMNPQRSTVWYXBUZO.-", "W"]
    _, _, padded = alphabet.get_batch_converter()([("", sequence) for sequence in sequences])
    theirs = padded[padded != alphabet.padding_idx].numpy()
    np.testing.assert_array_equal(build_esm_tokenizer().encode(sequences).ids, theirs)


def test_a_symbol_without_a_token_is_an_error_where_no_unknown_token_is_declared():
    with pytest.raises(AlphabetError, match="symbol 'j' at position 3 is not in the model's"):
        build_esm_tokenizer().encode(["MKV", "MKjV"])


def test_a_symbol_without_a_token_is_the_unknown_token_where_one_is_declared():
    tokens = build_esm_tokenizer(unknown="<unk>").encode(["MKJ*", "j"])
    assert tokens.ids.tolist() == [0, 20, 15, 3, 3, 2, 0, 3, 2]
    assert tokens.unknown == 3


def test_a_substitution_is_read_as_its_token_and_is_not_counted_as_unknown():
    tokenizer = build_esm_tokenizer(substitutions={"J": "X", "U": "C"}, unknown="<unk>")
    tokens = tokenizer.encode(["JuX"])
    assert tokens.ids.tolist() == [0, 24, 23, 24, 2]
    assert tokens.unknown == 0


def test_a_sequence_cannot_smuggle_in_a_special():
    for mark in "\x00\x01":
        with pytest.raises(AlphabetError, match="position 2"):
            build_esm_tokenizer().encode(["M", f"M{mark}", "M"])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"prefix": ("<bos>",)}, "token is '<bos>'"),
        ({"suffix": ("</s>",)}, "token is '</s>'"),
        ({"substitutions": {"U": "?"}}, r"token is '\?'"),
        ({"substitutions": {"u": "X"}}, "substituted symbol is 'u'"),
        ({"unknown": "[UNK]"}, r"token is '\[UNK\]'"),
        ({"vocabulary": Vocabulary(tuple(map(str, range(256))))}, "vocabulary size is 256"),
    ],
)
def test_impossible_options_are_refused(options, named):
    given = {"molecule": "protein", "vocabulary": Vocabulary(ESM_TOKENS)} | options
    with pytest.raises(OptionError, match=named):
        ResidueTokenizer(**given)


@pytest.mark.parametrize("molecule", ["protein", "dna", "rna"])
def test_our_own_vocabulary_has_a_token_for_every_symbol(molecule):
    tokenizer = build_residue_tokenizer(molecule)
    symbols = tokenizer.alphabet.symbols
    content = tokenizer.encode([symbols]).ids[1:-1]
    assert [tokenizer.vocabulary.tokens[i] for i in content] == list(symbols)
