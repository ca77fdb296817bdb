"""Pure: the requests we make of EasyPost and what its answers mean. Every function that builds has one that reads."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Final

import msgspec

from adapters.easypost.schemas import (
    ErrorBody,
    Shipment,
    Shipments,
    VendorError,
    VendorRate,
    error_decoder,
    shipment_decoder,
    shipments_decoder,
    tracker_decoder,
)
from adapters.easypost.settings import LIST_SHIPMENTS, Settings
from hub.domain.contact import Contact
from hub.domain.money import MoneyError, minor
from hub.domain.shipping import Label, Rate
from hub.sdk.capabilities import LabelRequest, ParcelToShip, Pulled
from hub.sdk.limits import retry_after
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
from hub.sdk.translate import utc
from hub.sdk.wire import Request, Response

OUNCE_G: Final = Decimal("28.349523125")
INCH_MM: Final = Decimal("25.4")
TENTH: Final = Decimal("0.1")

RATES_LIVE: Final = timedelta(hours=24)
"""Carriers change prices; older rates are asked for again before buying."""

LOOK_BACK: Final = timedelta(days=7)
PAGE: Final = 100
MOST_PAGES: Final = 5
"""How far the list is searched for an earlier purchase: the 500 newest. Looking up our reference is the documented
way and comes first; the list is for what that misses, and lists are slow (five a second)."""

IN_THE_OPEN: Final = frozenset(
    {"SHIPMENT.POSTAGE.TIMED_OUT", "SHIPMENT.POSTAGE.NO_RESPONSE", "SHIPMENT.PURCHASE.IN_PROGRESS"}
)
"""Refusals of a purchase that may have happened nevertheless: the carrier was asked and did not answer EasyPost."""

BOUGHT_ALREADY: Final = "SHIPMENT.POSTAGE.EXISTS"

OBJECT: Final = "tracker:"

CARRIERS: Final[Mapping[str, str]] = {
    "USPS": "usps",
    "UPS": "ups",
    "UPSDAP": "ups",
    "UPSMailInnovations": "ups_mail_innovations",
    "FedEx": "fedex",
    "FedExDefault": "fedex",
    "FedExSmartPost": "fedex",
    "DHLExpress": "dhl_express",
    "DhlEcs": "dhl_ecommerce",
    "CanadaPost": "canada_post",
    "RoyalMail": "royal_mail",
    "AustraliaPost": "australia_post",
    "OnTrac": "ontrac",
}
"""Our words for the carriers that sell labels, for what no code table sees: offers and labels. Others stay raw.
`mappings/easypost/tables.toml` says the same of these, and a test keeps them equal."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


def request(method: str, resource: str, operation: str, document: object = None, *, write: bool = False) -> Request:
    """A call of API v2."""
    return Request(
        method=method,
        path=f"/v2/{resource}",
        operation=operation,
        headers={} if document is None else {"content-type": "application/json"},
        body=None if document is None else _encode(document),
        write=write,
    )


# --- shipments and their offers --------------------------------------------------------------------------------------


def create_request(
    ship_from: Contact,
    ship_to: Contact,
    parcel: ParcelToShip,
    reference: str | None,
    settings: Settings,
    customs: Mapping[str, object] | None = None,
) -> Request:
    """POST /shipments: costs nothing until it is bought. Under a reference it is a write: one shipment per key."""
    shipment: dict[str, object] = {
        "from_address": address(ship_from),
        "to_address": address(ship_to),
        "parcel": measured(parcel),
        "options": {"label_format": settings.label_format},
    }
    if reference is not None:
        shipment["reference"] = reference
    if customs is not None:
        shipment["customs_info"] = customs
    if settings.carrier_accounts:
        shipment["carrier_accounts"] = list(settings.carrier_accounts)
    return request("POST", "shipments", "POST /shipments", {"shipment": shipment}, write=reference is not None)


def address(contact: Contact) -> dict[str, str | None]:
    """EasyPost has two street lines; what is beyond them goes into the second."""
    streets = [line for line in contact.lines if line]
    return {
        "name": contact.name,
        "company": contact.company,
        "street1": streets[0] if streets else None,
        "street2": ", ".join(streets[1:]) or None,
        "city": contact.city,
        "state": contact.region,
        "zip": contact.postal_code,
        "country": contact.country,
        "phone": contact.phone,
        "email": contact.email,
    }


def measured(parcel: ParcelToShip) -> dict[str, Decimal]:
    """Ounces and inches, rounded up to a tenth: carriers charge for what they measure."""
    found = {"weight": _up(Decimal(parcel.weight_g) / OUNCE_G)}
    for name, size in (("length", parcel.length_mm), ("width", parcel.width_mm), ("height", parcel.height_mm)):
        if size is not None:
            found[name] = _up(Decimal(size) / INCH_MM)
    return found


def _up(value: Decimal) -> Decimal:
    return value.quantize(TENTH, ROUND_CEILING)


