"""Pure: buying labels, finding bought ones again, and what a customs border asks."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from adapters.ups.calls import SERVICES, VERSION, amount_of, decoded, paid, request, worth
from adapters.ups.parties import boxes, party, shipper, shipper_of
from adapters.ups.schemas import (
    LabelResult,
    PackageResult,
    RecoveryAnswer,
    ShipAnswer,
    clean,
    many,
    recovery_decoder,
    ship_decoder,
)
from adapters.ups.settings import Settings
from hub.domain.money import MoneyError, major
from hub.domain.shipping import BoxLabel, Label, Rate
from hub.sdk.capabilities import Declaration, DeclaredGoods, LabelRequest
from hub.sdk.outcomes import Done, Interrupted, Learned, NeedsPerson, Outcome, Uncertain
from hub.sdk.wire import Request, Response

SHIP: Final = "POST /shipments/ship"
RECOVER: Final = "POST /labels/recovery"
LONGEST_REFERENCE: Final = 35
RETURN_LABEL: Final = "9"
"""Print Return Label: UPS answers the label, we hand it to the customer."""
RETURNED_GOODS: Final = "Returned goods"
"""A return must describe its boxes (error 120623), and a return's request does not say what comes."""
DOMESTIC: Final = frozenset({"US", "PR"})
"""Where UPS takes references of boxes only; elsewhere only those of the shipment (errors 120541 and 120545)."""

_UNION = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE MC"
UNION: Final = frozenset(_UNION.split())
"""Countries with no customs border between them."""

MEDIA_TYPES: Final = {
    "GIF": "image/gif",
    "PNG": "image/png",
    "PDF": "application/pdf",
    "ZPL": "application/zpl",
    "EPL": "application/epl2",
    "EPL2": "application/epl2",
    "SPL": "application/spl",
    "HTML": "text/html",
}


class Printed(msgspec.Struct, frozen=True, kw_only=True):
    """A box with its label as UPS answers it; without one where it only has the number."""

    tracking: str
    kind: str = ""
    image: str = ""


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """A shipment that was bought under our reference before."""

    number: str
    printed: tuple[Printed, ...]


def reference(key: str) -> str:
    """Our key within UPS's 35 characters: a longer one keeps its beginning and a digest of all of it."""
    if len(key) <= LONGEST_REFERENCE:
        return key
    return f"{key[:22]}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def ship_request(wanted: LabelRequest, code: str, settings: Settings, today: date) -> Request:
    """POST /shipments/ship: buys at once, and again when asked again."""
    owner = shipper_of(wanted.ship_from, wanted.ship_to, returns=wanted.returns)
    shipment: dict[str, Any] = {
        "Shipper": shipper(owner, settings.account, wanted.key),
        "ShipTo": party(wanted.ship_to, wanted.key),
        "ShipFrom": party(wanted.ship_from, wanted.key),
        "PaymentInformation": {"ShipmentCharge": [{"Type": "01", "BillShipper": {"AccountNumber": settings.account}}]},
        "Service": {"Code": code},
        "ShipmentRatingOptions": {"NegotiatedRatesIndicator": "Y"},
        "Package": [
            {"Packaging": {"Code": "02"}, **box}
            for box in boxes((wanted.parcel, *wanted.more_parcels), wanted.ship_from.country)
        ],
    }
    _refer(shipment, wanted)
    if wanted.returns:
        shipment["ReturnService"] = {"Code": RETURN_LABEL}
        for box in shipment["Package"]:
            box["Description"] = RETURNED_GOODS
    if crosses_border(wanted):
        _declare(shipment, wanted, today)
    document = {
        "ShipmentRequest": {
            "Request": {"RequestOption": "nonvalidate", "TransactionReference": {"CustomerContext": wanted.key}},
            "Shipment": shipment,
            "LabelSpecification": _specification(settings.label_format),
        }
    }
    return request("POST", f"shipments/{VERSION}/ship", SHIP, document, write=True)


def recovery_request(name: str, settings: Settings) -> Request:
    """POST /labels/recovery: the labels that carry our reference."""
    document = {
        "LabelRecoveryRequest": {
            "Request": {"TransactionReference": {"CustomerContext": name}},
            "LabelSpecification": _specification(settings.label_format),
            "ReferenceValues": {"ReferenceNumber": {"Value": name}, "ShipperNumber": settings.account},
        }
    }
    return request("POST", "labels/v1/recovery", RECOVER, document)


def read_ship(response: Response, wanted: LabelRequest, code: str, now: datetime) -> Outcome:
    """What was bought. What may have been bought and cannot be read is Uncertain: the next try finds it."""
    answer: ShipAnswer = decoded(response, ship_decoder, SHIP, wanted.key, now, write=True)
    head, results = answer.shipment_response.response.response_status, answer.shipment_response.shipment_results
    if clean(head.code) != "1":
        return Uncertain(reason=f"{wanted.key}: {SHIP} ended with status {clean(head.code)!r}, which is no success")
    packages = many(results.package_results)
    if not packages or results.shipment_charges is None:
        return Uncertain(reason=f"{wanted.key}: {SHIP} answered no {'charges' if packages else 'packages'}")
    try:
        charge = paid(results.shipment_charges.total_charges, results.negotiated_rate_charges)
        amount, currency = amount_of(charge)
    except MoneyError as error:
        return Uncertain(reason=f"{wanted.key}: {SHIP} charged an amount that cannot be booked: {error}")
    printed = [_bought(package) for package in packages]
    bought = Rate(id=code, carrier="ups", service=SERVICES.get(code, code), amount=amount, currency=currency)
    return _done(wanted, clean(results.shipment_identification_number), printed, bought, found=False)


