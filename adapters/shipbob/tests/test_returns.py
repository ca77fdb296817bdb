"""What came back to ShipBob: counted once, with what was done with it, under the order that it belongs to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from adapters.shipbob import client
from adapters.shipbob.harness import CICERO, RETURNED, SUBMIT, place, take_back
from adapters.shipbob.returns import pull_returns, returned_facts
from adapters.shipbob.settings import Settings
from adapters.shipbob.simulator import ShipBobSimulator
from hub.domain.facts import GoodsReturned, ReturnedLine
from hub.domain.returns import Disposition
from hub.mapping.tables import CodeTables
from hub.sdk.capabilities import Context, Page
from hub.sdk.translate import Malformed, Unmapped


async def pages(context: Context[Settings], cursor: str | None = None) -> list[Page]:
    return [page async for page in pull_returns(context, cursor)]


def read(tables: CodeTables, **changes: Any) -> tuple[GoodsReturned, ...]:
    return tuple(returned_facts(msgspec.json.encode({**RETURNED, **changes}), tables))


async def test_a_return_says_what_was_done_with_each_unit(
    sim: ShipBobSimulator, context: Context[Settings], tables: CodeTables
) -> None:
    made = take_back(sim)
    (page,) = await pages(context)
    (item,) = page.items
    (fact,) = returned_facts(item.body, tables)
    assert fact.receipt == f"return:{made.id}"
    assert (fact.order, fact.location) == (SUBMIT.fulfilment, str(CICERO))
    assert fact.tracking == made.shipment.tracking
    assert fact.lines == (
        ReturnedLine(sku="MUG-RED", quantity=1, disposition=Disposition.RESTOCK),
        ReturnedLine(sku="MUG-RED", quantity=1, disposition=Disposition.SCRAP),
        ReturnedLine(sku="TEE-M", quantity=1, disposition=Disposition.REFURBISH),
    )
    fetched = await client.fetch(context, "return.completed", f"return:{made.id}", b"")
    assert fetched.key == item.key, "a delivery and the pull bring the same"


async def test_the_pull_goes_on_from_where_it_was_and_turns_pages(
    sim: ShipBobSimulator, context: Context[Settings]
) -> None:
    shipment = place(sim, SUBMIT).shipments[0]
    sim.books.ship(shipment, sim.now())
    for _ in range(230):
        sim.books.take_back(shipment, {("MUG-RED", "Restock"): 1}, sim.now())
    found = await pages(context)
    assert [len(page.items) for page in found] == [100, 100, 30]
    again = await pages(context, found[0].cursor)
    assert sum(len(page.items) for page in again) == 230, "broken off after a page, it begins again"
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert sum(len(page.items) for page in await pages(context, later)) == 230, "written by a clock that was fast"


@pytest.mark.parametrize(
    "changes",
    [{"completed_date": None, "status": "Processing"}, {"status": "Cancelled"}, {"inventory": []}, {"inventory": None}],
)
def test_what_was_not_looked_at_counts_nothing_yet(changes: dict[str, Any], tables: CodeTables) -> None:
    assert read(tables, **changes) == ()


def test_what_nothing_was_done_with_was_only_counted(tables: CodeTables) -> None:
    (fact,) = read(tables, inventory=[{"id": 5, "quantity": 2}])
    assert fact.lines == (ReturnedLine(sku="inventory:5", quantity=2),)


def test_an_order_that_is_not_ours_is_found_by_its_parcel(tables: CodeTables) -> None:
    (fact,) = read(tables, store_order_id="#1001", shipment_tracking_number="1Z999")
    assert (fact.order, fact.tracking) == (None, "1Z999")


def test_an_unknown_action_and_a_missing_place_are_asked_about(tables: CodeTables) -> None:
    odd = [{"id": 5, "sku": "MUG-RED", "quantity": 1, "action_taken": [{"action": "Donate", "quantity_processed": 1}]}]
    with pytest.raises(Unmapped, match="Donate"):
        read(tables, inventory=odd)
    with pytest.raises(Malformed):
        read(tables, fulfillment_center=None)
