"""Links that a customer may follow without logging in: an order and an end, signed. Pure."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from typing import Final

PURPOSE: Final = b"crossdock customer link 1"
"""Goes into the key, so that nothing else signed with the same key is a link, and no link is anything else."""


class BadLink(ValueError):
    """The token was not made here, was changed, or has ended. Says nothing more to whoever tries."""


def sign(order: str, until: datetime, key: bytes) -> str:
    """A token for an order that is good until a time (aware). URL safe, without personal data."""
    body = f"{order}.{int(until.timestamp())}".encode()
    return f"{_encode(body)}.{_encode(_mac(body, key))}"


def verify(token: str, now: datetime, key: bytes, *older: bytes) -> str:
    """The order of a token, signed with the key or one before it. Raises `BadLink`; compares in constant time before
    it reads anything."""
    head, _, tail = token.partition(".")
    try:
        body, mac = _decode(head), _decode(tail)
    except (binascii.Error, ValueError) as error:
        raise BadLink("this link is not valid") from error
    written_otherwise = _encode(body) != head or _encode(mac) != tail
    genuine = [hmac.compare_digest(mac, _mac(body, one)) for one in (key, *older)]
    if not any(genuine) or written_otherwise:
        raise BadLink("this link is not valid")
    order, _, until = body.decode().rpartition(".")
    if now.timestamp() >= int(until):
        raise BadLink("this link has ended; ask for a new one")
    return order


def _mac(body: bytes, key: bytes) -> bytes:
    own = hmac.new(key, PURPOSE, hashlib.sha256).digest()
    return hmac.new(own, body, hashlib.sha256).digest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
