"""Public identifiers: 20 characters, sortable by time, safe in URLs, files and every vendor's reference field."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U, so that a person can read an id over the telephone."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)

LENGTH = 20
EFFECT_KEY_LENGTH = 40

NewId = Callable[[], str]
"""What makes ids; passed in, so that pure code stays free of clock and randomness."""


def encode(value: int, length: int) -> str:
    """Write `value` in base 32 with exactly `length` digits."""
    digits = []
    for _ in range(length):
        value, rest = divmod(value, 32)
        digits.append(ALPHABET[rest])
    return "".join(reversed(digits))


def make_id(at: datetime, entropy: int) -> str:
    """Ten digits of milliseconds since 1970 and ten digits (50 bits) of entropy.

    Time comes first: rows made together lie together in an index.
    """
    return encode((at - EPOCH) // MILLISECOND, 10) + encode(entropy & (1 << 50) - 1, 10)


def id_source(clock: Callable[[], datetime]) -> NewId:
    """Build the id maker of a process from its clock and the system's randomness."""

    def new_id() -> str:
        return make_id(clock(), int.from_bytes(os.urandom(7), "big"))

    return new_id


def effect_key(subject: str, kind: str, ordinal: int) -> str:
    """Key of an effect, fixed when it is decided: at most 40 of `[A-Za-z0-9-]`, the strictest vendor's limit.

    Amazon MCF takes 40 characters and cannot read back `+` or spaces.
    """
    key = f"{subject}-{kind}-{ordinal}"
    if len(key) > EFFECT_KEY_LENGTH:
        raise ValueError(f"effect key {key!r} is longer than {EFFECT_KEY_LENGTH} characters")
    return key
