"""Pure: requests of UPS's rating, void and tracking APIs and what their answers mean. Labels are in `labels.py`."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec

from adapters.ups.parties import address, boxes, shipper_of, total_weight
from adapters.ups.schemas import (
    Amount,
    Negotiated,
    Package,
    RateAnswer,
    RatedShipment,
    SubscriptionAnswer,
    TrackAnswer,
    Warned,
    clean,
    error_decoder,
    many,
    rate_decoder,
    subscription_decoder,
    track_decoder,
    void_decoder,
)
from adapters.ups.settings import Settings
from adapters.ups.webhook import OBJECT
from hub.domain.contact import Contact
from hub.domain.money import MoneyError, major, minor
from hub.domain.shipping import Rate
from hub.sdk.capabilities import Declaration, ParcelToShip, Pulled
from hub.sdk.limits import retry_after
from hub.sdk.outcomes import (
    Done,
    Interrupted,
    NeedsPerson,
    Outcome,
    RetryLater,
    Unauthorised,
    Uncertain,
)
from hub.sdk.wire import Request, Response

VERSION: Final = "v2409"
SHOP: Final = "Shoptimeintransit"
SHOP_PRICES: Final = "Shop"
"""Without days. From one country to another days are told only for goods whose worth is (Rating, InvoiceLineTotal)."""
TRACK_TOPIC: Final = "track"

BREATH: Final = timedelta(seconds=30)
"""UPS's 429 says nothing about when (no Retry-After, UPS-API/api-documentation#8): ours."""
THROTTLED: Final = "10429"
OVERLOADED: Final = frozenset({"10004", "VSS100"})
"""Codes of errors that pass by themselves, whatever the status that they came with."""
UNKNOWN_NUMBER: Final = frozenset({"TW0001", "TV0002"})
"""Tracking knows nothing of the number; the first comes as a warning in a 200."""
VOIDED: Final = "007"

SERVICES: Final[Mapping[str, str]] = {
    "01": "Next Day Air",
    "02": "2nd Day Air",
    "03": "Ground",
    "07": "Worldwide Express",
    "08": "Worldwide Expedited",
    "11": "Standard",
    "12": "3 Day Select",
    "13": "Next Day Air Saver",
    "14": "Next Day Air Early",
    "17": "Worldwide Economy DDU",
    "54": "Worldwide Express Plus",
    "59": "2nd Day Air A.M.",
    "65": "Worldwide Saver",
    "70": "Access Point Economy",
    "72": "Worldwide Economy DDP",
    "74": "Express 12:00",
    "75": "Heavy Goods",
}
"""Names of the parcel services by their code (Shipping API, Service). Others keep their code."""

T = TypeVar("T")

encode: Final = msgspec.json.Encoder(decimal_format="number").encode


def request(
    method: str,
    path: str,
    operation: str,
    document: object = None,
    *,
    query: Mapping[str, str] | None = None,
    write: bool = False,
) -> Request:
    """A call of UPS's REST APIs."""
    return Request(
        method=method,
        path=f"/api/{path}",
        operation=operation,
        query=query or {},
        headers={} if document is None else {"content-type": "application/json"},
        body=None if document is None else encode(document),
        write=write,
    )


# --- offers ----------------------------------------------------------------------------------------------------------


def shop_request(
    ship_from: Contact,
    ship_to: Contact,
    parcels: tuple[ParcelToShip, ...],
    settings: Settings,
    *,
    subject: str,
    returns: bool = False,
    declared: Declaration | None = None,
) -> Request:
    """POST /rating/Shoptimeintransit: all services with the account's own prices and, where UPS tells them, their days.

    To another country UPS wants the weight of all boxes and the worth of the goods before it says how long it takes.
    """
    owner = shipper_of(ship_from, ship_to, returns=returns)
    abroad = ship_from.country != ship_to.country
    option = SHOP_PRICES if abroad and declared is None else SHOP
    shipment: dict[str, Any] = {
        "Shipper": {**_rated(owner, subject), "ShipperNumber": settings.account},
        "ShipTo": _rated(ship_to, subject),
        "ShipFrom": _rated(ship_from, subject),
        "PaymentDetails": {"ShipmentCharge": [{"Type": "01", "BillShipper": {"AccountNumber": settings.account}}]},
        "Package": [{"PackagingType": {"Code": "02"}, **box} for box in boxes(parcels, ship_from.country)],
        "ShipmentRatingOptions": {"NegotiatedRatesIndicator": "Y"},
    }
    if option == SHOP:
        shipment["DeliveryTimeInformation"] = {"PackageBillType": "03"}
        if abroad and declared is not None:
            shipment["ShipmentTotalWeight"] = total_weight(parcels, ship_from.country)
            shipment["InvoiceLineTotal"] = worth(declared)
    head = {"RequestOption": option, "TransactionReference": {"CustomerContext": subject}}
    document = {"RateRequest": {"Request": head, "Shipment": shipment}}
    return request("POST", f"rating/{VERSION}/{option}", "POST /rating", document)


