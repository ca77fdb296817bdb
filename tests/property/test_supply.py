"""Expected supply is never promised beyond what it is trusted for, and receipts serve by priority, then by promise."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hub.stock.supply import Claim, Expected, Share, share_out
from hub.store.verify import verify_stock
from tests.scenarios.bazaar import Bazaar, build_bazaar
from tests.scenarios.counter import Counter, open_counter
from tests.scenarios.house import build_house

TODAY = date(2026, 5, 1)
NODES = frozenset({1, 2})

Shares = dict[tuple[str, int], list[Share]]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Claim], list[Expected]]:
    """Claims in order of urgency, and supply that others, who are not here, may hold a part of."""
    claims = [
        Claim(
            (f"o{number}", 1),
            draw(st.integers(1, 2)),
            draw(st.integers(1, 6)),
            draw(st.none() | st.integers(1, 5)),
            draw(st.sampled_from((NODES, frozenset({1}), frozenset[int]()))),
        )
        for number in range(draw(st.integers(0, 6)))
    ]
    rows = []
    for id in draw(st.sets(st.integers(1, 4))):
        item = id % 2 + 1
        claims = [c._replace(item=item) if c.supply == id else c for c in claims]
        held = sum(claim.units for claim in claims if claim.supply == id)
        rows.append(
            Expected(
                id=id,
                reference=f"PO-{id}",
                node=draw(st.integers(1, 2)),
                item=item,
                quantity=draw(st.integers(0, 15)),
                confidence=draw(st.sampled_from((0, 50, 100))),
                due=TODAY + timedelta(days=draw(st.integers(-2, 5))),
                promised=held + draw(st.integers(0, 4)),
            )
        )
    return claims, rows


def trusted(row: Expected) -> int:
    return row.quantity * row.confidence // 100 if row.due >= TODAY else 0


def held(claims: list[Claim], shares: Shares, row: Expected) -> int:
    return sum(s.units for c in claims for s in shares[c.key] if s.supply is not None and s.supply.id == row.id)


@given(worlds())
@settings(max_examples=400, deadline=None)
def test_no_more_is_promised_than_is_trusted_and_every_unit_is_accounted_for(
    world: tuple[list[Claim], list[Expected]],
) -> None:
    claims, rows = world
    shares = share_out(claims, rows, TODAY)
    for claim in claims:
        assert sum(share.units for share in shares[claim.key]) == claim.units
        assert all(share.units > 0 for share in shares[claim.key])
        fresh = [s.supply for s in shares[claim.key] if s.supply is not None and s.supply.id != claim.supply]
        assert all(row.item == claim.item and row.node in claim.nodes for row in fresh)
    for row in rows:
        others = row.promised - sum(claim.units for claim in claims if claim.supply == row.id)
        assert held(claims, shares, row) <= max(0, trusted(row) - others)


@given(worlds())
@settings(max_examples=400, deadline=None)
def test_the_more_urgent_is_promised_sooner_and_gives_way_later(world: tuple[list[Claim], list[Expected]]) -> None:
    claims, rows = world
    shares = share_out(claims, rows, TODAY)
    for place, claim in enumerate(claims):
        mine = {s.supply.id if s.supply else None: s.units for s in shares[claim.key]}
        for other in claims[place + 1 :]:
            theirs = {s.supply.id: s.units for s in shares[other.key] if s.supply is not None}
            if claim.supply is not None and claim.supply == other.supply:
                # Who gives way does so wholly before anybody more urgent does.
                assert mine.get(claim.supply, 0) == claim.units or theirs.get(other.supply or 0, 0) == 0
            taken = [row for row in rows if row.id in theirs and row.id != other.supply]
            for row in taken:
                if row.item == claim.item and row.node in claim.nodes and row.id != claim.supply:
                    assert None not in mine, "a unit went to the less urgent that the more urgent lacks"


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_what_is_shared_out_stays_so(world: tuple[list[Claim], list[Expected]]) -> None:
    claims, rows = world
    shares = share_out(claims, rows, TODAY)
    again, number = [], 0
    for claim in claims:
        for share in shares[claim.key]:
            number += 1
            supply = share.supply.id if share.supply else None
            again.append(claim._replace(key=(claim.key[0], number), units=share.units, supply=supply))
    settled = []
    for row in rows:
        before = sum(claim.units for claim in claims if claim.supply == row.id)
        settled.append(row._replace(promised=row.promised - before + held(claims, shares, row)))
    second = share_out(again, settled, TODAY)
    for claim in again:
        assert [(s.units, s.supply.id if s.supply else None) for s in second[claim.key]] == [
            (claim.units, claim.supply)
        ]


# --- a whole hub -----------------------------------------------------------------------------------------------------

_numbers = count(1)
reference = st.sampled_from(("A", "B", "C"))


class Dock(RuleBasedStateMachine):
    """One item of its own that is ordered before it is there, expected, moved, called off and received."""

    runner: ClassVar[asyncio.Runner]
    bazaar: ClassVar[Bazaar]
    counter: ClassVar[Counter]

    @initialize()
    def open(self) -> None:
        """A new item."""
        self.sku = f"ITEM-{next(_numbers)}"
        self.item: int = self.run(self.bazaar.house.item(self.sku))
        self.orders: list[str] = []

    def run(self, work: Any) -> Any:
        """Run to the end."""
        return self.runner.run(work)

    @rule(wanted=st.integers(1, 5))
    def order(self, wanted: int) -> None:
        """Somebody orders."""
        id = f"d{next(_numbers)}"
        self.run(self.bazaar.order("stall", id, (self.sku, wanted), work=False))
        self.run(self.bazaar.house.path())
        self.orders.append(id)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), left=st.integers(0, 2))
    def amend(self, data: st.DataObject, left: int) -> None:
        """He wants fewer, or none."""
        id = data.draw(st.sampled_from(self.orders))
        self.run(self.bazaar.order("stall", id, (self.sku, left), version=next(_numbers) + 1, work=False))
        self.run(self.bazaar.house.path())

    @rule(name=reference, quantity=st.integers(0, 9), days=st.integers(1, 30), confidence=st.sampled_from((60, 100)))
    def expect(self, name: str, quantity: int, days: int, confidence: int) -> None:
        """Supply is announced, moved, made smaller or called off."""
        due = datetime.now(UTC).date() + timedelta(days=days)
        body = {"reference": name, "node": "EAST", "sku": self.sku, "quantity": quantity, "due": due.isoformat()}
        self.run(self.counter.ok("PUT", "/supply", body | {"confidence": confidence}))
        self.run(self._nothing_lies_idle())

    async def _nothing_lies_idle(self) -> None:
        free = await self.bazaar.house.value(
            "SELECT coalesce(sum(greatest(0, quantity * confidence / 100 - promised)), 0)::int FROM supply "
            "WHERE item_id = $1",
            self.item,
        )
        bare = await self.bazaar.house.value(self.WAITING + "AND s.supply IS NULL", self.item)
        assert free == 0 or bare == 0

    @rule(units=st.integers(1, 6), name=st.none() | reference)
    def receive(self, units: int, name: str | None) -> None:
        """Goods come in; the most urgent are served before the answer, and nobody else."""
        self.run(self._receive(units, name))

    LINE = (
        "SELECT o.id, coalesce(min(s.promised_at), 'infinity') AS promise, o.placed_at, coalesce(sum(s.quantity) "
        "FILTER (WHERE s.state = ANY(ARRAY['unallocated', 'backordered'])), 0)::int AS waiting FROM slice s "
        "JOIN demand d ON d.order_id = s.order_id AND d.no = s.demand_no JOIN customer_order o ON o.id = s.order_id "
        "WHERE d.item_id = $1 GROUP BY o.id ORDER BY promise, o.placed_at, o.id"
    )
    WAITING = (
        "SELECT coalesce(sum(s.quantity), 0)::int FROM slice s JOIN demand d ON d.order_id = s.order_id "
        "AND d.no = s.demand_no WHERE d.item_id = $1 AND s.state IN ('unallocated', 'backordered') "
    )

    async def _receive(self, units: int, name: str | None) -> None:
        house = self.bazaar.house
        before = await house.rows(self.LINE, self.item)
        shelf = "SELECT coalesce(sum(sellable - pinned), 0)::int FROM stock WHERE item_id = $1"
        free = units + await house.value(shelf, self.item)
        line = {"node": "EAST", "sku": self.sku, "delta": units} | ({"supply": name} if name else {})
        await self.counter.ok("PUT", "/stock", {"kind": "delta", "source": "dock", "lines": [line]})
        left = {row["id"]: row["waiting"] for row in await house.rows(self.LINE, self.item)}
        for row in before:
            served = min(free, row["waiting"])
            free -= served
            assert row["waiting"] - left[row["id"]] == served

    @invariant()
    def books_are_right(self) -> None:
        """What is promised is what slices say, and no more than is expected."""
        if hasattr(self, "item"):
            self.run(self._check())

    async def _check(self) -> None:
        async with self.bazaar.house.parts.database.connection() as link:
            assert [drift for drift in await verify_stock(link) if drift.item == self.item] == []
        over = "SELECT count(*) FROM supply WHERE item_id = $1 AND promised > quantity * confidence / 100"
        assert await self.bazaar.house.value(over, self.item) == 0


@pytest.mark.timeout(240)
def test_promises_are_kept_within_supply_and_receipts_are_fair(
    database_url: str, queue_url: str, engine_folder: Path
) -> None:
    with asyncio.Runner() as runner:
        house = runner.run(build_house(database_url, queue_url, engine_folder))
        Dock.runner, Dock.bazaar = runner, runner.run(build_bazaar(house))
        try:
            runner.run(house.serve())
            runner.run(Dock.bazaar.stall("stall"))
            Dock.counter = runner.run(open_counter(house))
            policy = {"text": 'version = "dock"\nremainder = "backorder"'}
            kept = runner.run(Dock.counter.ok("POST", "/policies", policy))
            runner.run(Dock.counter.ok("POST", f"/policies/{kept['id']}/activate"))
            run_state_machine_as_test(
                Dock,
                settings=settings(
                    max_examples=6,
                    stateful_step_count=14,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                    derandomize=True,
                ),
            )
        finally:
            runner.run(Dock.counter.client.aclose())
            runner.run(house.close())
