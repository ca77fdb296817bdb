"""Pure: reading a notification, however it came. What it says is only a reason to read the order."""

import hashlib
from datetime import UTC, datetime
from typing import Final

import msgspec

from hub.sdk.capabilities import Pulled

OBJECT: Final = "order:"
UNREADABLE: Final = "unreadable"
FOREIGN: Final = "other_seller"


class _Change(msgspec.Struct, rename="pascal"):
    seller_id: str | None = None
    amazon_order_id: str | None = None


class _Payload(msgspec.Struct):
    change: _Change | None = msgspec.field(name="OrderChangeNotification", default=None)
    change_too: _Change | None = msgspec.field(name="orderChangeNotification", default=None)
    seller: str | None = msgspec.field(name="SellerId", default=None)


class _Metadata(msgspec.Struct):
    pascal: str | None = msgspec.field(name="NotificationId", default=None)
    camel: str | None = msgspec.field(name="notificationId", default=None)


class _Told(msgspec.Struct):
    """When a notification says that it happened."""

    pascal: str | None = msgspec.field(name="EventTime", default=None)
    camel: str | None = msgspec.field(name="eventTime", default=None)


class _ToldByBus(msgspec.Struct):
    detail: _Told | None = None


class _Notification(msgspec.Struct):
    """Types differ in the casing of their envelope: some Pascal, some camel."""

    pascal_type: str | None = msgspec.field(name="NotificationType", default=None)
    camel_type: str | None = msgspec.field(name="notificationType", default=None)
    pascal_payload: _Payload | None = msgspec.field(name="Payload", default=None)
    camel_payload: _Payload | None = msgspec.field(name="payload", default=None)
    pascal_metadata: _Metadata | None = msgspec.field(name="NotificationMetadata", default=None)
    camel_metadata: _Metadata | None = msgspec.field(name="notificationMetadata", default=None)


class _Event(msgspec.Struct):
    """EventBridge's envelope."""

    detail: _Notification | None = None


_event = msgspec.json.Decoder(_Event)
_notification = msgspec.json.Decoder(_Notification)
_told = msgspec.json.Decoder(_Told)
_told_by_bus = msgspec.json.Decoder(_ToldByBus)


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What a notification is, and which order it is about."""

    key: str
    topic: str
    object: str | None = None


def read(body: bytes, seller_id: str) -> Notice:
    """The notice in a message of a queue, an event bus or a push.

    One without a type is "unreadable", one for another seller "other_seller": both are kept, and parked under that
    name. The key is Amazon's NotificationId, the same over its up to ten deliveries; else a digest of the body.
    """
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    try:
        note = _event.decode(body).detail or _notification.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Notice(key=digest, topic=UNREADABLE)
    topic = note.pascal_type or note.camel_type
    if not topic:
        return Notice(key=digest, topic=UNREADABLE)
    metadata = note.pascal_metadata or note.camel_metadata or _Metadata()
    identity = metadata.pascal or metadata.camel
    key = f"notification:{identity}" if identity else digest
    payload = note.pascal_payload or note.camel_payload or _Payload()
    change = payload.change or payload.change_too or _Change()
    seller = change.seller_id or payload.seller
    if seller is not None and seller != seller_id:
        return Notice(key=key, topic=FOREIGN)
    order = change.amazon_order_id
    if topic == "ORDER_CHANGE" and not order:
        return Notice(key=key, topic=UNREADABLE)
    return Notice(key=key, topic=topic, object=f"{OBJECT}{order}" if order else None)


def happened_at(body: bytes) -> datetime | None:
    """The event's own time; None where the message states none that can be read."""
    try:
        told = _told_by_bus.decode(body).detail or _told.decode(body)
        at = datetime.fromisoformat(told.pascal or told.camel or "")
    except (msgspec.MsgspecError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def pulled(body: bytes, seller_id: str) -> Pulled:
    """A message of the queue as it is stored."""
    notice = read(body, seller_id)
    return Pulled(key=notice.key, topic=notice.topic, object=notice.object, body=body)
