"""What the conformance suite needs to know of Shopify."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from adapters.shopify.adapter import ADAPTER, FETCHED_TOPICS, HOLD_TOPICS, LEVEL_TOPIC, ORDER_TOPICS, RETURN_TOPICS
from adapters.shopify.settings import Settings
from adapters.shopify.simulator import ShopifySimulator, signature
from adapters.shopify.simulator_books import ShopLocation, ShopOrder
from adapters.shopify.simulator_holds import hold
from adapters.shopify.stock import TOPIC as STOCK
from hub.sdk.capabilities import (
    AvailabilityUpdate,
    ChannelCancel,
    ChannelLineCancel,
    Command,
    ConfirmedLine,
    PaymentCapture,
    PaymentRefund,
    PaymentVoid,
    ShipmentConfirmation,
)
from hub.sdk.testkit.harness import Harness, Sample, json_sample
from hub.sdk.webhook import Delivery

PULLED: Final = 53
"""More than a page."""
STORE: Final = 502
NOON: Final = datetime(2026, 1, 16, 12, tzinfo=UTC)


def simulator() -> ShopifySimulator:
    """A shop with two products in one warehouse."""
    shop = ShopifySimulator(
        client_secret="shpss_conformance_secret", access_token="shpat_conformance_token", shop="dune.myshopify.com"
    )
    shop.sell("MUG-RED", title="Mug, red", price=Decimal("12.99"), available=9)
    shop.sell("TEE-M", title="T-shirt, M", price=Decimal("19.99"), available=1)
    return shop


def with_a_store() -> ShopifySimulator:
    """The same with a store, whose shelf Shopify counts."""
    shop = simulator()
    shop.locations[STORE] = ShopLocation(id=STORE, name="Oak Street store")
    for variant in shop.variants.values():
        shop.inventory[variant.item, STORE] = 4
    return shop


def settings(shop: ShopifySimulator) -> Settings:
    """A connection to that shop."""
    return Settings(
        shop=shop.shop,
        client_secret=shop.client_secret,
        access_token=shop.access_token,
        previous_client_secret="shpss_previous_secret",
        history_from=NOON.date(),
        stock_locations=(str(STORE),) if STORE in shop.locations else (),
        base_url=shop.base_url,
    )


def prepare(shop: ShopifySimulator, capability: str, request: Any) -> Command:
    """Put the order, or the location, that the command is about into the books."""
    location = str(next(iter(shop.locations)))
    match request:
        case ShipmentConfirmation():
            order = two_lines(shop)
            lines = tuple(
                ConfirmedLine(line=str(line.id), quantity=confirmed.quantity)
                for line, confirmed in zip(order.lines, request.lines, strict=True)
            )
            return msgspec.structs.replace(request, order_external_id=str(order.id), lines=lines, location=location)
        case ChannelCancel():
            return msgspec.structs.replace(request, order_external_id=str(two_lines(shop).id))
        case ChannelLineCancel():
            order = two_lines(shop)
            mugs = msgspec.structs.replace(request.lines[0], line=str(order.lines[0].id))
            return msgspec.structs.replace(request, order_external_id=str(order.id), lines=(mugs,))
        case AvailabilityUpdate():
            levels = tuple(msgspec.structs.replace(level, location=location) for level in request.levels)
            return msgspec.structs.replace(request, levels=levels)
        case PaymentCapture():
            held = shop.place_order([("MUG-RED", 2), ("TEE-M", 1)], financial="authorized")
            named = {"order_external_id": str(held.id), "payment": str(held.id + 21)}
            return msgspec.structs.replace(request, asked_at=shop.now(), **named)
        case PaymentVoid():
            held = shop.place_order([("MUG-RED", 2)], financial="authorized")
            return msgspec.structs.replace(request, order_external_id=str(held.id), payment=str(held.id + 21))
        case PaymentRefund():
            paid = two_lines(shop)
            back = (ConfirmedLine(line=str(paid.lines[0].id), quantity=1),)
            return msgspec.structs.replace(request, order_external_id=str(paid.id), lines=back)
    raise ValueError(f"Shopify has no {capability}")


def effects(shop: ShopifySimulator, capability: str, request: Any) -> int:
    """Fulfilments made, or 1 when the state is as it was asked."""
    match request:
        case ShipmentConfirmation():
            return len(shop.fulfilments[int(request.order_external_id)])
        case ChannelCancel():
            return int(shop.orders[int(request.order_external_id)].cancelled_at is not None)
        case AvailabilityUpdate():
            return int(all(shop.available(level.sku) == level.quantity for level in request.levels))
        case PaymentCapture() | PaymentVoid():
            return len(shop.orders[int(request.order_external_id)].moved)
        case PaymentRefund() | ChannelLineCancel():
            return len(shop.orders[int(request.order_external_id)].refunds)
    raise ValueError(f"Shopify has no {capability}")


def two_lines(shop: ShopifySimulator) -> ShopOrder:
    """An order of two mugs and a shirt."""
    return shop.place_order([("MUG-RED", 2), ("TEE-M", 1)])


def sign(connection: Settings, /, *, topic: str, body: bytes, event: str, at: datetime) -> Delivery:
    """A delivery with all of Shopify's headers."""
    return Delivery(
        method="POST",
        url="https://hub.example.com/webhooks/c1",
        headers={
            "content-type": "application/json",
            "x-shopify-topic": topic,
            "x-shopify-hmac-sha256": signature(connection.client_secret, body),
            "x-shopify-shop-domain": connection.shop,
            "x-shopify-api-version": connection.api_version,
            "x-shopify-webhook-id": f"webhook-{event}",
            "x-shopify-event-id": event,
            "x-shopify-triggered-at": at.isoformat(),
            "x-shopify-name": f"crossdock-{topic}",
        },
        query={},
        body=body,
        received_at=at,
    )


