"""Checking a delivery: pure, over the raw bytes."""

import hashlib
from typing import Final

import msgspec

from adapters.shopify.settings import Settings, account
from hub.sdk.webhook import Delivery, Refuse, Store, Verdict, peek_id, signed_base64


class _OrderEdit(msgspec.Struct):
    order_id: int | None = None


class _Ref(msgspec.Struct):
    id: int | None = None


class _Level(msgspec.Struct):
    inventory_item_id: int
    location_id: int


class _WorkRef(msgspec.Struct):
    id: int | str | None = None


class _Works(msgspec.Struct):
    """A body about a fulfilment order. It does not name the order."""

    fulfillment_order: _WorkRef


class _Mentions(msgspec.Struct):
    """Where a body that is not an order names the order it is about."""

    order_id: int | None = None
    order_edit: _OrderEdit | None = None
    order: _Ref | None = None


_mentions = msgspec.json.Decoder(_Mentions)
_works = msgspec.json.Decoder(_Works)
_level = msgspec.json.Decoder(_Level)


ABOUT_ORDERS: Final = ("orders/edited", "orders/risk_assessment_changed")
"""Bodies that name an order without being one."""


def check(delivery: Delivery, settings: Settings) -> Verdict:
    """Is it from this shop, signed by this app, and under which key is it stored.

    The key is (event, topic, subscription): one action of the merchant shares its event id over every topic and
    subscription it fires. Webhook-Id, stable over the retries of one delivery, stands in where there is no event id;
    a digest of topic and body where there is neither. A second secret is valid during a rotation; none is ever empty.
    """
    secrets = (settings.client_secret, settings.previous_client_secret)
    if not signed_base64(delivery.body, _header(delivery, "hmac-sha256"), secrets):
        return Refuse(status=401, reason="X-Shopify-Hmac-Sha256 does not match the body under the connection's secret")
    shop = _header(delivery, "shop-domain")
    if shop and shop.strip().lower() != account(settings):
        return Refuse(status=401, reason="X-Shopify-Shop-Domain names another shop than the connection's")
    topic = _header(delivery, "topic") or "unknown"
    return Store(key=_key(delivery, topic), topic=topic, object=_object(topic, delivery.body))


def addressed(delivery: Delivery) -> str | None:
    """The shop that a delivery names: one endpoint may serve every shop of an app."""
    shop = _header(delivery, "shop-domain")
    return shop.strip().lower() if shop else None


def _header(delivery: Delivery, name: str) -> str | None:
    """A header of either generation: "Events" dropped the `X-`."""
    return delivery.headers.get(f"x-shopify-{name}") or delivery.headers.get(f"shopify-{name}")


def _key(delivery: Delivery, topic: str) -> str:
    event, webhook = _header(delivery, "event-id"), _header(delivery, "webhook-id")
    if event:
        return f"event:{event}:{topic}:{_header(delivery, 'name') or ''}"
    if webhook:
        return f"webhook:{webhook}:{topic}"
    digest = hashlib.sha256(topic.encode() + b"\0" + delivery.body).hexdigest()
    return f"sha256:{digest}"


def _object(topic: str, body: bytes) -> str | None:
    """The order a delivery is about, so that deliveries of one order are handled in sequence."""
    if topic.startswith("orders/") and topic not in ABOUT_ORDERS:
        order = peek_id(body)
    elif topic.startswith((*ABOUT_ORDERS, "refunds/", "returns/", "fulfillments/", "order_transactions/")):
        order = _mentioned(body)
    elif topic.startswith("fulfillment_orders/"):
        return _worked(body)
    elif topic.startswith("inventory_levels/"):
        return _stocked(body)
    else:
        return None
    return None if order is None else f"order:{order}"


def _mentioned(body: bytes) -> str | None:
    try:
        found = _mentions.decode(body)
    except msgspec.MsgspecError:
        return None
    order = found.order_edit.order_id if found.order_edit else found.order_id
    if order is None and found.order is not None:
        order = found.order.id
    return None if order is None else str(order)


def _worked(body: bytes) -> str | None:
    try:
        found = _works.decode(body).fulfillment_order.id
    except msgspec.MsgspecError:
        return None
    number = str(found).rpartition("/")[2]
    return f"work:{number}" if number.isdigit() else None


def _stocked(body: bytes) -> str | None:
    try:
        found = _level.decode(body)
    except msgspec.MsgspecError:
        return None
    return f"level:{found.inventory_item_id}:{found.location_id}"
