"""Test 5: two actors at each point of taking, amending and confirming an order, in every interleaving of two."""

from datetime import UTC, datetime
from itertools import count

from hub.domain.facts import FulfilmentAccepted
from hub.flow.normalise import encode_facts
from hub.sdk.adapter import Lane
from tests.proof.races import interleave
from tests.scenarios.test_batches import arrival, orders, store
from tests.scenarios.town import Town


async def test_two_orders_for_the_last_unit(town: Town) -> None:
    rounds, numbers = count(), count(1000)
    sku = ""

    async def prepare() -> None:
        nonlocal sku
        sku = f"LAST-{next(rounds)}"
        await town.goods(sku, east=1)
        await store(
            town, [one._replace(key=f"k:{next(numbers)}", object=f"o:{next(numbers)}") for one in orders(town, 2, sku)]
        )

    async def check() -> None:
        assert await town.stock(sku, town.east) == (1, 1)
        states = await town.house.rows(
            "SELECT s.state FROM slice s JOIN demand d ON d.order_id = s.order_id AND d.no = s.demand_no "
            "WHERE d.sku = $1 ORDER BY s.state",
            sku,
        )
        assert [row["state"] for row in states] == ["released", "unallocated"]
        await town.house.verify()

    points = await interleave(town, prepare, (Lane.ORDERS, Lane.ORDERS), check)
    assert {"claim", "finish", "commit"} <= set(points)


async def test_one_order_told_twice(town: Town) -> None:
    numbers = count(1000)

    async def prepare() -> None:
        (one,) = orders(town, 1, "PASS")
        await store(town, [one._replace(key=f"k:{next(numbers)}", object=None) for _ in range(2)])

    async def check() -> None:
        held = await town.house.value("SELECT count(*) FROM customer_order")
        assert await town.stock("PASS", town.east) == (100, held)
        assert await town.house.value("SELECT count(*) FROM order_revision") == held
        await town.house.verify()

    points = await interleave(town, prepare, (Lane.ORDERS, Lane.ORDERS), check)
    assert await town.house.value("SELECT count(*) FROM customer_order") == len(points) + 1


async def test_a_cancellation_and_an_acceptance_of_one_order(town: Town) -> None:
    numbers = count(1000)
    order = ""

    async def prepare() -> None:
        nonlocal order
        hub, town.shop.hub_url = town.shop.hub_url, None
        placed = town.shop.place_order([("PASS", 1)])
        body = town.shop.body(placed, "orders/create")
        told = arrival(town, next(numbers), body, topic="orders/create", lane=Lane.ORDERS)
        await store(town, [told])
        await town.house.path()
        order = (await town.order(placed))["id"]
        town.shop.cancel_order(placed.id)
        gone = town.shop.body(placed, "orders/cancelled")
        town.shop.hub_url = hub
        fact = FulfilmentAccepted(at=datetime.now(UTC), fulfilment=f"{order}-1")
        await store(
            town,
            [
                arrival(town, next(numbers), gone, topic="orders/cancelled", lane=Lane.ORDERS),
                arrival(town, next(numbers), encode_facts([fact])),
            ],
        )

    async def check() -> None:
        units = await town.house.value("SELECT sum(quantity)::int FROM slice WHERE order_id = $1", order)
        assert units == 1
        assert await town.house.value("SELECT count(*) FROM inbox") == 0
        await town.house.verify()

    await interleave(town, prepare, (Lane.ORDERS, Lane.FACTS), check)
