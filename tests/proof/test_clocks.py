"""Clocks: processes whose clocks differ, or jump and come back, delay nothing by more than the pause they meant."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from adapters.shiphero.pulls import OVERLAP, Place, begin
from hub.sdk.limits import LocalBuckets
from hub.sdk.wire import RateLimit, RateReading
from hub.store.unit_of_work import PostgresUnit
from hub.worker.buckets import SharedBuckets
from tests.scenarios.test_intake import deliver, quiet_order
from tests.scenarios.town import Town

HOUR = timedelta(hours=1)
LIMIT = RateLimit(scope="account", key="acme", capacity=4, per_second=2)
SOON = "interval '1 minute'"


def ahead() -> datetime:
    """An hour too late."""
    return datetime.now(UTC) + HOUR


def behind() -> datetime:
    """An hour too early."""
    return datetime.now(UTC) - HOUR


async def wrong_clock(town: Town, clock: Callable[[], datetime]) -> None:
    """A worker with a wrong clock fails at everything it tries; an order waits for stock, one effect for the depot."""
    worker = town.house.worker
    worker.deliverer._clock = worker.fetcher._clock = worker.puller._clock = worker.performer._clock = clock
    town.depot.faults.outage = town.shop.faults.outage = True
    await town.goods("LAMP", east=1)
    town.shop.place_order([("LAMP", 2)])
    town.shop.place_order([("PASS", 1)])
    thin = quiet_order(town)
    assert await deliver(town, town.shop.body(thin, "orders/edited", ({}, {})), topic="orders/edited") == 200
    await town.house.run("INSERT INTO schedule (connection_id, operation, every_seconds) VALUES ('shop', 'orders', 60)")
    await town.shop.delivered()
    await town.house.path()
    await worker.fetcher.run()
    await worker.puller.run()
    await worker.deliverer.run()
    await worker.deliverer.drain()


async def test_what_failed_by_a_clock_that_was_ahead_is_tried_again_soon(town: Town) -> None:
    await wrong_clock(town, ahead)
    for table, time in (("outbox", "due_at"), ("inbox", "due_at"), ("schedule", "next_due_at")):
        due = await town.house.rows(f"SELECT {time} <= now() + {SOON} AS soon FROM {table}")
        assert due, table
        assert all(row["soon"] for row in due), f"{table}: waits as long as the clock was wrong"


async def test_an_order_that_was_woken_by_a_clock_that_was_ahead_is_tried_at_once(town: Town) -> None:
    item = await town.goods("LAMP")
    placed = town.shop.place_order([("LAMP", 1)])
    await town.settle()
    assert [queue for queue, _ in await town.waiting()] == ["shortage"]
    await town.house.shelf(town.east, item, 5)
    async with town.house.parts.database.transaction() as connection:
        assert await PostgresUnit(connection).wake("default", [f"item:{item}"], ahead()) == 1
    await town.settle()
    assert await town.slices((await town.order(placed))["id"]) == [(1, "accepted", town.east)]


async def test_a_pause_by_one_clock_is_the_same_pause_by_another(queue_url: str) -> None:
    buckets = SharedBuckets(queue_url)
    limit = RateLimit(scope="account", key=f"clocks-{datetime.now(UTC).timestamp()}", capacity=4, per_second=2)
    try:
        await buckets.take(limit, 1, ahead())
        await buckets.feed(limit, RateReading(scope="account", not_before=ahead() + timedelta(seconds=3)), ahead())
        for clock in (datetime.now(UTC), behind(), ahead()):
            assert 0 < await buckets.take(limit, 1, clock) <= 4
    finally:
        await buckets.close()


async def test_a_clock_that_is_put_back_lengthens_no_pause() -> None:
    buckets, now = LocalBuckets(), datetime.now(UTC)
    await buckets.feed(LIMIT, RateReading(scope="account", not_before=now + HOUR + timedelta(seconds=3)), now + HOUR)
    assert 0 < await buckets.take(LIMIT, 1, now) <= 4


def test_a_pull_begun_by_a_clock_that_was_ahead_skips_nothing() -> None:
    now = datetime.now(UTC)
    ended_ahead = Place(since=now + HOUR - OVERLAP)
    place = begin(msgspec.json.encode(ended_ahead).decode(), None, now)
    assert place.since == now - OVERLAP