def samples() -> tuple[Sample, ...]:
    """One body of every topic, written by the simulator."""
    shop = simulator()
    shop.now = lambda: NOON
    order = two_lines(shop)
    shop.refund_order(order.id, {order.lines[1].id: 1})
    found = [
        json_sample(
            topic,
            msgspec.json.decode(shop.body(order, topic)),
            identity="id",
            status="financial_status",
            event=f"event-{topic}",
        )
        for topic in ORDER_TOPICS
    ]
    thin = [Sample(topic=topic, body=shop.body(order, topic), event=f"event-{topic}") for topic in FETCHED_TOPICS]
    shop.locations[STORE] = ShopLocation(id=STORE, name="Oak Street store")
    level = Sample(topic=LEVEL_TOPIC, body=changed_level(shop)[1], event="event-level")
    count = {"at": "2026-01-16T12:00:00Z", "location": str(STORE), "counted": [{"sku": "MUG-RED", "units": 4}]}
    shop_of = {"shop_id": 954889, "shop_domain": shop.shop}
    asked = {**shop_of, "customer": {"id": 191167}, "orders_requested": [299938], "data_request": {"id": 9999}}
    redact = {**shop_of, "customer": {"id": 191167}, "orders_to_redact": [299938, 280263]}
    privacy = (
        json_sample("customers/data_request", asked, identity="data_request", event="event-asked"),
        json_sample("customers/redact", redact, identity="customer", event="event-redact"),
        json_sample("shop/redact", shop_of, identity="shop_id", event="event-shop"),
    )
    return (*found, *thin, *privacy, level, json_sample(STOCK, count, identity="location", signed=False))


def fill_orders(shop: ShopifySimulator) -> int:
    """Orders for the pull."""
    for _ in range(PULLED):
        two_lines(shop)
    return PULLED


def fill_history(shop: ShopifySimulator) -> int:
    """None: what is placed after the export is brought by the pull of orders."""
    return 0


def fill_stock(shop: ShopifySimulator) -> int:
    """More items in the store than a page holds: two reports."""
    for number in range(120):
        shop.inventory[shop.sell(f"STORE-{number}").item, STORE] = number
    return 2


def changed_level(shop: ShopifySimulator) -> tuple[str, bytes]:
    """A level of the store that changed."""
    item = shop.variants["MUG-RED"].item
    shop.inventory[item, STORE] = 7
    body = {"inventory_item_id": item, "location_id": STORE, "available": 7, "updated_at": "2026-01-16T07:00:00-05:00"}
    return f"level:{item}:{STORE}", msgspec.json.encode(body)


def returned(shop: ShopifySimulator, topic: str) -> tuple[str, bytes]:
    """An order of which something is to come back."""
    order = two_lines(shop)
    return f"order:{order.id}", shop.body(order, topic)


def on_hold(shop: ShopifySimulator) -> tuple[str, bytes]:
    """An order that somebody wants to look at."""
    order = two_lines(shop)
    hold(shop, order.id, "HIGH_RISK_OF_FRAUD")
    return f"work:{order.fulfilment_orders[0].id}", shop.body(order, HOLD_TOPICS[0])


def edited(shop: ShopifySimulator) -> tuple[str, bytes]:
    """An edited order."""
    order = two_lines(shop)
    shop.edit_order(order.id, {"MUG-RED": 1})
    return f"order:{order.id}", shop.body(order, "orders/edited")


def refunded(shop: ShopifySimulator) -> tuple[str, bytes]:
    """A refund of an order."""
    order = two_lines(shop)
    shop.refund_order(order.id, {order.lines[0].id: 1})
    return f"order:{order.id}", shop.body(order, "refunds/create")


def assessed(shop: ShopifySimulator) -> tuple[str, bytes]:
    """A risk that was told of an order."""
    order = two_lines(shop)
    order.risk = "high"
    return f"order:{order.id}", shop.body(order, "orders/risk_assessment_changed")


HARNESS: Final = Harness[ShopifySimulator, Settings](
    adapter=ADAPTER,
    folder=Path(__file__).parent,
    simulator=with_a_store,
    settings=settings,
    prepare=prepare,
    effects=effects,
    idempotent=frozenset({"publish_availability"}),
    sign=sign,
    samples=samples(),
    fill={"orders": fill_orders, "history": fill_history, "stock": fill_stock, "subscriptions": lambda shop: 0},
    fetched={
        "orders/edited": edited,
        "refunds/create": refunded,
        "orders/risk_assessment_changed": assessed,
        LEVEL_TOPIC: changed_level,
        **{topic: partial(returned, topic=topic) for topic in RETURN_TOPICS},
        **dict.fromkeys(HOLD_TOPICS, on_hold),
    },
)
