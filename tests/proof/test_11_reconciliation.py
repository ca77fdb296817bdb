"""Test 11: webhooks that never came are found by one sweep of the pull, and nothing is taken twice."""

import random

from tests.proof.crowd import send_all
from tests.proof.reconciliation import check
from tests.proof.sale import OTHER, Sale


async def test_dropped_webhooks_are_found_by_one_sweep(sale: Sale) -> None:
    orders = sale.quietly(OTHER, 150)
    dropped = set(random.Random(11).sample(orders, 15))
    told = sale.deliveries([order for order in orders if order not in dropped], "orders/create")
    assert await send_all(sale.url, told, 16) == {200: 135}
    await sale.at_rest()
    assert await sale.house.value("SELECT count(*) FROM customer_order") == 135
    await sale.pull("shop")
    await sale.at_rest()
    await check(sale, orders)