def worth(declared: Declaration) -> dict[str, str]:
    """What declared goods are worth together."""
    total = major(sum(goods.value for goods in declared.goods), declared.currency)
    return {"CurrencyCode": declared.currency, "MonetaryValue": str(total)}


def read_offers(response: Response, subject: str, now: datetime) -> tuple[Rate, ...]:
    """All offers, the cheapest first. Raises `Interrupted` for an amount that cannot be booked."""
    answer: RateAnswer = decoded(response, rate_decoder, "POST /rating", subject, now)
    offers = map(_offer, many(answer.rate_response.rated_shipment))
    return tuple(sorted(offers, key=lambda rate: (rate.currency, rate.amount, rate.id)))


def choose(offers: tuple[Rate, ...], service: str | None, subject: str) -> Rate | NeedsPerson:
    """The offer to buy: the wanted service, else the cheapest, never across currencies."""
    if service is not None:
        code = service_code(service)
        offers = tuple(rate for rate in offers if rate.id == code)
    if not offers:
        return NeedsPerson(
            reason=f"{subject}: UPS does not offer {service or 'any service'} between these addresses",
            next_step="ask for another service, or check addresses and weight",
        )
    currencies = sorted({rate.currency for rate in offers})
    if len(currencies) > 1:
        return NeedsPerson(
            reason=f"{subject}: the offers are in {' and '.join(currencies)} and cannot be compared",
            next_step="name a service",
        )
    return offers[0]


def service_code(word: str) -> str | None:
    """UPS's code for a service by its code or name, with or without "UPS" before it; None when it has no such one."""
    if word in SERVICES:
        return word
    wanted = _bare(word).removeprefix("ups")
    return next((code for code, name in SERVICES.items() if _bare(name) == wanted), None)


def amount_of(charge: Amount) -> tuple[int, str]:
    """Minor units and currency. Raises `MoneyError` for what is no amount."""
    text, currency = clean(charge.monetary_value), clean(charge.currency_code)
    try:
        return minor(Decimal(text), currency), currency
    except InvalidOperation as error:
        raise MoneyError(f"{text!r} {currency} is no amount of money") from error


def paid(listed: Amount, negotiated: Negotiated | None) -> Amount:
    """What the account pays: its negotiated price where UPS tells one, else the list price."""
    return (negotiated.total_charge if negotiated else None) or listed


def _rated(contact: Contact, subject: str) -> dict[str, Any]:
    """Who and where, as far as prices depend on it."""
    return {"Name": (contact.company or contact.name or "")[:35], "Address": address(contact, subject)}


def _offer(rated: RatedShipment) -> Rate:
    code = clean(rated.service.code)
    try:
        amount, currency = amount_of(paid(rated.total_charges, rated.negotiated_rate_charges))
    except MoneyError as error:
        reason = f"UPS offers service {code} for an amount that cannot be booked: {error}"
        raise Interrupted(NeedsPerson(reason=reason, next_step="ask UPS about the rates of this account")) from error
    return Rate(
        id=code,
        carrier="ups",
        service=SERVICES.get(code, code),
        amount=amount,
        currency=currency,
        delivery_days=_days(rated),
    )


def _days(rated: RatedShipment) -> int | None:
    transit = rated.time_in_transit.service_summary if rated.time_in_transit else None
    for arrival in (transit.estimated_arrival if transit else None, rated.guaranteed_delivery):
        told = clean((arrival.business_days_in_transit if arrival else None) or "")
        if told.isdecimal():
            return int(told)
    return None


def _bare(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())


# --- giving back -----------------------------------------------------------------------------------------------------


def void_request(shipment: str) -> Request:
    """DELETE /shipments/void/cancel: all boxes of a shipment."""
    path = f"shipments/{VERSION}/void/cancel/{quote(shipment, safe='')}"
    return request("DELETE", path, "DELETE /shipments/void", write=True)


def read_void(response: Response, shipment: str, subject: str, now: datetime) -> Outcome:
    """Status 1 of the summary is void; anything else is for a person to see."""
    answer = decoded(response, void_decoder, "DELETE /shipments/void", subject, now, write=True)
    summary = answer.void_shipment_response.summary_result.status
    if clean(summary.code) == "1":
        return Done(reference=shipment)
    return NeedsPerson(
        reason=f"{subject}: UPS voided not all of {shipment}: {clean(summary.code)} {clean(summary.description or '')}",
        next_step="void the rest of the shipment on ups.com",
    )


# --- tracking --------------------------------------------------------------------------------------------------------


def track_request(tracking: str) -> Request:
    """GET /track/v1/details: all that happened to a parcel within 120 days."""
    query = {"locale": "en_US", "returnSignature": "false"}
    return request("GET", f"track/v1/details/{quote(tracking, safe='')}", "GET /track/details", query=query)


