"""What the books are told of goods that we never sent: delivered and invoiced once, and together what was sold."""

import msgspec
import pytest

from adapters.odoo.harness import settings as odoo_settings
from adapters.odoo.harness import simulator as odoo_simulator
from adapters.shopify.simulator_books import ShopOrder
from tests.scenarios.counter import Counter
from tests.scenarios.test_refunds import vars_of
from tests.scenarios.test_sent_elsewhere import by_hand
from tests.scenarios.town import TILL, Town

Posted = list[tuple[str, int]]

# A pass is 10.00 with 8 % tax on top; 4.90 of shipping.
THREE = 3730


@pytest.fixture
async def ledger(town: Town) -> object:
    """Books that are told of orders, deliveries, invoices and credit notes."""
    async with odoo_simulator() as odoo:
        config = {k: v for k, v in vars_of(odoo_settings(odoo)).items() if v not in (None, (), {}, "")}
        await town.house.connect("books", "odoo", config)
        yield odoo
        assert await town.house.open_exceptions() == []


async def posted(town: Town, placed: ShopOrder) -> Posted:
    """Documents of an order, in the sequence in which they were posted: kind and cents."""
    rows = await town.house.rows(
        "SELECT p.kind, p.amount FROM posting p JOIN customer_order o ON o.id = p.order_id "
        "WHERE o.external_id = $1 ORDER BY p.shipment_no, p.kind",
        str(placed.id),
    )
    return [(row["kind"], row["amount"]) for row in rows]


async def gift_card(town: Town) -> None:
    gift = town.shop.sell("GIFT", available=5)
    town.shop.add_variant(msgspec.structs.replace(gift, gift_card=True, ships=False), 5)


@pytest.mark.usefixtures("ledger")
async def test_what_is_carried_out_of_a_store_is_delivered_and_invoiced_at_once(town: Town) -> None:
    await town.house.stock_point("shop", str(TILL), town.east)
    placed, order = await town.buy([("PASS", 3)], at_till=TILL)
    assert order["state"] == "closed"
    assert await posted(town, placed) == [("order", 3240), ("delivery", 3240), ("invoice", 3240)]
    town.shop.update_order(placed.id, note="a note")
    await town.settle()
    assert len(await posted(town, placed)) == 3
    assert len(town.shop.fulfilments[placed.id]) == 1, "the shop knows that it is gone: it said so itself"


@pytest.mark.usefixtures("ledger")
async def test_what_comes_back_to_the_till_is_credited(town: Town, counter: Counter) -> None:
    await town.house.stock_point("shop", str(TILL), town.east)
    placed, order = await town.buy([("PASS", 3)], at_till=TILL)
    line = str(placed.lines[0].id)
    await counter.ok("POST", "/refunds", {"order": order["id"], "lines": [{"line": line, "quantity": 1}]})
    await town.settle()
    assert ("credit_note", 1080) in await posted(town, placed)


@pytest.mark.usefixtures("ledger")
async def test_what_needs_no_sending_is_invoiced_with_the_last_and_charges_with_the_first(town: Town) -> None:
    await gift_card(town)
    placed, order = await town.buy([("PASS", 2), ("GIFT", 1)])
    assert [kind for kind, _ in await posted(town, placed)] == ["order"]
    town.depot.ship(town.asked(order["id"]))
    await town.settle()
    told = await posted(town, placed)
    assert [kind for kind, _ in told] == ["order", "delivery", "invoice", "delivery", "invoice"]
    assert sum(amount for kind, amount in told if kind == "invoice") == told[0][1]
    assert told[2][1] > told[4][1], "shipping is on the first"


@pytest.mark.usefixtures("ledger")
async def test_a_gift_card_alone_is_invoiced_at_once(town: Town) -> None:
    await gift_card(town)
    placed, _ = await town.buy([("GIFT", 1)])
    told = await posted(town, placed)
    assert [kind for kind, _ in told] == ["order", "delivery", "invoice"]
    assert {amount for _, amount in told} == {told[0][1]}


@pytest.mark.usefixtures("ledger")
async def test_what_somebody_else_sent_and_what_we_sent_are_invoiced_each_for_its_part(town: Town) -> None:
    placed, order = await town.buy([("PASS", 3)])
    by_hand(town, placed, 1)
    await town.settle()
    assert [kind for kind, _ in await posted(town, placed)] == ["order", "delivery", "invoice"]
    town.depot.ship(town.asked(order["id"], 2))
    await town.settle()
    told = await posted(town, placed)
    assert [kind for kind, _ in told] == ["order", "delivery", "invoice", "delivery", "invoice"]
    assert sum(amount for kind, amount in told if kind == "invoice") == THREE
    assert [sum(made.lines.values()) for made in town.shop.fulfilments[placed.id]] == [1, 2]
