"""Do all books agree? The shop's and the depot's own, the hub's database, and its ledger."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import asyncpg

from hub.sdk.webhook import peek_id
from hub.store.verify import verify_stock
from tests.faults.world import WAREHOUSE, World

LOOK_SECONDS: Final = 0.25
SLOW_SECONDS: Final = 10.0

AWAY: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What looking at a database that has just been killed may raise; one looks again."""

TABLES: Final = {
    "slices": "SELECT * FROM slice",
    "inbox": "SELECT * FROM inbox",
    "outbox": "SELECT * FROM outbox",
    "schedules": "SELECT * FROM schedule",
    "attempts": "SELECT * FROM attempt ORDER BY effect_id, no",
    "effects": "SELECT id, kind, key, subject, order_id FROM effect ORDER BY id",
    "ledger": "SELECT l.*, i.sku FROM stock_ledger l JOIN item i ON i.id = l.item_id ORDER BY l.id",
    "messages": "SELECT id, connection_id, topic, object, key, received_at, convert_from(body, 'UTF8') AS body "
    "FROM message ORDER BY id",
    "timeline": "SELECT * FROM timeline ORDER BY id",
    "exceptions": "SELECT * FROM exception",
}
"""What is kept of a failed run, for whoever looks into it."""

UNFINISHED: Final = (
    "SELECT (SELECT count(*) FROM inbox WHERE NOT parked) + (SELECT count(*) FROM outbox WHERE NOT parked) "
    "+ (SELECT count(*) FROM slice s WHERE s.state <> 'shipped' AND NOT (s.state = 'unallocated' AND EXISTS "
    "(SELECT FROM waiting w WHERE w.order_id = s.order_id AND w.demand_no = s.demand_no)))"
)
"""What is neither done nor waiting for stock under a name."""
LINGERING: Final = (
    "SELECT s.order_id, s.fulfilment_no, s.state, f.handoff, f.partner_reference FROM slice s "
    "LEFT JOIN fulfilment_order f ON f.order_id = s.order_id AND f.no = s.fulfilment_no "
    "WHERE s.state NOT IN ('shipped', 'unallocated') LIMIT 5"
)
PARKED: Final = (
    # Told by a clock that was an hour slow: a person is asked, and the next pull has counted the shelf anew.
    "SELECT id, last_error FROM inbox WHERE parked AND last_error NOT LIKE 'stock_from_the_future:%'",
    "SELECT id, last_error FROM outbox WHERE parked",
)


class Verdict(NamedTuple):
    """How the wait for the books ended."""

    faults: list[str]
    """What disagreed when the time was over; empty when the books agreed."""
    open_late: list[str]
    """What was open still after `SLOW_SECONDS`: a slow run says what it waited for."""


async def agree(world: World, seconds: float) -> Verdict:
    """Wait until everything is at rest and all books agree."""
    loop = asyncio.get_running_loop()
    began, late = loop.time(), list[str]()
    faults = ["the database was never reached"]
    while loop.time() - began < seconds:
        with contextlib.suppress(*AWAY):
            faults = await compare(world)
            if not faults:
                break
        if not late and loop.time() - began > SLOW_SECONDS:
            late = faults
        await asyncio.sleep(LOOK_SECONDS)
    return Verdict(faults, late)


async def keep(world: World) -> Mapping[str, Any]:
    """The tables that tell what happened."""
    kept: dict[str, Any] = {}
    for name, sql in TABLES.items():
        with contextlib.suppress(*AWAY):
            kept[name] = await world.house.rows(sql)
    return kept


async def compare(world: World) -> list[str]:
    """Every disagreement that stands now."""
    house, shop = world.house, world.shop
    # Cheap first: while work is under way nothing else needs to be looked at.
    under_way = len(shop._deliveries) + len(world.depot._deliveries)
    faults = [f"{under_way} deliveries are under way"] if under_way else []
    faults += await stuck(world)
    if faults:
        return faults
    given_up = [*shop.undelivered, *world.depot.undelivered]
    faults = [f"{len(given_up)} deliveries were given up: never acknowledged"] if given_up else []
    kept = {row["external_id"] for row in await house.rows("SELECT external_id FROM customer_order")}
    refused = {peek_id(sent.body) for sent in shop.undelivered}
    lost = [order for order in map(str, shop.orders) if order not in kept and order not in refused]
    faults += [f"order {order} was acknowledged and is lost" for order in lost]
    for sql in PARKED:
        faults += [f"parked: {row}" for row in await house.rows(sql)]
    return [*faults, *await _at_the_depot(world), *await _at_the_shop(world), *await _on_the_shelf(world)]


