"""ProtT5, ProstT5 and Ankh against transformers, at random weights."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Regex, pre_tokenizers

from bioseq.batch import pack
from bioseq.checkpoints import load_model
from bioseq.errors import CheckpointError

transformers = pytest.importorskip("transformers")

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

LAYERS = 3
SEQUENCES = (
    "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ",
    "M",
    "XBZUOJ*.-ACDEFGHIKLMNPQRSTVWY",
    "GAVLIM" * 40,  # beyond the distance from which all share a bucket
    "KQRQISFVKSHFSRQLEERLGLIEVQMKTAYIA",
)
REFERENCES = {
    "ProtT5": {"vocab_size": 128, "feed_forward_proj": "relu"},
    "ProstT5": {"vocab_size": 150, "feed_forward_proj": "relu"},
    "Ankh": {
        "vocab_size": 144,
        "feed_forward_proj": "gated-gelu",
        "relative_attention_num_buckets": 64,
    },
}
RESIDUES = "ALGVSREDTIPKFQNYMHWC"
EXTRA = [f"<extra_id_{number}>" for number in reversed(range(100))]
STRUCTURE = [*"algvsredtipkfqnymhwc", "<fold2AA>", "<AA2fold>"]


def build_reference(family: str, *, whole: bool = False) -> Any:
    torch.manual_seed(0)
    config = transformers.T5Config(
        d_model=48,
        d_kv=8,
        d_ff=80,
        num_layers=LAYERS,
        num_heads=4,
        attn_implementation="eager",
        **REFERENCES[family],
    )
    kind = transformers.T5ForConditionalGeneration if whole else transformers.T5EncoderModel
    model = kind(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # large enough that every term shows
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def build_tokenizer(family: str) -> Any:
    """The reference tokenizer of the published pieces."""
    mark = "" if family == "Ankh" else "▁"
    pieces = ["<pad>", "</s>", "<unk>", *(f"{mark}{r}" for r in f"{RESIDUES}XBOUZ")]
    more = STRUCTURE if family == "ProstT5" else []
    vocabulary = [(piece, 0.0) for piece in [*pieces, *EXTRA]]
    tokenizer = transformers.T5Tokenizer(vocab=vocabulary)
    if more:
        tokenizer.add_tokens(more)
    return tokenizer


@pytest.fixture(scope="module", params=REFERENCES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def reference(family: str) -> Any:
    return build_reference(family)


@pytest.fixture(scope="module")
def folder(family: str, reference: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp(family)
    transformers.utils.logging.disable_progress_bar()
    reference.save_pretrained(path)
    build_tokenizer(family).save_pretrained(path)
    return path


@torch.no_grad()
def test_states_and_maps_equal_those_of_transformers(
    family: str, reference: Any, folder: Path, record_parity: Callable[..., None]
) -> None:
    model = load_model(folder)
    batch = pack(model.tokenizer.encode(SEQUENCES))
    tokens, mask = batch.padded(0)
    theirs = reference(
        tokens, attention_mask=mask.long(), output_hidden_states=True, output_attentions=True
    )
    ours = model.encoder(batch, layers=range(LAYERS + 1), attentions=True)
    label = f"transformers {transformers.__version__}"
    states = [state[mask] for state in theirs.hidden_states]
    record_parity(family, label, "states", list(ours.states), states)
    maps = [
        [layer[b, :, :n, :n] for b, n in enumerate(batch.layout.lengths)]
        for layer in theirs.attentions
    ]
    record_parity(family, label, "attention maps", [list(m) for m in ours.attentions], maps)


def nasty_sequences() -> Iterator[str]:
    generator = random.Random(0)
    yield from ("M", "X" * 50, "BJOUXZ", "*", "-.-", "mkv", "J" * 9)
    for _ in range(10_000):
        length = generator.choice((1, 2, 7, 30, 120))
        yield "".join(generator.choices("ACDEFGHIKLMNPQRSTVWYBJOUXZ*-.acdx", k=length))


def their_text(family: str, sequence: str) -> str:
    """What the authors' scripts make of a sequence: upper case, UZOB as X, blanks between."""
    text = sequence.upper()
    if family == "Ankh":
        return text
    text = " ".join("X" if symbol in "UZOB" else symbol for symbol in text)
    return f"<AA2fold> {text}" if family == "ProstT5" else text


