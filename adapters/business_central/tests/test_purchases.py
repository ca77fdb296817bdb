"""Purchase orders as buyers keep them in Business Central: what is still to come, told when it changed."""

from datetime import date

import msgspec
import pytest

from adapters.business_central import simulator_purchases as buyers
from adapters.business_central.harness import HARNESS
from adapters.business_central.tests.conftest import Shop
from hub.domain.facts import SupplyLine, SupplyReported
from hub.sdk.capabilities import Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.testkit.reading import read

DUE = date(2026, 2, 1)
Found = list[tuple[str, tuple[SupplyLine, ...]]]


async def told(shop: Shop, cursor: str | None = None) -> tuple[Found, str | None]:
    """Number and lines of each purchase order that a pull brings."""
    items: list[Pulled] = []
    async with shop.bench.context() as context:
        context = msgspec.structs.replace(context, settings=shop.settings)
        async for page in shop.bench.adapter.pulls["supply"].pages(context, cursor):
            items += page.items
            cursor = page.cursor
    facts = [fact for item in items for fact in read(HARNESS, item.topic, item.body)]
    return [(fact.reference, fact.lines) for fact in facts if isinstance(fact, SupplyReported)], cursor


def mugs(quantity: int, location: str = "MAIN", due: date = DUE, unit: str | None = None) -> SupplyLine:
    return SupplyLine(location=location, sku="MUG-RED", quantity=quantity, due=due, unit=unit)


async def test_what_is_left_is_told_until_all_of_it_came(shop: Shop) -> None:
    order = buyers.order(shop.books, {"MUG-RED": 5}, DUE, location="EAST")
    found, cursor = await told(shop)
    assert found == [(order["number"], (mugs(5, "EAST"),))]
    assert (await told(shop, cursor))[0] == [], "nothing changed"
    buyers.receive(order, 2)
    found, cursor = await told(shop, cursor)
    assert found == [(order["number"], (mugs(3, "EAST"),))]
    buyers.receive(order, 3)
    found, cursor = await told(shop, cursor)
    assert found == [(order["number"], ())]
    del shop.books.purchases[order["id"]]
    assert (await told(shop, cursor))[0] == [], "invoiced and deleted there, it was told already"


async def test_an_order_that_is_deleted_is_called_off(shop: Shop) -> None:
    order = buyers.order(shop.books, {"MUG-RED": 5}, DUE)
    _, cursor = await told(shop)
    del shop.books.purchases[order["id"]]
    assert (await told(shop, cursor))[0] == [(order["number"], ())]


async def test_another_unit_than_the_items_own_is_named(shop: Shop) -> None:
    order = buyers.order(shop.books, {"MUG-RED": 2}, DUE, unit="BOX")
    assert (await told(shop))[0] == [(order["number"], (mugs(2, unit="BOX"),))]


async def test_a_line_without_a_place_or_a_date(shop: Shop) -> None:
    shop.set(stock_location=None)
    order = buyers.order(shop.books, {"MUG-RED": 1}, None)
    assert (await told(shop))[0] == [(order["number"], (mugs(1, "no location", date.min),))]


async def test_what_is_not_released_is_not_expected_and_an_unknown_status_is_asked_about(shop: Shop) -> None:
    order = buyers.order(shop.books, {"MUG-RED": 1}, DUE, status="In Review")
    assert (await told(shop))[0] == []
    order["status"] = "Archived"
    with pytest.raises(Interrupted) as caught:
        await told(shop)
    assert isinstance(caught.value.outcome, NeedsPerson)
    assert f"purchase order {order['number']} has the status 'Archived'" in caught.value.outcome.reason
