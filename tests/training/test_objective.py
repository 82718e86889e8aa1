"""Objectives: what is predicted, and that the answer is never in sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bioseq.batch import PackedBatch, pack
from bioseq.errors import OptionError
from bioseq.tokenizer import build_residue_tokenizer
from bioseq.training import TrainingSettings
from bioseq.training.objective import LanguageModel
from bioseq.training.run import build_language_model

Make = Callable[..., TrainingSettings]
TOKENIZER = build_residue_tokenizer("protein")
TRANSFORMER = {
    "architecture": "transformer",
    "dim": 8,
    "num_layers": 2,
    "num_heads": 2,
    "feed_forward_dim": 8,
}
SEQUENCES = ["MKVLAWTR", "ACDEFGHIKLMNPQRSTVWY", "G"]


def _model(make_settings: Make, kind: str, direction: str) -> LanguageModel:
    settings = make_settings(kind=kind, encoder={"direction": direction, "num_layers": 2})
    return build_language_model(settings, TOKENIZER).eval()


def _replace(batch: PackedBatch, place: int) -> PackedBatch:
    tokens = batch.tokens.clone()
    tokens[place] = 4 + (tokens[place] - 4 + 5) % 20
    return PackedBatch(tokens=tokens, layout=batch.layout)


def _is_residue(batch: PackedBatch) -> list[int]:
    return (batch.tokens > 3).nonzero()[:, 0].tolist()


@torch.no_grad()
def test_cloze_predicts_each_residue_from_all_others_but_not_itself(make_settings: Make) -> None:
    model = _model(make_settings, "cloze", "independent")
    batch = pack(TOKENIZER.encode(SEQUENCES))
    places = _is_residue(batch)
    before = model.predict(batch, torch.Generator())
    assert torch.equal(before.targets, batch.tokens[places])
    for row, place in enumerate(places):
        after = model.predict(_replace(batch, place), torch.Generator()).logits
        segment = batch.layout.segments[place]
        assert torch.equal(after[row], before.logits[row])
        for other, elsewhere in enumerate(places):
            same = batch.layout.segments[elsewhere] == segment
            if other != row:
                assert torch.equal(after[other], before.logits[other]) == (not bool(same))


@torch.no_grad()
def test_next_token_predicts_from_what_comes_before(make_settings: Make) -> None:
    model = _model(make_settings, "next-token", "forward")
    batch = pack(TOKENIZER.encode(SEQUENCES))
    prediction = model.predict(batch, torch.Generator())
    specials = TOKENIZER.vocabulary
    expected = [t for tokens in batch.layout.split(batch.tokens) for t in tokens[1:].tolist()]
    assert prediction.targets.tolist() == expected
    assert specials.id("<cls>") not in expected
    assert expected.count(specials.id("<eos>")) == 3
    for place in _is_residue(batch):
        after = model.predict(_replace(batch, place), torch.Generator()).logits
        same = (after == prediction.logits).all(dim=1)
        # Row r predicts the r-th token that is not the first of its segment.
        segment = int(batch.layout.segments[place])
        row = place - 1 - segment
        assert same[: row + 1].all()
        assert not same[row + 1]


@torch.no_grad()
def test_masked_hides_what_it_predicts(make_settings: Make) -> None:
    model = build_language_model(make_settings(kind="masked", encoder=TRANSFORMER), TOKENIZER)
    model.eval()
    batch = pack(TOKENIZER.encode(SEQUENCES * 5))
    prediction = model.predict(batch, torch.Generator().manual_seed(3))
    hidden, seen = model.hide(batch, torch.Generator().manual_seed(3))
    assert (seen[hidden] == TOKENIZER.vocabulary.id("<mask>")).all()
    assert torch.equal(prediction.targets, batch.tokens[hidden])
    assert 3 < len(hidden) < 60
    for row, place in enumerate(hidden.tolist()):
        after = model.predict(_replace(batch, place), torch.Generator().manual_seed(3))
        assert torch.equal(after.logits[row], prediction.logits[row])
        assert after.targets[row] != prediction.targets[row]


def test_masked_hides_the_share_and_leaves_specials(make_settings: Make) -> None:
    model = build_language_model(make_settings(kind="masked", encoder=TRANSFORMER), TOKENIZER)
    model.train()
    batch = pack(TOKENIZER.encode(["ACDEFGHIKLMNPQRSTVWY" * 50] * 10))
    hidden, seen = model.hide(batch, torch.Generator().manual_seed(0))
    assert len(hidden) / 10_000 == pytest.approx(0.15, abs=0.015)
    shown = seen[hidden]
    assert (batch.tokens[hidden] > 3).all()
    masked = float((shown == TOKENIZER.vocabulary.id("<mask>")).float().mean())
    kept = float((shown == batch.tokens[hidden]).float().mean())
    assert masked == pytest.approx(0.8, abs=0.04)
    assert kept == pytest.approx(0.1, abs=0.03)
    untouched = torch.ones(len(seen), dtype=torch.bool)
    untouched[hidden] = False
    assert torch.equal(seen[untouched], batch.tokens[untouched])


def test_masked_predicts_something_of_the_shortest_sequence(make_settings: Make) -> None:
    model = build_language_model(make_settings(kind="masked", encoder=TRANSFORMER), TOKENIZER)
    batch = pack(TOKENIZER.encode(["M"]))
    for seed in range(20):
        prediction = model.predict(batch, torch.Generator().manual_seed(seed))
        assert prediction.loss.isfinite()
        assert prediction.targets.tolist() == [TOKENIZER.vocabulary.id("M")]


@pytest.mark.parametrize(
    ("kind", "encoder"),
    [
        ("cloze", {"direction": "bidirectional"}),
        ("cloze", {"direction": "forward"}),
        ("next-token", {"direction": "independent"}),
        ("cloze", {"direction": "independent", "kernel": 3, "dilations": (1,)}),
        ("next-token", {"direction": "forward", "kernel": 3, "dilations": (1,)}),
    ],
)
def test_an_encoder_that_would_see_the_answer_is_refused(
    make_settings: Make, kind: str, encoder: dict[str, Any]
) -> None:
    with pytest.raises(OptionError, match=f"objective is '{kind}'"):
        build_language_model(make_settings(kind=kind, encoder=encoder), TOKENIZER)


def test_a_crop_that_the_encoder_can_not_read_is_refused(make_settings: Make) -> None:
    limited = {**TRANSFORMER, "max_tokens": 32}
    settings = make_settings(kind="masked", encoder=limited, data={"crop": 31})
    with pytest.raises(OptionError, match="crop is 31; allowed: to 30"):
        build_language_model(settings, TOKENIZER)
