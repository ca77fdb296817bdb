"""Pure: the requests we make of ShipBob and what its answers mean. Every function that builds has one that reads."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from adapters.shipbob import units
from adapters.shipbob.schemas import (
    Order,
    RawPage,
    cancelled_decoder,
    errors_decoder,
    order_decoder,
    orders_decoder,
    raw_page_decoder,
    raw_rows_decoder,
)
from adapters.shipbob.settings import Settings, read_rates
from hub.domain.contact import Contact
from hub.domain.facts import CancelConfirmed, FulfilmentAccepted
from hub.sdk.capabilities import Context, FulfilmentCancel, FulfilmentRequest, Pulled
from hub.sdk.outcomes import (
    Done,
    Interrupted,
    Learned,
    NeedsPerson,
    Outcome,
    Refused,
    RetryLater,
    Unauthorised,
    Uncertain,
)
from hub.sdk.translate import Malformed, Unmapped, utc
from hub.sdk.wire import Request, Response

PAGE: Final = 250
"""The largest page of orders that ShipBob gives."""

OBJECT: Final = "order:"

FIRST_PULL: Final = timedelta(days=30)
"""How far the first pull looks back when the connection does not say since when it is live."""

_encoder = msgspec.json.Encoder()


def request(
    settings: Settings,
    method: str,
    resource: str,
    *,
    operation: str,
    query: Mapping[str, str] | None = None,
    body: bytes | None = None,
    write: bool = False,
) -> Request:
    """A call of a resource under the dated version, through our channel."""
    headers = {"shipbob_channel_id": str(settings.channel_id)}
    if body is not None:
        headers["content-type"] = "application/json"
    return Request(
        method=method,
        path=f"/{settings.version}/{resource}",
        operation=operation,
        query=query or {},
        headers=headers,
        body=body,
        write=write,
    )


# --- submit ----------------------------------------------------------------------------------------------------------


def unsendable(wanted: FulfilmentRequest) -> NeedsPerson | None:
    """What ShipBob would certainly not take, said before it is asked; names fields, never what is in them."""
    to = wanted.ship_to
    missing = [name for name, there in (("name", to.name or to.company), ("street", any(to.lines))) if not there]
    missing += [name for name, there in (("city", to.city), ("country", to.country)) if not there]
    if missing:
        return NeedsPerson(
            reason=f"{wanted.fulfilment}: the address has no {', no '.join(missing)}, which ShipBob requires",
            next_step="complete the order's address",
        )
    return misplaced(wanted.fulfilment, wanted.location)


def misplaced(subject: str, location: str | None) -> NeedsPerson | None:
    """A location that cannot be one of ShipBob's."""
    if location is None or location.isdigit():
        return None
    return NeedsPerson(
        reason=f"{subject}: {location!r} is not the number of a ShipBob location",
        next_step="bind the node to the location id that GET /location shows",
    )


def submit_request(wanted: FulfilmentRequest, settings: Settings) -> Request:
    """POST /order: our fulfilment order's id is the reference that ShipBob keeps unique in the channel.

    A line's number is its place in the request; its name travels in a tag, see `units.LINE_TAG`.
    """
    document = {
        "reference_id": wanted.fulfilment,
        "order_number": wanted.order_number,
        "type": "DTC",
        "shipping_method": wanted.service or settings.shipping_method,
        "purchase_date": utc(wanted.ordered_at).isoformat(),
        "location_id": int(wanted.location) if wanted.location is not None else None,
        "recipient": _recipient(wanted.ship_to),
        "products": [
            {
                "reference_id": line.sku,
                "sku": line.sku,
                "name": line.title or line.sku,
                "quantity": line.quantity,
                "external_line_id": number,
            }
            for number, line in enumerate(wanted.lines, 1)
        ],
        "tags": [
            {"name": f"{units.LINE_TAG}{number}", "value": line.line} for number, line in enumerate(wanted.lines, 1)
        ],
    }
    body = _encoder.encode(document)
    return request(settings, "POST", "order", operation="POST /order", body=body, write=True)


def _recipient(to: Contact) -> dict[str, object]:
    streets = [line for line in to.lines if line]
    return {
        "name": to.name or to.company,
        "email": to.email,
        "phone_number": to.phone,
        "address": {
            "address1": streets[0],
            "address2": ", ".join(streets[1:]) or None,
            "company_name": to.company,
            "city": to.city,
            "state": to.region,
            "zip_code": to.postal_code,
            "country": to.country,
        },
    }


def is_duplicate(response: Response) -> bool:
    """Whether ShipBob says that the reference exists already: no failure, but an order to look at."""
    said = " ".join(_errors(response).get("reference_id", ())) or response.body.decode(errors="replace")
    return response.status == 422 and "duplicate reference" in said.lower()


