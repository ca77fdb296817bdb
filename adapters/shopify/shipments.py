"""Telling Shopify what left."""

import msgspec

from adapters.shopify import documents, messages, tracking
from adapters.shopify.client import Shop, call, gid, whole_fulfilled
from adapters.shopify.messages import Made, Plan, Take, Work
from adapters.shopify.orders import Paged
from hub.sdk.capabilities import ShipmentConfirmation
from hub.sdk.outcomes import Done, NeedsPerson, Outcome


async def confirm_shipment(context: Shop, request: ShipmentConfirmation, /) -> Outcome:
    """One fulfilment per location of what left, with its tracking.

    Reads first, always: splits, holds, moves and cancels replace fulfilment orders, and fulfillmentCreate has no
    idempotency key. Units that Shopify assigned elsewhere are moved to the location they left from, then read again.
    """
    work = await read_work(context, request.order_external_id)
    if work is None:
        return NeedsPerson(
            reason=f"order {request.order_external_id} cannot be read at Shopify",
            next_step="check read_orders and read_all_orders, and whether the order was deleted",
        )
    planned = messages.plan(work, request)
    if isinstance(planned, Plan):
        away = messages.moves(planned.takes, request.location)
        if away and request.location is not None:
            failed = await _move(context, work, away, request.location)
            if failed is not None:
                return failed
            work = await read_work(context, request.order_external_id) or work
            planned = messages.plan(work, request)
    if isinstance(planned, NeedsPerson) and (by_hand := tracking.untracked(work, request)):
        return await _track(context, request, work, by_hand)
    if not isinstance(planned, Plan):
        return planned
    return await _fulfil(context, request, work, planned)


async def read_work(context: Shop, order: str) -> Work | None:
    """An order's fulfilment orders and fulfilments, every list to its end; None when the order cannot be read."""
    variables: dict[str, object] = {"id": gid("Order", order), "after": None}
    work = await call(context, documents.FULFILLMENT_ORDERS, variables, "order", Work)
    if work is None:
        return None
    found = list(work.fulfillment_orders.nodes)
    page = work.fulfillment_orders.page_info
    while page.has_next_page:
        variables["after"] = page.end_cursor
        more = await call(context, documents.FULFILLMENT_ORDERS, variables, "order", Work)
        if more is None:
            break
        found.extend(more.fulfillment_orders.nodes)
        page = more.fulfillment_orders.page_info
    open_orders = [await _whole_open(context, one) for one in found]
    made = [await _whole_made(context, one) for one in work.fulfillments]
    return msgspec.structs.replace(
        work,
        fulfillments=tuple(made),
        fulfillment_orders=Paged(nodes=tuple(open_orders), page_info=page),
    )


async def _whole_open(context: Shop, one: messages.FulfillmentOrder) -> messages.FulfillmentOrder:
    lines = one.line_items
    while lines.page_info.has_next_page:
        variables = {"id": one.id, "after": lines.page_info.end_cursor}
        more = await call(context, documents.OPEN_LINES, variables, "fulfillmentOrder", messages.OpenLines)
        if more is None:
            break
        lines = Paged(nodes=lines.nodes + more.line_items.nodes, page_info=more.line_items.page_info)
    return msgspec.structs.replace(one, line_items=lines)


async def _whole_made(context: Shop, one: Made) -> Made:
    lines = await whole_fulfilled(context, one.id, one.fulfillment_line_items)
    return msgspec.structs.replace(one, fulfillment_line_items=lines)


async def _move(context: Shop, work: Work, away: dict[str, list[Take]], location: str) -> Outcome | None:
    """Assign what left to where it left from. Harmless to repeat: what has moved is no longer away."""
    for order, takes in away.items():
        variables = messages.move_request(order, takes, location)
        answer = await call(context, documents.MOVE, variables, "fulfillmentOrderMove", messages.Moved)
        failed = messages.read_move(answer, work, location) if answer else None
        if failed is not None:
            return failed
    return None


async def _track(context: Shop, request: ShipmentConfirmation, work: Work, by_hand: tuple[Made, ...]) -> Outcome:
    """Somebody fulfilled in the shop what we shipped: only the number is missing there."""
    for one in by_hand:
        variables = tracking.track_request(one, request)
        answer = await call(context, tracking.TRACK, variables, "fulfillmentTrackingInfoUpdate", tracking.Tracked)
        failed = tracking.read_track(answer, work.name)
        if failed is not None:
            return failed
    return Done(reference=messages.reference(one.id for one in by_hand))


async def _fulfil(context: Shop, request: ShipmentConfirmation, work: Work, planned: Plan) -> Outcome:
    made = list(planned.made)
    for takes in messages.by_location(planned.takes).values():
        variables = messages.fulfill_request(takes, request)
        answer = await call(context, documents.FULFILL, variables, "fulfillmentCreate", messages.Fulfilled)
        created = messages.read_fulfill(answer or messages.Fulfilled(fulfillment=None, user_errors=()), work)
        if not isinstance(created, str):
            return created
        made.append(created)
    return Done(reference=messages.reference(made))
