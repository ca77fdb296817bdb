"""Postings to Business Central's values and back: what is written, and what the records read back mean. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec

from adapters.business_central.amounts import ITEM, BookedLine
from adapters.business_central.answers import quantity
from adapters.business_central.schemas import Document, Item, Levels, OrderLine, SalesOrder
from adapters.business_central.settings import Settings
from hub.domain.contact import Contact
from hub.domain.facts import AnyFact, StockLine, StockReported
from hub.domain.posting import DocumentKind
from hub.domain.stock import ReportKind
from hub.sdk.booking import what
from hub.sdk.outcomes import blocked
from hub.sdk.posting import PostingRequest
from hub.sdk.translate import Malformed, Tables

Values = dict[str, object]
D = TypeVar("D", bound=Document)

LONGEST_REFERENCE: Final = 35
"""Characters of an external document number."""
LONGEST_NAME: Final = 100
POSTED: Final = ("Open", "Paid", "Canceled", "Corrective")
UNPOSTED: Final = ("Draft", "In Review")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a line of the order must say before the order is shipped and invoiced; `line` None: it is a new one."""

    line: OrderLine | None
    values: Values
    booked: BookedLine | None = None


def reference(request: PostingRequest) -> str:
    """Our name of a document, by which Business Central is searched before anything is repeated.

    The field keeps capitals only, and 35 characters. An order has one delivery and invoice per shipment, which share
    a name since one call makes both, and any number of credit notes: those go by the effect's key.
    """
    if request.kind is DocumentKind.ORDER:
        return request.order.upper()
    own = request.key if request.kind is DocumentKind.CREDIT_NOTE else (request.shipment or "1")
    whole = (own if own.startswith(request.order) else f"{request.order}-{own}").upper()
    if len(whole) <= LONGEST_REFERENCE:
        return whole
    return f"{request.order.upper()[:24]}-{hashlib.sha256(whole.encode()).hexdigest()[:10].upper()}"


def equals(field: str, values: Iterable[str]) -> str:
    """Filter: the field is one of the values."""
    return " or ".join(f"{field} eq '{_quoted(value)}'" for value in values)


def of_order(request: PostingRequest) -> str:
    """Filter: the document's external number is of our order."""
    return f"startswith(externalDocumentNumber,'{_quoted(request.order.upper())}')"


def _quoted(value: str) -> str:
    return value.replace("'", "''")


# --- order -----------------------------------------------------------------------------------------------------------


def order_values(
    request: PostingRequest, settings: Settings, lines: Sequence[BookedLine], customer: str
) -> Values:  # fmt: skip
    """A sales order with its lines, in one call."""
    return {
        "externalDocumentNumber": reference(request),
        "orderDate": day(request.dated),
        "customerNumber": customer,
        "currencyCode": request.currency,
        "salesOrderLines": [line_values(line, settings) for line in lines],
    }


def line_values(line: BookedLine, settings: Settings) -> Values:
    """A line of any document."""
    values: Values = {
        "lineType": line.kind,
        "lineObjectNumber": line.number,
        "description": line.title[:LONGEST_NAME],
        "quantity": line.quantity,
        "unitPrice": line.price,
    }
    if settings.tax_account is not None and settings.untaxed_code is not None:
        values["taxCode"] = settings.untaxed_code
    return values


def the_order(found: Sequence[SalesOrder], request: PostingRequest) -> SalesOrder:
    """The one order that stands for ours. Raises NeedsPerson when there are several or none."""
    if len(found) > 1:
        raise blocked(
            f"order {request.order_number} ({request.order}) is in Business Central {len(found)} times: "
            f"{', '.join(order.number for order in found)}",
            "delete all but one there, then send it again",
        )
    if not found:
        raise blocked(
            f"{what(request)}: Business Central has no open sales order of it",
            "post the order first; if it was deleted or invoiced there by hand, skip the posting",
        )
    return found[0]


def customer_values(contact: Contact, number: str | None = None) -> Values:
    """A customer, with what an invoice must show and no more: no telephone, no coordinates."""
    lines = dict(zip(("addressLine1", "addressLine2"), contact.lines, strict=False))
    values: Values = {
        "displayName": (contact.company or contact.name or contact.email or "Web customer")[:LONGEST_NAME],
        "type": "Company" if contact.company else "Person",
        "email": mailbox(contact),
        "city": contact.city,
        "state": contact.region,
        "postalCode": contact.postal_code,
        "country": contact.country,
        "number": number,
        **lines,
    }
    return {name: value for name, value in values.items() if value is not None}


