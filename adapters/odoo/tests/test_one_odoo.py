"""One Odoo for the books and the warehouse: what leaves the warehouse leaves the books once."""

from adapters.odoo.harness_warehouse import SUBMIT
from adapters.odoo.post import post
from adapters.odoo.tests.depot import Depot, F
from adapters.odoo.tests.shop import DELIVERY, INVOICE, ORDER, SALE
from hub.sdk.outcomes import Done, Outcome
from hub.sdk.posting import PostingRequest
from hub.sdk.testkit.bench import outcome_of


async def posted(depot: Depot, request: PostingRequest) -> Outcome:
    async with depot.bench.context() as context:
        return await outcome_of(post(context, request))


async def test_the_warehouses_transfer_is_the_orders_delivery(depot: Depot) -> None:
    depot.stock(MUG_RED=5, TEE_M=5)
    assert isinstance(await posted(depot, SALE), Done)
    await depot.done(SUBMIT)
    assert [one["origin"] for one in depot.odoo.pickings.values()] == [F]
    depot.floor.pick(F)
    depot.floor.validate(F)
    for found in (False, True):
        outcome = await posted(depot, DELIVERY)
        assert isinstance(outcome, Done)
        assert outcome.found is found
    assert isinstance(await posted(depot, INVOICE), Done)
    lines = [row for row in depot.odoo.books.tables["sale.order.line"].rows.values() if row["qty_delivered"]]
    assert [(row["product_uom_qty"], row["qty_delivered"], row["qty_invoiced"]) for row in lines] == [
        (2, 2, 2),
        (1, 1, 1),
    ]
    assert depot.floor.on_hand("MUG-RED") == 3
    assert depot.odoo.posted(ORDER).invoices == 1


async def test_what_another_node_shipped_is_not_booked_here(depot: Depot) -> None:
    depot.stock(MUG_RED=5, TEE_M=5)
    await posted(depot, SALE)
    assert await posted(depot, DELIVERY) == Done(found=True)
    assert depot.floor.on_hand("MUG-RED") == 5
