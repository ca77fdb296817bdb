"""Secrets at rest: AES-256-GCM envelopes that open only in the row and field they were sealed for (decision 0005)."""

import hashlib
import os
from collections.abc import Mapping
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION: Final = b"v1"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
KEY_ID_LENGTH: Final = 8

Secrets = dict[str, object]
"""Secret fields of a connection's config by name."""

_secrets = msgspec.json.Decoder(Secrets)


class SealBroken(Exception):
    """An envelope that does not open: changed, moved to another row, or sealed by a key that is not here."""


class Vault:
    """Seals with one key, opens with several. An envelope is `v1.kid.nonce.ciphertext`, the last two as raw bytes.

    The additional data is table, row and field: an envelope copied into another row does not open there.
    """

    def __init__(self, key: bytes, *older: bytes) -> None:
        """`key` seals; `older` keys only open, while a rotation runs. Raises ValueError unless each has 32 bytes."""
        for candidate in (key, *older):
            if len(candidate) != KEY_BYTES:
                raise ValueError(f"a vault key has {KEY_BYTES} bytes, not {len(candidate)}")
        self._writing = key_id(key)
        self._keys = {key_id(candidate): AESGCM(candidate) for candidate in (key, *older)}

    def __repr__(self) -> str:
        return f"Vault(writing={self._writing.decode()}, keys={len(self._keys)})"

    def seal(self, secrets: Mapping[str, object], *, table: str, row: str, field: str) -> bytes:
        """Encrypt a JSON object of secrets for one field of one row."""
        nonce = os.urandom(NONCE_BYTES)
        text = self._keys[self._writing].encrypt(nonce, msgspec.json.encode(secrets), _bound_to(table, row, field))
        return b".".join((VERSION, self._writing, nonce, text))

    def open(self, envelope: bytes, *, table: str, row: str, field: str) -> Secrets:
        """Decrypt what `seal` made for the same field of the same row; raises `SealBroken`."""
        version, kid, nonce, sealed = _split(envelope)
        key = self._keys.get(kid)
        where = f"{table} {row} {field}"
        if version != VERSION:
            raise SealBroken(f"{where}: envelope version {version[:8]!r} is not known; a newer hub wrote it")
        if key is None:
            raise SealBroken(
                f"{where}: sealed with key {kid[:16]!r}, which this hub does not have; start it with that "
                "key, or enter the secret again"
            )
        try:
            text = key.decrypt(nonce, sealed, _bound_to(table, row, field))
        except InvalidTag as error:
            raise SealBroken(
                f"{where}: the envelope was changed or belongs to another row; enter the secret again"
            ) from error
        return _secrets.decode(text)

    @property
    def written(self) -> bytes:
        """How every envelope begins that this vault seals: rotation seals anew what begins otherwise."""
        return VERSION + b"." + self._writing + b"."


def key_id(key: bytes) -> bytes:
    """Short public name of a key: tells keys apart, says nothing about them."""
    return hashlib.sha256(b"crossdock vault key " + key).hexdigest()[:KEY_ID_LENGTH].encode()


def _split(envelope: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    # The nonce is raw and may hold dots itself, so it is taken by its length.
    version, _, rest = envelope.partition(b".")
    kid, _, rest = rest.partition(b".")
    if len(rest) <= NONCE_BYTES or rest[NONCE_BYTES : NONCE_BYTES + 1] != b".":
        raise SealBroken("not an envelope")
    return version, kid, rest[:NONCE_BYTES], rest[NONCE_BYTES + 1 :]


def _bound_to(table: str, row: str, field: str) -> bytes:
    # JSON keeps the three apart whatever they contain.
    return msgspec.json.encode([table, row, field])
