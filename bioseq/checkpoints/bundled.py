"""The models that come with the package."""

from __future__ import annotations

from pathlib import Path

DEFAULT_MODEL = "protein-lstm"
_FOLDER = Path(__file__).parent / "bundled"


def bundled_models() -> dict[str, Path]:
    """Returns the folder of each bundled model by name."""
    return {path.parent.name: path.parent for path in sorted(_FOLDER.glob("*/config.json"))}