async def stuck(world: World) -> list[str]:
    """What is neither done nor waits under a name."""
    if not await world.house.value(UNFINISHED):
        return []
    rows = world.house.rows
    states = await rows("SELECT state, count(*) FROM slice GROUP BY 1")
    queued = await rows(
        "SELECT lane, parked, count(*), max(due_at - now())::text AS due_in, max(lease_until - now())::text AS leased, "
        "max(last_error) AS error FROM inbox GROUP BY 1, 2"
    )
    sending = await rows(
        "SELECT connection_id, parked, count(*), max(due_at - now())::text AS due_in, max(last_error) AS error "
        "FROM outbox GROUP BY 1, 2"
    )
    lingering = await rows(LINGERING)
    places = [f"{row['order_id']}-{row['fulfilment_no']}" for row in lingering]
    there = [
        (place, order.status, order.updated_at.isoformat(), order.shipments)
        for place in places
        for order in world.depot.found(place)
    ]
    schedules = await rows("SELECT operation, cursor, last_error FROM schedule")
    return [
        f"stuck: slices {states}, inbox {queued}, outbox {sending}, for example {lingering}",
        f"the depot has {there}, its pulls stand at {schedules}, it gave up {len(world.depot.undelivered)} deliveries",
    ]


async def _at_the_depot(world: World) -> list[str]:
    """Each fulfilment order exists there once, and none that the hub does not know."""
    rows = await world.house.rows("SELECT order_id, no FROM fulfilment_order")
    submitted = {f"{row['order_id']}-{row['no']}" for row in rows}
    created = world.depot.orders_created
    faults = [
        f"{reference} was created {times} times at the depot" for reference, times in created.items() if times > 1
    ]
    faults += [f"the depot has {reference}, which the hub does not know" for reference in created.keys() - submitted]
    return [*faults, *(f"{reference} never reached the depot" for reference in submitted - created.keys())]


async def _at_the_shop(world: World) -> list[str]:
    """What the shop was told to have left is what left, never more than was ordered."""
    rows = await world.house.rows(
        "SELECT o.external_id, sum(s.quantity) AS units FROM slice s JOIN customer_order o ON o.id = s.order_id "
        "WHERE s.state = 'shipped' GROUP BY 1"
    )
    shipped = {row["external_id"]: row["units"] for row in rows}
    faults = []
    for number, order in world.shop.orders.items():
        told = sum(sum(one.lines.values()) for one in world.shop.fulfilments.get(number, ()))
        wanted, left = sum(line.quantity for line in order.lines), shipped.get(str(number), 0)
        if told != left or told > wanted:
            faults.append(f"order {number}: {wanted} units wanted, {left} left, {told} told to the shop")
    return faults


async def _on_the_shelf(world: World) -> list[str]:
    """Ledger, counters, slices and the depot's shelves agree; nothing is promised that is not there, or left over."""
    async with world.house.parts.database.connection() as connection:
        faults = [f"drift: {drift}" for drift in await verify_stock(connection)]
    rows = await world.house.rows("SELECT i.sku, s.sellable, s.pinned FROM stock s JOIN item i ON i.id = s.item_id")
    for row in rows:
        sku, free = row["sku"], row["sellable"] - row["pinned"]
        shelf = world.depot.inventory[WAREHOUSE, sku].on_hand
        if free < 0:
            faults.append(f"{sku}: oversold by {-free}")
        if row["sellable"] != shelf:
            faults.append(f"{sku}: {shelf} on the depot's shelf, {row['sellable']} in the books")
        if free > 0 and world.wanted[sku] > world.shelved[sku]:
            faults.append(f"{sku}: {free} units lie there though orders wait for it")
    return faults