def read_submit(response: Response, wanted: FulfilmentRequest, now: datetime) -> Outcome:
    """The answer to POST /order."""
    if response.status not in (200, 201):
        return refusal(response, "POST /order", wanted.fulfilment, now, write=True)
    try:
        order = order_decoder.decode(response.body)
    except msgspec.MsgspecError as error:
        return Uncertain(reason=f"{wanted.fulfilment}: ShipBob took it, but its answer cannot be read: {error}")
    return _accepted(order, wanted, found=False)


def read_found(order: Order, wanted: FulfilmentRequest) -> Outcome:
    """An order that has our reference already: ours from an earlier try, if it asks for the same."""
    there: Counter[str] = Counter()
    for product in order.products or ():
        there[product.reference_id or product.sku or str(product.id)] += product.quantity
    asked: Counter[str] = Counter()
    for line in wanted.lines:
        asked[line.sku] += line.quantity
    if there == asked:
        return _accepted(order, wanted, found=True)
    return NeedsPerson(
        reason=f"{wanted.fulfilment}: ShipBob's order {order.id} has this reference but other products",
        next_step="cancel one of the two at ShipBob, or re-route the order",
    )


def _accepted(order: Order, wanted: FulfilmentRequest, *, found: bool) -> Done:
    theirs = str(order.id)
    accepted = FulfilmentAccepted(at=utc(order.created_date), fulfilment=wanted.fulfilment, partner_reference=theirs)
    return Done(
        reference=theirs,
        facts=(accepted,),
        learned=(Learned(kind="order", ours=wanted.fulfilment, theirs=theirs),),
        found=found,
    )


# --- look ------------------------------------------------------------------------------------------------------------


def find_request(fulfilment: str, settings: Settings) -> Request:
    """GET /order by our reference."""
    query = {"ReferenceIds": fulfilment, "Limit": "2"}
    return request(settings, "GET", "order", operation="GET /order", query=query)


def read_find(response: Response, fulfilment: str, now: datetime) -> Order | None:
    """The order with our reference, if there is one."""
    expect_ok(response, "GET /order", fulfilment, now)
    try:
        orders = orders_decoder.decode(response.body)
    except msgspec.MsgspecError as error:
        raise unreadable("GET /order", error) from error
    return next((order for order in orders if order.reference_id == fulfilment), None)


def order_request(order: str, settings: Settings) -> Request:
    """GET /order/{id}."""
    return request(settings, "GET", f"order/{order}", operation="GET /order/{id}")


def read_order(response: Response, order: str, now: datetime) -> Order:
    """One order."""
    expect_ok(response, "GET /order/{id}", order, now)
    try:
        return order_decoder.decode(response.body)
    except msgspec.MsgspecError as error:
        raise unreadable("GET /order/{id}", error) from error


# --- cancel ----------------------------------------------------------------------------------------------------------


def cancel_request(order: str, settings: Settings) -> Request:
    """POST /order/{id}:cancel. Cancels every shipment that was not picked yet."""
    return request(settings, "POST", f"order/{order}:cancel", operation="POST /order:cancel", write=True)


def read_cancel(response: Response, wanted: FulfilmentCancel, now: datetime) -> Outcome:
    """The answer to order:cancel; a part that could not be stopped makes it a refusal, and pulls tell of the rest."""
    if response.status != 200:
        return refusal(response, "POST /order:cancel", wanted.fulfilment, now, write=True)
    try:
        answer = cancelled_decoder.decode(response.body)
    except msgspec.MsgspecError as error:
        return Uncertain(reason=f"{wanted.fulfilment}: the answer to a cancel cannot be read: {error}")
    if answer.status == "Success":
        return stopped_now(wanted, now, found=False)
    if answer.status not in ("Failure", "PartialSuccess"):
        return Uncertain(reason=f"{wanted.fulfilment}: order:cancel answered {answer.status!r}, which we do not know")
    results = answer.canceled_shipment_results or []
    reasons = sorted({result.reason for result in results if not result.is_success and result.reason})
    refused = sum(not result.is_success for result in results)
    said = "; ".join(reasons) or answer.status
    return Refused(reason=f"{wanted.fulfilment}: {refused} of {len(results)} shipments could not be stopped: {said}")


def stopped_now(wanted: FulfilmentCancel, at: datetime, *, found: bool) -> Done:
    """The order is cancelled."""
    return Done(facts=(CancelConfirmed(at=at, fulfilment=wanted.fulfilment),), found=found)


# --- pulls -----------------------------------------------------------------------------------------------------------


def since(context: Context[Settings], cursor: str | None, until: datetime) -> datetime:
    """Where a pull begins: at its cursor, less the overlap."""
    if cursor is not None:
        # A cursor ahead of us was written by a clock that was fast: what changed since lies before it.
        return min(datetime.fromisoformat(cursor), until) - timedelta(seconds=context.settings.overlap_seconds)
    return context.connection.live_from or until - FIRST_PULL


