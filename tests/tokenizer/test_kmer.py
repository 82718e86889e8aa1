import re
from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.errors import OptionError
from bioseq.tokenizer import KmerTokenizer, Vocabulary, build_kmer_tokenizer

BASES = "ATCG"  # the order in which both papers' vocabularies count
SEQUENCES = st.one_of(
    st.text("ACGT", max_size=60),
    st.text(st.sampled_from("ACGT" * 5 + "NNRYSWKMBDHV*-."), max_size=60),
    st.text("NRACGT-", max_size=20),
)


def kmers(k):
    return map("".join, product(BASES, repeat=k))


@cache
def build_dnabert_tokenizer(k):
    return KmerTokenizer(
        molecule="dna",
        vocabulary=Vocabulary(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *kmers(k))),
        k=k,
        stride=1,
        unknown="[UNK]",
        prefix=("[CLS]",),
        suffix=("[SEP]",),
    )


@cache
def build_nucleotide_transformer_tokenizer(specials=("<unk>", "<pad>", "<mask>", "<cls>")):
    return KmerTokenizer(
        molecule="dna",
        vocabulary=Vocabulary((*specials, *kmers(6), *BASES, "N")),
        k=6,
        stride=6,
        unknown="<unk>",
        prefix=("<cls>",),
    )


def tokens_of(tokenizer, sequence):
    ids = tokenizer.encode([sequence]).ids
    content = ids[len(tokenizer.prefix) : len(ids) - len(tokenizer.suffix)]
    return [tokenizer.vocabulary.tokens[i] for i in content]


def read_as_dnabert(sequence, k):
    if 0 < len(sequence) < k:
        return ["[UNK]"]
    windows = [sequence[start : start + k] for start in range(len(sequence) - k + 1)]
    return [window if set(window) <= set("ACGT") else "[UNK]" for window in windows]


def read_as_nucleotide_transformer(sequence):
    pieces = re.findall("[ACGT]{6}|[ACGTN]|[^ACGTN]+", sequence)
    return [piece if set(piece) <= set("ACGTN") else "<unk>" for piece in pieces]


@pytest.mark.parametrize("k", [3, 4, 5, 6])
@given(sequence=SEQUENCES)
def test_overlapping_kmers_follow_the_rule_of_dnabert(k, sequence):
    assert tokens_of(build_dnabert_tokenizer(k), sequence) == read_as_dnabert(sequence, k)


@given(sequence=SEQUENCES)
def test_blocks_follow_the_rule_of_nucleotide_transformer(sequence):
    tokenizer = build_nucleotide_transformer_tokenizer()
    assert tokens_of(tokenizer, sequence) == read_as_nucleotide_transformer(sequence)


@pytest.mark.parity
def test_blocks_equal_the_tokenizer_of_the_published_checkpoints(tmp_path):
    transformers = pytest.importorskip("transformers")
    ours = build_nucleotide_transformer_tokenizer()
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join(ours.vocabulary.tokens))
    theirs = transformers.EsmTokenizer(str(vocabulary), eos_token=None)
    sequences = [
        *("ACGTACGT", "ACGTNACGTACN", "NNN", "AC", "RACGTACG", "ACRYACGTACGK", "RNR"),
        *("RRRACGTACGYY", "ACGTACGTACG-..-ACGTAC", "NACGTACGTACGTAN", "A*C"),
    ]
    for sequence in sequences:
        assert ours.encode([sequence]).ids.tolist() == theirs(sequence)["input_ids"]


@pytest.mark.parametrize(("k", "size"), [(3, 69), (4, 261), (5, 1029), (6, 4101)])
def test_dnabert_ids_are_the_published_ones(k, size):
    tokenizer = build_dnabert_tokenizer(k)
    assert len(tokenizer.vocabulary) == size
    assert tokenizer.encode(["A" * k]).ids.tolist() == [2, 5, 3]
    assert tokenizer.encode(["G" * k]).ids.tolist() == [2, size - 1, 3]


@pytest.mark.parametrize(
    "specials",
    [
        ("<unk>", "<pad>", "<mask>", "<cls>"),
        ("<unk>", "<pad>", "<mask>", "<cls>", "<eos>", "<bos>"),
    ],
    ids=["v1", "v2"],
)
def test_nucleotide_transformer_ids_are_the_published_ones(specials):
    first = len(specials)
    tokenizer = build_nucleotide_transformer_tokenizer(specials)
    tokens = tokenizer.encode(["AAAAAAGGGGGGATCGN"])
    singles = range(first + 4096, first + 4101)
    assert tokens.ids.tolist() == [3, first, first + 4095, *singles]


def test_one_n_makes_k_unknown_windows():
    tokens = build_dnabert_tokenizer(6).encode(["ACGTACGTNACGTACGT"])
    assert tokens.unknown == 6


def test_a_sequence_shorter_than_k_is_one_unknown_token():
    tokenizer = build_dnabert_tokenizer(6)
    tokens = tokenizer.encode(["ACGTA", "A", "ACGTAC"])
    assert tokens.ids.tolist()[:6] == [2, 1, 3, 2, 1, 3]
    assert tokens.unknown == 2
    assert tokenizer.spans("ACGTA").tolist() == [[0, 5]]


def test_windows_never_reach_into_the_next_sequence():
    tokens = build_dnabert_tokenizer(3).encode(["AC", "GTA", "", "CG"])
    assert tokens.offsets.tolist() == [0, 3, 6, 8, 11]
    assert tokens.unknown == 2


def test_unknown_symbols_side_by_side_are_one_token_but_not_across_sequences():
    tokenizer = build_nucleotide_transformer_tokenizer()
    tokens = tokenizer.encode(["ARY", "RY", "YNR"])
    assert tokens.unknown == 4
    starts, ends = tokenizer.spans("ARYNKACGTACG").T.tolist()
    assert starts == [0, 1, 3, 4, 5, 11]
    assert ends == [1, 3, 4, 5, 11, 12]


def test_long_sequences_read_as_short_ones_do():
    # Longer than the pieces in which windows are read, so that their seams are crossed.
    sequence = "ACGTTGCANRACGGT" * 10_000
    assert tokens_of(build_dnabert_tokenizer(6), sequence) == read_as_dnabert(sequence, 6)
    blocks = tokens_of(build_nucleotide_transformer_tokenizer(), sequence)
    assert blocks == read_as_nucleotide_transformer(sequence)


def test_rna_reads_t_as_u():
    tokenizer = build_kmer_tokenizer("rna", k=3, stride=3)
    assert tokens_of(tokenizer, "ATGaugN") == ["AUG", "AUG", "N"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"k": 1, "stride": 1}, "k is 1; allowed: 2 to 7"),
        ({"k": 8, "stride": 8}, "k is 8"),
        ({"stride": 2}, "stride is 2; allowed: 1, 3"),
        ({"molecule": "protein"}, "molecule is 'protein'"),
        ({"unknown": "<unk>"}, "token is '<unk>'"),
        ({"prefix": ("<cls>",)}, "token is '<cls>'"),
        ({"vocabulary": Vocabulary(("[UNK]", "AAA"))}, "token is 'AAC'"),
        ({"stride": 3}, "token is 'A'; allowed: one of the 65 tokens"),
    ],
)
def test_impossible_options_are_refused(options, named):
    vocabulary = Vocabulary(("[UNK]", *kmers(3)))
    given = {"molecule": "dna", "vocabulary": vocabulary, "k": 3, "stride": 1, "unknown": "[UNK]"}
    with pytest.raises(OptionError, match=named):
        KmerTokenizer(**given | options)
