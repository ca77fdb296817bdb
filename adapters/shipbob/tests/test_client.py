"""The adapter and a running ShipBob: orders, cancels and pulls over real HTTP."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from adapters.shipbob import client
from adapters.shipbob.harness import CICERO, HARNESS, SUBMIT, place, settings
from adapters.shipbob.settings import Settings
from adapters.shipbob.simulator import ShipBobSimulator
from adapters.shipbob.simulator_books import Pace
from hub.domain.facts import CancelConfirmed, FulfilmentAccepted, FulfilmentHeld, GoodsShipped, UnitsPicked, UnitsShort
from hub.domain.shipping import ParcelLine
from hub.sdk.capabilities import Context, FulfilmentCancel, FulfilmentRequest, Page, Pulled
from hub.sdk.outcomes import Done, Interrupted, NeedsPerson, Refused, RetryLater
from hub.sdk.testkit.bench import Bench
from hub.sdk.testkit.samples import ORDER as ORDER_ID

Facts = Callable[[Iterable[Pulled]], list[Any]]
NOW = datetime(2026, 1, 16, 12, tzinfo=UTC)


def numbered(number: int) -> FulfilmentRequest:
    """A request of its own."""
    return msgspec.structs.replace(SUBMIT, fulfilment=f"{ORDER_ID}-{number}")


def cancel_of(outcome: Done) -> FulfilmentCancel:
    return FulfilmentCancel(
        key="cancel", fulfilment=SUBMIT.fulfilment, partner_reference=outcome.reference, reason="asked"
    )


async def submitted(context: Context[Settings], wanted: FulfilmentRequest = SUBMIT) -> Done:
    outcome = await client.submit_fulfilment(context, wanted)
    assert isinstance(outcome, Done)
    return outcome


async def status(context: Context[Settings], cursor: str | None = None) -> list[Page]:
    return [page async for page in client.pull_status(context, cursor)]


async def stock(context: Context[Settings]) -> list[Page]:
    return [page async for page in client.pull_stock(context, None)]


def items(pages: list[Page]) -> list[Pulled]:
    return [item for page in pages for item in page.items]


class TestSubmit:
    async def test_twice_is_one_order(self, sim: ShipBobSimulator, context: Context[Settings]) -> None:
        first, again = await submitted(context), await submitted(context)
        assert again.found
        assert again.reference == first.reference
        assert sim.orders_created == {SUBMIT.fulfilment: 1}

    async def test_the_same_reference_with_other_goods_needs_a_person(self, context: Context[Settings]) -> None:
        await submitted(context)
        other = msgspec.structs.replace(SUBMIT, lines=SUBMIT.lines[:1])
        assert isinstance(await client.submit_fulfilment(context, other), NeedsPerson)

    async def test_looking_first_and_finding_nothing_submits(
        self, sim: ShipBobSimulator, context: Context[Settings]
    ) -> None:
        outcome = await submitted(context, msgspec.structs.replace(SUBMIT, look_first=True))
        assert not outcome.found
        assert sim.orders_created[SUBMIT.fulfilment] == 1

    async def test_an_address_shipbob_cannot_use_costs_no_call(
        self, sim: ShipBobSimulator, context: Context[Settings]
    ) -> None:
        contact = msgspec.structs.replace(SUBMIT.ship_to, city=None)
        outcome = await client.submit_fulfilment(context, msgspec.structs.replace(SUBMIT, ship_to=contact))
        assert isinstance(outcome, NeedsPerson)
        assert not sim.calls


class TestCancel:
    async def test_what_was_not_picked_stops(self, sim: ShipBobSimulator, context: Context[Settings]) -> None:
        outcome = await client.cancel_fulfilment(context, cancel_of(await submitted(context)))
        assert isinstance(outcome, Done)
        assert [type(fact) for fact in outcome.facts] == [CancelConfirmed]
        assert sim.books.by_reference[SUBMIT.fulfilment].status == "Cancelled"
        assert +sim.books.committed == {}

    async def test_without_their_number_it_is_found_by_ours(
        self, sim: ShipBobSimulator, context: Context[Settings]
    ) -> None:
        done = await submitted(context)
        wanted = msgspec.structs.replace(cancel_of(done), partner_reference=None)
        assert isinstance(await client.cancel_fulfilment(context, wanted), Done)
        assert sim.books.by_reference[SUBMIT.fulfilment].status == "Cancelled"

    async def test_what_is_picked_is_refused(self, sim: ShipBobSimulator, context: Context[Settings]) -> None:
        done = await submitted(context)
        sim.books.by_reference[SUBMIT.fulfilment].shipments[0].detail = "Picked"
        outcome = await client.cancel_fulfilment(context, cancel_of(done))
        assert isinstance(outcome, Refused)
        assert "already been picked" in outcome.reason

    async def test_an_order_cancelled_by_hand_is_done(self, sim: ShipBobSimulator, context: Context[Settings]) -> None:
        done = await submitted(context)
        sim.books.cancel(sim.books.by_reference[SUBMIT.fulfilment], sim.now())
        outcome = await client.cancel_fulfilment(context, cancel_of(done))
        assert isinstance(outcome, Done)
        assert outcome.found

    async def test_an_order_nobody_submitted_needs_a_person(self, context: Context[Settings]) -> None:
        wanted = FulfilmentCancel(key="c", fulfilment="F-9", partner_reference=None, reason="asked")
        assert isinstance(await client.cancel_fulfilment(context, wanted), NeedsPerson)


class TestStatus:
    async def test_an_orders_life(self, sim: ShipBobSimulator, context: Context[Settings], facts_of: Facts) -> None:
        sim.books.pace.ship_after_ms = 1000
        clock = sim.now()
        sim.now = lambda: clock
        await submitted(context)
        seen: list[list[type]] = []
        for _ in range(3):
            seen.append([type(fact) for fact in facts_of(items(await status(context)))])
            clock += timedelta(milliseconds=501)
        assert seen == [
            [FulfilmentAccepted, FulfilmentHeld],
            [FulfilmentAccepted, FulfilmentHeld, UnitsPicked],
            [FulfilmentAccepted, GoodsShipped],
        ]
        assert sim.books.stock[CICERO] == {"MUG-RED": 48, "TEE-M": 49}

    async def test_a_split_order_leaves_in_two_shipments_that_add_up(
        self, sim: ShipBobSimulator, context: Context[Settings], facts_of: Facts
    ) -> None:
        sim.books.pace = Pace(ship_after_ms=0, split_rate=1)
        await submitted(context)
        shipped = [fact for fact in facts_of(items(await status(context))) if isinstance(fact, GoodsShipped)]
        assert [fact.parcels[0].lines for fact in shipped] == [
            (ParcelLine(line="1", quantity=1),),
            (ParcelLine(line="1", quantity=1), ParcelLine(line="2", quantity=1)),
        ]
        assert len({fact.shipment for fact in shipped}) == 2

    async def test_a_shortage_is_told_once(
        self, sim: ShipBobSimulator, context: Context[Settings], facts_of: Facts
    ) -> None:
        sim.books.stock[CICERO]["TEE-M"] = 0
        await submitted(context)
        first = items(await status(context))
        (short,) = [fact for fact in facts_of(first) if isinstance(fact, UnitsShort)]
        assert {line.line: line.quantity for line in short.lines} == {"1": 2, "2": 1}
        sim.books.by_reference[SUBMIT.fulfilment].shipments[0].updated += timedelta(seconds=1)
        again = items(await status(context))
        assert [one.key == other.key for one, other in zip(first, again, strict=True)] == [False, True]

    async def test_more_than_a_page_is_read_by_narrower_windows(
        self, sim: ShipBobSimulator, context: Context[Settings], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client.calls, "PAGE", 10)
        await changed_at(sim, [NOW - timedelta(minutes=7 * number) for number in range(80)])
        at_noon = msgspec.structs.replace(context, now=lambda: NOW)
        pages = await status(at_noon)
        per_page = [[item for item in page.items if item.topic == "order"] for page in pages]
        assert len({item.object for page in per_page for item in page}) == 80
        assert all(len(page) < 10 for page in per_page)
        assert sum(sim.calls.values()) < 40
        cursors = [page.cursor for page in pages]
        assert cursors == sorted(cursors)
        assert cursors[-1] == "2026-01-16T12:00:00.000Z"

    async def test_a_second_with_more_than_a_page_is_paged(
        self, sim: ShipBobSimulator, context: Context[Settings], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client.calls, "PAGE", 10)
        await changed_at(sim, [NOW - timedelta(minutes=5)] * 25)
        near = msgspec.structs.replace(context, now=lambda: NOW)
        pages = await status(near, (NOW - timedelta(minutes=4)).isoformat())
        assert len({item.object for item in items(pages)}) == 25

    async def test_a_pull_goes_on_from_its_cursor_and_looks_back_a_little(
        self, sim: ShipBobSimulator, context: Context[Settings]
    ) -> None:
        await changed_at(sim, [NOW - timedelta(hours=2), NOW - timedelta(seconds=90)])
        at_noon = msgspec.structs.replace(context, now=lambda: NOW)
        last = (await status(at_noon))[-1].cursor
        later = msgspec.structs.replace(context, now=lambda: NOW + timedelta(seconds=20))
        found = {item.object for item in items(await status(later, last))}
        assert found == {"order:100001"}

    async def test_the_first_pull_begins_when_the_connection_went_live(
        self, sim: ShipBobSimulator, context: Context[Settings]
    ) -> None:
        await changed_at(sim, [NOW - timedelta(hours=2), NOW - timedelta(minutes=5)])
        live = msgspec.structs.replace(context.connection, live_from=NOW - timedelta(hours=1))
        pages = await status(msgspec.structs.replace(context, connection=live, now=lambda: NOW))
        assert [item.object for item in items(pages)] == ["order:100001"]


async def changed_at(sim: ShipBobSimulator, moments: list[datetime]) -> None:
    """Orders that last changed at the given moments."""
    now = sim.now
    for number, moment in enumerate(sorted(moments), 1):
        sim.now = lambda moment=moment: moment  # type: ignore[misc]
        place(sim, numbered(number))
    sim.now = now


class TestStock:
    async def test_all_pages_and_locations(
        self, sim: ShipBobSimulator, context: Context[Settings], facts_of: Facts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client.calls, "PAGE", 2)
        sim.books.stock = {3: {"A": 5, "B": 0, "C": 7}, 4: {"A": 2}}
        pages = await stock(context)
        found = {(line.location, line.sku): line.on_hand for fact in facts_of(items(pages)) for line in fact.lines}
        assert found == {
            ("3", "A"): 5,
            ("3", "B"): 0,
            ("3", "C"): 7,
            ("4", "A"): 2,
            ("4", "B"): 0,
            ("4", "C"): 0,
        }
        assert len(pages) == 2

    async def test_a_page_is_true_when_it_was_asked_for_and_told_anew_each_time(
        self, context: Context[Settings], facts_of: Facts
    ) -> None:
        noon = msgspec.structs.replace(context, now=lambda: NOW)
        later = msgspec.structs.replace(context, now=lambda: NOW + timedelta(minutes=5))
        (first,), (second,) = items(await stock(noon)), items(await stock(later))
        assert [fact.at for fact in facts_of([first, second])] == [NOW, NOW + timedelta(minutes=5)]
        assert first.key != second.key, "levels that went and came back must not be taken for the old message"

    async def test_promised_units_are_still_on_the_shelf(
        self, sim: ShipBobSimulator, context: Context[Settings], facts_of: Facts
    ) -> None:
        await submitted(context)
        (report,) = facts_of(items(await stock(context)))
        assert {line.sku: line.on_hand for line in report.lines} == {"MUG-RED": 50, "TEE-M": 50}
        assert sim.books.committed[CICERO, "MUG-RED"] == 2


class TestLimits:
    async def test_a_hundred_submissions_at_once_stay_within_the_limit(self, sim: ShipBobSimulator) -> None:
        sim.per_minute = 30
        known = msgspec.structs.replace(settings(sim), requests_per_minute=30)
        async with Bench(HARNESS, sim, known).context() as context:
            outcomes = []
            for number in range(1, 60):
                try:
                    outcomes.append(await client.submit_fulfilment(context, numbered(number)))
                except Interrupted as interrupted:
                    outcomes.append(interrupted.outcome)
                    break
        assert isinstance(outcomes[-1], RetryLater)
        assert outcomes[-1].at is not None
        assert sim.violations == []

    async def test_the_simulator_notices_who_breaks_it(self, sim: ShipBobSimulator) -> None:
        sim.per_minute = 3
        async with Bench(HARNESS, sim, settings(sim)).context() as context:
            for _ in range(3):
                await client.probe(context)
            with pytest.raises(Interrupted) as caught:
                await client.probe(context)
        assert isinstance(caught.value.outcome, RetryLater)
        assert len(sim.violations) == 1


async def test_the_probe_says_what_is_wrong_with_the_channel(sim: ShipBobSimulator) -> None:
    known = msgspec.structs.replace(settings(sim), channel_id=5)
    async with Bench(HARNESS, sim, known).context() as context:
        probe = await client.probe(context)
    assert {check.name: check.ok for check in probe.checks} == {"token": True, "channel": False, "orders_write": False}


async def test_goods_that_arrive_let_a_waiting_shipment_go(sim: ShipBobSimulator, context: Context[Settings]) -> None:
    sim.books.stock[CICERO]["TEE-M"] = 0
    await submitted(context)
    order = sim.books.by_reference[SUBMIT.fulfilment]
    assert order.status == "Exception"
    sim.books.receive(CICERO, "TEE-M", 5, sim.now())
    assert order.status == "Processing"
