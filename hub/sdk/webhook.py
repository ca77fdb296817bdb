"""Checking a delivery over its raw bytes: verdicts, and the signature arithmetic that vendors share."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP request exactly as it came. Header names are lower case."""

    method: str
    url: str
    """The public URL that the vendor called; some vendors sign it."""
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    received_at: datetime


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor wants to read back."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain"


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """Genuine: store it under `key` (unique per account), then send `reply`."""

    key: str
    topic: str
    object: str | None = None
    """What it is about, in the vendor's ids; deliveries of one object are handled in sequence."""
    reply: Reply = Reply()


class Handshake(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription check: answer, store nothing."""

    reply: Reply


class Refuse(msgspec.Struct, frozen=True, kw_only=True):
    """Not genuine or not understood."""

    status: int = 401
    reason: str = "signature does not match"


Verdict = Store | Handshake | Refuse


def hmac_sha256(secret: str, payload: bytes) -> bytes:
    """Raw HMAC-SHA256."""
    return hmac.digest(secret.encode(), payload, hashlib.sha256)


def signed_base64(payload: bytes, signature: str | None, secrets: Iterable[str | None]) -> bool:
    """Whether one of `secrets` made the base64 HMAC-SHA256 `signature` of `payload`.

    Constant time per secret; empty and missing secrets never match: an empty secret is a closed door.
    """
    return _matches(signature, (base64.b64encode(hmac_sha256(s, payload)).decode() for s in secrets if s))


def signed_hex(payload: bytes, signature: str | None, secrets: Iterable[str | None]) -> bool:
    """Like `signed_base64`, for lower-case hexadecimal signatures."""
    return _matches(signature, (hmac_sha256(s, payload).hex() for s in secrets if s))


def signed_standard(
    delivery: Delivery,
    secrets: Iterable[str | None],
    *,
    tolerance: timedelta = timedelta(minutes=5),
) -> bool:
    """Check a delivery by Standard Webhooks 1.0: `v1,` + base64 HMAC of `id.timestamp.body`.

    Secrets may carry the `whsec_` prefix and are base64. Several signatures may stand in the header,
    separated by spaces. A timestamp further than `tolerance` from the time of receipt is refused.
    """
    headers = delivery.headers
    identity, stamp, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (identity and given and stamp.isdigit()):
        return False
    if abs(delivery.received_at.timestamp() - int(stamp)) > tolerance.total_seconds():
        return False
    payload = f"{identity}.{stamp}.".encode() + delivery.body
    candidates = [part.partition(",")[2] for part in given.split(" ") if part.startswith("v1,")]
    good = False
    for secret in secrets:
        if not secret:
            continue
        expected = base64.b64encode(hmac.digest(standard_key(secret), payload, hashlib.sha256)).decode()
        for candidate in candidates:
            good |= hmac.compare_digest(candidate.encode(), expected.encode())
    return good


def refuse_standard(delivery: Delivery, secrets: Iterable[str | None]) -> Refuse | None:
    """Why a delivery is not taken by Standard Webhooks; None where it is genuine, with both headers there and sound."""
    try:
        good = signed_standard(delivery, secrets)
    except ValueError:
        return Refuse(reason="the connection's webhook_secret is no base64; set another")
    if good:
        return None
    return Refuse(
        reason="sign webhook-id, webhook-timestamp and the body as Standard Webhooks says, "
        "with the connection's webhook_secret"
    )


def standard_headers(id: str, body: bytes, at: datetime, secrets: Iterable[str | None]) -> dict[str, str]:
    """Headers of Standard Webhooks 1.0: one signature per secret, so that a rotation needs no moment of its own."""
    stamp = str(int(at.timestamp()))
    payload = f"{id}.{stamp}.".encode() + body
    macs = [hmac.digest(standard_key(secret), payload, hashlib.sha256) for secret in secrets if secret]
    return {
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join("v1," + base64.b64encode(mac).decode() for mac in macs),
    }


def standard_key(secret: str) -> bytes:
    """Key bytes of a Standard Webhooks secret."""
    return base64.b64decode(secret.removeprefix("whsec_"))


def _matches(signature: str | None, expected: Iterable[str]) -> bool:
    given = (signature or "").encode()
    good = False
    for value in expected:
        good |= hmac.compare_digest(given, value.encode())
    return good


class _Identified(msgspec.Struct):
    id: int | str | None = None


_identified = msgspec.json.Decoder(_Identified)


def peek_id(body: bytes) -> str | None:
    """The top-level `id` of a JSON body, without decoding the rest; None when there is none or it is not JSON."""
    try:
        found = _identified.decode(body).id
    except msgspec.MsgspecError:
        return None
    return None if found is None else str(found)
