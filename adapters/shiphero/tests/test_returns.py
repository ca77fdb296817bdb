"""What came back to ShipHero: once, when it is finished, whichever way it is told."""

from typing import Any

import msgspec
import pytest

from adapters.shiphero.harness import HARNESS, WAREHOUSE, fill_returns, order_input
from adapters.shiphero.harness_samples import BACK, SAMPLES
from adapters.shiphero.returns import listed_return, return_pages, return_update
from adapters.shiphero.simulator import ShipHeroSimulator
from adapters.shiphero.simulator_documents import return_node
from adapters.shiphero.simulator_documents import return_update as told
from hub.domain.facts import GoodsReturned, ReturnedLine
from hub.domain.returns import Disposition
from hub.sdk.capabilities import Page
from hub.sdk.testkit.bench import Bench
from hub.sdk.testkit.reading import tables_of
from hub.sdk.testkit.samples import ORDER
from hub.sdk.translate import Malformed, Unmapped

TABLES = tables_of(HARNESS)
(UPDATE,) = (msgspec.json.decode(sample.body) for sample in SAMPLES if sample.topic == "Return Update")


def read(**changes: Any) -> tuple[GoodsReturned, ...]:
    return tuple(return_update(msgspec.json.encode({**UPDATE, **changes}), TABLES))


async def pages(bench: Bench, cursor: str | None = None) -> list[Page]:
    async with bench.context() as context:
        return [page async for page in return_pages(context, cursor)]


def test_webhook_and_list_say_the_same(simulator: ShipHeroSimulator) -> None:
    simulator.stock(WAREHOUSE, "MUG-RED", 10)
    order = simulator.take_order(order_input(f"{ORDER}-1", {"MUG-RED": 3}))
    simulator.ship(order)
    made = simulator.take_back(order, {"MUG-RED": (3, 2)})
    hooked = return_update(msgspec.json.encode(told(made)), TABLES)
    assert list(hooked) == list(listed_return(msgspec.json.encode(return_node(made)), TABLES))
    assert hooked[0].lines == (
        ReturnedLine(sku="MUG-RED", quantity=2, disposition=Disposition.RESTOCK),
        ReturnedLine(sku="MUG-RED", quantity=1),
    )
    assert simulator.inventory[WAREHOUSE, "MUG-RED"].on_hand == 9


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "pending"},
        {"status": "Cancelled"},
        {"test": "1"},
        {"partner_order_id": "Order #243"},
        {"partner_order_id": None},
        {"items": []},
        {"items": [{"sku": "MUG-RED", "quantity": 2, "quantity_received": 0, "warehouse_id": 76733}]},
    ],
)
def test_what_is_not_finished_or_not_ours_counts_nothing(changes: dict[str, Any]) -> None:
    assert read(**changes) == ()


def test_a_return_to_two_warehouses_is_two_receipts() -> None:
    items = [
        {"sku": "MUG-RED", "quantity_received": "1", "restock": "1", "warehouse_id": place} for place in (76733, 76734)
    ]
    facts = read(items=items)
    assert [(fact.location, fact.receipt) for fact in facts] == [
        ("76733", BACK.receipt),
        ("76734", BACK.receipt.replace("76733", "76734")),
    ]


def test_an_unknown_status_and_an_item_of_nowhere_are_asked_about() -> None:
    with pytest.raises(Unmapped, match="awaiting inspection"):
        read(status="awaiting inspection")
    for items in ([{"sku": "A", "quantity_received": 1}], [{"quantity_received": 1, "warehouse_id": 1}]):
        with pytest.raises(Malformed):
            read(items=items)


async def test_the_list_is_read_to_its_end_and_again_under_the_same_keys(
    simulator: ShipHeroSimulator, bench: Bench
) -> None:
    wanted = fill_returns(simulator)
    found = await pages(bench)
    keys = [item.key for page in found for item in page.items]
    assert len(keys) == len(set(keys)) == wanted
    rest = await pages(bench, found[0].cursor)
    assert len(rest) == len(found) - 1, "broken off, it goes on at its page"
    again = await pages(bench, found[-1].cursor)
    assert [item.key for page in again for item in page.items] == keys
