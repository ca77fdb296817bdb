"""Requests to ShipHero and the reading of their answers, in pairs. Pure.

`order_create` knows no uniqueness: sent twice it makes two orders. After an uncertain try we search for our reference
first. Every function that reads an answer raises `Interrupted` where the answer is a failure; see `answers.read`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from adapters.shiphero.answers import Meaning, meaning, read, told
from adapters.shiphero.operations import CANCEL_ORDER, CREATE_ORDER, FIND_ORDERS, ORDER_STATE, Operation
from adapters.shiphero.schemas import Answer, Cancelled, Created, FoundOrder, FoundOrders, OrderHead
from adapters.shiphero.settings import Settings, least_cost, wire_time
from adapters.shiphero.translate import global_id
from hub.domain.contact import Contact
from hub.domain.facts import CancelConfirmed, FulfilmentAccepted
from hub.domain.money import major
from hub.sdk.capabilities import FulfilmentCancel, FulfilmentRequest, RequestLine
from hub.sdk.outcomes import Done, Learned, NeedsPerson, Outcome, Refused, RetryLater, Uncertain
from hub.sdk.wire import Request, Response

CANCELLED: Final = frozenset({"canceled", "cancelled"})
SHIPPED: Final = frozenset({"fulfilled"})
UNIT_PRICE_PLACES: Final = Decimal("0.0001")

_created: Final = msgspec.json.Decoder(Answer[Created])
_cancelled: Final = msgspec.json.Decoder(Answer[Cancelled])
_found_orders: Final = msgspec.json.Decoder(Answer[FoundOrders])
_found_order: Final = msgspec.json.Decoder(Answer[FoundOrder])


def graphql(operation: Operation, variables: Mapping[str, object], settings: Settings) -> Request:
    """A call of one operation. Variables that are None are left out."""
    given = {name: value for name, value in variables.items() if value is not None}
    body = {"query": operation.document, "operationName": operation.name, "variables": given}
    return Request(
        method="POST",
        path="/graphql",
        operation=operation.name,
        headers={"content-type": "application/json", "accept": "application/json"},
        body=msgspec.json.encode(body),
        write=operation.write,
        cost=max(operation.cost, least_cost(settings)),
    )


# --- submit ----------------------------------------------------------------------------------------------------------


def submit_request(request: FulfilmentRequest, settings: Settings) -> Request:
    """Create the order under our reference, each line locked to the warehouse asked for."""
    order: dict[str, object | None] = {
        "customer_account_id": settings.customer_account_id,
        "partner_order_id": request.fulfilment,
        "order_number": request.order_number,
        "shop_name": settings.shop_name,
        "fulfillment_status": "pending",
        "order_date": wire_time(request.ordered_at),
        "required_ship_date": None if request.ship_by is None else wire_time(request.ship_by),
        "currency": request.currency,
        "email": request.ship_to.email,
        "ready_to_ship": True,
        "shipping_lines": None if request.service is None else {"title": request.service, "price": "0.00"},
        "shipping_address": _address(request.ship_to),
        "line_items": [_line(line, request) for line in request.lines],
    }
    return graphql(CREATE_ORDER, {"data": _given(order)}, settings)


def _address(contact: Contact) -> dict[str, object]:
    """ShipHero wants a first and a last name, and two address lines: what is over goes into the second."""
    first, _, last = (contact.name or contact.company or "").strip().rpartition(" ")
    return _given(
        {
            "first_name": first or last,
            "last_name": last if first else "",
            "company": contact.company,
            "address1": contact.lines[0] if contact.lines else None,
            "address2": ", ".join(contact.lines[1:]) or None,
            "city": contact.city,
            "state": contact.region,
            "zip": contact.postal_code,
            "country": contact.country,
            "email": contact.email,
            "phone": contact.phone,
        }
    )


def _line(line: RequestLine, request: FulfilmentRequest) -> dict[str, object]:
    """A line. `price` is required; it is per unit and informative, for customs papers."""
    price = None
    if line.value is not None and line.quantity:
        price = str((major(line.value, request.currency) / line.quantity).quantize(UNIT_PRICE_PLACES))
    return _given(
        {
            "sku": line.sku,
            "partner_line_item_id": line.line,
            "quantity": line.quantity,
            "price": price or "0.00",
            "customs_value": price,
            "product_name": line.title,
            "warehouse_id": None if request.location is None else _warehouse_id(request.location),
        }
    )


def read_submit(response: Response, request: FulfilmentRequest, now: datetime) -> Outcome:
    """The created order."""
    created = read(response, _created, write=True, now=now).order_create
    if created is None or created.order is None:
        return Uncertain(reason=f"ShipHero took {request.fulfilment} and named no order")
    return _submitted(created.order, request, now, found=False)


def find_request(fulfilment: str, settings: Settings) -> Request:
    """Search for orders under our reference."""
    variables = {"partner_order_id": fulfilment, "customer_account_id": settings.customer_account_id}
    return graphql(FIND_ORDERS, variables, settings)


def read_found(response: Response, now: datetime) -> tuple[OrderHead, ...]:
    """Orders under our reference; usually none or one."""
    found = read(response, _found_orders, write=False, now=now).orders
    return found.data.nodes if found and found.data else ()


def read_earlier(found: Sequence[OrderHead], request: FulfilmentRequest, now: datetime) -> Outcome | None:
    """What an earlier try came to, from what the search found; None when there was none."""
    live = [order for order in found if not _is(order, CANCELLED)]
    if len(live) > 1:
        ids = ", ".join(order.id for order in live)
        return NeedsPerson(
            reason=f"ShipHero has several orders {request.fulfilment}: {ids}",
            next_step="Cancel all but one at ShipHero, then try again.",
        )
    if live:
        return _submitted(live[0], request, now, found=True)
    if found:
        return Refused(reason=f"the order {request.fulfilment} was cancelled at ShipHero")
    return None


def _submitted(order: OrderHead, request: FulfilmentRequest, now: datetime, *, found: bool) -> Done:
    return Done(
        reference=order.id,
        learned=(Learned(kind="fulfilment", ours=request.fulfilment, theirs=order.id),),
        facts=(FulfilmentAccepted(at=now, fulfilment=request.fulfilment, partner_reference=order.id),),
        found=found,
    )


# --- cancel ----------------------------------------------------------------------------------------------------------


def state_request(order_id: str, settings: Settings) -> Request:
    """Read an order's state."""
    return graphql(ORDER_STATE, {"id": order_id}, settings)


