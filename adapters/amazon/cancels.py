"""Cancelling at Amazon: there is no call for it, but a feed."""

from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree

from adapters.amazon import feeds
from adapters.amazon.client import Seller, get_order
from adapters.amazon.schemas import Line, Order
from adapters.amazon.xml_feeds import Undone, before, child, envelope, run
from hub.sdk.capabilities import ChannelCancel
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, RetryLater, Uncertain

ACKNOWLEDGE: Final = "POST_ORDER_ACKNOWLEDGEMENT_DATA"

REASONS: Final = {
    "customer": "BuyerCanceled",
    "buyer": "BuyerCanceled",
    "stock": "NoInventory",
    "inventory": "NoInventory",
    "address": "ShippingAddressUndeliverable",
}
"""Words in our reason -> Amazon's CancelReason; any other is a GeneralAdjustment."""
OTHER_REASON: Final = "GeneralAdjustment"


async def cancel_order(context: Seller, request: ChannelCancel, /) -> Outcome:
    """Acknowledge the order as failed, which cancels it, and read the result.

    Cancels all that has not gone; where the buyer asked to cancel some lines and the reason says "buyer", only those.
    The order is always read first: it may be cancelled already, and a job of the last try may still be running.
    """
    order = await get_order(context, request.order_external_id, Order)
    standing = read_state(order)
    if standing is not None:
        return standing
    subject = f"order {order.order_id}"
    if request.look_first:
        seen = await look(context, subject, request.key)
        if seen is not None:
            return seen
    document = acknowledgement(context.settings.seller_id, order, request.reason)
    return await run(context, ACKNOWLEDGE, document, subject, request.key)


async def look(context: Seller, subject: str, key: str) -> Outcome | None:
    """What became of an earlier try; None when it may be repeated: nothing of it runs any more."""
    seen = await before(context, subject, key)
    if isinstance(seen, Undone):
        return None
    if seen is not None:
        return seen
    job = await feeds.running(context, ACKNOWLEDGE)
    return None if job is None else Uncertain(reason=f"{subject}: Amazon is still processing feed {job}")


def read_state(order: Order) -> Outcome | None:
    """What the order's state already answers; None when it can be cancelled."""
    status = order.fulfillment.fulfillment_status
    if order.fulfillment.fulfilled_by == "AMAZON":
        return Refused(reason=f"order {order.order_id} is fulfilled by Amazon and cancelled there only")
    match status:
        case "CANCELLED":
            return Done(found=True)
        case "SHIPPED":
            return Refused(reason=f"order {order.order_id} has been shipped: refund it instead")
        case "PENDING" | "PENDING_AVAILABILITY":
            return RetryLater(reason=f"order {order.order_id} is pending, and nobody can cancel it until that ends")
        case "UNSHIPPED" | "PARTIALLY_SHIPPED":
            return None
        case _:
            return NeedsPerson(
                reason=f"order {order.order_id} is {status} at Amazon, a state that we do not know",
                next_step="cancel it in Seller Central",
            )


def acknowledgement(seller: str, order: Order, reason: str) -> bytes:
    """POST_ORDER_ACKNOWLEDGEMENT_DATA: a failure with a reason for each line to cancel."""
    wished = [line for line in order.order_items if line.wished_away]
    lines = wished if wished and "buyer" in reason.lower() else list(order.order_items)
    return failure(seller, order.order_id, lines, reason)


def failure(seller: str, order: str, lines: Sequence[Line], reason: str) -> bytes:
    """The same for these lines."""
    word = next((found for part, found in REASONS.items() if part in reason.lower()), OTHER_REASON)
    message = ElementTree.Element("OrderAcknowledgement")
    child(message, "AmazonOrderID", order)
    child(message, "StatusCode", "Failure")
    for line in lines:
        if line.quantity_ordered > line.fulfilled:
            item = ElementTree.SubElement(message, "Item")
            child(item, "AmazonOrderItemCode", line.order_item_id)
            child(item, "CancelReason", "BuyerCanceled" if line.wished_away else word)
    return envelope(seller, "OrderAcknowledgement", message)
