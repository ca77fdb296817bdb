"""Every topic of the families that concern us: what follows from it, or why nothing does."""

import re
from pathlib import Path

import pytest

from adapters.shopify import orders
from adapters.shopify.adapter import ADAPTER, FETCHED_TOPICS, HOLD_TOPICS, IGNORED_TOPICS, LEVEL_TOPIC, ORDER_TOPICS
from adapters.shopify.fetches import fetch
from adapters.shopify.rest_shape import _held_by
from adapters.shopify.settings import Settings
from adapters.shopify.simulator import ShopifySimulator
from adapters.shopify.simulator_holds import hold, release
from adapters.shopify.subscriptions import STOCK_TOPIC, TOPICS, enum
from adapters.shopify.translate import held_by
from adapters.shopify.webhook import _object
from hub.sdk.capabilities import Context, Pulled

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = ROOT.parent / "shared" / "contracts" / "shopify"
PRIVACY = {"customers/data_request", "customers/redact", "shop/redact"}
FAMILIES = (
    *("ORDERS_", "REFUNDS_", "RETURNS_", "FULFILLMENTS_", "FULFILLMENT_ORDERS_", "FULFILLMENT_HOLDS_"),
    *("INVENTORY_LEVELS_", "INVENTORY_ITEMS_", "LOCATIONS_", "PRODUCTS_", "APP_UNINSTALLED"),
)


@pytest.mark.parametrize("version", ["2026-04", "2026-07"])
def test_no_topic_of_the_vendor_is_unknown(version: str) -> None:
    path = CONTRACTS / f"admin-graphql-{version}.trimmed.graphql"
    if not path.exists():
        pytest.skip("published contracts are not beside the repository")
    schema = path.read_text("utf-8")
    (body,) = re.findall(r"enum WebhookSubscriptionTopic \{(.*?)\n\}", schema, re.DOTALL)
    named = {word for word in re.findall(r"(?m)^  ([A-Z_]+)", body) if word.startswith(FAMILIES)}
    known = {enum(topic) for topic in ADAPTER.topics}
    assert len(named) > 40
    assert named - known == set()


def test_what_has_a_consequence_is_subscribed_to_and_what_is_subscribed_to_has_one() -> None:
    follows = {*ORDER_TOPICS, *FETCHED_TOPICS, LEVEL_TOPIC}
    assert {*TOPICS, STOCK_TOPIC} - follows == {"app/uninstalled"}, "which ends the connection at its next call"
    assert follows - {*TOPICS, STOCK_TOPIC} == set()
    assert ADAPTER.topics.keys() >= PRIVACY, "named in the app's configuration: they cannot be subscribed to"


def test_nothing_is_ignored_without_a_reason() -> None:
    ignored = {topic for topic, one in ADAPTER.topics.items() if one.ignore}
    assert ignored == IGNORED_TOPICS.keys()
    assert all(len(reason.split()) >= 5 for reason in IGNORED_TOPICS.values())


# --- what is held at the shop -----------------------------------------------------------------------------------------


async def test_a_hold_is_read_with_its_order(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 1)])
    (work,) = order.fulfilment_orders
    about = _object(HOLD_TOPICS[0], shop.body(order, HOLD_TOPICS[0]))
    assert about == f"work:{work.id}"
    told = []
    for change in (lambda: hold(shop, order.id, "HIGH_RISK_OF_FRAUD"), lambda: release(shop, order.id)):
        change()
        got = await fetch(context, HOLD_TOPICS[0], about, b"{}")
        assert isinstance(got, Pulled)
        assert got.object == f"order:{order.id}"
        told.append((b'"held_by":["high_risk_of_fraud"]' in got.body, got.key))
    assert [found for found, _ in told] == [True, False]
    assert told[0][1] != told[1][1], "the shop stamps no change of the order"


async def test_a_fulfilment_order_that_is_gone_says_nothing(shop: ShopifySimulator, context: Context[Settings]) -> None:
    assert await fetch(context, HOLD_TOPICS[0], "work:4711", b"{}") == ()


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"fulfillment_order":{"id":null}}', b'{"fulfillment_order":1}'])
def test_a_body_that_names_nothing_is_about_nothing(body: bytes) -> None:
    assert _object("fulfillment_orders/placed_on_hold", body) is None


def test_a_hold_whose_reason_is_hidden_is_a_hold_all_the_same() -> None:
    """Without the scope for them the holds are an empty list; the status is not."""
    some = orders.Nodes(nodes=(orders.FulfillmentOrder(status="ON_HOLD"), orders.FulfillmentOrder(status="OPEN")))
    assert _held_by(some) == ["on_hold"]
    assert _held_by(orders.Nodes(nodes=some.nodes[1:])) == []


def test_what_a_message_does_not_say_is_not_no() -> None:
    assert (held_by(None), held_by([]), held_by(["other", "awaiting_payment"])) == (
        None,
        "no",
        "other, awaiting_payment",
    )