def reference_request(reference: str, account: str, now: datetime) -> Request:
    """GET /track/v1/reference/details: the parcels under our reference, of the last two weeks."""
    since, until = (now - timedelta(days=14)).strftime("%Y%m%d"), (now + timedelta(days=1)).strftime("%Y%m%d")
    query = {
        "locale": "en_US",
        "fromPickUpDate": since,
        "toPickUpDate": until,
        "shipperNum": account,
        "refNumType": "SmallPackage",
    }
    path = f"track/v1/reference/details/{quote(reference, safe='')}"
    return request("GET", path, "GET /track/reference", query=query)


def read_tracked(response: Response, operation: str, subject: str, now: datetime) -> TrackAnswer | None:
    """What is known; None where UPS knows no such number, which it says by 404, by 400 or by a warning in a 200."""
    if response.status in (400, 404) and error_of(response).code in UNKNOWN_NUMBER:
        return None
    if response.status == 404:
        return None
    answer: TrackAnswer = decoded(response, track_decoder, operation, subject, now)
    known = any(many(shipment.package) for shipment in many(answer.track_response.shipment))
    return answer if known else None


def pulled(response: Response, tracking: str) -> Pulled:
    """A tracking answer, to be stored like a webhook."""
    digest = hashlib.sha256(response.body).hexdigest()[:20]
    subject = f"{OBJECT}{tracking}"
    return Pulled(key=f"track:{tracking}:{digest}", topic=TRACK_TOPIC, object=subject, body=response.body)


def live(answer: TrackAnswer) -> tuple[str, ...]:
    """Numbers of the parcels in an answer whose labels are not void, by what was said of them last."""
    packages = [package for shipment in many(answer.track_response.shipment) for package in many(shipment.package)]
    return tuple(package.tracking_number for package in packages if not _void(package))


def _void(package: Package) -> bool:
    newest = next(iter(many(package.activity)), None)
    return newest is not None and (newest.status.type == "MV" or newest.status.status_code == VOIDED)


def subscribe_request(tracking: str) -> Request:
    """POST /track/v2/subscription/standard/package: alerts for two weeks. Subscribing again is harmless."""
    document = {"locale": "en_US", "trackingNumberList": [tracking]}
    return request("POST", "track/v2/subscription/standard/package", "POST /track/subscription", document)


def read_subscription(response: Response, tracking: str, now: datetime) -> None:
    """Raise unless the parcel is subscribed to."""
    answer: SubscriptionAnswer = decoded(
        response, subscription_decoder, "POST /track/subscription", tracking, now
    )  # fmt: skip
    if tracking not in answer.valid_tracking_numbers:
        reason = f"{tracking}: UPS takes no alert subscription for this number"
        raise Interrupted(NeedsPerson(reason=reason, next_step="check the number; it is followed by pulls alone"))


# --- errors ----------------------------------------------------------------------------------------------------------


def error_of(response: Response) -> Warned:
    """The first of UPS's errors; an empty one where the body has none."""
    try:
        body = error_decoder.decode(response.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Warned()
    return next(iter(many(body.response.errors)), Warned())


def passing(response: Response) -> bool:
    """Whether an error passes by itself, whatever its status: it says nothing about what was asked."""
    return error_of(response).code in {THROTTLED, *OVERLOADED}


def decoded(
    response: Response,
    decoder: msgspec.json.Decoder[T],
    operation: str,
    subject: str,
    now: datetime,
    *,
    write: bool = False,
) -> T:
    """An answer. Raises `Interrupted` with what any other means: an error (in a 200 as well), or nothing readable."""
    if response.status not in (200, 201) or error_of(response).code is not None:
        raise Interrupted(refusal(response, operation, subject, now, write=write))
    try:
        return decoder.decode(response.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        # A Unicode error quotes the bytes.
        what = str(error) if isinstance(error, msgspec.MsgspecError) else "it is not UTF-8"
        if write:
            reason = f"{subject}: {operation} was taken, but its answer cannot be read: {what}"
            raise Interrupted(Uncertain(reason=reason)) from error
        reason = f"{subject}: {operation}: UPS's answer does not fit its documentation: {what}"
        step = "compare the answer with UPS's specification; is something else answering at base_url?"
        raise Interrupted(NeedsPerson(reason=reason, next_step=step)) from error


def refusal(
    response: Response, operation: str, subject: str, now: datetime, *, write: bool
) -> RetryLater | NeedsPerson | Unauthorised | Uncertain:
    """The table of errors: what each status and code of UPS means for us."""
    status, error = response.status, error_of(response)
    code = error.code or "no code"
    text = f"{subject}: {operation} answered {status} {code} {error.message or ''}"[:300].rstrip()
    if status == 429 or code == THROTTLED:
        at = retry_after(response, now) or now + BREATH
        return RetryLater(reason=f"{subject}: {operation} was throttled", at=at)
    if status in (401, 403):
        return Unauthorised(reason=f"{operation}: this app may not do this for the account ({status} {code})")
    if status >= 500 or status == 408 or code in OVERLOADED:
        return Uncertain(reason=text) if write else RetryLater(reason=text)
    return NeedsPerson(reason=text, next_step="mend what UPS names, then retry")
