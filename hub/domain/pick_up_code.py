"""Codes that customers collect with: digits, shown once, kept as a salted digest that is dear to compute."""

import hashlib
import hmac
from typing import Final

SALT_BYTES: Final = 16
COST: Final = 2**14
"""Of scrypt: some 50 ms and 16 MB a guess, for whoever stole the table; at the counter there are five guesses."""


def digits(random: int, length: int) -> str:
    """A code of `length` digits from a random number below 10 ** length."""
    return str(random).zfill(length)


def digest(code: str, salt: bytes) -> bytes:
    """What is kept of a code. Takes a while: not on an event loop."""
    return salt + hashlib.scrypt(code.encode(), salt=salt, n=COST, r=8, p=1, dklen=32)


def matches(code: str, kept: bytes) -> bool:
    """Whether a code is the one that was kept, compared in constant time. Takes a while: not on an event loop."""
    return hmac.compare_digest(digest(code, kept[:SALT_BYTES]), kept)
