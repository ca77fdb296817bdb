"""Giving a number to what was fulfilled by hand: in the shop's admin or at its till, without tracking. Pure."""

from collections import Counter
from typing import Final

from adapters.shopify.answers import UserError
from adapters.shopify.messages import STANDING, Made, Work, covered, tracking_info
from adapters.shopify.operation import Operation
from adapters.shopify.orders import Ref, Shape
from hub.sdk.capabilities import ShipmentConfirmation
from hub.sdk.outcomes import NeedsPerson

TRACK: Final = Operation(
    name="CrossdockTrack",
    document="""
mutation CrossdockTrack($id: ID!, $tracking: FulfillmentTrackingInput!, $notify: Boolean!) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $tracking, notifyCustomer: $notify) {
    fulfillment { id }
    userErrors { field message }
  }
}
""",
    cost=10,
    worst=10,
    write=True,
)
"""A state: told again it changes nothing."""


class Tracked(Shape, frozen=True):
    """Answer of `TRACK`."""

    fulfillment: Ref | None
    user_errors: tuple[UserError, ...]


def untracked(work: Work, request: ShipmentConfirmation) -> tuple[Made, ...]:
    """Fulfilments without a number that hold exactly the units of the shipment; none where the units differ, where
    they left from another location, or where the shipment has no number to give."""
    if not tracking_info(request).keys() & {"number", "numbers"}:
        return ()
    wanted: Counter[str] = Counter()
    for line in request.lines:
        wanted[_line(line.line)] += line.quantity
    found = tuple(
        one
        for one in work.fulfillments
        if one.status in STANDING
        and not any(tracking.number for tracking in one.tracking_info)
        and covered([one]).keys() <= wanted.keys()
        and _from(one, request.location)
    )
    return found if covered(found) == wanted else ()


def track_request(made: Made, request: ShipmentConfirmation) -> dict[str, object]:
    """Variables of `TRACK`."""
    return {"id": made.id, "tracking": tracking_info(request), "notify": request.notify}


def read_track(answer: Tracked | None, name: str) -> NeedsPerson | None:
    """Why the number was not taken; None when it was."""
    told = "; ".join(error.message for error in answer.user_errors) if answer else "no answer"
    if answer is not None and answer.fulfillment is not None and not told:
        return None
    reason = f"order {name}: Shopify did not take the tracking number: {told or 'no fulfilment in the answer'}"
    return NeedsPerson(reason=reason, next_step="add the number in the shop's admin, then resolve")


def _line(line: str) -> str:
    return line if line.startswith("gid://") else f"gid://shopify/LineItem/{line}"


def _from(made: Made, location: str | None) -> bool:
    there = made.location.id.rpartition("/")[2] if made.location else None
    return location is None or there is None or there == location.rpartition("/")[2]
