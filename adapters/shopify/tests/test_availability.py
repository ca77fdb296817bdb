"""Telling Shopify what may be sold, against the simulated shop over HTTP."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from adapters.shopify.adapter import ADAPTER
from adapters.shopify.availability import publish_availability
from adapters.shopify.harness import HARNESS, settings, simulator
from adapters.shopify.payments import refund_payment
from adapters.shopify.settings import Settings
from adapters.shopify.simulator import ShopifySimulator
from hub.sdk.adapter import Subtracts
from hub.sdk.capabilities import AvailabilityUpdate, Context, Level, PaymentRefund
from hub.sdk.outcomes import Done, Learned, NeedsPerson
from hub.sdk.testkit.bench import Bench


def update(shop: ShopifySimulator, *levels: Level, known: tuple[str, ...] = ()) -> AvailabilityUpdate:
    references = {f"inventory:{sku}": item(shop, sku) for sku in known}
    return AvailabilityUpdate(key="availability-1", levels=levels, references=references)


def item(shop: ShopifySimulator, sku: str) -> str:
    return f"gid://shopify/InventoryItem/{shop.variants[sku].item}"


def level(sku: str, quantity: int, previous: int | None = None) -> Level:
    return Level(sku=sku, location="501", quantity=quantity, previous=previous)


async def test_items_are_looked_up_once_and_learned(shop: ShopifySimulator, context: Context[Settings]) -> None:
    outcome = await publish_availability(context, update(shop, level("MUG-RED", 7), level("TEE-M", 0)))
    assert outcome == Done(
        learned=(
            Learned(kind="inventory", ours="MUG-RED", theirs=item(shop, "MUG-RED")),
            Learned(kind="inventory", ours="TEE-M", theirs=item(shop, "TEE-M")),
        )
    )
    assert (shop.available("MUG-RED"), shop.available("TEE-M")) == (7, 0)
    assert shop.operations == {"CrossdockVariants": 1, "CrossdockSetAvailable": 1}


async def test_known_items_are_not_looked_up(shop: ShopifySimulator, context: Context[Settings]) -> None:
    outcome = await publish_availability(context, update(shop, level("MUG-RED", 7, previous=9), known=("MUG-RED",)))
    assert outcome == Done()
    assert shop.operations == {"CrossdockSetAvailable": 1}


async def test_stale_level_is_read_and_set_against(shop: ShopifySimulator, context: Context[Settings]) -> None:
    """Shopify sold one since we last told it: the set is refused whole, then made against what is there."""
    shop.place_order([("MUG-RED", 1)])
    request = update(shop, level("MUG-RED", 20, previous=9), level("TEE-M", 3, previous=1), known=("MUG-RED", "TEE-M"))
    assert await publish_availability(context, request) == Done()
    assert (shop.available("MUG-RED"), shop.available("TEE-M")) == (20, 3)
    assert shop.operations == {"CrossdockSetAvailable": 2, "CrossdockLevels": 1}


async def test_unknown_sku_is_named_and_the_others_are_set(shop: ShopifySimulator, context: Context[Settings]) -> None:
    outcome = await publish_availability(context, update(shop, level("GONE", 4), level("MUG-RED", 7)))
    assert isinstance(outcome, NeedsPerson)
    assert outcome.reason == "availability was not set for GONE: no variant carries this SKU"
    assert shop.available("MUG-RED") == 7


async def test_search_by_token_does_not_confuse_skus(shop: ShopifySimulator, context: Context[Settings]) -> None:
    shop.sell("MUG", available=1)
    assert isinstance(await publish_availability(context, update(shop, level("MUG", 5))), Done)
    assert (shop.available("MUG"), shop.available("MUG-RED")) == (5, 9)


async def test_awkward_skus(shop: ShopifySimulator, context: Context[Settings]) -> None:
    for sku in ('19" rack', "back\\slash", "A OR B"):
        shop.sell(sku, available=1)
    levels = [level(sku, 5) for sku in ('19" rack', "back\\slash", "A OR B")]
    assert isinstance(await publish_availability(context, update(shop, *levels)), Done)
    assert [shop.available(one.sku) for one in levels] == [5, 5, 5]


async def test_not_stocked_and_vanished(shop: ShopifySimulator, context: Context[Settings]) -> None:
    shop.sell("CAP", available=1)
    del shop.inventory[shop.variants["CAP"].item, 501]
    known = update(shop, level("MUG-RED", 7), level("CAP", 2), level("TEE-M", 4), known=("MUG-RED", "CAP", "TEE-M"))
    del shop.items[shop.variants["TEE-M"].item]
    outcome = await publish_availability(context, known)
    assert isinstance(outcome, NeedsPerson)
    assert outcome.reason == (
        "availability was not set for CAP: the item is not stocked at the location: activate it there; "
        "TEE-M: the inventory item no longer exists"
    )
    assert shop.available("MUG-RED") == 7


async def test_a_number_that_comes_back_is_set_again(shop: ShopifySimulator, context: Context[Settings]) -> None:
    """Shopify answers a repeated idempotency key from memory; a level that was 7, then 6, must be 7 again."""
    for quantity in (7, 6, 7):
        assert isinstance(await publish_availability(context, update(shop, level("MUG-RED", quantity))), Done)
        assert shop.available("MUG-RED") == quantity
    assert len(shop.idempotent) == 3


async def test_whole_batch(shop: ShopifySimulator, context: Context[Settings]) -> None:
    levels = [level(shop.sell(f"SKU-{number}", available=1).sku, number) for number in range(100)]
    assert isinstance(await publish_availability(context, update(shop, *levels)), Done)
    assert [shop.available(one.sku) for one in levels] == list(range(100))
    assert shop.operations == {"CrossdockVariants": 1, "CrossdockSetAvailable": 1}


@pytest.fixture
async def earlier() -> AsyncIterator[tuple[ShopifySimulator, Context[Settings]]]:
    """A shop that is pinned to a version before keys were demanded, and a connection to it."""
    shop = simulator()
    shop.api_version = "2025-10"
    async with shop:
        given = msgspec.structs.replace(settings(shop), api_version="2025-10")
        async with Bench(HARNESS, shop, given).context() as context:
            yield shop, context
    assert shop.violations == []


async def test_an_earlier_version_compares_and_takes_no_key(
    earlier: tuple[ShopifySimulator, Context[Settings]],
) -> None:
    """What was never told has to be read first: that form compares every level of a call, or none."""
    shop, context = earlier
    request = update(shop, level("MUG-RED", 7, previous=9), level("TEE-M", 3), known=("MUG-RED", "TEE-M"))
    assert await publish_availability(context, request) == Done()
    assert (shop.available("MUG-RED"), shop.available("TEE-M")) == (7, 3)
    assert shop.operations == {"CrossdockLevels": 1, "CrossdockSetAvailable": 1}
    assert shop.idempotent == {}


async def test_a_stale_level_of_an_earlier_version_is_set_against_what_is_there(
    earlier: tuple[ShopifySimulator, Context[Settings]],
) -> None:
    shop, context = earlier
    shop.place_order([("MUG-RED", 1)])
    assert isinstance(
        await publish_availability(context, update(shop, level("MUG-RED", 20, previous=9), known=("MUG-RED",))), Done
    )
    assert shop.available("MUG-RED") == 20
    assert shop.operations == {"CrossdockSetAvailable": 2, "CrossdockLevels": 1}


async def test_what_is_not_stocked_is_named_at_an_earlier_version_too(
    earlier: tuple[ShopifySimulator, Context[Settings]],
) -> None:
    shop, context = earlier
    del shop.inventory[shop.variants["TEE-M"].item, 501]
    outcome = await publish_availability(
        context, update(shop, level("MUG-RED", 7), level("TEE-M", 2), known=("MUG-RED", "TEE-M"))
    )
    assert isinstance(outcome, NeedsPerson)
    assert "TEE-M" in outcome.reason
    assert "MUG-RED" not in outcome.reason
    assert shop.available("MUG-RED") == 7


async def test_a_refund_at_an_earlier_version_carries_no_key(
    earlier: tuple[ShopifySimulator, Context[Settings]],
) -> None:
    shop, context = earlier
    order = shop.place_order([("MUG-RED", 1)])
    request = PaymentRefund(key="k-9", order_external_id=str(order.id), amount=300, currency="USD", reason="late")
    assert isinstance(await refund_payment(context, request), Done)
    again = msgspec.structs.replace(request, look_first=True)
    assert isinstance(await refund_payment(context, again), Done)
    assert len(order.refunds) == 1


async def test_nothing_is_added_back(shop: ShopifySimulator, context: Context[Settings]) -> None:
    """`available` excludes what Shopify committed: our net number is what customers see, and orders take off it."""
    shop.place_order([("MUG-RED", 2)])
    assert isinstance(await publish_availability(context, update(shop, level("MUG-RED", 5))), Done)
    assert shop.available("MUG-RED") == 5
    shop.place_order([("MUG-RED", 1)])
    assert shop.available("MUG-RED") == 4
    assert ADAPTER.subtracts is Subtracts.NOTHING
