"""The books of a real ERP that we did not write: a sale, its delivery and its invoice reach it once."""

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.tryton.company import add_product
from adapters.tryton.harness import rpc, settings, simulator
from adapters.tryton.peer import RegistryUnreachable
from adapters.tryton.simulator import TrytonBehindFaults
from tests.scenarios.town import Town

# In a fresh clone the first test waits while Tryton is installed into an environment of its own.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def tryton() -> TrytonBehindFaults:
    try:
        made = simulator()
    except RegistryUnreachable as error:
        pytest.skip(str(error)[:200])
    add_product(made.rpc, "PASS", "Pass")
    return made


async def books_of(order: str) -> dict[str, list[tuple[Any, ...]]]:
    """What Tryton itself says of an order: sale, shipments and invoices with their states and totals."""

    def look() -> dict[str, list[tuple[Any, ...]]]:
        session = rpc()
        terms, fields = [["reference", "like", f"{order}%"]], ["reference", "state", "total_amount"]
        sales = session.call("model.sale.sale.search_read", terms, 0, 9, [["id", "ASC"]], fields)
        invoices = session.call("model.account.invoice.search_read", terms, 0, 9, [["id", "ASC"]], fields)
        shipments = session.call("model.stock.shipment.out.search_read", terms, 0, 9, [["id", "ASC"]], fields[:2])
        return {
            "sales": [(one["state"], Decimal(one["total_amount"]["decimal"])) for one in sales],
            "shipments": [(one["reference"], one["state"]) for one in shipments],
            "invoices": [(one["state"], Decimal(one["total_amount"]["decimal"])) for one in invoices],
        }

    return await asyncio.to_thread(look)


async def test_a_sale_its_delivery_and_its_invoice_reach_a_real_erp_once(
    town: Town, tryton: TrytonBehindFaults
) -> None:
    async with tryton:
        config = {name: value for name, value in msgspec.structs.asdict(settings(tryton)).items() if value is not None}
        await town.house.connect("books", "tryton", config)
        # Whatever is lost on the way, the books hold each document once.
        tryton.script.extend([None] * 10 + ["lost_reply"])
        _, order = await town.buy([("PASS", 3)])
        await town.settle()
        town.depot.ship(town.asked(order["id"]))
        await town.settle()
        for _ in range(6):
            await town.house.run("UPDATE outbox SET due_at = now() WHERE NOT parked")
            await town.settle()

        posted = await town.house.rows("SELECT kind, number, amount FROM posting ORDER BY kind")
        assert [row["kind"] for row in posted] == ["delivery", "invoice", "order"]
        books = await books_of(order["id"])
        # Three passes at 10.00 with 8 % tax on top and 4.90 of shipping.
        total = Decimal("37.30")
        assert books["sales"] == [("processing", total)]
        assert books["shipments"] == [(f"{order['id']}-S1", "done")]
        assert books["invoices"] == [("posted", total)]
        assert all(row["number"] for row in posted)
        assert await town.house.open_exceptions() == []
