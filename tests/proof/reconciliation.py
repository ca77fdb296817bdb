"""Webhooks that were dropped on the way: the scheduled pull finds what they would have told."""

from collections.abc import Sequence

from tests.proof.sale import Sale


async def check(sale: Sale, orders: Sequence[int]) -> None:
    """Every order is there, once, with its units promised once."""
    kept = await sale.house.rows("SELECT external_id, revision FROM customer_order")
    assert sorted(row["external_id"] for row in kept) == sorted(map(str, orders))
    assert {row["revision"] for row in kept} == {1}, "what a webhook told before is no news"
    units = await sale.house.value("SELECT sum(quantity)::int FROM slice WHERE state <> 'cancelled'")
    assert units == len(orders)
    assert await sale.house.value("SELECT last_error FROM schedule WHERE operation = 'orders'") is None
    await sale.house.verify()
