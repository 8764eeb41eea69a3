"""Digests: 40 bits of a hash, equal for equal values, in every process and on every machine."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

_encode = msgspec.json.Encoder(order="deterministic").encode
_BYTES = 5
"""40 bits: the sum of 8 million digests fits a signed integer of 64 bits."""


def canonical(value: Any) -> str:
    """A JSON value as the one text that stands for it."""
    return _encode(value).decode()


def digest_of(text: str) -> int:
    """The digest of a text, such as an account's canonical JSON."""
    return int.from_bytes(blake2b(text.encode(), digest_size=_BYTES).digest(), "big")


def digest_at(place: int, text: str) -> int:
    """The digest of a statement line at the place it stands.

    Args:
        place: The version that the place stands for: a line that was moved has another digest.
        text: The line, as canonical JSON.
    """
    return digest_of(f"{place}\n{text}")
