"""Every delivery three times, in any order: each is acknowledged, each counts once."""

import random
from typing import NamedTuple

from tests.proof.crowd import send_all, webhook
from tests.proof.sale import OTHER, Sale


class Told(NamedTuple):
    """What was sent."""

    orders: int
    events: int
    """Different deliveries."""


async def tell_thrice(sale: Sale, orders: int, *, connections: int) -> Told:
    """Each order is created and then changed; both deliveries come three times, shuffled over all orders."""
    sent = []
    for order in sale.quietly(OTHER, orders):
        sale.shop.hub_url = sale.webhooks
        books = sale.shop.orders[order]
        sent.append(sale.shop.signed("orders/create", sale.shop.body(books, "orders/create"), sale.shop.uuid()))
        sale.shop.hub_url = None
        sale.shop.edit_order(order, {OTHER: 1}, [(OTHER, 1)])
        sale.shop.hub_url = sale.webhooks
        sent.append(sale.shop.signed("orders/updated", sale.shop.body(books, "orders/updated"), sale.shop.uuid()))
        sale.shop.hub_url = None
    requests = [webhook(one) for one in sent] * 3
    random.Random(orders).shuffle(requests)
    answers = await send_all(sale.url, requests, connections)
    assert answers == {200: len(requests)}, "a duplicate is acknowledged like the first"
    return Told(orders=orders, events=len(sent))


async def check(sale: Sale, told: Told) -> None:
    """One row per delivery, one order each, at its newest version: an update before its create is the create."""
    value = sale.house.value
    assert await value("SELECT count(*) FROM message WHERE connection_id = 'shop'") == told.events
    assert await value("SELECT count(*) FROM customer_order") == told.orders
    units = "SELECT sum(quantity)::int FROM slice WHERE state <> 'cancelled' GROUP BY order_id"
    assert {row["sum"] for row in await sale.house.rows(units)} == {2}, "the edit stands, whichever came first"
    assert await value("SELECT count(*) FROM inbox") == 0
    assert await value("SELECT count(*) FROM exception WHERE kind = 'delivery_changed'") == 0
    await sale.house.verify()
