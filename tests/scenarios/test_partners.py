"""What a node does wrong, each case with a good order beside it that must not notice. See docs/failures.md."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from adapters.shiphero.simulator import _failed, _lacking
from adapters.shiphero.simulator_documents import shipment_update
from hub.domain.facts import GoodsShipped
from hub.domain.shipping import Parcel, ParcelLine
from hub.sdk.testkit.simulator import Sent
from hub.wiring import build_worker
from tests.scenarios.test_facts import fulfilment, parcels
from tests.scenarios.town import Town


def left(order: dict[str, Any], *lines: ParcelLine, shipment: str = "s-1", tracking: str = "T-1") -> GoodsShipped:
    """A parcel with these units left."""
    box = Parcel(tracking=tracking, carrier="ups", lines=lines)
    return GoodsShipped(at=datetime.now(UTC), fulfilment=fulfilment(order), shipment=shipment, parcels=(box,))


async def sent(town: Town) -> list[str]:
    rows = await town.house.rows(
        "SELECT a.outcome FROM attempt a JOIN effect e ON e.id = a.effect_id "
        "WHERE e.kind = 'SubmitFulfilment' ORDER BY e.id, a.no"
    )
    return [row["outcome"] for row in rows]


async def test_another_sku_than_was_asked_for(town: Town) -> None:
    await town.goods("LAMP", east=5)
    _, order = await town.buy([("PASS", 2)])
    passer = town.passer_by()
    await town.house.hear("depot", left(order, ParcelLine(line=None, sku="LAMP", quantity=2)))
    await town.settle()
    await town.passed(passer)
    print(await town.house.open_exceptions(), await town.slices(order["id"]), await town.stock("LAMP", town.east))
    assert 0


async def test_a_line_that_nobody_asked_for(town: Town) -> None:
    _, order = await town.buy([("PASS", 2)])
    passer = town.passer_by()
    await town.house.hear("depot", left(order, ParcelLine(line="77", quantity=2)))
    await town.settle()
    await town.passed(passer)
    print(await town.house.open_exceptions(), await town.slices(order["id"]))
    assert 0


async def test_tracking_of_another_orders_parcel(town: Town) -> None:
    _, first = await town.buy([("PASS", 1)])
    _, second = await town.buy([("PASS", 1)])
    await town.house.hear("depot", left(first, tracking="T-9"))
    await town.house.hear("depot", left(second, tracking="T-9", shipment="s-2"))
    print(await town.house.open_exceptions(), await parcels(town, first["id"]), await parcels(town, second["id"]))
    assert 0


async def test_a_web_page_where_an_answer_should_be(town: Town) -> None:
    town.depot.script.extend([None, "html"])
    _, order = await town.buy([("PASS", 2)])
    print(await sent(town), await town.house.open_exceptions())
    assert town.depot.orders_created == {f"{order['id']}-1": 1}
    assert 0


async def test_a_delivery_that_breaks_off(town: Town) -> None:
    _, order = await town.buy([("PASS", 2)])
    url, town.depot.hub_url = town.depot.hub_url, None
    made = town.depot.ship(town.asked(order["id"]))
    assert made is not None
    assert url is not None
    body = msgspec.json.encode(shipment_update(made, "East"))[:-40]
    async with httpx.AsyncClient() as client:
        answer = await client.post(url, content=body, headers=town.depot.signed(body, "m-1"))
    print(answer.status_code, answer.text)
    passer = town.passer_by()
    await town.settle()
    await town.passed(passer)
    print(await town.house.open_exceptions(), await town.slices(order["id"]))
    assert 0


async def test_a_partner_that_wants_an_hour(town: Town) -> None:
    body = msgspec.json.encode(_failed(_lacking(10, 0, 3600), "graphql"))
    town.depot.throttled = lambda: (200, {"content-type": "application/json"}, body)  # type: ignore[method-assign]
    town.depot.script.extend([None, "throttle"])
    placed, order = await town.buy([("PASS", 2)]) if False else (town.shop.place_order([("PASS", 2)]), None)
    await town.shop.delivered()
    await town.house.path()
    for _ in range(5):
        await town.house.worker.deliverer.run()
        await town.house.worker.deliverer.drain()
    print(await sent(town), await town.house.rows("SELECT due_at - now() AS wait, parked FROM outbox"), town.depot.calls)
    assert 0


async def test_six_hours_without_a_partner(town: Town) -> None:
    town.depot.faults.outage = True
    placed = town.shop.place_order([("PASS", 2)])
    await town.shop.delivered()
    await town.house.path()
    waits = []
    for _ in range(8):
        await town.house.send()
        waits += [row["wait"] for row in await town.house.rows("SELECT due_at - now() AS wait FROM outbox")]
    print(waits, await sent(town), await town.house.open_exceptions())
    assert 0


async def test_two_workers_on_one_connection(town: Town) -> None:
    await town.house.run("INSERT INTO schedule (connection_id, operation, every_seconds) VALUES ('depot', 'status', 60)")
    other = build_worker(town.house.parts)
    ran = await asyncio.gather(town.house.worker.puller.run(), other.puller.run())
    print(ran, town.depot.calls)
    assert 0


async def test_a_pull_that_loses_a_page(town: Town) -> None:
    town.depot.webhooks = frozenset()
    _, first = await town.buy([("PASS", 1)])
    _, second = await town.buy([("PASS", 1)])
    for order in (first, second):
        town.depot.ship(town.asked(order["id"]))
    await town.house.run("INSERT INTO schedule (connection_id, operation, every_seconds) VALUES ('depot', 'status', 60)")
    town.depot.script.extend([None, "lost_reply"])
    await town.house.worker.puller.run()
    print(await town.house.rows("SELECT * FROM schedule"))
    await town.house.run("UPDATE schedule SET next_due_at = now()")
    await town.house.worker.puller.run()
    await town.settle()
    print(await town.house.rows("SELECT * FROM schedule"))
    print([await town.slices(one["id"]) for one in (first, second)])
    assert 0
