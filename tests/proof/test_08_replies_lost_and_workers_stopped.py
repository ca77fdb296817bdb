"""Test 8: a reply that is lost after the vendor acted, and a worker that is stopped past its lease, have one effect."""

import asyncio
from typing import Any

from hub.worker.deliver import Deliverer
from tests.scenarios.town import Town


def other_worker(town: Town, lease_seconds: float) -> Deliverer:
    """A worker of its own over the same database and the same vendors."""
    parts = town.house.parts
    made = town.house.worker.deliverer
    return Deliverer(
        parts.database,
        parts.configuration,
        made._clients,
        made._clock,
        made._backoff,
        lease_seconds=lease_seconds,
        concurrency=8,
        ring=parts.bells.here,
    )


class Stopped:
    """Holds up a worker between its claim and its first request, as SIGSTOP would."""

    def __init__(self, deliverer: Deliverer) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        self._call = deliverer._call
        deliverer._call = self._wait  # type: ignore[method-assign,assignment]

    async def _wait(self, *arguments: Any) -> Any:
        self.reached.set()
        await self.go_on.wait()
        return await self._call(*arguments)


async def test_a_worker_stopped_past_its_lease_sends_nothing_that_others_have_sent(town: Town) -> None:
    lease = 0.4
    late, other = other_worker(town, lease), other_worker(town, lease)
    stopped = Stopped(late)
    placed = [town.shop.place_order([("PASS", 1)]) for _ in range(12)]
    await town.shop.delivered()
    await town.house.path()
    await late.run()
    await stopped.reached.wait()
    await asyncio.sleep(lease)
    await other.run()
    await other.drain()
    references = [f"{(await town.order(one))['id']}-1" for one in placed]
    assert town.depot.orders_created == dict.fromkeys(references, 1)

    stopped.go_on.set()
    await late.drain()
    assert town.depot.orders_created == dict.fromkeys(references, 1), "the vendor takes an order twice; we must not"
    outcomes = await town.house.rows("SELECT outcome, count(*) FROM attempt GROUP BY 1 ORDER BY 1")
    assert {row["outcome"]: row["count"] for row in outcomes}["done"] == 12
    await town.settle()
    assert await town.house.value("SELECT count(*) FROM outbox") == 0


async def test_a_commit_under_a_lost_lease_changes_nothing(town: Town) -> None:
    lease = 0.4
    late, other = other_worker(town, lease), other_worker(town, lease)
    keep, go_on, reached = late._recorder.keep, asyncio.Event(), asyncio.Event()

    async def wait(*arguments: Any) -> None:
        reached.set()
        await go_on.wait()
        await keep(*arguments)

    late._recorder.keep = wait  # type: ignore[method-assign,assignment]
    town.depot.faults.outage = True
    placed = town.shop.place_order([("PASS", 1)])
    await town.shop.delivered()
    await town.house.path()
    await late.run()
    await reached.wait()
    town.depot.faults.outage = False
    await asyncio.sleep(lease)
    await other.run()
    await other.drain()
    after = await town.house.rows("SELECT * FROM fulfilment_order")
    go_on.set()
    await late.drain()
    assert await town.house.rows("SELECT * FROM fulfilment_order") == after, "what failed late undoes nothing"
    assert await town.house.value("SELECT count(*) FROM outbox") == 0
    await town.settle()
    assert town.asked((await town.order(placed))["id"]).status == "pending"