def read_recovery(response: Response, wanted: LabelRequest, now: datetime) -> Earlier:
    """The shipment of an earlier try. Raises `Interrupted` when the answer is another one."""
    answer: RecoveryAnswer = decoded(response, recovery_decoder, RECOVER, wanted.key, now)
    found = answer.label_recovery_response
    printed = tuple(_recovered(result) for result in many(found.label_results))
    if not printed:
        reason = f"{wanted.key}: {RECOVER} found the shipment and answered no label of it"
        raise Interrupted(Uncertain(reason=reason))
    # A shipment's number is that of its first parcel.
    number = clean(found.shipment_identification_number or "") or printed[0].tracking
    return Earlier(number=number, printed=printed)


def tracked_only(numbers: Sequence[str]) -> Earlier:
    """A shipment that UPS tracks under our reference and whose labels it does not print again."""
    return Earlier(number=numbers[0], printed=tuple(Printed(tracking=number) for number in numbers))


def read_earlier(earlier: Earlier, wanted: LabelRequest, offer: Rate) -> Outcome:
    """Done, by an earlier try. UPS tells neither service nor price of it: those of `offer` stand for them."""
    return _done(wanted, earlier.number, earlier.printed, offer, found=True)


def _bought(package: PackageResult) -> Printed:
    tracking, label = clean(package.tracking_number), package.shipping_label
    if label is None:
        return Printed(tracking=tracking)
    return Printed(tracking=tracking, kind=clean(label.image_format.code), image=clean(label.graphic_image))


def _recovered(result: LabelResult) -> Printed:
    tracking, label = clean(result.tracking_number), result.label_image
    if label is None:
        return Printed(tracking=tracking)
    return Printed(tracking=tracking, kind=clean(label.label_image_format.code), image=clean(label.graphic_image))


def crosses_border(wanted: LabelRequest) -> bool:
    """Whether customs papers are needed."""
    ends = {wanted.ship_from.country, wanted.ship_to.country}
    return len(ends) > 1 and not ends <= UNION and not ends <= DOMESTIC


def _refer(shipment: dict[str, Any], wanted: LabelRequest) -> None:
    value = {"Value": reference(wanted.key)}
    if wanted.ship_from.country == wanted.ship_to.country and wanted.ship_from.country in DOMESTIC:
        for box in shipment["Package"]:
            box["ReferenceNumber"] = [value]
    else:
        shipment["ReferenceNumber"] = [value]


def _declare(shipment: dict[str, Any], wanted: LabelRequest, today: date) -> None:
    """A commercial invoice, printed by UPS."""
    declared = wanted.declaration
    if declared is None or not declared.goods:
        reason = f"{wanted.key}: the parcel crosses a customs border, and its goods are not declared"
        step = "give the items descriptions, values and countries of origin, or make this label on ups.com"
        raise Interrupted(NeedsPerson(reason=reason, next_step=step))
    shipment["Description"] = ", ".join(goods.description for goods in declared.goods)[:50]
    sold_to = party(wanted.ship_to, wanted.key)
    shipment["ShipmentServiceOptions"] = {
        "InternationalForms": {
            "FormType": ["01"],
            "InvoiceNumber": (declared.invoice or reference(wanted.key))[:35],
            "InvoiceDate": f"{today:%Y%m%d}",
            "ReasonForExport": "RETURN" if wanted.returns else "SALE",
            "CurrencyCode": declared.currency,
            "Contacts": {"SoldTo": {"AttentionName": sold_to["Name"], **sold_to}},
            "Product": [_product(goods, declared) for goods in declared.goods],
        }
    }
    if (wanted.ship_from.country, wanted.ship_to.country) == ("US", "CA"):
        shipment["InvoiceLineTotal"] = worth(declared)


def _product(goods: DeclaredGoods, declared: Declaration) -> dict[str, Any]:
    # Informative, with at most six places; the total is on the invoice by quantity.
    each = (major(goods.value, declared.currency) / goods.quantity).quantize(Decimal("0.000001")).normalize()
    found: dict[str, Any] = {
        "Description": [goods.description[:35]],
        "Unit": {"Number": str(goods.quantity), "UnitOfMeasurement": {"Code": "PCS"}, "Value": f"{each:f}"},
    }
    if goods.hs_code:
        found["CommodityCode"] = "".join(sign for sign in goods.hs_code if sign.isalnum())[:15]
    if goods.origin_country:
        found["OriginCountryCode"] = goods.origin_country
    return found


def _specification(label_format: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "LabelImageFormat": {"Code": label_format},
        "LabelStockSize": {"Height": "6", "Width": "4"},
    }
    if label_format == "GIF":
        found["HTTPUserAgent"] = "Mozilla/4.5"
    return found


def _done(wanted: LabelRequest, number: str, printed: Sequence[Printed], rate: Rate, *, found: bool) -> Done:
    first, *more = printed
    label = Label(
        external_id=number,
        tracking=first.tracking,
        carrier="ups",
        service=rate.service,
        url=_data_url(first),
        media_type=_media_type(first),
        amount=rate.amount,
        currency=rate.currency,
        more=tuple(BoxLabel(tracking=box.tracking, url=_data_url(box)) for box in more),
    )
    learned = Learned(kind="shipment", ours=wanted.key, theirs=number)
    return Done(reference=number, label=label, learned=(learned,), found=found)


def _data_url(box: Printed) -> str | None:
    """UPS keeps no address of a label: its bytes are all there is."""
    return f"data:{_media_type(box)};base64,{box.image}" if box.image else None


def _media_type(box: Printed) -> str:
    return MEDIA_TYPES.get(box.kind.upper(), "application/octet-stream")