def read_offers(shipment: Shipment) -> tuple[Rate, ...]:
    """All offers, the cheapest first. Raises `Interrupted` for an amount that cannot be booked."""
    return tuple(sorted(map(_offer, shipment.rates or ()), key=lambda rate: (rate.currency, rate.amount, rate.id)))


def choose(shipment: Shipment, wanted: LabelRequest) -> Rate | NeedsPerson:
    """The offer to buy: the wanted service, else the cheapest, never across currencies."""
    offers = read_offers(shipment)
    told = "; ".join(f"{said.carrier}: {said.message}" for said in shipment.messages or ())[:300]
    if not offers:
        return NeedsPerson(
            reason=f"{wanted.key}: no carrier offers to take the parcel: {told or 'no reason given'}",
            next_step="check addresses, weight and the carrier accounts at EasyPost",
        )
    if wanted.service is not None:
        offers = tuple(rate for rate in offers if _serves(rate, wanted.service))
        if not offers:
            return NeedsPerson(
                reason=f"{wanted.key}: no carrier offers the service {wanted.service!r}: {told or 'no reason given'}",
                next_step="ask for another service, or map the word to a service of EasyPost",
            )
    return mixed(wanted.key, offers) or offers[0]


def mixed(subject: str, offers: Sequence[Rate]) -> NeedsPerson | None:
    """Why offers in several currencies cannot be chosen from; None where they are in one."""
    currencies = sorted({rate.currency for rate in offers})
    if len(currencies) < 2:
        return None
    return NeedsPerson(
        reason=f"{subject}: the offers are in {' and '.join(currencies)} and cannot be compared",
        next_step="name a service, or limit the connection's carrier_accounts",
    )


def stale(shipment: Shipment, now: datetime) -> bool:
    """Whether the rates are too old to buy by."""
    return now - utc(shipment.created_at) > RATES_LIVE


def rerate_request(shipment: str) -> Request:
    """POST /shipments/{id}/rerate."""
    return request("POST", f"shipments/{shipment}/rerate", "POST /shipments/rerate", {})


def _serves(rate: Rate, service: str) -> bool:
    return service.casefold() in (rate.service.casefold(), f"{rate.carrier} {rate.service}".casefold())


def _offer(rate: VendorRate) -> Rate:
    days = rate.delivery_days if rate.delivery_days is not None else rate.est_delivery_days
    try:
        amount = minor(rate.rate, rate.currency)
    except MoneyError as error:
        reason = f"EasyPost offers {rate.carrier} {rate.service} for an amount that cannot be booked: {error}"
        raise Interrupted(NeedsPerson(reason=reason, next_step="leave this carrier out of carrier_accounts")) from error
    return Rate(
        id=rate.id,
        carrier=CARRIERS.get(rate.carrier, rate.carrier),
        service=rate.service,
        amount=amount,
        currency=rate.currency,
        delivery_days=days,
    )


# --- buying ----------------------------------------------------------------------------------------------------------


def buy_request(shipment: str, rate: str) -> Request:
    """POST /shipments/{id}/buy. No idempotency key exists; EasyPost refuses to buy one shipment twice."""
    return request("POST", f"shipments/{shipment}/buy", "POST /shipments/buy", {"rate": {"id": rate}}, write=True)


def read_label(shipment: Shipment, wanted: LabelRequest, *, found: bool) -> Outcome:
    """A shipment that was bought, or of which that is not sure yet."""
    label, rate = shipment.postage_label, shipment.selected_rate
    if label is None or rate is None or not shipment.tracking_code:
        return Uncertain(reason=f"{wanted.key}: {shipment.id} shows no label, rate or tracking code yet")
    offer = _offer(rate)
    bought = Label(
        external_id=shipment.id,
        tracking=shipment.tracking_code,
        carrier=offer.carrier,
        service=offer.service,
        url=label.label_url,
        media_type=label.label_file_type or "application/octet-stream",
        amount=offer.amount,
        currency=offer.currency,
    )
    learned = Learned(kind="shipment", ours=wanted.key, theirs=shipment.id)
    return Done(reference=shipment.id, label=bought, learned=(learned,), found=found)


def shipment_request(shipment: str) -> Request:
    """GET /shipments/{id}; EasyPost takes a reference in place of the id."""
    return request("GET", f"shipments/{shipment}", "GET /shipments/{id}")


def search_from(named: Shipment | None, now: datetime) -> datetime:
    """How far back the list of bought shipments is searched: no further than the shipment that the reference names.

    EasyPost prints whole seconds.
    """
    return now - LOOK_BACK if named is None else utc(named.created_at) - timedelta(seconds=1)


def list_request(since: datetime, before: str | None) -> Request:
    """GET /shipments, newest first. `purchased` is left out: by default the list has the bought ones, which we seek."""
    query = {"page_size": str(PAGE), "start_datetime": since.isoformat()}
    if before is not None:
        query["before_id"] = before
    return Request(method="GET", path="/v2/shipments", operation=LIST_SHIPMENTS, query=query)


