"""Goods that arrive for a customer at a shelf whose books have none to spare: they are the customer's all the same."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.domain.facts import GoodsArrived
from tests.scenarios.high_street import HighStreet, open_high_street, slices
from tests.scenarios.house import House


@pytest.fixture
async def street(house: House) -> AsyncIterator[HighStreet]:
    made = await open_high_street(house)
    await made.rules("[collect]\nship_to_store = true")
    await made.goods("CUP", MITTE=0, NORD=3)
    yield made
    await made.counter.client.aclose()


async def under_way(street: HighStreet, units: int) -> dict[str, Any]:
    """An order for MITTE whose goods have left NORD."""
    order = await street.order(("CUP", units), at="MITTE")
    (work,) = order["fulfilments"]
    await street.work(work["id"], "ship")
    return order


async def test_goods_arrive_where_less_is_there_than_safety_keeps(street: HighStreet) -> None:
    await street.house.run("UPDATE stock SET safety = 2 WHERE node_id = $1", street.nodes["MITTE"])
    order = await under_way(street, 3)
    await street.work(order["fulfilments"][0]["id"], "receive")
    assert slices(await street.look(order["id"])) == [(3, "released", "MITTE")]
    assert await street.stock("CUP", "MITTE") == (3, 3, 0)
    await street.house.verify()


async def test_goods_in_a_later_count_that_were_sold_since_arrive_and_somebody_gives_way(street: HighStreet) -> None:
    order = await under_way(street, 2)
    item, node, now = street.items["CUP"], street.nodes["MITTE"], datetime.now(UTC)
    # Counted with the goods on the shelf, one of which a till sold since.
    await street.house.run(
        "UPDATE stock SET sellable = 1, counted_at = $3 WHERE item_id = $1 AND node_id = $2", item, node, now
    )
    await street.house.run(
        "INSERT INTO stock_ledger (merchant, node_id, item_id, delta, reason, source, cause, true_at, learned_at) "
        "VALUES ('default', $1, $2, 1, 'count', 'test', 'count', $3, now())",
        node,
        item,
        now,
    )
    await street.house.connect(
        "scanner", "shiphero", {"account": "x", "username": "u", "password": "p", "webhook_secret": "s"}
    )
    told = GoodsArrived(at=now - timedelta(minutes=5), fulfilment=order["fulfilments"][0]["id"])
    await street.house.hear("scanner", told, deliver=False)
    await street.house.path()
    assert [found["kind"] for found in await street.house.open_exceptions()] == ["deficit"], "one was promised twice"
    assert slices(await street.look(order["id"])) == [(2, "released", "MITTE")]
    assert await street.stock("CUP", "MITTE") == (1, 2, 0)
    assert await street.house.value("SELECT count(*) FROM inbox") == 0
    await street.house.verify()
