"""The catalogue as it is kept in Business Central, told when it changed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from adapters.business_central.harness import HARNESS
from adapters.business_central.tests.conftest import Shop
from hub.domain.facts import ItemReported
from hub.sdk.capabilities import Pulled
from hub.sdk.testkit.reading import MALFORMED, read

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)


async def pulled(shop: Shop, cursor: str | None = None) -> tuple[list[Pulled], str | None]:
    items: list[Pulled] = []
    async with shop.bench.context() as context:
        async for page in shop.bench.adapter.pulls["items"].pages(context, cursor):
            items += page.items
            cursor = page.cursor
    return items, cursor


def told(items: list[Pulled]) -> list[ItemReported]:
    facts = [fact for item in items for fact in read(HARNESS, item.topic, item.body)]
    return [fact for fact in facts if isinstance(fact, ItemReported)]


def at(shop: Shop, minutes: int, number: str, **values: object) -> None:
    """Somebody changes an item so many minutes after noon."""
    shop.simulator.now = lambda: AT + timedelta(minutes=minutes)
    shop.books.change_item(number, **values)


async def test_an_item_is_told_in_the_hubs_words(shop: Shop) -> None:
    at(shop, 0, "TEE-M", type="Non-Inventory")
    card = {"displayName": "Mug, red", "gtin": "4006381333931", "unitPrice": Decimal("12.5")}
    at(shop, 0, "MUG-RED", **card, unitCost=Decimal("3.12345"))
    (found,) = told((await pulled(shop))[0])
    assert found == ItemReported(
        at=AT,
        sku="MUG-RED",
        title="Mug, red",
        barcodes=("4006381333931",),
        base_unit="each",
        unit_cost={"USD": Decimal("3.12345")},
        price={"USD": Decimal("12.5")},
    )


async def test_only_what_changed_is_told_and_each_version_once(shop: Shop) -> None:
    at(shop, 0, "TEE-M")
    at(shop, 5, "MUG-RED")
    first, cursor = await pulled(shop)
    assert len(first) == 2
    at(shop, 6, "MUG-RED", unitPrice=Decimal(9))
    again, cursor = await pulled(shop, cursor)
    assert len({item.key for item in (*first, *again)}) == 3, "what is found again in the overlap has its first key"
    at(shop, 60, "MUG-RED", unitPrice=Decimal(0), baseUnitOfMeasureCode="BOX", blocked=True)
    _, cursor = await pulled(shop, cursor)
    (last,) = told((await pulled(shop, cursor))[0])
    assert last == ItemReported(
        at=AT + timedelta(hours=1), sku="MUG-RED", active=False, title="MUG-RED", base_unit="BOX"
    )


@pytest.mark.parametrize("year", [1, 9999])
async def test_an_item_changed_at_no_time_there_is_holds_up_no_other(shop: Shop, year: int) -> None:
    shop.simulator.now = lambda: datetime(year, 1, 1, tzinfo=UTC)
    shop.books.change_item("TEE-M")
    at(shop, 0, "MUG-RED")
    items, cursor = await pulled(shop)
    by_sku = {item.object: item for item in items}
    with pytest.raises(MALFORMED):
        told([by_sku["item:TEE-M"]])
    assert [fact.sku for fact in told([by_sku["item:MUG-RED"]])] == ["MUG-RED"]
    assert cursor is not None
    assert (await pulled(shop, cursor))[1] is not None
