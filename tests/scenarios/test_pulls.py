"""Pulls of different connections run side by side, each has its turn, and none is pulled twice at once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from hub.sdk.adapter import Adapter, Form, Kind, Lane, Pull, Topic
from hub.sdk.capabilities import Context, Page, Pulled
from hub.sdk.translate import Tables
from hub.sdk.wire import Transport
from hub.store.schedules import claim_due
from hub.wiring import build_worker
from hub.worker import pull
from tests.scenarios.bazaar import Stall
from tests.scenarios.house import House


def _nothing(body: bytes, tables: Tables) -> tuple[()]:
    return ()


@dataclass
class Mill:
    """A made-up vendor whose pages come one by one: cursors are numbers, and each page names its connection."""

    house: House
    asked: list[str] = field(default_factory=list)
    at_once: dict[str, int] = field(default_factory=dict)
    most: int = 0
    length: int = 3
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    slow: set[str] = field(default_factory=set)
    says_last: bool = False
    """Whether the last page says that it is."""

    async def pages(self, context: Context[Stall], cursor: str | None, /) -> AsyncIterator[Page]:
        """Pages from the cursor on."""
        name = context.settings.name
        self.at_once[name] = self.at_once.get(name, 0) + 1
        self.most = max(self.most, self.at_once[name])
        try:
            for number in range(int(cursor or 0), self.length):
                if name in self.slow:
                    await self.gate.wait()
                self.asked.append(f"{name} {number}")
                await asyncio.sleep(0)
                body = msgspec.json.encode([name, number])
                item = Pulled(key=f"{name}:{number}", topic="ground", object=None, body=body)
                yield Page(items=(item,), cursor=str(number + 1), last=self.says_last and number + 1 == self.length)
        finally:
            self.at_once[name] -= 1

    def adapter(self) -> Adapter:
        """The vendor's adapter."""
        grain, flour = (Pull(pages=self.pages, every_seconds=60, resumes=resumes) for resumes in (True, False))
        return Adapter(
            name="mill",
            title="Mill",
            kind=Kind.CHANNEL,
            settings=Stall,
            account=lambda settings: settings.name,
            transport=lambda settings: Transport(base_url="https://mill.invalid"),
            topics={"ground": Topic(lane=Lane.ORDERS, form=Form.SNAPSHOT, translate=_nothing, ignore=True)},
            pulls={"grain": grain, "flour": flour},
        )

    async def connect(self, name: str, *operations: str) -> None:
        """A connection whose pulls are due; the first connected are due the longest."""
        account = await self.house.value(
            "INSERT INTO account (merchant, adapter, name) VALUES ('default', 'mill', $1) RETURNING id", name
        )
        await self.house.run(
            "INSERT INTO connection (id, merchant, account_id, adapter, name, config) "
            "VALUES ($1, 'default', $2, 'mill', $1, $3)",
            name,
            account,
            msgspec.json.encode({"name": name}).decode(),
        )
        for operation in operations or ("grain",):
            await self.house.run(
                "INSERT INTO schedule (connection_id, operation, every_seconds) VALUES ($1, $2, 60)", name, operation
            )

    async def schedule(self, name: str) -> dict[str, Any]:
        (row,) = await self.house.rows(
            "SELECT cursor, next_due_at <= now() AS due, lease_until IS NOT NULL AS leased, last_error FROM schedule "
            "WHERE connection_id = $1",
            name,
        )
        return row


@pytest.fixture
async def mill(house: House) -> Mill:
    made = Mill(house)
    reader = house.parts.configuration
    reader.adapters = {**reader.adapters, "mill": made.adapter()}
    return made


@pytest.mark.parametrize(("says_last", "due"), [(True, False), (False, True)])
async def test_a_turn_that_ends_with_the_last_page_ends_the_pull(
    mill: Mill, monkeypatch: pytest.MonkeyPatch, says_last: bool, due: bool
) -> None:
    """Else a scan of as many pages as a turn has would begin anew at once, for ever."""
    monkeypatch.setattr(pull, "RUN_PAGES", 3)
    mill.says_last = says_last
    await mill.connect("grist")
    await mill.house.worker.puller.run()
    found = await mill.schedule("grist")
    assert (found["cursor"], found["due"], found["last_error"]) == ("3", due, None)


