"""The fingerprint: every setting that changes a number, as canonical JSON text.

It is text and not a hash, so that a mismatch can be named setting by setting.
"""

from __future__ import annotations

import json
from collections.abc import Mapping


def fingerprint_of(settings: Mapping[str, object]) -> str:
    """Returns the canonical JSON of the settings: sorted keys, no blanks, UTF-8 as it is."""
    return json.dumps(dict(settings), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def settings_of(fingerprint: str) -> dict[str, object]:
    """Reads the settings back; numbers, strings, lists and nested objects survive."""
    return json.loads(fingerprint)


def differences(
    before: Mapping[str, object], now: Mapping[str, object]
) -> dict[str, tuple[object, object]]:
    """Names the settings that differ: value before and value now, None where one is absent."""
    old, new = (json.loads(fingerprint_of(settings)) for settings in (before, now))
    keys = sorted(old.keys() | new.keys())
    absent = object()
    return {
        key: (old.get(key), new.get(key))
        for key in keys
        if old.get(key, absent) != new.get(key, absent)
    }
