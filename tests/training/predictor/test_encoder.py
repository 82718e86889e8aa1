"""Training of an encoder with its head: it changes, learns, resumes and goes with the predictor."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from bioseq.batch import pack, pack_parts
from bioseq.checkpoints import load_model, save_model
from bioseq.errors import OptionError
from bioseq.models import build_encoder
from bioseq.prediction.tasks import TaskOptions, load_predictor, predict_files
from bioseq.tokenizer import build_residue_tokenizer
from bioseq.training.predictor import load_predictor_settings, train_predictor
from bioseq.training.predictor.encoder_settings import LoRASettings
from bioseq.training.predictor.lora import add_lora, merge_lora
from bioseq.training.predictor.states import ComputedStates
from bioseq.training.predictor.table import load_table

SMALL = {
    "recurrent": """
        embedding_dim = 8
        hidden_dim = 8
        num_layers = 1
        cell = "{cell}"
        direction = "bidirectional"
    """,
    "transformer": """
        dim = 16
        num_layers = 2
        num_heads = 2
        feed_forward_dim = 32
    """,
    "convolutional": """
        dim = 16
        kernel = 3
        dilations = [1, 2]
    """,
}
ENCODERS = {
    "rnn": SMALL["recurrent"].format(cell="rnn"),
    "gru": SMALL["recurrent"].format(cell="gru"),
    "lstm": SMALL["recurrent"].format(cell="lstm"),
    "mlstm": SMALL["recurrent"].format(cell="mlstm"),
    "transformer": SMALL["transformer"],
    "convolutional": SMALL["convolutional"],
}


def new(name: str) -> str:
    architecture = name if name in SMALL else "recurrent"
    return f'[encoder.new]\narchitecture = "{architecture}"\n{ENCODERS[name]}'


def quiet(_: str) -> None:
    pass


@pytest.fixture
def write_settings(write_toy: Callable[..., Path], tmp_path: Path) -> Callable[[str], Path]:
    """What follows an A is H, a G is E, all else C; the sequences differ in length."""
    rng = np.random.default_rng(0)
    states = {"A": "H", "G": "E"}
    sequences = ["".join(rng.choice(list("AGLKV"), 15 + i % 30)) for i in range(100)]
    after = ["".join(states.get(x, "C") for x in f" {s}"[:-1]) for s in sequences]
    pl.DataFrame({"sequence": sequences, "after": after}).write_csv(tmp_path / "labels.csv")

    def write_settings(encoder: str) -> Path:
        return write_toy("after", encoder=encoder, head={"kind": "linear"})

    return write_settings


@pytest.fixture
def pretrained(tmp_path: Path) -> Callable[[str], Path]:
    """A model folder with an encoder of random weights."""

    def pretrained(name: str) -> Path:
        torch.manual_seed(5)
        tokenizer = build_residue_tokenizer("protein")
        config = tomllib.loads(new(name))["encoder"]["new"]
        encoder = build_encoder({**config, "vocabulary_size": len(tokenizer.vocabulary)})
        folder = tmp_path / name
        save_model(folder, encoder=encoder, tokenizer=tokenizer, head=None, objective=None)
        return folder

    return pretrained


def accuracy(store_path: Path, predictor: str, tmp_path: Path) -> float:
    table = pl.read_csv(tmp_path / "labels.csv")
    fasta = tmp_path / "all.fasta"
    fasta.write_text("".join(f">{i}\n{s}\n" for i, s in enumerate(table["sequence"])))
    with predict_files(fasta, store_path, TaskOptions(tasks=predictor)) as store:
        found = "".join(
            "HEC"[i] for _, v in store.predictions["after"] for i in np.asarray(v).argmax(axis=1)
        )
    return float(np.mean([a == b for a, b in zip(found, "".join(table["after"]), strict=True)]))


@pytest.mark.parametrize("name", ENCODERS)
def test_a_new_encoder_learns_what_a_neighbour_decides_and_goes_with_the_predictor(
    name: str, write_settings: Callable[[str], Path], tmp_path: Path
) -> None:
    settings = load_predictor_settings(write_settings(new(name)))
    result = train_predictor(settings, tmp_path / "run", quiet)
    own = load_model(f"{result.folder}/encoder")
    head = load_predictor(result.folder).heads
    weights = [*own.encoder.parameters(), *head.parameters()]
    assert result.parameters == sum(weight.numel() for weight in weights)
    assert accuracy(tmp_path / "o.h5", result.folder, tmp_path) > 0.9


@pytest.mark.parametrize("train", ["full", "lora"])
@pytest.mark.parametrize("name", ENCODERS)
def test_a_trained_encoder_ends_elsewhere_and_one_that_is_not_named_stays(
    name: str,
    train: str,
    pretrained: Callable[[str], Path],
    write_settings: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    folder = pretrained(name)
    chosen = f'model = "{folder}"\ntrain = "{train}"\nlearning_rate = 1e-3'
    path = write_settings(chosen)
    path.write_text(path.read_text().replace("epochs = 12", "epochs = 1"))
    result = train_predictor(load_predictor_settings(path), tmp_path / "run", quiet)
    before = dict(load_model(folder).encoder.named_parameters())
    after = dict(load_model(f"{result.folder}/encoder").encoder.named_parameters())
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    frozen = {name for name in before if before[name].dim() != 2 or "embedding" in name}
    assert changed == (set(before) if train == "full" else set(before) - frozen)


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_with_its_low_rank_changes_merged_gives_the_same_states(
    name: str, pretrained: Callable[[str], Path]
) -> None:
    model = load_model(pretrained(name))
    batch = pack(model.tokenizer.encode(["MKTAYIAKQR", "LEE"]))
    adapted = add_lora(model.encoder, LoRASettings(rank=2))
    before = model.encoder(batch).states[0]
    with torch.no_grad():
        for weight in model.encoder.parameters():
            if weight.requires_grad:
                weight.normal_(std=0.2)
    changed = model.encoder(batch).states[0]
    merge_lora(adapted)
    assert (changed - before).abs().max() > 0.01
    torch.testing.assert_close(model.encoder(batch).states[0], changed)


@pytest.mark.parametrize(
    ("name", "train"),
    [("lstm", "new"), ("transformer", "lora"), ("lstm", "lora")],
)
def test_interrupted_and_resumed_training_gives_the_same_weights(
    name: str,
    train: str,
    pretrained: Callable[[str], Path],
    write_settings: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    chosen = new(name) if train == "new" else f'model = "{pretrained(name)}"\ntrain = "{train}"'
    chosen = f"mask_rate = 0.2\n{chosen}"
    if name == "transformer":
        chosen += "\n[encoder.lora]\ndropout = 0.1"
    settings = load_predictor_settings(write_settings(chosen))

    def interrupt(line: str) -> None:
        if line.startswith("epoch 4"):
            raise InterruptedError

    whole = train_predictor(settings, tmp_path / "whole", quiet)
    with pytest.raises(InterruptedError):
        train_predictor(settings, tmp_path / "run", interrupt, seconds_between_saves=0.0)
    resumed = train_predictor(settings, tmp_path / "run", quiet)
    for load in (load_predictor, lambda folder: load_model(f"{folder}/encoder").encoder):
        weights = load(resumed.folder).state_dict()
        for weight, value in load(whole.folder).state_dict().items():
            assert torch.equal(value, weights[weight]), weight


def test_training_hides_residues_behind_the_mask_token_and_nothing_else_does(
    pretrained: Callable[[str], Path], write_settings: Callable[[str], Path]
) -> None:
    model = load_model(pretrained("convolutional"))
    settings = load_predictor_settings(write_settings(""))
    table = load_table(settings)
    mask = np.array([model.tokenizer.vocabulary.mask_id])
    [hidden_state] = model.encoder(pack_parts([mask]), layers=[0]).states
    torch.manual_seed(0)
    members = table.members("train")[:8]

    def share_of_masks(rate: float, *, training: bool) -> tuple[float, int]:
        states = ComputedStates(model.encoder, model.tokenizer, [0], table, mask_rate=rate)
        embedded = states.train(training)(members)
        hidden = (embedded == hidden_state).all(dim=1)
        return float(hidden.float().mean()), len(embedded)

    assert share_of_masks(0.0, training=True)[0] == 0
    assert share_of_masks(0.3, training=False)[0] == 0
    share, residues = share_of_masks(0.3, training=True)
    assert abs(share - 0.3) < 4 * (0.3 * 0.7 / residues) ** 0.5


def test_fitting_ends_after_so_many_steps_with_whole_and_cut_epochs(
    write_settings: Callable[[str], Path], tmp_path: Path
) -> None:
    path = write_settings(new("convolutional"))
    text = path.read_text()
    lines: list[str] = []
    path.write_text(text.replace("epochs = 12", "epochs = 12\nsteps = 20"))
    train_predictor(load_predictor_settings(path), tmp_path / "run", lines.append)
    state = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)
    assert state["global_step"] == 20
    assert sum(line.startswith("epoch") for line in lines) == 3  # of 8 steps each


@pytest.mark.parametrize(
    ("encoder", "named"),
    [
        ('model = "one-hot-protein"\ntrain = "full"', "train"),
        ('model = "one-hot-protein"\ntrain = "lora"', "train"),
        ("learning_rate = 0.1", "learning_rate"),
        ("mask_rate = 0.1", "mask_rate"),
        ('train = "full"\nmask_rate = 1.0', "mask_rate"),
        ('train = "full"\n[encoder.lora]\nrank = 2', r"\[encoder\] train"),
        ('train = "half"', r"\[encoder\] train"),
        ('train = "full"\nembeddings = "states.h5"', "embeddings"),
        ('model = "protein-lstm"\n' + new("lstm"), "model"),
        (new("lstm") + "\nheads = 2", "heads"),
        ('train = "lora"\n[encoder.lora]\nrank = 0', "rank"),
        ('train = "lora"\n[encoder.lora]\ndropout = 0.1', "dropout"),
        (new("transformer") + '\nmax_tokens = 20\nposition = "learned"', "46 tokens"),
    ],
)
def test_encoders_that_can_not_be_trained_are_refused_by_name(
    encoder: str, named: str, write_settings: Callable[[str], Path], tmp_path: Path
) -> None:
    path = write_settings(encoder)
    with pytest.raises(OptionError, match=named):
        train_predictor(load_predictor_settings(path), tmp_path / "run", quiet)


def test_an_ensemble_of_trained_encoders_is_refused(
    write_settings: Callable[[str], Path], tmp_path: Path
) -> None:
    path = write_settings(new("lstm"))
    path.write_text(path.read_text() + "members = 2\n")
    with pytest.raises(OptionError, match="members"):
        train_predictor(load_predictor_settings(path), tmp_path / "run", quiet)