def test_the_tokens_are_those_of_the_reference_tokenizer(family: str, folder: Path) -> None:
    sequences = list(nasty_sequences())
    tokens = load_model(folder).tokenizer.encode(sequences)
    reference = build_tokenizer(family)
    if family == "Ankh":  # each letter is a word, and none has a blank in front
        letters = pre_tokenizers.Split(pattern=Regex("."), behavior="isolated")
        reference.backend_tokenizer.pre_tokenizer = letters
    theirs = reference([their_text(family, sequence) for sequence in sequences])["input_ids"]
    for number, expected in enumerate(theirs):
        ours = tokens.ids[tokens.offsets[number] : tokens.offsets[number + 1]]
        assert ours.tolist() == expected, sequences[number]


@torch.no_grad()
def test_the_decoder_of_a_whole_model_is_left_out(family: str, tmp_path: Path) -> None:
    whole = build_reference(family, whole=True)
    whole.save_pretrained(tmp_path)
    build_tokenizer(family).save_pretrained(tmp_path)
    model = load_model(tmp_path)
    batch = pack(model.tokenizer.encode(["MKVAC"]))
    theirs = whole.get_encoder()(batch.tokens[None]).last_hidden_state[0]
    torch.testing.assert_close(model.encoder(batch).states[0], theirs)


def as_field(number: int, content: bytes) -> bytes:
    """A field of bytes as protocol buffers write it; contents here are short."""
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def test_pieces_are_read_from_the_file_of_sentencepiece(tmp_path: Path) -> None:
    build_reference("ProtT5").save_pretrained(tmp_path)
    pieces = ["<pad>", "</s>", "<unk>", *(f"▁{r}" for r in f"{RESIDUES}XZUOB")]
    score, kind = b"\x15\x00\x00\x80\xbf", b"\x18\x01"  # a float, a small number
    texts = [as_field(1, as_field(1, piece.encode()) + score + kind) for piece in pieces]
    (tmp_path / "spiece.model").write_bytes(b"".join([*texts, as_field(2, b"training")]))
    vocabulary = load_model(tmp_path).tokenizer.vocabulary
    assert vocabulary.tokens[:28] == tuple(pieces)
    (tmp_path / "spiece.model").write_bytes(texts[0][:-3])
    with pytest.raises(CheckpointError, match="cut short"):
        load_model(tmp_path)


def test_another_vocabulary_is_refused(tmp_path: Path) -> None:
    build_reference("ProtT5").save_pretrained(tmp_path)
    pieces = [*("<pad>", "</s>", "<unk>"), *(f"▁{r}" for r in sorted(RESIDUES))]
    transformers.T5Tokenizer(vocab=[(p, 0.0) for p in pieces]).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="gives ▁L the id 12, the published one 4"):
        load_model(tmp_path)


def test_ankh_needs_its_own_vocabulary_file(tmp_path: Path) -> None:
    build_reference("Ankh").save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=r"no tokenizer\.json"):
        load_model(tmp_path)


def test_another_activation_is_refused(tmp_path: Path) -> None:
    build_reference("Ankh").save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "feed_forward_proj": "gated-silu"}))
    with pytest.raises(CheckpointError, match="gated-silu"):
        load_model(tmp_path)


@torch.no_grad()
def test_bfloat16_is_near_float32(folder: Path) -> None:
    whole, half = load_model(folder), load_model(folder, dtype=torch.bfloat16)
    batch = pack(whole.tokenizer.encode(SEQUENCES))
    expected = whole.encoder(batch).states[0]
    found = half.encoder(batch).states[0].float()
    assert (found - expected).square().mean() < 0.03**2 * expected.square().mean()