def mailbox(contact: Contact) -> str | None:
    """The e-mail address in lower case; None when there is none."""
    return (contact.email or "").strip().lower() or None


# --- shipment and invoice --------------------------------------------------------------------------------------------


def plan_shipment(order: SalesOrder, booked: Sequence[BookedLine], request: PostingRequest) -> list[Change]:
    """What the order's lines must say so that shipping and invoicing it makes exactly this document.

    Goods take the first line of their item that has enough left; charges take an open line of their account, or a new
    one; everything else is set to nothing. Raises NeedsPerson naming the items that the order does not hold.
    """
    free = [line for line in order.sales_order_lines if line.left > 0]
    changes, missing = [], []
    for one in booked:
        line = _line_for(one, free)
        if line is not None:
            free.remove(line)
        elif one.kind == ITEM:
            missing.append(one.number)
            continue
        changes.append(Change(line=line, values=_shipping(one), booked=one))
    if missing:
        raise blocked(
            f"{what(request)}: {order.number} in Business Central has no open line for {', '.join(sorted(missing))}",
            "correct the order there or post it by hand and skip the posting",
        )
    nothing: Values = {"shipQuantity": 0, "invoiceQuantity": 0}
    idle = [Change(line=line, values=nothing) for line in free if line.ship_quantity or line.invoice_quantity]
    return [change for change in changes if not _said(change)] + idle


def _line_for(booked: BookedLine, free: Sequence[OrderLine]) -> OrderLine | None:
    fitting = [
        line for line in free if line.line_object_number == booked.number and line.left >= booked.quantity
    ]  # fmt: skip
    exact = [line for line in fitting if line.left == booked.quantity]
    return next(iter(exact or fitting), None)


def _shipping(booked: BookedLine) -> Values:
    return {"unitPrice": booked.price, "shipQuantity": booked.quantity, "invoiceQuantity": booked.quantity}


def _said(change: Change) -> bool:
    line = change.line
    if line is None:
        return False
    now: Values = {
        "unitPrice": line.unit_price,
        "shipQuantity": line.ship_quantity,
        "invoiceQuantity": line.invoice_quantity,
    }
    return all(now[name] == value for name, value in change.values.items())


def posted(found: Sequence[D], request: PostingRequest) -> D | None:
    """The posted document under our reference. Raises NeedsPerson for several, and for a status that we do not know."""
    unknown = [one for one in found if one.status not in (*POSTED, *UNPOSTED)]
    if unknown:
        raise blocked(f"{what(request)}: {unknown[0].number} has the status {unknown[0].status!r}", "look at it there")
    done = [one for one in found if one.status in POSTED]
    if len(done) > 1:
        raise blocked(
            f"{what(request)} is in Business Central {len(done)} times: {', '.join(one.number for one in done)}",
            "correct all but one there, then send it again",
        )
    return done[0] if done else None


# --- credit note -----------------------------------------------------------------------------------------------------


def credit_values(
    request: PostingRequest, settings: Settings, lines: Sequence[BookedLine], customer: str
) -> Values:  # fmt: skip
    """A credit memo with its lines, in one call."""
    return {
        "externalDocumentNumber": reference(request),
        "creditMemoDate": day(request.dated),
        "postingDate": day(request.dated),
        "customerNumber": customer,
        "currencyCode": request.currency,
        "salesCreditMemoLines": [line_values(line, settings) for line in lines],
    }


def day(moment: datetime) -> str:
    """A date; Business Central books by days, here those of UTC."""
    return moment.astimezone(UTC).date().isoformat()


# --- stock -----------------------------------------------------------------------------------------------------------


def stock_facts(body: bytes, tables: Tables) -> Sequence[AnyFact]:
    """On hand per item, of the whole company. Raises Malformed, also for a part of a unit: it needs a unit of ours."""
    try:
        levels = msgspec.json.decode(body, type=Levels)
    except msgspec.MsgspecError as error:
        text, _, path = str(error).partition(" - at ")
        raise Malformed("inventory level", path.strip("`") or "$", text) from error
    lines = tuple(_level(levels.location, item) for item in levels.items)
    return (StockReported(at=levels.as_of, kind=ReportKind.SNAPSHOT, lines=lines),) if lines else ()


def _level(location: str, item: Item) -> StockLine:
    on_hand = quantity(item.inventory)
    if on_hand is None:
        raise Malformed("inventory level", f"$.items[{item.number}].inventory", "is not a whole number of units")
    return StockLine(location=location, sku=item.number, on_hand=on_hand)
