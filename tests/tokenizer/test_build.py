import pytest

from bioseq.errors import OptionError
from bioseq.tokenizer import build_codon_tokenizer, build_residue_tokenizer, build_tokenizer

RESIDUE = build_residue_tokenizer("protein")
CODON = build_codon_tokenizer("dna")


@pytest.mark.parametrize("kind", [None, "word", "Residue", ""])
def test_an_unknown_kind_is_refused_with_the_known_ones(kind):
    with pytest.raises(OptionError, match="allowed: residue, kmer, codon, bpe"):
        build_tokenizer(RESIDUE.to_config() | {"kind": kind})


def test_a_config_without_a_kind_is_refused():
    with pytest.raises(OptionError, match="tokenizer kind is None"):
        build_tokenizer({})


@pytest.mark.parametrize("missing", ["molecule", "tokens", "unknown"])
def test_a_missing_field_is_refused(missing):
    config = CODON.to_config()
    del config[missing]
    with pytest.raises(OptionError, match="tokenizer fields"):
        build_tokenizer(config)


def test_a_field_of_another_kind_is_refused():
    with pytest.raises(OptionError, match="tokenizer fields"):
        build_tokenizer(CODON.to_config() | {"stride": 3})


def test_fields_with_a_default_may_be_left_out():
    config = {"kind": "residue", "molecule": "protein", "tokens": RESIDUE.to_config()["tokens"]}
    tokenizer = build_tokenizer(config)
    assert tokenizer.prefix == tokenizer.suffix == ()
    assert tokenizer.unknown is None


def test_an_impossible_field_is_refused():
    with pytest.raises(OptionError, match="token is '<s>'"):
        build_tokenizer(RESIDUE.to_config() | {"prefix": ["<s>"]})


def test_building_leaves_the_config_as_it_was():
    config = CODON.to_config()
    build_tokenizer(config)
    assert config == CODON.to_config()
