"""What is said when goods left or an order is cancelled, and what the answers mean. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from adapters.shopify.answers import UserError
from adapters.shopify.companies import company
from adapters.shopify.orders import FulfilledLine, Paged, Ref, Shape, Tracking, rest_id
from hub.sdk.capabilities import ChannelCancel, ShipmentConfirmation
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused, RetryLater, Uncertain

CLOCK_SKEW: Final = timedelta(minutes=5)

WORKABLE: Final = frozenset({"OPEN", "IN_PROGRESS"})
"""Fulfilment orders that can be fulfilled now; SCHEDULED and ON_HOLD wait, the others are over."""

STANDING: Final = frozenset({"SUCCESS", "OPEN", "PENDING"})
"""Fulfilments that count; cancelled and failed ones do not."""


class OpenLine(Shape, frozen=True):
    """A line of a fulfilment order; its id is not the order line's."""

    id: str
    remaining_quantity: int
    line_item: Ref


class Assigned(Shape, frozen=True):
    """Where a fulfilment order is to be worked; no location when that was deleted."""

    location: Ref | None


class FulfillmentOrder(Shape, frozen=True):
    """What Shopify asks of one location."""

    id: str
    status: str
    request_status: str
    assigned_location: Assigned
    line_items: Paged[OpenLine]


class Made(Shape, frozen=True):
    """A fulfilment that exists."""

    id: str
    name: str
    status: str
    created_at: datetime
    location: Ref | None
    tracking_info: tuple[Tracking, ...]
    fulfillment_line_items: Paged[FulfilledLine]


class Work(Shape, frozen=True):
    """All that is known about fulfilling an order (`documents.FULFILLMENT_ORDERS`)."""

    id: str
    name: str
    cancelled_at: datetime | None
    fulfillments: tuple[Made, ...]
    fulfillment_orders: Paged[FulfillmentOrder]


class OpenLines(Shape, frozen=True):
    """Further lines of a fulfilment order."""

    line_items: Paged[OpenLine]


class Fulfilled(Shape, frozen=True):
    """Answer of fulfillmentCreate."""

    fulfillment: Ref | None
    user_errors: tuple[UserError, ...]


class Moved(Shape, frozen=True):
    """Answer of fulfillmentOrderMove."""

    moved_fulfillment_order: Ref | None
    user_errors: tuple[UserError, ...]


class Job(Shape, frozen=True):
    """Work that Shopify does later."""

    id: str
    done: bool


class Cancelling(Shape, frozen=True):
    """Answer of orderCancel."""

    job: Job | None
    order_cancel_user_errors: tuple[UserError, ...]


class CancelState(Shape, frozen=True):
    """Whether an order is cancelled."""

    id: str
    name: str
    cancelled_at: datetime | None


class Take(msgspec.Struct, frozen=True):
    """Units to fulfil from a line of a fulfilment order."""

    fulfillment_order: str
    line: str
    quantity: int
    location: str | None


class Plan(msgspec.Struct, frozen=True):
    """What to send: the takes, and the fulfilment that an earlier try made of the rest."""

    takes: tuple[Take, ...]
    made: tuple[str, ...] = ()


def plan(work: Work, request: ShipmentConfirmation) -> Plan | Outcome:
    """What remains to be told of a shipment: takes to send, or the outcome when there is nothing to send.

    After an uncertain try, and wherever less remains than was shipped, what fulfilments with our tracking numbers
    cover counts as told.
    """
    wanted = Counter({_gid(line.line): 0 for line in request.lines})
    for line in request.lines:
        wanted[_gid(line.line)] += line.quantity
    made: tuple[Made, ...] = ()
    takes, missing = _allocate(work, wanted, request.location)
    if request.look_first or missing:
        made = told_before(work, request, wanted)
        wanted = _less(wanted, covered(made))
        takes, missing = _allocate(work, wanted, request.location)
    if missing:
        return _nothing_left(work, missing)
    if not takes:
        return Done(reference=reference(one.id for one in made), found=True)
    return Plan(takes=takes, made=tuple(one.id for one in made))


def told_before(work: Work, request: ShipmentConfirmation, wanted: Mapping[str, int]) -> tuple[Made, ...]:
    """Fulfilments that an earlier try of this confirmation made.

    By tracking number; a shipment without one is recognised by its lines, its location and its time.
    """
    standing = [one for one in work.fulfillments if one.status in STANDING]
    numbers = {parcel.tracking for parcel in request.parcels if parcel.tracking}
    if numbers:
        return tuple(one for one in standing if numbers & {tracking.number for tracking in one.tracking_info})
    return tuple(
        one
        for one in standing
        if not any(tracking.number for tracking in one.tracking_info)
        and covered([one]) == {line: quantity for line, quantity in wanted.items() if quantity}
        and (request.location is None or _place(one.location) == _location(request.location))
        and one.created_at >= request.shipped_at - CLOCK_SKEW
    )