def read_state(response: Response, now: datetime) -> tuple[OrderHead, ...]:
    """The order, as a search would bring it."""
    found = read(response, _found_order, write=False, now=now).order
    return (found.data,) if found and found.data else ()


def read_standing(found: Sequence[OrderHead], request: FulfilmentCancel, now: datetime) -> Outcome | OrderHead:
    """The order to cancel, or the outcome where there is nothing to do.

    `order_cancel` is not documented to refuse an order of which something left, so we look ourselves.
    """
    if not found:
        return NeedsPerson(
            reason=f"ShipHero knows no order {request.fulfilment}",
            next_step="Search for it at ShipHero; when it is not there, mark the cancel as confirmed.",
        )
    live = [order for order in found if not _is(order, CANCELLED)]
    if not live:
        return _stopped(request, now, found=True)
    order = live[0]
    if order.shipments or _is(order, SHIPPED):
        return Refused(reason=f"ShipHero has already shipped {request.fulfilment} or part of it")
    return order


def cancel_request(order: OrderHead, request: FulfilmentCancel, settings: Settings) -> Request:
    """Cancel an order."""
    data = {"order_id": order.id, "reason": request.reason, "customer_account_id": settings.customer_account_id}
    return graphql(CANCEL_ORDER, {"data": _given(data)}, settings)


def read_cancel(response: Response, request: FulfilmentCancel, now: datetime) -> Outcome:
    """Whether it stopped."""
    if any(meaning(error) is Meaning.ALREADY_CANCELLED for error in told(response)):
        return _stopped(request, now, found=True)
    cancelled = read(response, _cancelled, write=True, now=now).order_cancel
    if cancelled is None or cancelled.order is None:
        return Uncertain(reason=f"ShipHero did not say whether {request.fulfilment} is cancelled")
    if not _is(cancelled.order, CANCELLED):
        status = cancelled.order.fulfillment_status
        return RetryLater(reason=f"ShipHero took the cancel of {request.fulfilment}, the order still reads {status!r}")
    return _stopped(request, now, found=False)


def _stopped(request: FulfilmentCancel, now: datetime, *, found: bool) -> Done:
    return Done(facts=(CancelConfirmed(at=now, fulfilment=request.fulfilment),), found=found)


# --- values ----------------------------------------------------------------------------------------------------------


def _warehouse_id(location: str) -> str:
    """ShipHero's global id; an old number is wrapped into one."""
    return global_id("Warehouse", None, location, "location") if location.isdigit() else location


def _is(order: OrderHead, words: frozenset[str]) -> bool:
    return (order.fulfillment_status or "").lower() in words


def _given(values: Mapping[str, object | None]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
