"""The vocabulary that lies beside a model's weights."""

from __future__ import annotations

from bioseq.checkpoints.snapshot import Snapshot
from bioseq.errors import CheckpointError, OptionError
from bioseq.tokenizer import Vocabulary

_FILE = "vocab.txt"


def read_vocabulary(snapshot: Snapshot, otherwise: Vocabulary) -> Vocabulary:
    """Reads `vocab.txt`, one token a line in the order of the ids.

    Args:
        snapshot: The model's files.
        otherwise: The published vocabulary, for where the file is missing.

    Raises:
        CheckpointError: it has not as many tokens as the model, or one of them twice.
    """
    path = snapshot.path / _FILE
    if not path.is_file():
        return otherwise
    tokens = tuple(path.read_text(encoding="utf-8").split())
    if len(tokens) != snapshot.config["vocab_size"]:
        expected = f"the model has {snapshot.config['vocab_size']}"
        raise CheckpointError(path, f"holds {len(tokens)} tokens, {expected}")
    try:
        return Vocabulary(tokens)
    except OptionError as error:
        raise CheckpointError(path, str(error)) from None