def covered(made: Iterable[Made]) -> Counter[str]:
    """Units by order line that fulfilments hold."""
    units: Counter[str] = Counter()
    for one in made:
        for line in one.fulfillment_line_items.nodes:
            units[line.line_item.id] += line.quantity or 0
    return units


def moves(takes: Iterable[Take], location: str | None) -> dict[str, list[Take]]:
    """Takes by fulfilment order that Shopify assigned to another location than the goods left from."""
    found: dict[str, list[Take]] = {}
    for take in takes:
        if location is not None and take.location != _location(location):
            found.setdefault(take.fulfillment_order, []).append(take)
    return found


def by_location(takes: Iterable[Take]) -> dict[str | None, list[Take]]:
    """One fulfilment per location: all fulfilment orders of one call must share it."""
    found: dict[str | None, list[Take]] = {}
    for take in takes:
        found.setdefault(take.location, []).append(take)
    return found


def move_request(fulfillment_order: str, takes: Iterable[Take], location: str) -> dict[str, object]:
    """Variables of `documents.MOVE`: only the units that left move, the rest stays where it was."""
    lines = [{"id": take.line, "quantity": take.quantity} for take in takes]
    return {"id": fulfillment_order, "newLocationId": _location(location), "lines": lines}


def read_move(answer: Moved, work: Work, location: str) -> Outcome | None:
    """None when it moved."""
    if not answer.user_errors:
        return None
    told = "; ".join(error.message for error in answer.user_errors)
    return NeedsPerson(
        reason=f"order {work.name}: Shopify will not assign it to location {location}: {told}",
        next_step="stock the items at that location, or take back the request to its fulfilment service, then retry",
    )


def fulfill_request(takes: Iterable[Take], request: ShipmentConfirmation) -> dict[str, object]:
    """Variables of `documents.FULFILL`."""
    lines: dict[str, list[dict[str, object]]] = {}
    for take in takes:
        lines.setdefault(take.fulfillment_order, []).append({"id": take.line, "quantity": take.quantity})
    fulfillment: dict[str, object] = {
        "lineItemsByFulfillmentOrder": [
            {"fulfillmentOrderId": order, "fulfillmentOrderLineItems": found} for order, found in lines.items()
        ],
        "notifyCustomer": request.notify,
    }
    tracking = tracking_info(request)
    if tracking:
        fulfillment["trackingInfo"] = tracking
    return {"fulfillment": fulfillment}


def tracking_info(request: ShipmentConfirmation) -> dict[str, object]:
    """Numbers, links and company; a fulfilment has one company, so parcels of several carriers name none."""
    parcels = {parcel.tracking: parcel for parcel in request.parcels if parcel.tracking}
    info: dict[str, object] = {}
    urls = [parcel.url for parcel in parcels.values() if parcel.url]
    if len(parcels) == 1:
        info["number"] = next(iter(parcels))
        if urls:
            info["url"] = urls[0]
    elif parcels:
        info["numbers"] = list(parcels)
        if len(urls) == len(parcels):
            info["urls"] = urls
    carriers = {parcel.carrier for parcel in request.parcels if parcel.carrier}
    if len(carriers) == 1:
        info["company"] = company(carriers.pop())
    return info


_CHANGED_MEANWHILE: Final = re.compile(
    "does not exist|invalid fulfillment order line item quantity|single location|same order|unfulfillable|closed",
    re.IGNORECASE,
)
"""fulfillmentCreate has no error codes. These mean that the fulfilment orders are no longer as they were read."""


def read_fulfill(answer: Fulfilled, work: Work) -> str | Outcome:
    """Id of the new fulfilment, or why there is none."""
    told = "; ".join(error.message for error in answer.user_errors)
    if answer.fulfillment is not None and not told:
        return answer.fulfillment.id
    reason = f"order {work.name}: Shopify did not take the shipment: {told or 'no fulfilment in the answer'}"
    if told and all(_CHANGED_MEANWHILE.search(error.message) for error in answer.user_errors):
        return RetryLater(reason=reason)
    return NeedsPerson(reason=reason, next_step="correct the order in the shop's admin, then retry")


def reference(ids: Iterable[str]) -> str | None:
    """REST ids of fulfilments, as later webhooks name them."""
    return ",".join(str(rest_id(id)) for id in ids) or None