def changes_request(start: datetime, end: datetime | None, page: int, settings: Settings) -> Request:
    """GET /order: what changed between two moments, or since one."""
    query = {"LastUpdateStartDate": iso(start), "SortOrder": "Oldest", "Page": str(page), "Limit": str(PAGE)}
    if end is not None:
        query["LastUpdateEndDate"] = iso(end)
    return request(settings, "GET", "order", operation="GET /order", query=query)


def read_changes(response: Response, now: datetime) -> list[bytes]:
    """The orders of a page, each byte for byte."""
    expect_ok(response, "GET /order", "pull of status", now)
    return rows(response.body, "GET /order")


def rows(body: bytes, operation: str) -> list[bytes]:
    """The objects of a list, each byte for byte."""
    try:
        return [bytes(raw) for raw in raw_rows_decoder.decode(body)]
    except msgspec.MsgspecError as error:
        raise unreadable(operation, error) from error


def pulled(raw: bytes) -> list[Pulled]:
    """The messages an order makes: itself under the hash of its content, and each stopped shipment once."""
    digest = hashlib.sha256(raw).hexdigest()[:20]
    try:
        order = order_decoder.decode(raw)
        stops = units.stopped(order)
    except (msgspec.MsgspecError, Unmapped, Malformed):
        # `translate.order_facts` meets the same difficulty with the stored bytes, and says so where it can be mended.
        return [Pulled(key=f"order:unread:{digest}", topic="order", object=None, body=raw)]
    subject = f"{OBJECT}{order.id}"
    messages = [Pulled(key=f"{subject}:{digest}", topic="order", object=subject, body=raw)]
    for stop in stops:
        key = f"shipment:{stop.shipment}:{stop.status}"
        messages.append(Pulled(key=key, topic="shipment_stopped", object=subject, body=_encoder.encode(stop)))
    return messages


def stock_request(query: Mapping[str, str], settings: Settings) -> Request:
    """GET /inventory-level/locations: a page of levels."""
    wanted = {"PageSize": str(PAGE), "IsDigital": "false", **query}
    operation = "GET /inventory-level"
    return request(settings, "GET", "inventory-level/locations", operation=operation, query=wanted)


def read_stock(response: Response, now: datetime) -> RawPage:
    """A page of levels, each byte for byte."""
    expect_ok(response, "GET /inventory-level", "pull of stock", now)
    try:
        return raw_page_decoder.decode(response.body)
    except msgspec.MsgspecError as error:
        raise unreadable("GET /inventory-level", error) from error


def following(link: str | None, query: Mapping[str, str]) -> dict[str, str] | None:
    """The query of the next page; None after the last. Of a link no more is followed: gateways have shown inner hosts
    and paths in such links."""
    named = dict(parse_qsl(urlsplit(link or "").query))
    return named if named and named != query else None


def iso(moment: datetime) -> str:
    """A moment as ShipBob wants it: milliseconds, Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- errors ----------------------------------------------------------------------------------------------------------


def expect_ok(response: Response, operation: str, subject: str, now: datetime) -> None:
    """Raise what a failed read means."""
    if response.status == 200:
        return
    outcome = refusal(response, operation, subject, now, write=False)
    if not isinstance(outcome, Done):
        raise Interrupted(outcome)


def refusal(response: Response, operation: str, subject: str, now: datetime, *, write: bool) -> Outcome:
    """The table of errors: what each status of ShipBob means for us.

    422 about products is a no of this node, and the order moves on; about anything else it is for a person.
    """
    status, said = response.status, _said(response)
    text = f"{subject}: {operation} answered {status}: {said}"
    if status == 429:
        waits = [reading.not_before for reading in read_rates(response, now) if reading.not_before is not None]
        return RetryLater(reason=f"{subject}: {operation} was throttled", at=max(waits, default=None))
    if status in (401, 403):
        return Unauthorised(reason=f"{operation}: the token may not do this in the channel ({status})")
    if status == 422 and any(field.lower().startswith("product") for field in _errors(response)):
        return Refused(reason=text)
    if status >= 500:
        return Uncertain(reason=text) if write else RetryLater(reason=text)
    return NeedsPerson(reason=text, next_step="mend what ShipBob names, then retry the delivery")


def _errors(response: Response) -> dict[str, list[str]]:
    try:
        return errors_decoder.decode(response.body)
    except msgspec.MsgspecError:
        return {}


def _said(response: Response) -> str:
    """ShipBob's words, without those about the recipient: they may quote a person."""
    parts = [
        field if field.lower().startswith("recipient") else f"{field}: {', '.join(texts)}"
        for field, texts in sorted(_errors(response).items())
    ]
    return "; ".join(parts)[:300] or "no reason that can be read"


def unreadable(operation: str, error: msgspec.MsgspecError) -> Interrupted:
    """An answer that ShipBob's contract does not foresee."""
    reason = f"{operation}: ShipBob's answer does not fit its contract: {error}"
    return Interrupted(NeedsPerson(reason=reason, next_step="compare the API version with the adapter's"))
