"""Stock of a store whose shelf Shopify counts: read, reported, and never overwritten."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from adapters.shopify.availability import publish_availability
from adapters.shopify.fetches import fetch
from adapters.shopify.harness import STORE, changed_level, sign, with_a_store
from adapters.shopify.harness import settings as settings_of
from adapters.shopify.settings import Settings
from adapters.shopify.simulator import ShopifySimulator
from adapters.shopify.stock import pull_stock, stock_report
from adapters.shopify.subscriptions import STOCK_TOPIC, enum, keep_subscriptions
from adapters.shopify.webhook import check
from hub.domain.facts import StockLine
from hub.domain.stock import ReportKind
from hub.mapping.tables import CodeTables
from hub.sdk.capabilities import AvailabilityUpdate, Context, Level, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.translate import Malformed
from hub.sdk.webhook import Store

NO_TABLES = CodeTables({})


@pytest.fixture
async def shop() -> AsyncIterator[ShopifySimulator]:
    async with with_a_store() as running:
        yield running
        assert running.violations == []


@pytest.fixture
def counting(shop: ShopifySimulator, context: Context[Settings]) -> Context[Settings]:
    return msgspec.structs.replace(context, settings=settings_of(shop))


def lines(pulled: Pulled) -> tuple[StockLine, ...]:
    (report,) = stock_report(pulled.body, NO_TABLES)
    assert report.kind is ReportKind.SNAPSHOT
    return report.lines


async def test_a_changed_level_is_read_anew(shop: ShopifySimulator, counting: Context[Settings]) -> None:
    about, body = changed_level(shop)
    item = shop.variants["MUG-RED"].item
    shop.committed[item, STORE] = 2
    found = await fetch(counting, STOCK_TOPIC, about, body)
    assert isinstance(found, Pulled)
    assert lines(found) == (StockLine(location="502", sku="MUG-RED", on_hand=9),)


async def test_other_locations_are_not_believed(shop: ShopifySimulator, counting: Context[Settings]) -> None:
    """Our own number goes to location 501, and what Shopify says of it is its echo."""
    item = shop.variants["MUG-RED"].item
    body = msgspec.json.encode({"inventory_item_id": item, "location_id": 501, "available": 3})
    assert await fetch(counting, STOCK_TOPIC, f"level:{item}:501", body) == ()


async def test_an_item_that_is_gone(counting: Context[Settings]) -> None:
    body = msgspec.json.encode({"inventory_item_id": 999, "location_id": STORE, "available": None})
    assert await fetch(counting, STOCK_TOPIC, f"level:999:{STORE}", body) == ()
    with pytest.raises(Malformed):
        await fetch(counting, STOCK_TOPIC, "level:1:2", b"{}")


async def test_the_whole_shelf(shop: ShopifySimulator, counting: Context[Settings]) -> None:
    for number in range(120):
        shop.inventory[shop.sell(f"STORE-{number}").item, STORE] = number
    pages = [page async for page in pull_stock(counting, None)]
    found = {line.sku: line.on_hand for page in pages for item in page.items for line in lines(item)}
    assert [len(page.items) for page in pages] == [1, 1]
    assert found == {"MUG-RED": 4, "TEE-M": 4, **{f"STORE-{number}": number for number in range(120)}}


async def test_a_location_that_is_not_there(counting: Context[Settings]) -> None:
    nowhere = msgspec.structs.replace(counting.settings, stock_locations=("777",))
    with pytest.raises(Interrupted, match="location 777 is not known") as interrupted:
        [page async for page in pull_stock(msgspec.structs.replace(counting, settings=nowhere), None)]
    assert isinstance(interrupted.value.outcome, NeedsPerson)


async def test_a_shelf_that_shopify_counts_is_not_told(shop: ShopifySimulator, counting: Context[Settings]) -> None:
    levels = (Level(sku="MUG-RED", location="501", quantity=3), Level(sku="MUG-RED", location=str(STORE), quantity=1))
    outcome = await publish_availability(counting, AvailabilityUpdate(key="k-level-1", levels=levels))
    assert outcome == NeedsPerson(
        reason=(
            "availability was not set for "
            "MUG-RED: Shopify counts location 502: stock_locations or stock point, not both"
        ),
        next_step="correct the SKU or the stocked locations in the shop's admin, or unmap it; the others are set",
    )
    assert (shop.available("MUG-RED"), shop.available("MUG-RED", STORE)) == (3, 4)


async def test_levels_are_subscribed_only_where_they_are_believed(
    shop: ShopifySimulator, context: Context[Settings], counting: Context[Settings]
) -> None:
    address = "https://hub.example.com/webhooks/c1"
    plain = msgspec.structs.replace(context, settings=msgspec.structs.replace(context.settings, stock_locations=()))
    for given, wanted in ((plain, False), (counting, True)):
        told = msgspec.structs.replace(given, webhooks=address)
        assert len([page async for page in keep_subscriptions(told, None)]) == 1
        assert (enum(STOCK_TOPIC) in {one.topic for one in shop.subscriptions.values()}) is wanted


def test_deliveries_of_one_level_are_of_one_object(shop: ShopifySimulator) -> None:
    settings, (about, body) = settings_of(shop), changed_level(shop)
    verdict = check(sign(settings, topic=STOCK_TOPIC, body=body, event="e1", at=shop.now()), settings)
    assert isinstance(verdict, Store)
    assert (verdict.topic, verdict.object) == (STOCK_TOPIC, about)