def read_list(response: Response, now: datetime) -> Shipments:
    """A page of shipments."""
    expect_ok(response, LIST_SHIPMENTS, "search for an earlier purchase", now)
    try:
        return shipments_decoder.decode(response.body)
    except msgspec.MsgspecError as error:
        raise _unreadable(LIST_SHIPMENTS, error) from error


def read_shipment(response: Response, operation: str, subject: str, now: datetime, *, write: bool = False) -> Shipment:
    """A shipment. Raises `Interrupted` with what another answer means; an unreadable answer to a write is Uncertain."""
    expect_ok(response, operation, subject, now, write=write)
    try:
        return shipment_decoder.decode(response.body)
    except msgspec.MsgspecError as error:
        if write:
            reason = f"{subject}: {operation} was taken, but its answer cannot be read: {error}"
            raise Interrupted(Uncertain(reason=reason)) from error
        raise _unreadable(operation, error) from error


# --- giving back -----------------------------------------------------------------------------------------------------


def refund_request(shipment: str) -> Request:
    """POST /shipments/{id}/refund. Asking again is the vendor's own way to retry a rejected one."""
    return request("POST", f"shipments/{shipment}/refund", "POST /shipments/refund", {}, write=True)


def read_refund(shipment: Shipment, *, found: bool) -> Outcome | None:
    """What the refund's status means; None when none was asked for.

    Submitted is done: carriers take up to 30 days to pay. Not applicable is too: they charge on scan, so nothing was
    charged. A rejection soon after the purchase may pass when asked again (EasyPost, shipping refund).
    """
    match shipment.refund_status:
        case None:
            return None
        case "submitted" | "refunded" | "not_applicable":
            return Done(reference=shipment.id, found=found)
        case "rejected":
            return NeedsPerson(
                reason=f"{shipment.id}: the carrier rejected the refund",
                next_step="ask again after an hour; if the label was scanned it stays rejected",
            )
        case status:
            return NeedsPerson(
                reason=f"{shipment.id}: the refund has the status {status!r}, which we do not know",
                next_step="look at the shipment in EasyPost's dashboard",
            )


# --- tracking --------------------------------------------------------------------------------------------------------


def track_request(carrier: str, tracking: str) -> Request:
    """POST /trackers: for a parcel that has a tracker already, EasyPost answers that one."""
    known = {ours: theirs for theirs, ours in reversed(tuple(CARRIERS.items()))}
    document = {"tracker": {"tracking_code": tracking, "carrier": known.get(carrier, carrier)}}
    return request("POST", "trackers", "POST /trackers", document)


def read_track(response: Response, tracking: str, now: datetime) -> Pulled | None:
    """The tracker, to be stored like a webhook; None when EasyPost knows nothing of it."""
    if response.status == 404:
        return None
    expect_ok(response, "POST /trackers", tracking, now)
    try:
        tracker = tracker_decoder.decode(response.body)
    except msgspec.MsgspecError as error:
        raise _unreadable("POST /trackers", error) from error
    digest = hashlib.sha256(response.body).hexdigest()[:20]
    subject = f"{OBJECT}{tracker.tracking_code}"
    return Pulled(key=f"{tracker.id}:{digest}", topic="tracker", object=subject, body=response.body)


# --- errors ----------------------------------------------------------------------------------------------------------


def error_of(response: Response) -> VendorError:
    """EasyPost's error; an empty one where the body has none."""
    try:
        body: ErrorBody = error_decoder.decode(response.body)
    except msgspec.MsgspecError:
        return VendorError()
    return body.error


def expect_ok(response: Response, operation: str, subject: str, now: datetime, *, write: bool = False) -> None:
    """Raise what a failure means."""
    if response.status not in (200, 201):
        raise Interrupted(refusal(response, operation, subject, now, write=write))


def refusal(
    response: Response, operation: str, subject: str, now: datetime, *, write: bool
) -> RetryLater | Refused | NeedsPerson | Unauthorised | Uncertain:
    """The table of errors: what each status and code of EasyPost means for us."""
    status, error = response.status, error_of(response)
    code = error.code or "no code"
    # Messages about addresses may quote them.
    words = "" if code.startswith("ADDRESS") else f" {error.message}"[:200]
    text = f"{subject}: {operation} answered {status} {code}{words if error.message else ''}"
    if status == 429:
        return RetryLater(reason=f"{subject}: {operation} was throttled", at=retry_after(response, now))
    if status in (401, 403):
        return Unauthorised(reason=f"{operation}: the key may not do this ({status} {code})")
    if status >= 500 or status == 408 or code in IN_THE_OPEN:
        return Uncertain(reason=text) if write else RetryLater(reason=text)
    if status == 402:
        return NeedsPerson(reason=text, next_step="add funds or a payment method at EasyPost, then retry")
    if status == 404:
        return Refused(reason=text)
    return NeedsPerson(reason=text, next_step="mend what EasyPost names, then retry")


def _unreadable(operation: str, error: msgspec.MsgspecError) -> Interrupted:
    reason = f"{operation}: EasyPost's answer does not fit its documentation: {error}"
    return Interrupted(NeedsPerson(reason=reason, next_step="compare the answer with the adapter's schemas"))
