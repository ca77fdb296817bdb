"""Units are taken off an order that has others left: once, never below what is wanted, and no money moves."""

import msgspec

from adapters.shopify.line_cancels import cancel_lines
from adapters.shopify.settings import Settings
from adapters.shopify.simulator import ShopifySimulator
from adapters.shopify.simulator_books import ShopOrder
from hub.sdk.capabilities import ChannelLineCancel, Context
from hub.sdk.outcomes import Done, NeedsPerson, Refused
from hub.sdk.testkit.samples import line_cancel


def less(order: ShopOrder, quantity: int, remaining: int) -> ChannelLineCancel:
    return line_cancel(str(order.id), (str(order.lines[0].id), quantity, remaining))


async def test_units_are_free_again_and_no_money_moves(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 5)])
    assert isinstance(await cancel_lines(context, less(order, 2, 3)), Done)
    assert (order.lines[0].current, shop.available("MUG-RED")) == (3, 6)
    (made,) = order.refunds
    assert (made.restock, made.moved(order)) == ("cancel", 0)
    assert [line.remaining for one in order.fulfilment_orders for line in one.lines] == [3]


async def test_a_line_far_down_a_long_order_is_free_again_where_it_was(
    shop: ShopifySimulator, context: Context[Settings]
) -> None:
    """Taking units off needs their location, and the first page of a fulfilment order has twenty lines."""
    skus = [shop.sell(f"SKU-{number}", available=5).sku for number in range(30)]
    order = shop.place_order([(sku, 2) for sku in skus])
    request = line_cancel(str(order.id), (str(order.lines[29].id), 1, 1))
    assert isinstance(await cancel_lines(context, request), Done)
    assert shop.available("SKU-29") == 4
    assert shop.operations["CrossdockFulfillmentOrders"] == 1


async def test_what_is_off_already_is_found(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 5)])
    shop.refund_order(order.id, {order.lines[0].id: 2})
    assert await cancel_lines(context, less(order, 2, 3)) == Done(found=True)
    assert order.lines[0].current == 3


async def test_an_increase_that_the_hub_has_not_seen_stays(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 6)])
    assert isinstance(await cancel_lines(context, less(order, 2, 3)), Done)
    assert order.lines[0].current == 4


async def test_the_same_again_changes_nothing(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 6)])
    request = less(order, 2, 3)
    await cancel_lines(context, request)
    again = await cancel_lines(context, msgspec.structs.replace(request, look_first=True))
    assert isinstance(again, Done)
    assert again.found
    assert order.lines[0].current == 4, "by the key in its note, for two more could still be taken off"


async def test_what_has_left_there_is_refused(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 3)])
    (one,) = order.fulfilment_orders
    shop.fulfil(one, [(one.lines[0], 2)])
    outcome = await cancel_lines(context, less(order, 2, 1))
    assert isinstance(outcome, Refused)
    assert "has 1 unfulfilled" in outcome.reason
    assert order.refunds == []


async def test_a_cancelled_order_has_nothing_left(shop: ShopifySimulator, context: Context[Settings]) -> None:
    order = shop.place_order([("MUG-RED", 3)])
    shop.cancel_order(order.id)
    assert await cancel_lines(context, less(order, 2, 1)) == Done(found=True)
    assert await cancel_lines(context, msgspec.structs.replace(less(order, 2, 1), lines=())) == Done(found=True)
    unknown = msgspec.structs.replace(less(order, 2, 1), order_external_id="1")
    assert isinstance(await cancel_lines(context, unknown), NeedsPerson)
