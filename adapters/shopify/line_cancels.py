"""Taking units off an order at Shopify that has others left: a refund of the line without money, of kind "cancel".

Chosen over an order edit: one call instead of three, the same scope as a refund, and Shopify itself repeats its answer
for our key. It lowers `current_quantity` and closes the units' place in the fulfilment order.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from adapters.shopify import documents_money as documents
from adapters.shopify import money
from adapters.shopify.client import Shop, call, gid
from adapters.shopify.messages import FulfillmentOrder
from adapters.shopify.orders import Nodes, Ref, Shape
from adapters.shopify.shipments import read_work
from hub.sdk.capabilities import CancelledLine, ChannelLineCancel
from hub.sdk.outcomes import Done, NeedsPerson, Outcome, Refused

NODES: Final = 200
"""Ids in one query; Shopify takes 250."""


class Assigned(Shape, frozen=True):
    """Where a fulfilment order is to be fulfilled."""

    location: Ref | None


class OpenUnits(Shape, frozen=True):
    """Units of a line that a fulfilment order still waits for."""

    remaining_quantity: int
    line_item: Ref


class OpenOrder(Shape, frozen=True):
    """A fulfilment order."""

    assigned_location: Assigned
    line_items: Nodes[OpenUnits]


class Noted(Shape, frozen=True):
    """A refund that exists."""

    id: str
    note: str | None


class OnOrder(Shape, frozen=True):
    """An order as far as units can be taken off (`documents_money.ON_ORDER`)."""

    id: str
    name: str
    cancelled_at: datetime | None
    refunds: tuple[Noted, ...]
    fulfillment_orders: Nodes[OpenOrder]


class LineLeft(Shape, frozen=True):
    """What is wanted of a line, and how much of it has not left."""

    id: str
    current_quantity: int
    unfulfilled_quantity: int


async def cancel_lines(context: Shop, request: ChannelLineCancel, /) -> Outcome:
    """Take units off, once. Reads the order first, always: a person may have done it, or the refund of these units."""
    if not request.lines:
        return Done(found=True)
    variables = {"id": gid("Order", request.order_external_id)}
    found = await call(context, documents.ON_ORDER, variables, "order", OnOrder)
    if found is None:
        return NeedsPerson(
            reason=f"order {request.order_external_id} cannot be read at Shopify",
            next_step="check read_orders and read_all_orders, and whether the order was deleted",
        )
    before = taken_off_before(found, request)
    if before is not None:
        return before
    off = units_off(request.lines, await _left(context, request.lines), found.name)
    if isinstance(off, Refused):
        return off
    if not off:
        return Done(found=True)
    refund = off_variables(found, off, await _places(context, found, off, request), request)
    answer = await call(context, documents.REFUND, refund, "refundCreate", money.Refunded)
    return money.read_refund(answer or money.Refunded(refund=None, user_errors=()), found.name)


async def _places(context: Shop, found: OnOrder, off: Mapping[str, int], request: ChannelLineCancel) -> dict[str, str]:
    """Where the units are assigned, by line: a line that is not among the first of a long order is looked for."""
    places = assigned(found.fulfillment_orders.nodes)
    if off.keys() <= places.keys():
        return places
    work = await read_work(context, request.order_external_id)
    return assigned(work.fulfillment_orders.nodes) if work else places


async def _left(context: Shop, lines: Sequence[CancelledLine]) -> list[LineLeft]:
    found: list[LineLeft] = []
    for start in range(0, len(lines), NODES):
        ids = [money.line_gid(line.line) for line in lines[start : start + NODES]]
        page = await call(context, documents.UNITS_LEFT, {"ids": ids}, "nodes", tuple[LineLeft | None, ...])
        found += [line for line in page or () if line is not None]
    return found


def taken_off_before(found: OnOrder, request: ChannelLineCancel) -> Done | None:
    """What an earlier try did: our key stands in its note. A cancelled order has nothing left to take off."""
    mine = [one.id for one in found.refunds if one.note is not None and f"({request.key})" in one.note]
    if mine or found.cancelled_at is not None:
        return Done(reference=f"refund:{mine[0].rpartition('/')[2]}" if mine else None, found=True)
    return None


def units_off(lines: Sequence[CancelledLine], left: Sequence[LineLeft], name: str) -> dict[str, int] | Refused:
    """Units to take off by line id; Refused when they are not there unfulfilled any more."""
    known, off = {line.id: line for line in left}, {}
    for line in lines:
        there = known.get(money.line_gid(line.line))
        units = 0 if there is None else min(line.quantity, there.current_quantity - line.remaining)
        if there is None or units <= 0:
            continue
        if units > there.unfulfilled_quantity:
            return Refused(
                reason=f"order {name}: {units} units of line {line.line} are to be taken off, and Shopify has "
                f"{there.unfulfilled_quantity} unfulfilled"
            )
        off[there.id] = units
    return off


def assigned(works: Iterable[OpenOrder | FulfillmentOrder]) -> dict[str, str]:
    """Locations that still wait for units of a line, by line. Pure."""
    return {
        line.line_item.id: one.assigned_location.location.id
        for one in works
        for line in one.line_items.nodes
        if line.remaining_quantity > 0 and one.assigned_location.location is not None
    }


def off_variables(
    found: OnOrder, off: Mapping[str, int], places: Mapping[str, str], request: ChannelLineCancel
) -> dict[str, object]:
    """Variables of refundCreate: no money moves, and the units are free again where they were assigned."""
    lines = []
    for line, units in off.items():
        place = {"locationId": places[line]} if line in places else {}
        lines.append({"lineItemId": line, "quantity": units, "restockType": "CANCEL", **place})
    refund = {
        "orderId": found.id,
        "note": f"{request.reason[: money.NOTE_LENGTH]} ({request.key})".strip(),
        "notify": False,
        "refundLineItems": lines,
    }
    return {"input": refund, "key": request.key}
