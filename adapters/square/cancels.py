"""Cancelling an order: its fulfilments first, then the order."""

from adapters.square.documents import Seller
from adapters.square.goods import DEAD
from adapters.square.schemas import Order
from adapters.square.updates import ROUNDS, read_order, update
from hub.sdk.capabilities import ChannelCancel
from hub.sdk.outcomes import Done, Outcome, Refused, RetryLater


async def cancel_order(context: Seller, request: ChannelCancel, /) -> Outcome:
    """Cancel every fulfilment that is still open, then the order where that left it open.

    A paid order completes by itself once its fulfilments are cancelled; its money goes back by a refund, not by this.
    """
    found = True
    for _ in range(ROUNDS):
        order = await read_order(context, request.order_external_id)
        if over(order):
            return Done(reference=order.id, found=found)
        refused = too_late(order)
        if refused is not None:
            return refused
        found = False
        after = await update(context, order, cancel_request(order, request), request.key, f"order {order.id}: cancel")
        if after is not None and over(after):
            return Done(reference=order.id)
    return RetryLater(reason=f"order {request.order_external_id} keeps changing at Square")


def over(order: Order) -> bool:
    """Whether nothing of the order goes to anybody any more."""
    ways = order.fulfillments or ()
    return order.state == "CANCELED" or (
        order.state == "COMPLETED" and bool(ways) and all(one.state in DEAD for one in ways)
    )


def too_late(order: Order) -> Outcome | None:
    """Why an order cannot be cancelled at Square."""
    if order.version is None:
        return Refused(reason=f"order {order.id} was made at a till: Square lets nobody update it")
    if order.state == "COMPLETED" or any(one.state == "COMPLETED" for one in order.fulfillments or ()):
        return Refused(reason=f"order {order.id}: something of it is completed at Square")
    return None


def cancel_request(order: Order, request: ChannelCancel) -> dict[str, object]:
    """The next step: the open fulfilments, and the order itself when there are none. Pure."""
    open_ones = [one for one in order.fulfillments or () if one.state not in DEAD]
    if not open_ones:
        return {"state": "CANCELED"}
    changed: list[dict[str, object]] = []
    for one in open_ones:
        change: dict[str, object] = {"uid": one.uid, "state": "CANCELED"}
        details = {"SHIPMENT": "shipment_details", "PICKUP": "pickup_details"}.get(one.type or "")
        if details and request.reason:
            change[details] = {"cancel_reason": request.reason[:100]}
        changed.append(change)
    return {"fulfillments": changed}
