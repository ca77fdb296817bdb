"""Webhook subscriptions: made once, mended when they narrow or lead elsewhere, made again when Shopify deleted them."""

import msgspec
import pytest

from adapters.shopify.adapter import ADAPTER
from adapters.shopify.settings import Settings
from adapters.shopify.simulator import ShopifySimulator
from adapters.shopify.simulator_hooks import ShopSubscription
from adapters.shopify.subscriptions import TOPICS, enum, keep_subscriptions
from hub.sdk.capabilities import Context
from hub.sdk.outcomes import Interrupted, NeedsPerson

ADDRESS = "https://hub.example.com/webhooks/c1"


async def keep(context: Context[Settings], address: str | None = ADDRESS) -> None:
    told = msgspec.structs.replace(context, webhooks=address)
    assert [page.items async for page in keep_subscriptions(told, None)] == [()]


def right(shop: ShopifySimulator) -> bool:
    """One for each topic, whole, to the address."""
    there = sorted((one.topic, one.uri, one.format, tuple(one.include_fields)) for one in shop.subscriptions.values())
    return there == sorted((enum(topic), ADDRESS, "JSON", ()) for topic in TOPICS)


def test_every_topic_that_is_subscribed_is_declared() -> None:
    assert set(TOPICS) <= ADAPTER.topics.keys()


async def test_all_are_made_once(shop: ShopifySimulator, context: Context[Settings]) -> None:
    await keep(context)
    assert right(shop)
    await keep(context)
    assert shop.operations == {"CrossdockSubscriptions": 2, "CrossdockSubscribe": len(TOPICS)}


async def test_a_deleted_one_comes_back(shop: ShopifySimulator, context: Context[Settings]) -> None:
    await keep(context)
    shop.subscriptions.popitem()
    await keep(context)
    assert right(shop)
    assert shop.operations["CrossdockSubscribe"] == len(TOPICS) + 1


async def test_a_narrowed_one_is_widened(shop: ShopifySimulator, context: Context[Settings]) -> None:
    await keep(context)
    one = next(iter(shop.subscriptions.values()))
    one.include_fields, one.filter = ["id"], "total_price:>100"
    await keep(context)
    assert right(shop)
    assert (shop.subscriptions[one.id].filter, shop.operations["CrossdockResubscribe"]) == ("", 1)


async def test_the_hub_has_moved(shop: ShopifySimulator, context: Context[Settings]) -> None:
    await keep(context, "https://old.example.com/webhooks/c1")
    await keep(context)
    assert right(shop)


async def test_others_subscriptions_are_left_alone(shop: ShopifySimulator, context: Context[Settings]) -> None:
    for number in range(1, 131):
        uri = f"https://others.example.com/{number}"
        shop.subscriptions[number] = ShopSubscription(id=number, topic="ORDERS_CREATE", uri=uri)
    await keep(context)
    others = {number: one for number, one in shop.subscriptions.items() if number <= 130}
    assert {one.uri for one in others.values()} == {f"https://others.example.com/{number}" for number in range(1, 131)}
    assert len(shop.subscriptions) == 130 + len(TOPICS)
    assert shop.operations["CrossdockSubscriptions"] == 2


async def test_topics_that_are_refused_are_named(shop: ShopifySimulator, context: Context[Settings]) -> None:
    shop.scopes -= {"read_returns"}
    with pytest.raises(Interrupted) as interrupted:
        await keep(context)
    outcome = interrupted.value.outcome
    assert isinstance(outcome, NeedsPerson)
    assert outcome.reason == (
        "webhooks are not subscribed: returns/request, returns/approve, returns/decline, returns/cancel, "
        "returns/close, returns/reopen, returns/update, returns/process: "
        "You cannot create a webhook subscription with the specified topic"
    )
    assert len(shop.subscriptions) == len(TOPICS) - 8


async def test_a_hub_that_cannot_be_reached_leaves_everything(
    shop: ShopifySimulator, context: Context[Settings]
) -> None:
    await keep(context, None)
    assert shop.subscriptions == {}
