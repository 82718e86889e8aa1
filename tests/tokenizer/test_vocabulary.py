import numpy as np
import pytest

from bioseq.errors import OptionError
from bioseq.tokenizer import Vocabulary


def test_a_tokens_id_is_its_place():
    vocabulary = Vocabulary(("<pad>", "A", "C"))
    assert vocabulary.ids("CAC") == (2, 1, 2)
    assert len(vocabulary) == 3
    assert "A" in vocabulary
    assert "G" not in vocabulary


def test_a_token_that_stands_twice_is_refused():
    with pytest.raises(OptionError, match=r"tokens is \['A'\]"):
        Vocabulary(("A", "C", "A"))


def test_a_missing_token_is_an_error_that_names_a_few_tokens_or_counts_many():
    with pytest.raises(OptionError, match="token is 'G'; allowed: A, C"):
        Vocabulary(("A", "C")).id("G")
    with pytest.raises(OptionError, match="allowed: one of the 1000 tokens"):
        Vocabulary(tuple(map(str, range(1000)))).id("G")


@pytest.mark.parametrize(
    ("size", "dtype"),
    [
        (1, np.uint8),
        (256, np.uint8),
        (257, np.int16),
        (32768, np.int16),
        (32769, np.int32),
    ],
)
def test_the_type_holds_every_id(size, dtype):
    vocabulary = Vocabulary(tuple(map(str, range(size))))
    assert vocabulary.dtype == dtype
    assert np.iinfo(vocabulary.dtype).max >= size - 1
