import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from bioseq.errors import AlphabetError, FormatError, OptionError
from bioseq.tokenizer import BpeTokenizer, load_bpe_tokenizer

VOCABULARY = {"A": 0, "C": 1, "G": 2, "T": 3, "AC": 4}


def copy_of(model):
    return Tokenizer.from_str(model.to_str())


def build_bare(**options):
    """BPE without an unknown token: the library drops what it has no token for."""
    return Tokenizer(models.BPE(vocab=VOCABULARY, merges=[("A", "C")], **options))


def build_affixed(**affix):
    return Tokenizer(models.BPE(vocab={"A": 0, "C": 1}, merges=[], **affix))


@given(sequence=st.text("ACGT", max_size=80))
def test_ids_and_spans_are_those_of_the_library(hugging_face_bpe, sequence):
    tokenizer = BpeTokenizer(molecule="dna", definition=hugging_face_bpe.to_str())
    expected = hugging_face_bpe.encode(sequence, add_special_tokens=False)
    assert tokenizer.encode([sequence]).ids.tolist() == expected.ids
    assert [tuple(span) for span in tokenizer.spans(sequence).tolist()] == expected.offsets


def test_specials_are_the_given_ones_not_those_of_the_definition(hugging_face_bpe):
    definition = hugging_face_bpe.to_str()
    bare = BpeTokenizer(molecule="dna", definition=definition)
    framed = BpeTokenizer(
        molecule="dna", definition=definition, prefix=("[CLS]",), suffix=("[SEP]",)
    )
    ids = bare.encode(["ACGGT"]).ids.tolist()
    assert framed.encode(["ACGGT"]).ids.tolist() == [1, *ids, 2]
    assert hugging_face_bpe.encode("ACGGT").ids == [1, *ids, 2]


def test_truncation_and_padding_of_the_definition_are_left_out(hugging_face_bpe):
    sequence = "ACGGTACCATTGAC" * 20
    plain = hugging_face_bpe.encode(sequence, add_special_tokens=False).ids
    harmful = copy_of(hugging_face_bpe)
    harmful.enable_truncation(5)
    harmful.enable_padding(length=1000)
    tokenizer = BpeTokenizer(molecule="dna", definition=harmful.to_str())
    assert tokenizer.encode([sequence]).ids.tolist() == plain
    assert tokenizer.spans(sequence)[-1, 1] == len(sequence)


def test_dropout_of_the_definition_is_left_out():
    dropping = build_bare(dropout=1.0)
    assert dropping.encode("ACG").ids == [0, 1, 2]
    tokenizer = BpeTokenizer(molecule="dna", definition=dropping.to_str())
    assert tokenizer.encode(["ACG"]).ids.tolist() == [4, 2]


def test_what_the_vocabulary_lacks_is_the_unknown_token(hugging_face_bpe):
    tokenizer = BpeTokenizer(molecule="dna", definition=hugging_face_bpe.to_str())
    assert tokenizer.unknown == "[UNK]"
    assert tokenizer.encode(["ACGTNNRACGT", "-"]).unknown == 4


def test_what_the_vocabulary_lacks_is_an_error_without_an_unknown_token():
    tokenizer = BpeTokenizer(molecule="dna", definition=build_bare().to_str())
    assert tokenizer.unknown is None
    assert tokenizer.encode(["acgu"]).ids.tolist() == [4, 2, 3]
    with pytest.raises(AlphabetError, match="symbol 'r' at position 3 is not in the model's"):
        tokenizer.encode(["ACGT", "ACrGNR"])
    with pytest.raises(AlphabetError, match="position 1"):
        tokenizer.spans("NACR")


def test_a_tokenizer_can_be_sent_to_another_process(hugging_face_bpe):
    tokenizer = BpeTokenizer(molecule="dna", definition=hugging_face_bpe.to_str())
    again = pickle.loads(pickle.dumps(tokenizer))
    assert again.encode(["ACGGT"]).ids.tolist() == tokenizer.encode(["ACGGT"]).ids.tolist()


def test_a_tokenizer_is_loaded_from_its_file(hugging_face_bpe, tmp_path):
    path = tmp_path / "tokenizer.json"
    hugging_face_bpe.save(str(path))
    tokenizer = load_bpe_tokenizer(path, molecule="dna", prefix=("[CLS]",))
    assert tokenizer.prefix == ("[CLS]",)
    assert len(tokenizer.vocabulary) == hugging_face_bpe.get_vocab_size()
    path.unlink()
    assert tokenizer.encode(["ACG"]).ids[0] == 1


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\xfe", b">a\nACGT\n"])
def test_a_file_that_is_no_tokenizer_is_refused(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"tokenizer\.json: not valid tokenizer"):
        load_bpe_tokenizer(path, molecule="dna")


def spaced() -> Tokenizer:
    model = build_bare(unk_token="A")
    model.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    return model


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (Tokenizer(models.WordLevel(vocab={"A": 0}, unk_token="A")), "'WordLevel'"),
        (build_affixed(continuing_subword_prefix="##"), "continuing_subword_prefix is '##'"),
        (build_affixed(end_of_word_suffix="</w>"), "end_of_word_suffix is '</w>'"),
        (build_bare(unk_token="[UNK]"), r"token is '\[UNK\]'"),
        (spaced(), "at most one token for 'A' alone"),
        (Tokenizer(models.BPE(vocab={"A": 0, "C": 5}, merges=[])), "token ids is 'up to 5'"),
    ],
    ids=["not-bpe", "prefix", "suffix", "unknown", "added-symbols", "gap"],
)
def test_a_definition_that_cannot_keep_the_rules_is_refused(model, named):
    with pytest.raises(OptionError, match=named):
        BpeTokenizer(molecule="dna", definition=model.to_str())


def test_a_missing_special_is_refused(hugging_face_bpe):
    with pytest.raises(OptionError, match="token is '<cls>'"):
        BpeTokenizer(molecule="dna", definition=hugging_face_bpe.to_str(), prefix=("<cls>",))
