"""Goods on their way to ShipBob: announced once, received by count, expected until they come."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from adapters.shipbob.harness import ADVISE, CICERO, fill_receiving, fill_supply
from adapters.shipbob.receiving import (
    advise_stock,
    expected,
    fulfilment_of,
    pull_receiving,
    pull_supply,
    read,
    received,
    received_facts,
)
from adapters.shipbob.settings import Settings
from adapters.shipbob.simulator import ShipBobSimulator
from hub.domain.facts import FactLine, GoodsArrived, GoodsLost, SupplyLine
from hub.mapping.tables import CodeTables
from hub.sdk.capabilities import Context, Pulled
from hub.sdk.outcomes import Done, NeedsPerson
from hub.sdk.testkit.samples import FULFILMENT_ID
from hub.sdk.translate import Malformed, Unmapped

FactsOf = Callable[[Any], list[Any]]


async def items(pages: Any) -> list[Pulled]:
    return [item async for page in pages for item in page.items]


class TestAnnouncing:
    async def test_units_are_announced_under_our_key(self, sim: ShipBobSimulator, context: Context[Settings]) -> None:
        sim.books.product("MUG-RED")
        done = await advise_stock(context, ADVISE)
        (made,) = sim.books.announced
        assert isinstance(done, Done)
        assert done.reference == str(made.id)
        assert (made.number, made.location, made.expected) == (ADVISE.key, CICERO, {"MUG-RED": 4})

    async def test_one_whose_number_only_contains_the_sku_is_not_it(
        self, sim: ShipBobSimulator, context: Context[Settings]
    ) -> None:
        sim.books.stock[CICERO]["BIG-MUG-RED"] = 1
        await advise_stock(context, ADVISE)
        assert sim.books.announced[0].expected == {"MUG-RED": 4}

    async def test_goods_that_left_long_ago_are_expected_tomorrow(
        self, sim: ShipBobSimulator, context: Context[Settings]
    ) -> None:
        late = msgspec.structs.replace(ADVISE, shipped_at=datetime(2020, 1, 1, tzinfo=UTC))
        await advise_stock(context, late)
        assert sim.books.announced[0].arrives > sim.now() + timedelta(hours=23)

    async def test_an_uncertain_try_is_looked_for(self, sim: ShipBobSimulator, context: Context[Settings]) -> None:
        await advise_stock(context, ADVISE)
        again = await advise_stock(context, msgspec.structs.replace(ADVISE, look_first=True))
        assert isinstance(again, Done)
        assert again.found
        assert len(sim.books.announced) == 1

    async def test_what_was_cancelled_there_is_announced_anew(
        self, sim: ShipBobSimulator, context: Context[Settings]
    ) -> None:
        await advise_stock(context, ADVISE)
        sim.books.close(sim.books.announced[0], sim.now(), "Cancelled")
        await advise_stock(context, msgspec.structs.replace(ADVISE, look_first=True))
        assert len(sim.books.announced) == 2

    async def test_a_product_that_shipbob_has_not_is_for_a_person(
        self, sim: ShipBobSimulator, context: Context[Settings]
    ) -> None:
        sim.books.stock[CICERO].clear()
        outcome = await advise_stock(context, ADVISE)
        assert isinstance(outcome, NeedsPerson)
        assert "MUG-RED" in outcome.reason
        assert sim.books.announced == []

    @pytest.mark.parametrize("location", [None, "Cicero"])
    async def test_a_place_that_is_no_location_is_for_a_person(
        self, location: str | None, sim: ShipBobSimulator, context: Context[Settings]
    ) -> None:
        outcome = await advise_stock(context, msgspec.structs.replace(ADVISE, location=location))
        assert isinstance(outcome, NeedsPerson)
        assert "GET /location" in (outcome.next_step or "")


class TestReceiving:
    async def test_stowed_units_arrived_and_the_rest_is_lost(
        self, sim: ShipBobSimulator, context: Context[Settings], facts_of: FactsOf
    ) -> None:
        fill_receiving(sim)
        arrived, lost = facts_of(await items(pull_receiving(context, None)))
        assert arrived == GoodsArrived(
            at=arrived.at, fulfilment=FULFILMENT_ID, lines=(FactLine(sku="MUG-RED", quantity=3),)
        )
        assert isinstance(lost, GoodsLost)
        assert lost.lines == (FactLine(sku="MUG-RED", quantity=1),)
        assert "800000" in lost.reason

    async def test_what_is_still_stowed_is_not_told(self, sim: ShipBobSimulator, context: Context[Settings]) -> None:
        made = sim.books.announce(CICERO, {"MUG-RED": 4}, sim.now(), sim.now(), ADVISE.key)
        sim.books.stow(made, {"MUG-RED": 2}, sim.now())
        assert await items(pull_receiving(context, None)) == []

    async def test_a_second_look_is_the_same_message(self, sim: ShipBobSimulator, context: Context[Settings]) -> None:
        fill_receiving(sim)
        first = await items(pull_receiving(context, None))
        sim.books.announced[0].updated += timedelta(hours=1)
        assert await items(pull_receiving(context, None)) == first

    def test_a_state_that_nobody_explains_is_asked_about(self, tables: CodeTables) -> None:
        body = {"receiving": 1, "fulfilment": FULFILMENT_ID, "status": "Incomplete", "at": sample_time(), "lines": []}
        with pytest.raises(Unmapped, match="Incomplete"):
            received_facts(msgspec.json.encode(body), tables)

    def test_a_body_that_does_not_fit_is_kept_to_be_asked_about(self, tables: CodeTables) -> None:
        kept = received(b'{"id": "seven"}')
        assert kept is not None
        with pytest.raises(Malformed):
            received_facts(kept.body, tables)

    @pytest.mark.parametrize(
        ("number", "fulfilment"),
        [
            (f"{FULFILMENT_ID}-advise-2", FULFILMENT_ID),
            (FULFILMENT_ID, FULFILMENT_ID),
            ("PO-77", None),
            ("", None),
        ],
    )
    def test_whose_goods_they_are(self, number: str, fulfilment: str | None) -> None:
        assert fulfilment_of(number) == fulfilment


class TestSupply:
    async def test_purchases_are_expected_less_what_is_stowed(
        self, sim: ShipBobSimulator, context: Context[Settings], facts_of: FactsOf
    ) -> None:
        fill_supply(sim)
        purchase = sim.books.announced[0]
        sim.books.stow(purchase, {"TEE-M": 2}, sim.now())
        (told,) = facts_of(await items(pull_supply(context, None)))
        due = (purchase.inserted + timedelta(days=30)).date()
        assert told.reference == "WRO 800000"
        assert told.lines == (SupplyLine(location="3", sku="TEE-M", quantity=7, due=due),)

    async def test_a_closed_one_is_not_expected_any_more(
        self, sim: ShipBobSimulator, context: Context[Settings], facts_of: FactsOf
    ) -> None:
        fill_supply(sim)
        pages = [page async for page in pull_supply(context, None)]
        sim.books.close(sim.books.announced[0], sim.now())
        (told,) = facts_of(await items(pull_supply(context, pages[-1].cursor)))
        assert (told.reference, told.lines) == ("WRO 800000", ())


def sample_time() -> str:
    return datetime.combine(date(2026, 1, 20), datetime.min.time(), UTC).isoformat()


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
class TestNoTimeThereIs:
    def test_what_was_closed_then_is_kept_and_malformed(self, tables: CodeTables, when: str) -> None:
        raw = msgspec.json.encode(
            {"id": 7, "status": "Completed", "purchase_order_number": FULFILMENT_ID, "last_updated_date": when}
        )
        found = received(raw)
        assert found is not None
        with pytest.raises(Malformed):
            received_facts(found.body, tables)

    def test_what_is_expected_then_is_expected_and_promised_to_nobody(self, when: str) -> None:
        stock = [
            {"inventory_id": 1, "sku": "MUG", "expected_quantity": 3, "received_quantity": 0, "stowed_quantity": 0}
        ]
        document = {"id": 7, "status": "Awaiting", "last_updated_date": "2026-01-15T12:00:00Z"}
        place = {"fulfillment_center": {"id": 3, "name": "Cicero"}, "expected_arrival_date": when}
        (line,) = expected(read(msgspec.json.encode({**document, **place, "inventory_quantities": stock})))
        assert line.due.year == int(when[:4])