def _allocate(work: Work, wanted: Mapping[str, int], location: str | None) -> tuple[tuple[Take, ...], Counter[str]]:
    """Takes for the wanted units, from fulfilment orders at `location` first, and what nothing could be found for."""
    home = None if location is None else _location(location)
    open_orders = [one for one in work.fulfillment_orders.nodes if one.status in WORKABLE]
    open_orders.sort(key=lambda one: _place(one.assigned_location.location) != home)
    left, takes = Counter(wanted), []
    for one in open_orders:
        for line in one.line_items.nodes:
            quantity = min(left[line.line_item.id], line.remaining_quantity)
            if quantity > 0:
                left[line.line_item.id] -= quantity
                takes.append(Take(one.id, line.id, quantity, _place(one.assigned_location.location)))
    return tuple(takes), +left


def _less(wanted: Counter[str], told: Counter[str]) -> Counter[str]:
    return Counter({line: quantity - told[line] for line, quantity in wanted.items() if quantity > told[line]})


def _nothing_left(work: Work, missing: Counter[str]) -> Outcome:
    """Why units that left cannot be fulfilled at Shopify."""
    units = ", ".join(f"{quantity} of line {rest_id(line)}" for line, quantity in sorted(missing.items()))
    if work.cancelled_at is not None:
        return Refused(reason=f"order {work.name} was cancelled at Shopify; {units} left all the same")
    if not work.fulfillment_orders.nodes:
        return NeedsPerson(
            reason=f"order {work.name} shows no fulfilment orders",
            next_step="grant the app a write_*_fulfillment_orders scope for the owner of the location, then retry",
        )
    waiting = [
        one
        for one in work.fulfillment_orders.nodes
        if one.status in ("ON_HOLD", "SCHEDULED") and any(line.line_item.id in missing for line in one.line_items.nodes)
    ]
    if waiting:
        words = ", ".join(f"{rest_id(one.id)} is {one.status.lower()}" for one in waiting)
        step = "release it in the shop's admin, then retry"
        return NeedsPerson(reason=f"order {work.name}: {units} left, but fulfilment order {words}", next_step=step)
    others = ", ".join(
        one.name
        for one in work.fulfillments
        if one.status in STANDING and any(line.line_item.id in missing for line in one.fulfillment_line_items.nodes)
    )
    return NeedsPerson(
        reason=f"order {work.name}: nothing is left at Shopify to fulfil {units}; fulfilled by {others or 'nobody'}",
        next_step="compare with the shop's admin (refunded, removed, shipped by hand), add tracking there, resolve",
    )


def _gid(line: str) -> str:
    return line if line.startswith("gid://") else f"gid://shopify/LineItem/{line}"


def _location(location: str) -> str:
    return location if location.startswith("gid://") else f"gid://shopify/Location/{location}"


def _place(location: Ref | None) -> str | None:
    return None if location is None else location.id


# --- cancelling ------------------------------------------------------------------------------------------------------

CANCEL_REASONS: Final = {
    "customer": "CUSTOMER",
    "declined": "DECLINED",
    "payment": "DECLINED",
    "fraud": "FRAUD",
    "inventory": "INVENTORY",
    "shortage": "INVENTORY",
    "out_of_stock": "INVENTORY",
    "staff": "STAFF",
}
"""Our words for Shopify's; every other reason is OTHER, and told in the staff note."""

STAFF_NOTE_LENGTH: Final = 255


def cancel_request(request: ChannelCancel, order: str) -> dict[str, object]:
    """Variables of `documents.CANCEL`: stock goes back, the customer is told.

    Authorised payments are voided by Shopify in any case; what was captured is refunded by a refund, not by the way.
    """
    return {
        "orderId": order,
        "reason": CANCEL_REASONS.get(request.reason.strip().lower().replace(" ", "_"), "OTHER"),
        "restock": True,
        "notify": True,
        "note": f"{request.reason} ({request.key})"[:STAFF_NOTE_LENGTH],
        "refund": None,
    }


def read_cancel(answer: Cancelling, name: str) -> Outcome | None:
    """None when Shopify took it on; the order itself tells when it is done."""
    if not answer.order_cancel_user_errors:
        return None
    told = "; ".join(error.message for error in answer.order_cancel_user_errors)
    reason = f"order {name}: Shopify does not cancel it: {told}"
    match answer.order_cancel_user_errors[0].code:
        case "INTERNAL_ERROR":
            return Uncertain(reason=reason)
        case "INVALID" | "NOT_FOUND" | None:
            return Refused(reason=reason)
        case _:
            return NeedsPerson(reason=reason, next_step="give the app the permission, or cancel in the shop's admin")


def read_cancelled(state: CancelState | None, request: ChannelCancel, *, sent: bool) -> Done | None:
    """Done when the order is cancelled, by whomever."""
    if state is None or state.cancelled_at is None:
        return None
    return Done(reference=request.order_external_id, found=not sent)