async def test_a_pull_that_takes_long_holds_up_no_other_connection(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "PATIENCE_SECONDS", 0.05, raising=False)
    mill.slow = {"drip"}
    for name in ("drip", "left", "right"):
        await mill.connect(name)
    running = asyncio.create_task(_run_until(mill, "right 2"))
    try:
        async with asyncio.timeout(5):
            await running
        assert sorted(mill.asked) == [f"{name} {page}" for name in ("left", "right") for page in range(3)]
    finally:
        mill.gate.set()
        await mill.house.worker.puller.drain()
    assert (await mill.schedule("drip"))["cursor"] in ("1", "3")


async def _run_until(mill: Mill, asked: str) -> None:
    while asked not in mill.asked:
        await mill.house.worker.puller.run()
        await asyncio.sleep(0.01)


async def test_two_pulls_of_one_connection_never_run_at_once(mill: Mill) -> None:
    await mill.connect("left", "grain", "flour")
    other = build_worker(mill.house.parts)
    for _ in range(2):
        await asyncio.gather(mill.house.worker.puller.run(), other.puller.run())
    assert sorted(mill.asked) == sorted(2 * [f"left {page}" for page in range(3)])
    assert mill.most == 1


async def test_a_long_pull_gives_others_their_turn_and_goes_on_where_it_was(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "AT_ONCE", 1, raising=False)
    monkeypatch.setattr(pull, "RUN_PAGES", 4, raising=False)
    mill.length = 10
    await mill.connect("long")
    await mill.connect("other")
    await mill.house.worker.puller.run()
    assert mill.asked == [f"long {page}" for page in range(4)]
    assert await mill.schedule("long") == {"cursor": "4", "due": True, "leased": False, "last_error": None}
    await mill.house.worker.puller.run()
    assert mill.asked[4:] == [f"other {page}" for page in range(4)], "it was due before the rest of the long one"
    while await mill.house.worker.puller.run():
        pass
    assert [one for one in mill.asked if one.startswith("long")] == [f"long {page}" for page in range(10)]
    assert await mill.schedule("long") == {"cursor": "10", "due": False, "leased": False, "last_error": None}
    assert await mill.house.value("SELECT count(*) FROM message") == 20, "every page once"


async def test_a_pull_that_would_begin_anew_is_never_cut_short(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "RUN_PAGES", 4)
    mill.length = 10
    await mill.connect("left", "flour")
    assert await mill.house.worker.puller.run() == 1
    assert len(mill.asked) == 10


async def test_a_worker_that_stops_lets_go_of_what_it_pulls(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "DRAIN_SECONDS", 0.05)
    monkeypatch.setattr(pull, "PATIENCE_SECONDS", 0.05)
    mill.slow = {"drip"}
    await mill.connect("drip")
    puller = mill.house.worker.puller
    assert await puller.run() == 1
    assert (await mill.schedule("drip"))["leased"]
    began = datetime.now(UTC)
    await puller.drain()
    assert (datetime.now(UTC) - began).total_seconds() < 3
    assert await mill.schedule("drip") == {"cursor": None, "due": True, "leased": False, "last_error": None}
    assert mill.at_once == {"drip": 0}
    assert await puller.run() == 0, "it has stopped"
    mill.gate.set()
    assert await build_worker(mill.house.parts).puller.run() == 1
    assert (await mill.schedule("drip"))["cursor"] == "3"


async def test_a_pull_that_must_be_asked_for_is_off_until_its_mode_is_set(mill: Mill) -> None:
    reader = mill.house.parts.configuration
    asked_for = msgspec.structs.replace(mill.adapter(), opt_in=frozenset({"pull_grain"}))
    reader.adapters = {**reader.adapters, "mill": asked_for}
    await mill.connect("left")
    await mill.house.worker.puller.run()
    assert mill.asked == []
    assert (await mill.schedule("left"))["last_error"] is None
    await mill.house.run("UPDATE connection SET modes = $1", '{"pull_grain": "live"}')
    await mill.house.run("UPDATE schedule SET next_due_at = now()")
    await mill.house.worker.puller.run()
    assert mill.asked == [f"left {page}" for page in range(3)]


async def test_a_claim_leases_one_pull_however_the_database_plans_it(mill: Mill) -> None:
    await mill.connect("left")
    # Statistics of a table with one row: whatever is joined to it is joined row by row.
    await mill.house.run("ANALYZE schedule")
    for name in ("middle", "right"):
        await mill.connect(name)
    async with mill.house.parts.database.transaction() as connection:
        assert await claim_due(connection, 30.0) is not None
        leased = await connection.fetch("SELECT connection_id FROM schedule WHERE lease_until IS NOT NULL")
    assert [row["connection_id"] for row in leased] == ["left"]
