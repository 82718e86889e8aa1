"""The bundled predictors and what they predict, read from their folders without loading any."""

from __future__ import annotations

from importlib.resources import files

_CARD = "README.md"


def bundled_titles() -> dict[str, str]:
    """Returns the first sentence of each bundled predictor's card, by task, in alphabetic order."""
    folders = files("bioseq.prediction").joinpath("tasks", "bundled").iterdir()
    cards = {f.name: f.joinpath(_CARD) for f in folders if f.joinpath(_CARD).is_file()}
    return {task: _first_sentence(cards[task].read_text("utf-8")) for task in sorted(cards)}


def _first_sentence(card: str) -> str:
    _, _, text = card.partition("\n\n")  # behind the heading
    return " ".join(text.partition("\n\n")[0].split())
