"""Checking a delivery: pure, over the notification URL and the raw body."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

from adapters.square.settings import Settings, account
from hub.sdk.webhook import Delivery, Refuse, Store, Verdict, signed_base64

HEADER: Final = "x-square-hmacsha256-signature"
COUNTED: Final = "inventory.count.updated"
UNRELATED: Final = ".unrelated"
"""Put to the type of a payment or refund that names no order, and of counts where none are believed."""


class _Data(msgspec.Struct):
    id: str | None = None
    object: Any = None


class Event(msgspec.Struct):
    """The envelope that all events share."""

    event_id: str | None = None
    merchant_id: str | None = None
    type: str | None = None
    created_at: str | None = None
    data: _Data | None = None


_event: Final = msgspec.json.Decoder(Event)


def check(delivery: Delivery, settings: Settings) -> Verdict:
    """Is it signed with the subscription's key, about this seller, and under which key is it stored.

    Square signs the registered notification URL, byte for byte, and the raw body behind it. `event_id` is the same over
    all retries. A second key is valid while one is replaced; none is ever empty.
    """
    url = settings.notification_url or delivery.url
    keys = (settings.signature_key, settings.previous_signature_key)
    if not signed_base64(url.encode() + delivery.body, delivery.headers.get(HEADER), keys):
        return Refuse(
            status=401,
            reason=f"{HEADER} does not match the notification URL and body under the subscription's key; compare "
            "notification_url with the URL registered at Square, character by character",
        )
    event = decode(delivery.body)
    if event.merchant_id is not None and event.merchant_id != account(settings):
        return Refuse(status=401, reason="merchant_id names another seller than the connection's")
    topic = event.type or "unknown"
    about = subject(event)
    if about is None and topic.startswith(("order.", "payment.", "refund.", COUNTED)):
        topic += UNRELATED
    if topic == COUNTED and not settings.stock_locations:
        topic, about = topic + UNRELATED, None
    key = f"event:{event.event_id}" if event.event_id else f"sha256:{sha256(delivery.body).hexdigest()}"
    return Store(key=key, topic=topic, object=about)


def addressed(delivery: Delivery) -> str | None:
    """The seller that a delivery names: one endpoint may serve every seller of an application."""
    return decode(delivery.body).merchant_id


def decode(body: bytes) -> Event:
    """The envelope; an empty one for a body that is none."""
    try:
        return _event.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Event()


def subject(event: Event) -> str | None:
    """What an event is about: "order:<id>", "payment:<id>" for a refund, whose order_id is that of the return, or
    "counts:<variation>,<variation>"."""
    inner = event.data.object if event.data else None
    if not isinstance(inner, Mapping):
        return None
    counts = inner.get("inventory_counts")
    if isinstance(counts, list):
        counted = {_text(one.get("catalog_object_id")) for one in counts if isinstance(one, Mapping)}
        named = sorted(name for name in counted if name is not None)
        return f"counts:{','.join(named)}" if named else None
    for name, body in inner.items():
        if not isinstance(body, Mapping):
            continue
        if name == "refund" and _text(body.get("payment_id")):
            return f"payment:{body['payment_id']}"
        if name in ("payment", "refund") or name.startswith("order_"):
            order = _text(body.get("order_id"))
            return f"order:{order}" if order else None
    return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
