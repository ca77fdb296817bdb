"""Purchase orders as buyers keep them in Odoo: what is still to come, told when it changed."""

from datetime import date

import pytest

from adapters.odoo import purchases as adapter_purchases
from adapters.odoo.harness import HARNESS
from adapters.odoo.simulated import purchases
from adapters.odoo.tests.depot import Depot
from hub.domain.facts import SupplyLine, SupplyReported
from hub.sdk.testkit.reading import read

DUE = date(2026, 2, 1)


async def told(depot: Depot, cursor: str | None = None) -> tuple[list[tuple[str, tuple[SupplyLine, ...]]], str | None]:
    """Number and lines of each purchase order that a pull brings."""
    items, cursor = await depot.pull("supply", cursor)
    facts = [fact for item in items for fact in read(HARNESS, item.topic, item.body)]
    return [(fact.reference, fact.lines) for fact in facts if isinstance(fact, SupplyReported)], cursor


def mugs(quantity: int, due: date = DUE) -> SupplyLine:
    return SupplyLine(location="WH", sku="MUG-RED", quantity=quantity, due=due)


@pytest.fixture
def mug(depot: Depot) -> int:
    depot.stock(MUG_RED=0)
    return depot.floor.product("MUG-RED")


async def test_what_is_left_is_told_in_the_products_own_unit_until_all_of_it_came(depot: Depot, mug: int) -> None:
    order = purchases.order(depot.odoo.books, {mug: 5}, DUE, pack=12)
    found, cursor = await told(depot)
    assert found == [(order["name"], (mugs(60),))]
    assert (await told(depot, cursor))[0] == [], "nothing changed"
    purchases.receive(depot.odoo.books, order["name"], 2)
    found, cursor = await told(depot, cursor)
    assert found == [(order["name"], (mugs(36),))]
    purchases.receive(depot.odoo.books, order["name"], 3)
    found, cursor = await told(depot, cursor)
    assert found == [(order["name"], ())], "it is called off as expected supply: it is stock now"
    assert (await told(depot, cursor))[0] == []


async def test_what_is_changed_and_changed_back_is_told_twice(depot: Depot, mug: int) -> None:
    order = purchases.order(depot.odoo.books, {mug: 5}, DUE)
    items, cursor = await depot.pull("supply")
    keys = [item.key for item in items]
    for state in ("cancel", "purchase"):
        order["state"] = state
        items, cursor = await depot.pull("supply", cursor)
        keys += [item.key for item in items]
    assert len(set(keys)) == 3
    assert items[0].body == (await depot.pull("supply"))[0][0].body


async def test_a_line_without_a_date_is_expected_and_never_promised(depot: Depot, mug: int) -> None:
    order = purchases.order(depot.odoo.books, {mug: 1}, None)
    assert (await told(depot))[0] == [(order["name"], (mugs(1, date.min),))]


async def test_only_orders_to_the_connections_warehouses_are_told(depot: Depot, mug: int) -> None:
    purchases.order(depot.odoo.books, {mug: 1}, DUE)
    depot.set(warehouses=("EAST",))
    assert (await told(depot))[0] == []
    depot.set(warehouses=())
    assert len((await told(depot))[0]) == 1


async def test_more_orders_than_one_answer_holds_are_all_told(
    depot: Depot, mug: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter_purchases, "AT_ONCE", 2)
    for _ in range(5):
        purchases.order(depot.odoo.books, {mug: 1}, DUE)
    assert len((await told(depot))[0]) == 5
