"""Steps 2 and 3: check a delivery over its raw bytes, and say what has to be stored. Thinking comes later."""

import hashlib

import msgspec

from hub.domain.network import Mode
from hub.flow.directory import Link
from hub.flow.fetch import lane_of
from hub.sdk.adapter import Lane
from hub.sdk.capabilities import Pulled
from hub.sdk.webhook import Delivery, Handshake, Refuse, Store

KEPT_HEADERS = ("content-type", "user-agent", "x-request-id")
"""Besides the vendor's own `x-` headers; credentials are never kept."""

SECRET_WORDS = ("authorization", "cookie", "token", "secret", "signature", "hmac")

LONGEST_NAME = 300
"""Characters of a key, topic or object as it is stored; an index row holds no more than 2,704 bytes."""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery to store."""

    key: str
    topic: str
    object: str | None
    lane: str | None
    hash: bytes
    headers: str


def receive(delivery: Delivery, link: Link, settings: object) -> tuple[Store | Handshake | Refuse, Accepted | None]:
    """Judge a delivery. Pure: the verdict, and what to store when it is genuine."""
    check = link.adapter.check
    if check is None:
        return Refuse(status=404, reason="this adapter receives no webhooks"), None
    try:
        verdict = check(delivery, settings)
    except RecursionError:
        return Refuse(status=400, reason="nested too deeply for anybody's document"), None
    if not isinstance(verdict, Store):
        return verdict, None
    topic = link.adapter.topics.get(verdict.topic)
    off = link.connection.mode("receive") is Mode.OFF
    return verdict, Accepted(
        key=storable(verdict.key),
        topic=storable(verdict.topic),
        object=None if verdict.object is None else storable(verdict.object),
        lane=lane_of(topic, off),
        hash=hashlib.blake2b(delivery.body, digest_size=16).digest(),
        headers=kept_headers(delivery),
    )


def storable(text: str) -> str:
    """Text as keys and indexes take it, so that a genuine delivery is always kept.

    NUL and lone surrogates are replaced; of what is too long for an index, the beginning and a digest remain.
    """
    clean = text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    if len(clean) <= LONGEST_NAME:
        return clean
    return f"{clean[:LONGEST_NAME]}:{hashlib.blake2b(text.encode(errors='replace'), digest_size=16).hexdigest()}"


def kept_headers(delivery: Delivery) -> str:
    """Headers worth keeping as JSON text: the vendor's own, none that carries a credential."""
    kept = {
        name: value
        for name, value in delivery.headers.items()
        if (name in KEPT_HEADERS or name.startswith(("x-", "webhook-")))
        and not any(word in name for word in SECRET_WORDS)
    }
    return msgspec.json.encode(kept).decode()


def accept_pulled(pulled: Pulled, link: Link) -> Accepted:
    """What to store of an object that a pull or fetch brought: read already, so never fetched again."""
    topic = link.adapter.topics.get(pulled.topic)
    lane = None if topic is not None and topic.ignore else (topic.lane.value if topic else Lane.FACTS.value)
    return Accepted(
        key=storable(pulled.key),
        topic=pulled.topic,
        object=None if pulled.object is None else storable(pulled.object),
        lane=lane,
        hash=hashlib.blake2b(pulled.body, digest_size=16).digest(),
        headers="{}",
    )
